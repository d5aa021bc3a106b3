"""`explain`, and the text that it returns."""

import html

import numpy as np

from .. import data, feeding
from ..layers import Layer
from ..models import Sequential
from . import input_words, layer_words, state_words, training_words
from .flow import Flow
from .writer import Writer, as_lines, width

_SECTIONS = {
    "input": input_words.write,
    "layers": layer_words.write,
    "training": training_words.write,
    "state": state_words.write,
}


def explain(model, x, y=None, batch_size=None, epochs=1, lang="en"):
    """Say in plain words what a model does with this data.

    What each axis of x means; which shape leaves each layer, and why; how many updates `fit` makes;
    what is kept from step to step and from batch to batch.  What looks like a mistake is a hint.
    Nothing is computed with the weights, nothing is changed, and a model that is not built yet
    stays so.

    Parameters
    ----------
    model : Sequential
    x : array (N, T, D), (N, F) or (N, T) of integers
        What is to go into `fit`; NaN are hinted at.
    y : array or None
        Its targets.  If they do not fit the model's output, a hint says so.
    batch_size : int or None
        As in `fit`.
    epochs : int
        As in `fit`.
    lang : {"en", "ko"}
        English or Korean.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError
        If `model` is no Sequential, or x or y are no arrays of numbers.
    ValueError
        If x does not fit the model, or for sizes and languages that there are not.
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"explain takes a npylstm.Sequential, got {_kind(model)}")
    writers = {key: Writer(lang) for key in _SECTIONS}
    flow = Flow(model, _array("x", x), None if y is None else _array("y", y), batch_size, epochs)
    for key, write in _SECTIONS.items():
        write(writers[key], flow)
    titles = Writer(lang)
    title = titles.text("title", model=model.name, shape=flow.x.shape)
    headings = {key: titles.text(f"{key}_heading") for key in _SECTIONS}
    blocks = {key: writer.blocks for key, writer in writers.items()}
    return Explanation(title, headings, blocks, titles.text("hint"), lang)


class Explanation:
    """A text in sections; ``print`` shows all of it, a notebook as HTML.

    Attributes
    ----------
    lang : str
        "en" or "ko".
    sections : dict of str to str
        The text of each section, without headings: "input", "layers", "training", "state".
    hints : list of str
        What may be other than it is meant to be.
    """

    def __init__(self, title, headings, blocks, hint, lang):
        self.lang = lang
        self._title, self._headings, self._blocks, self._hint = title, headings, blocks, hint
        self.sections = {key: as_lines(part, hint) for key, part in blocks.items()}
        self.hints = [
            block.text for part in blocks.values() for block in part if block.kind == "hint"
        ]

    def __str__(self):
        parts = [f"{self._title}\n{'=' * width(self._title)}"]
        for key, heading in self._headings.items():
            parts.append(f"{heading}\n{'-' * width(heading)}\n{self.sections[key]}")
        return "\n\n".join(parts)

    __repr__ = __str__  # so that a bare `explain(model, x)` can be read where it was typed

    def _repr_html_(self):
        parts = [f'<div class="npylstm-explanation" lang="{self.lang}">']
        parts.append(f"<h2>{html.escape(self._title)}</h2>")
        for key, heading in self._headings.items():
            parts.append(f"<h3>{html.escape(heading)}</h3>")
            parts += [self._as_html(block) for block in self._blocks[key]]
        return "\n".join([*parts, "</div>"])

    def _as_html(self, block):
        indent = f' style="margin-left: {2 * block.depth}em"' if block.depth else ""
        if block.kind == "table":
            rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in block.rows)
            return f"<table{indent}>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
        text = html.escape(block.text)
        if block.kind == "layer":
            return f"<h4{indent}>{text}</h4>"
        if block.kind == "hint":
            return f"<p{indent}><strong>{html.escape(self._hint)}:</strong> {text}</p>"
        return f"<p{indent}>{text}</p>"


def _kind(model):
    home = type(model).__module__.partition(".")[0]
    kind = type(model).__name__ if home == "builtins" else f"{home}'s {type(model).__name__}"
    if isinstance(model, type):
        return f"the class {model.__name__}; make an instance of it first"
    if isinstance(model, Layer):
        return f"{kind}; put it into one: Sequential([layer])"
    if hasattr(model, "get_weights") and hasattr(model, "layers"):
        return f"{kind}; npylstm.parity.from_keras(model) makes one of a Keras model"
    return kind


def _array(name, values):
    """Return x or y as an array of numbers in the type that they come in."""
    if values is None:
        raise ValueError(f"{name} is missing: explain says what a model does with given data")
    if feeding.comes_in_batches(values):
        raise TypeError(
            f"{name} must be an array, got a {type(values).__name__}; pass the arrays of one batch"
        )
    data.float_array(values, name, None, finite=False)  # raises for what are no numbers
    return np.asarray(values)

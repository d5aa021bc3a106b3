"""How the examples speak: texts in the reader's language, tables, pictures."""

import unicodedata
from pathlib import Path

import numpy as np

from .texts import TEXTS

LANGUAGES = ("en", "ko")


class Console:
    """Prints texts in one language and saves pictures.

    Parameters
    ----------
    texts : dict
        Key -> (English, Korean), beside those that every example uses.
    lang : {"en", "ko"}
    directory : str or Path, optional
        Where pictures go; None draws none.
    html : str or Path, optional
        The file that the page of a trace goes to; None writes none.
    """

    def __init__(self, texts, lang="en", directory=None, html=None):
        self.texts = TEXTS | texts
        self.language = LANGUAGES.index(lang)
        self.directory = None if directory is None else Path(directory)
        self.html = html

    def text(self, key, **values):
        """Return the text of `key` with the values filled in."""
        return self.texts[key][self.language].format(**values)

    def say(self, key, **values):
        """Print the text of `key`."""
        print(self.text(key, **values), flush=True)

    def title(self, key):
        """Print the text of `key` as a heading."""
        title = self.text(key)
        print(f"\n{title}\n{'=' * width(title)}", flush=True)

    def table(self, heads, rows):
        """Print rows of texts under their heads: the first column left, the others right."""
        rows = [self.text(heads).split("|"), *rows]
        widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
        for number, row in enumerate(rows):
            cells = [pad(row[0], widths[0])]
            cells += [pad(*cell, right=True) for cell in zip(row[1:], widths[1:], strict=True)]
            print("  " + "  ".join(cells).rstrip(), flush=True)
            if number == 0:
                print("  " + "  ".join("-" * w for w in widths), flush=True)

    def columns(self, cells, room=88):
        """Print many short texts, as many a line as `room` terminal columns hold."""
        widest = max(map(width, cells))
        across = max(1, room // (widest + 3))
        for start in range(0, len(cells), across):
            line = "   ".join(pad(cell, widest) for cell in cells[start : start + across])
            print("  " + line.rstrip(), flush=True)

    def paragraph(self, text, room=88):
        """Print a long text, broken between words where a line of `room` columns is full."""
        line = ""
        for word in text.split():
            if line and width(line) + 1 + width(word) > room:
                print(line, flush=True)
                line = ""
            line = f"{line} {word}" if line else word
        print(line, flush=True)

    def picture(self, name, draw, *args, directory=None, **kwargs):
        """Draw and save a picture, if pictures are wanted: ``draw(*args, **kwargs)`` gives Axes."""
        directory = directory or self.directory
        if directory is None:
            return
        axes = np.ravel(draw(*args, **kwargs))
        path = directory / f"{name}.png"
        axes[0].figure.savefig(path)
        self.say("picture", path=path)

    def page(self, model, x, y, title):
        """Write the page of a trained model's trace of some samples, if one is wanted."""
        if self.html is not None:
            trace = model.trace(x, y)
            self.say("page", path=trace.to_html(self.html, title=self.text(title)))


def width(text):
    """Return how many columns of a terminal a text takes; a Korean syllable takes two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def pad(text, columns, right=False):
    """Fill a text up with spaces to a number of terminal columns."""
    spaces = " " * (columns - width(text))
    return spaces + text if right else text + spaces

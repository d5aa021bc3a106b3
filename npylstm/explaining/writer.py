"""Sentences with numbers in them, in one of two languages, and blocks of such sentences."""

import re
import unicodedata
from string import Formatter
from typing import NamedTuple

import numpy as np

from .layer_texts import LAYER_TEXTS
from .texts import TEXTS

LANGUAGES = ("en", "ko")
COLUMNS = 88
ALL_TEXTS = TEXTS | LAYER_TEXTS

_PARTICLE = re.compile(r"\[([^]/]*)/([^]/]*)\]")  # as it is after a consonant, and after a vowel
_PLURALS = {"batch": "batches", "class": "classes"}
# How Korean reads a digit at the end of a number: the final sound decides on the particle.
_FINAL_SOUNDS = dict(zip("0123456789", ("ŋ", "l", "", "m", "", "", "k", "l", "l", ""), strict=True))


class Block(NamedTuple):
    """A paragraph, one that closes a list, the heading of a layer, or a hint."""

    kind: str  # "text", "closing", "layer" or "hint"
    text: str
    depth: int


class Table(NamedTuple):
    """Rows of short texts; the first row and the first column say what the others are."""

    rows: list
    depth: int
    kind: str = "table"


class Writer:
    """Collects the blocks of one section.

    Parameters
    ----------
    lang : {"en", "ko"}

    Attributes
    ----------
    blocks : list of Block and Table
    depth : int
        How far what comes next is indented: a layer inside another is told deeper.

    Raises
    ------
    ValueError
        For another language.
    """

    def __init__(self, lang):
        if lang not in LANGUAGES:
            raise ValueError(f"lang must be 'en' or 'ko', got {lang!r}")
        self.lang = lang
        self.blocks = []
        self.depth = 0

    def text(self, key, **values):
        """Return the text of `key` with the values filled in."""
        return filled(ALL_TEXTS[key][LANGUAGES.index(self.lang)], values)

    def say(self, *keys, **values):
        """Add a paragraph of one text or several."""
        text = " ".join(self.text(key, **values) for key in keys)
        self.blocks.append(Block("text", text, self.depth))

    def close(self, key, **values):
        """Add a paragraph that is set apart from what comes before."""
        self.blocks.append(Block("closing", self.text(key, **values), self.depth))

    def hint(self, key, **values):
        """Add a hint: something that may be other than it is meant to be."""
        self.blocks.append(Block("hint", self.text(key, **values), self.depth))

    def layer(self, key, **values):
        """Add the heading of a layer."""
        self.blocks.append(Block("layer", self.text(key, **values), self.depth))

    def table(self, rows):
        """Add a table."""
        self.blocks.append(Table(rows, self.depth))


# ------------------------------------------------------------------------------------ filling in
def filled(template, values):
    """Return a template with values in it.

    ``{n:sample}`` becomes "1 sample" or "2 samples".  After a number or a shape, ``[은/는]`` and
    its like become the particle that fits the sound before it.  What a value holds is never read
    as a template, so that a name may be any string.
    """
    text = ""
    for literal, field, noun, _ in Formatter().parse(template):
        particle = _PARTICLE.match(literal)
        if particle:
            literal = _fitting(particle, text) + literal[particle.end() :]
        text += literal
        if field is not None:
            value = values[field]
            # An argument, such as epochs=5000, is written as in code: without a comma.
            is_code = text.endswith("=") and isinstance(value, int)
            text += (str(value) if is_code else shown(value)) + _noun(noun, value)
    return text


def shown(value):
    """Return a number, a shape, a name or a text as it stands in a sentence."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        return number(value)
    if isinstance(value, tuple):
        return str(tuple(None if size is None else int(size) for size in value))
    text = str(value)
    return text if text.isprintable() else repr(text)[1:-1]  # no line breaks out of a name


def number(value):
    """Return a number in four digits."""
    text = f"{float(value):.4g}"
    return "0" if text == "-0" else text


def _noun(noun, count):
    if not noun:
        return ""
    return f" {noun}" if count == 1 else f" {_PLURALS.get(noun, noun + 's')}"


def _fitting(particle, before):
    after_consonant, after_vowel = particle.groups()
    last = next((character for character in reversed(before) if character.isalnum()), "")
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        sound = "l" if final == 8 else "x" * bool(final)
    elif last in _FINAL_SOUNDS:
        sound = _FINAL_SOUNDS[last]
    else:
        return f"{after_consonant}({after_vowel})"
    if after_vowel == "로" and sound == "l":  # 7로, not 7으로
        sound = ""
    return after_consonant if sound else after_vowel


# -------------------------------------------------------------------------------------- as lines
def as_lines(blocks, hint):
    """Return blocks as text.

    Parameters
    ----------
    blocks : list of Block and Table
    hint : str
        What a hint begins with.
    """
    lines = []
    for block in blocks:
        indent = "  " * block.depth
        if block.kind == "table":
            lines += [indent + "  " + row for row in _aligned(block.rows)]
        elif block.kind in ("layer", "closing"):
            lines += ["", *_wrapped(indent + block.text, indent)]
        elif block.kind == "hint":
            lines += _wrapped(f"{indent}* {hint}: {block.text}", indent + "  ")
        else:
            lines += _wrapped(indent + block.text, indent)
    return "\n".join(lines)


def width(text):
    """Return how many columns of a terminal a text takes; a Korean syllable takes two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _aligned(rows):
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first + " " * (widths[0] - width(first))]
        cells += [" " * (w - width(cell)) + cell for w, cell in zip(widths[1:], rest, strict=True)]
        yield "  ".join(cells).rstrip()


def _wrapped(text, indent):
    """Return lines of at most COLUMNS; a shape such as (25, 3, 1) is not broken."""
    held = re.sub(r"(?<=[\d,]) (?=[\d,]+[,)])", "\0", text.lstrip(" "))
    start = text[: len(text) - len(text.lstrip(" "))]
    lines, line = [], start
    for word in held.split(" "):
        word = word.replace("\0", " ")
        if line.strip() and width(line) + 1 + width(word) > COLUMNS:
            lines.append(line)
            line = indent + word
        else:
            line += word if not line.strip() else " " + word
    return [*lines, line]

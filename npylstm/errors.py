"""Checks that many places share: what was given, what is expected, what to do."""

import difflib
import functools
import inspect
import numbers
import operator

import numpy as np


def unknown_name(kind, name, known):
    """Return the ValueError for a name that is not among the known ones."""
    nearest = difflib.get_close_matches(str(name).lower(), known, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return ValueError(f"unknown {kind} {name!r}{hint}  Known are: {', '.join(sorted(known))}.")


def unknown_arguments(owner, given, known):
    """Return the TypeError for keyword arguments that `owner` does not take."""
    name = sorted(given)[0]
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return TypeError(f"{owner} has no argument {name!r}{hint}  It takes: {', '.join(known)}.")


def is_number(value):
    """Return whether a value is a real number, and not a truth value."""
    return isinstance(value, numbers.Real | np.number) and not isinstance(value, bool | np.bool_)


def known_arguments(cls):
    """Make a class explain itself when it is given a keyword argument that it does not take.

    A class decorator: what Python raises is a TypeError too, but it says nothing of what is meant.
    """
    original = cls.__init__
    known = list(inspect.signature(original).parameters)[1:]

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            raise unknown_arguments(type(self).__name__, unknown, known)
        original(self, *args, **kwargs)

    cls.__init__ = __init__
    return cls


def positive(name, value):
    """Return a number, or raise ValueError unless it is greater than 0."""
    if not (is_number(value) and value > 0):
        raise ValueError(f"{name} must be greater than 0, got {value!r}")
    return value


def at_least_zero(name, value):
    """Return a number, or raise ValueError unless it is 0 or more."""
    if not (is_number(value) and value >= 0):
        raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
    return value


def fraction(name, value):
    """Return a number, or raise ValueError unless it lies in [0, 1]."""
    if not (is_number(value) and 0 <= value <= 1):
        raise ValueError(f"{name} must be a number in [0, 1], got {value!r}")
    return value if isinstance(value, np.float64) else float(value)


def integer(name, value):
    """Return an integer, or raise TypeError if it is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    return operator.index(value)


def positive_integer(name, value):
    """Return an integer; raise TypeError if it is none, ValueError unless it is at least 1."""
    value = integer(name, value)
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return value


def index(name, value, count):
    """Return which of `count` things is meant, from 0 or, below 0, from the end.

    Raises TypeError if it is no integer, IndexError if there is no such thing.
    """
    value = integer(name, value)
    if not -count <= value < count:
        raise IndexError(f"{name} must be an integer from 0 to {count - 1}, got {value!r}")
    return value % count

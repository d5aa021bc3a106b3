"""Checks that many places share: what was given, what is expected, what to do."""

import difflib


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


def positive(name, value):
    """Return a number that must be greater than 0."""
    if isinstance(value, bool) or not value > 0:
        raise ValueError(f"{name} must be greater than 0, got {value!r}")
    return value


def fraction(name, value):
    """Return a number that must lie in [0, 1]."""
    if isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number in [0, 1], got {value!r}")
    return float(value)


def positive_integer(name, value):
    """Return an integer that must be at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return int(value)

"""Constraints: weights are put back to where they may be, after each step of the optimizer.

Formulas: Keras 3, `constraints/constraints.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EPSILON = 1e-7  # Keras's backend.epsilon(), so that a vector of zeros stays one


class Projection(NamedTuple):
    """What a constraint does to a weight, as a backend takes it.

    Parameters
    ----------
    name : str
        "non_neg", one of `SCALES`, or another one for a function of the user's.
    numbers : tuple of float
        What the function of that name takes beside the norms.
    axis : int, tuple of int or None
        Along which norms are taken; None for all.
    function : callable or None
        The user's: ``w -> w``.
    """

    name: str
    numbers: tuple[float, ...] = ()
    axis: int | tuple[int, ...] | None = None
    function: Callable | None = None


def project(w, projection):
    """Return the nearest weights, or nearly so, that a constraint allows.

    Parameters
    ----------
    w : ndarray
    projection : Projection

    Returns
    -------
    ndarray
        Like w.
    """
    name, numbers, axis, function = projection
    if function is not None:
        return function(w)
    if name == "non_neg":
        return non_neg(w)
    norms = np.sqrt((w * w).sum(axis=axis, keepdims=True))
    return w * SCALES[name](norms, *numbers)


def non_neg(w):
    """Return w with 0 in the place of what is less."""
    return np.maximum(w, 0)


# -------------------------------------------------- by what vectors of such norms are multiplied
def max_norm_scale(norms, max_value):
    """Return what makes vectors no longer than `max_value`."""
    return np.minimum(norms, max_value) / (norms + EPSILON)


def unit_norm_scale(norms):
    """Return what makes vectors as long as 1."""
    return 1 / (norms + EPSILON)


def min_max_norm_scale(norms, min_value, max_value, rate):
    """Return what brings lengths to [min_value, max_value], by the part `rate` of the way."""
    desired = np.minimum(np.maximum(norms, min_value), max_value)
    return (rate * desired + (1 - rate) * norms) / (norms + EPSILON)


SCALES = {
    "max_norm": max_norm_scale,
    "unit_norm": unit_norm_scale,
    "min_max_norm": min_max_norm_scale,
}

"""Penalties: a number for the weights or outputs of a layer, added to the loss; backward below.

A penalty has a forward ``(x, *numbers) -> value, cache`` and a backward ``(dvalue, cache) -> dx``.
Those that are sums over the elements are made of a function that gives each element's term and its
slope, by plain arithmetic.

Formulas: Keras 3, `regularizers/regularizers.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EPSILON = 1e-7  # Keras's backend.epsilon(): vectors shorter than this are not made longer than 1


class Penalty(NamedTuple):
    """What a regularizer adds to the loss, as a backend takes it.

    Parameters
    ----------
    name : str
        In `BY_NAME`, or another one for functions of the user's.
    numbers : tuple of float
        What forward takes beside x.
    forward : callable
        ``(x, *numbers) -> value, cache``.
    backward : callable
        ``(dvalue, cache) -> dx``.
    """

    name: str
    numbers: tuple[float, ...]
    forward: Callable
    backward: Callable

    @property
    def is_standard(self):
        """Whether it is one of those here, which can be compiled."""
        return BY_NAME.get(self.name) == (self.forward, self.backward)


# ------------------------------------------------------------------------- sums over the elements
def l1_terms(x, l1):
    """Return ``l1 |x|``; at 0 the slope is taken as 0."""
    return l1 * np.absolute(x), l1 * np.sign(x)


def l2_terms(x, l2):
    """Return ``l2 x**2``."""
    return l2 * (x * x), 2 * l2 * x


def l1_l2_terms(x, l1, l2):
    """Return ``l1 |x| + l2 x**2``."""
    return l1 * np.absolute(x) + l2 * (x * x), l1 * np.sign(x) + 2 * l2 * x


def _of_terms(function):
    """Return forward and backward of the sum of a function's terms."""

    def forward(x, *numbers):
        values, slopes = function(x, *numbers)
        return values.sum(), slopes

    def backward(dvalue, slopes):
        return dvalue * slopes

    return forward, backward


# ------------------------------------------------------------------------------ orthogonal vectors
def orthogonal_forward(x, factor):
    """Return `factor` times the mean of ``|cos|`` of the angles between each two rows.

    Parameters
    ----------
    x : ndarray (N, F)
    factor : float

    Returns
    -------
    value : scalar
        0 for a single row, where Keras divides 0 by 0.
    cache
    """
    n = len(x)
    square = (x * x).sum(axis=1, keepdims=True)
    inverse = np.minimum(1 / np.sqrt(square), 1 / EPSILON)
    unit = x * inverse
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, 0)
    share = factor / max(n * (n - 1), 1)  # each pair is in the matrix twice
    value = share * np.absolute(cosines).sum()
    return value, (unit, inverse, np.sign(cosines), share)


def orthogonal_backward(dvalue, cache):
    """Return dx: along unit vectors, only what turns them is left."""
    unit, inverse, signs, share = cache
    dunit = dvalue * (2 * share) * (signs @ unit)
    along = (dunit * unit).sum(axis=1, keepdims=True)
    return inverse * (dunit - np.where(inverse < 1 / EPSILON, along, 0) * unit)


def orthogonal_columns_forward(x, factor):
    """Return the same of the columns."""
    return orthogonal_forward(x.T, factor)


def orthogonal_columns_backward(dvalue, cache):
    """Return dx."""
    return orthogonal_backward(dvalue, cache).T


TERMS = {"l1": l1_terms, "l2": l2_terms, "l1_l2": l1_l2_terms}
BY_NAME = {
    **{name: _of_terms(function) for name, function in TERMS.items()},
    "orthogonal_rows": (orthogonal_forward, orthogonal_backward),
    "orthogonal_columns": (orthogonal_columns_forward, orthogonal_columns_backward),
}

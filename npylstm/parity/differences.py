"""How far two arrays are apart, and how far rounding alone may bring them.

Both sides take the same equations but sum in another order, so no two results need be equal to the
last digit.  How much of that is rounding depends on the numbers: p - y has nothing right where p is
nearly y.  So it is measured.  Our side is computed in float64, as it is and with every weight,
input and target a little larger or smaller, by ``eps * sqrt(n)`` of itself, the signs drawn at
random: that is what rounding at each of n sums amounts to when the errors fall either way.  What a
tensor moves by is the size of its rounding, and `SAFETY` times that is the bound.
"""

from typing import NamedTuple

import numpy as np

SAFETY = 4
"""How many times what was measured is still called rounding."""

EQUAL, ROUNDING, DIFFERS = "equal", "rounding", "DIFFERS"


class Row(NamedTuple):
    """One tensor of the two sides.

    Attributes
    ----------
    layer : str
    tensor : str
        What is compared, such as "output" or "gradient of kernel".
    error : float
        The largest absolute difference.
    scale : float
        The largest magnitude in either array.
    ulps : float
        The largest difference in units in the last place: each is divided by the distance from the
        larger of the two magnitudes to the next number of the dtype.  Numbers below a thousandth of
        `scale` are left out: near zero such units say nothing.
    bound : float
        Up to where `error` is rounding.
    verdict : {"equal", "rounding", "DIFFERS"}
        Equal means all bits.
    """

    layer: str
    tensor: str
    error: float
    scale: float
    ulps: float
    bound: float
    verdict: str


def row(layer, tensor, ours, theirs, rounding=0.0):
    """Return the Row of two arrays, given how far rounding moves the tensor."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        tensor = f"{tensor}: shape {ours.shape}, theirs {theirs.shape}"
        return Row(layer, tensor, np.inf, np.inf, np.inf, 0.0, DIFFERS)
    error, scale = distance(ours, theirs), largest(ours, theirs)
    bound = bound_of(rounding, scale, theirs.dtype)
    if np.array_equal(ours, theirs, equal_nan=True):
        verdict = EQUAL
    else:
        verdict = ROUNDING if error <= bound else DIFFERS
    return Row(layer, tensor, error, scale, _ulps(ours, theirs, scale), bound, verdict)


def bound_of(rounding, scale, dtype):
    """Return up to where a difference is rounding."""
    return float(SAFETY * (rounding + np.finfo(dtype).eps * scale)) if np.isfinite(scale) else 0.0


def apart(ours, theirs):
    """Return the absolute differences; 0 where both are the same, inf where one is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        differences = np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.where(same, 0.0, np.where(np.isnan(differences), np.inf, differences))


def distance(ours, theirs):
    """Return the largest absolute difference of two arrays of one shape."""
    return float(apart(ours, theirs).max(initial=0.0))


def largest(*arrays):
    """Return the largest magnitude in the arrays."""
    return max(float(np.abs(array).max(initial=0.0)) for array in arrays)


def _ulps(ours, theirs, scale):
    magnitude = np.maximum(np.abs(ours), np.abs(theirs)).astype(theirs.dtype)
    counted = (magnitude > 0) & (magnitude >= scale / 1000) & np.isfinite(magnitude)
    if not counted.any():
        return np.inf if distance(ours, theirs) == np.inf else 0.0
    return float((apart(ours, theirs)[counted] / np.spacing(magnitude[counted])).max())


# --------------------------------------------------------------------------------------- rounding
def movements(function, arrays, dtype, n_terms, draws=2):
    """Return how far rounding moves each of the arrays that a function gives.

    Parameters
    ----------
    function : callable
        Takes float64 arrays, returns a list of arrays.
    arrays : list of ndarray
        What it takes; integers stay as they are.
    dtype : dtype
        Whose rounding is meant.
    n_terms : int
        How many sums lie behind each number of the results.

    Returns
    -------
    list of ndarray
        Each of the shape of the function's result.
    """
    step = np.finfo(dtype).eps * np.sqrt(n_terms)
    rng = np.random.default_rng(0)
    arrays = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    still = function(arrays)
    moved = [np.zeros(np.shape(result)) for result in still]
    for _ in range(draws):
        nudged = [
            a * (1 + step * rng.choice((-1.0, 1.0), a.shape)) if a.dtype.kind == "f" else a
            for a in arrays
        ]
        for most, before, after in zip(moved, still, function(nudged), strict=True):
            np.maximum(most, apart(after, before), out=most)
    return moved

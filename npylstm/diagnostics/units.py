"""Which gates are stuck open or shut, and which units say nothing."""

from typing import NamedTuple

import numpy as np

from ..errors import at_least_zero, fraction
from .choose import counted, few, need_finite, one_lstm, percent, plural

# The ends of what an activation gives out; the others have none, or only one.
_ENDS = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "legacy_hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}


class GateSaturation(NamedTuple):
    """How often each gate is nearly at one end.

    Attributes
    ----------
    left, right : dict of str to ndarray (U,)
        Under "i", "f", "g", "o": at which share of the steps, in [0, 1], the gate of each unit is
        nearly at its lower end (0, of g -1) and nearly at its upper end (1).  NaN for an activation
        that has no ends, such as relu.
    low, high : float
        What is nearly so: the lowest and highest part of the range.
    steps : int
        Over how many steps of all samples.
    words : str
    """

    left: dict
    right: dict
    low: float
    high: float
    steps: int
    words: str

    def __str__(self):
        return self.words


def gate_saturation(trace, low=0.1, high=0.9):
    """Return at which share of the steps each gate of each unit is nearly shut or open.

    A gate at an end of its range passes hardly any gradient; one that is always there is a constant
    that the unit could do without.  Masked steps are left out.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
    low, high : float
        Nearly shut is below `low`, nearly open above `high`, as parts of the range: of a sigmoid
        0.1 and 0.9, which are the bounds of Karpathy, Johnson, Li 2015, "Visualizing and
        Understanding Recurrent Networks", section 4.2.  For g, from -1 to 1, these are -0.8 and
        0.8: tanh(z) is 2 sigmoid(2 z) - 1.

    Returns
    -------
    GateSaturation

    Raises
    ------
    TypeError, ValueError
        If it is not the trace of an LSTM, all steps are masked, something is not finite, or
        low is not below high.
    """
    trace = one_lstm(trace)
    low, high = fraction("low", low), fraction("high", high)
    if low >= high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    need_finite(trace, *"ifgo")
    counts = counted(trace)
    left, right = {}, {}
    for gate in "ifgo":
        values = getattr(trace, gate)[counts].astype("float64")  # (steps, U)
        name = trace.activation if gate == "g" else trace.recurrent_activation
        bottom, top = _ENDS.get(name, (np.nan, np.nan))
        place = (values - bottom) / (top - bottom)
        unknown = np.where(np.isnan(place), np.nan, 0.0).mean(axis=0)
        left[gate] = (place < low).mean(axis=0) + unknown
        right[gate] = (place > high).mean(axis=0) + unknown
    steps = int(counts.sum())
    words = _saturation_words(trace, left, right, steps)
    return GateSaturation(left, right, low, high, steps, words)


def _saturation_words(trace, left, right, steps):
    parts, most = [], (0.0, "")
    for gate in "ifgo":
        lower = -1 if gate == "g" else 0
        if np.isnan(left[gate]).any():
            activation = trace.activation if gate == "g" else trace.recurrent_activation
            parts.append(f"{gate} has no two ends ({activation})")
            continue
        shares = percent(left[gate].mean()), percent(right[gate].mean())
        parts.append(f"{gate} near {lower} at {shares[0]}, near 1 at {shares[1]}")
        for end, share in ((lower, left[gate]), (1, right[gate])):
            unit = int(share.argmax())
            if share[unit] > most[0]:
                most = share[unit], f"{gate} of unit {unit}, near {end} at {percent(share[unit])}"
    if not most[1] and not any("ends" in part for part in parts):
        return f"{trace.path}: no gate is near an end at any of {plural(steps, 'step')}"
    text = f"{trace.path}, of {plural(steps, 'step')}: {'; '.join(parts)}"
    return f"{text}; most of all {most[1]}" if most[1] else text


class DeadUnits(NamedTuple):
    """Which units say nothing.

    Attributes
    ----------
    silent : ndarray (U,) of bool
        Whose h stays nearly 0.
    constant : ndarray (U,) of bool
        Whose h stays nearly the same, silent ones included.
    low, high : ndarray (U,)
        The smallest and the largest h of each unit.
    steps : int
        Over how many steps of all samples.
    words : str
    """

    silent: np.ndarray
    constant: np.ndarray
    low: np.ndarray
    high: np.ndarray
    steps: int
    words: str

    def __str__(self):
        return self.words


def dead_units(trace, tolerance=0.01):
    """Return which units' h stays nearly 0, or nearly the same, over all samples and steps.

    What reads h learns nothing from such a unit; a constant one is a bias more.  Masked steps are
    left out.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
    tolerance : float
        Silent: abs(h) never exceeds it.  Constant: the largest h minus the smallest does not.  0.01
        is half a percent of the range of h, -1 to 1.

    Returns
    -------
    DeadUnits
        From a single step nobody is called constant.

    Raises
    ------
    TypeError, ValueError
        If it is not the trace of an LSTM, all steps are masked, h is not finite, or the
        tolerance is below 0.
    """
    trace = one_lstm(trace)
    need_finite(trace, "h")
    tolerance = at_least_zero("tolerance", tolerance)
    h = trace.h[counted(trace)].astype("float64")  # (steps, U)
    low, high = h.min(axis=0), h.max(axis=0)
    silent = np.maximum(-low, high) <= tolerance
    constant = (high - low <= tolerance) & (len(h) > 1)
    words = _dead_words(trace.path, silent, constant, len(h))
    return DeadUnits(silent, constant, low, high, len(h), words)


def _dead_words(path, silent, constant, steps):
    stuck = constant & ~silent
    over = f"over {plural(steps, 'step')}"
    found = []
    if silent.any():
        found.append(f"h of {_named(silent)} stays near 0")
    if stuck.any():
        found.append(f"h of {_named(stuck)} hardly moves")
    units = plural(len(silent), "unit")
    if steps == 1:
        found.append("one step says nothing about who moves")
    elif not found:
        return f"{path}: all {units} move {over}" if len(silent) > 1 else f"{path}: h moves {over}"
    return f"{path}, {units} {over}: {'; '.join(found)}"


def _named(which):
    numbers = np.flatnonzero(which)
    return f"{'unit' if len(numbers) == 1 else 'units'} {few(numbers)}"

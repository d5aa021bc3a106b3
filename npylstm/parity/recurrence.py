"""What an LSTM layer computes, as numbers and two functions; and every value on the way."""

from typing import NamedTuple

import numpy as np

from ..reference import lstm_cell_forward
from ..reference.activations import Activation

GATES = "ifgo"


class Recurrence(NamedTuple):
    """An LSTM layer without the layer.

    Attributes
    ----------
    kernel : ndarray (D, 4U)
    recurrent_kernel : ndarray (U, 4U)
    bias : ndarray (4U,)
        Zeros for a layer without one.
    activation, recurrent_activation : Activation
    reverse : bool
        Whether it reads each sequence from its end.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray
    activation: Activation
    recurrent_activation: Activation
    reverse: bool

    @property
    def sums(self):
        """How many terms each pre-activation is the sum of."""
        return len(self.kernel) + len(self.recurrent_kernel) + 1


class Trace(NamedTuple):
    """Every value of a layer, step by step in the order in which it reads.

    Attributes
    ----------
    h, c : ndarray (T, B, U)
        After each step.
    gates : dict of str to ndarray (T, B, U)
        i, f, g, o; empty if the layer does not show them.
    """

    h: np.ndarray
    c: np.ndarray
    gates: dict[str, np.ndarray]


def trace(recurrence, x, mask=None):
    """Run a recurrence over x (B, T, D), in the dtype of its weights; return the Trace.

    Where a mask (B, T) is False, the states stay as they were.
    """
    x = np.asarray(x, recurrence.kernel.dtype).swapaxes(0, 1)
    kept = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask, bool).T
    if recurrence.reverse:
        x, kept = x[::-1], kept[::-1]
    U = len(recurrence.recurrent_kernel)
    h = c = np.zeros((x.shape[1], U), x.dtype)
    values = {name: [] for name in ("h", "c", *GATES)}
    with np.errstate(all="ignore"):  # a wrong activation may well overflow
        for x_t, keep in zip(x, kept[..., None], strict=True):
            (new_h, new_c), step = lstm_cell_forward(x_t, h, c, *recurrence[:5])
            h, c = np.where(keep, new_h, h), np.where(keep, new_c, c)
            for name, value in {"h": h, "c": c}.items():
                values[name].append(value)
            for gate in GATES:
                values[gate].append(getattr(step, gate))
    h, c, *gates = (np.stack(steps) for steps in values.values())
    return Trace(h, c, dict(zip(GATES, gates, strict=True)))

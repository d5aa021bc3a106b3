"""The first place where two layers part: step, sample, unit, both numbers, and which gates do."""

from typing import NamedTuple

import numpy as np

from .causes import Cause
from .differences import apart, bound_of, largest, movements
from .recurrence import GATES, trace

GATE_NAMES = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}


class Divergence(NamedTuple):
    """Where two sides part.

    Attributes
    ----------
    layer : str
    quantity : str
        What parts: "output", "loss", "gradient of kernel", "optimizer step".
    timestep : int or None
        From 0, in the order in which the layer reads.
    sample, unit : int or None
    ours, theirs : float
    gates : dict of str to (float, float)
        i, f, g, o: those that part at that step, with both numbers.
    causes : list of Cause
        What makes the difference vanish; each has been tried.
    tried : int
        How many changes have been tried.
    """

    layer: str
    quantity: str
    timestep: int | None
    sample: int | None
    unit: int | None
    ours: float
    theirs: float
    gates: dict[str, tuple[float, float]]
    causes: list[Cause]
    tried: int

    def where(self):
        """Return the place in words."""
        places = {"timestep": self.timestep, "sample": self.sample, "unit": self.unit}
        named = ", ".join(f"{name} {at}" for name, at in places.items() if at is not None)
        return f"{self.layer}, {self.quantity}" + (f": {named}" if named else "")

    def sentences(self):
        """Return all that is known of it, a sentence a line."""
        lines = [f"{self.where()}: ours {self.ours:.9g}, theirs {self.theirs:.9g}"]
        for gate, (ours, theirs) in self.gates.items():
            lines.append(
                f"{GATE_NAMES[gate]} {gate} parts there: ours {ours:.9g}, theirs {theirs:.9g}"
            )
        if not self.causes:
            tried = f"; none of {self.tried} changes made it vanish" if self.tried else ""
            lines.append(f"cause not known{tried}")
        for number, cause in enumerate(self.causes):
            lines.append(("tested cause: " if number == 0 else "or: ") + cause.text)
        return lines


def first_step_apart(recurrence, x, ours, theirs, mask=None):
    """Return where two traces of an LSTM part first.

    Parameters
    ----------
    recurrence : Recurrence
        Of our side; for how far rounding goes.
    x : ndarray (B, T, D)
    ours, theirs : Trace
    mask : ndarray (B, T) of bool, or None

    Returns
    -------
    tuple (timestep, sample, unit, gates), or None if they part nowhere
    """
    bounds = trace_bounds(recurrence, x, theirs, mask)
    parted = (apart(ours.h, theirs.h) > bounds["h"]).any(axis=(1, 2))
    if not parted.any():
        return None
    t = int(parted.argmax())
    errors = apart(ours.h[t], theirs.h[t])
    sample, unit = (int(i) for i in np.unravel_index(errors.argmax(), errors.shape))
    gates = {
        gate: (float(ours.gates[gate][t, sample, unit]), float(theirs.gates[gate][t, sample, unit]))
        for gate in GATES
        if gate in theirs.gates
        and (apart(ours.gates[gate][t], theirs.gates[gate][t]) > bounds[gate][t]).any()
    }
    return t, sample, unit, gates


def trace_bounds(recurrence, x, theirs, mask=None):
    """Return up to where differences of h and of the gates are rounding, (T, 1, 1) each."""
    weights = recurrence[:3]
    dtype = recurrence.kernel.dtype

    def run(arrays):
        *weights, x = arrays
        values = trace(recurrence._replace(**dict(zip(_WEIGHTS, weights, strict=True))), x, mask)
        return [values.h, *values.gates.values()]

    moved = movements(run, [*weights, x], dtype, x.shape[1] * recurrence.sums)
    bounds = {}
    for name, rounding in zip(("h", *GATES), moved, strict=True):
        found = theirs.h if name == "h" else theirs.gates.get(name, theirs.h)
        scales = [
            bound_of(r.max(), largest(v), dtype) for r, v in zip(rounding, found, strict=True)
        ]
        bounds[name] = np.array(scales)[:, None, None]
    return bounds


_WEIGHTS = ("kernel", "recurrent_kernel", "bias")


def first_number_apart(ours, theirs, bound):
    """Return the place of the largest difference in the first of the timesteps that part.

    Parameters
    ----------
    ours, theirs : ndarray (B, …, U)
    bound : float

    Returns
    -------
    tuple (timestep or None, sample, unit, number of ours, of theirs)
    """
    errors = apart(ours, theirs)
    t = None
    if errors.ndim == 3:
        t = int((errors > bound).any(axis=(0, 2)).argmax())
        errors, ours, theirs = errors[:, t], ours[:, t], theirs[:, t]
    flat = errors.reshape(len(errors), -1)
    sample, unit = (int(i) for i in np.unravel_index(flat.argmax(), flat.shape))
    pair = (values.reshape(len(values), -1)[sample, unit] for values in (ours, theirs))
    return t, sample, unit, *map(float, pair)

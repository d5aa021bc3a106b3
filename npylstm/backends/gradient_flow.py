"""Which gradients a plan's backward makes, and which of them only add to others.

Most tensors have one reader, and its gradient can be written where it goes.  Where a tensor has
several, the first to come writes and the others add; where only a part of a tensor is written, such
as the last output of a sequence, the rest must be zero or must not be read.
"""

from typing import NamedTuple

from ..plan import MERGE_MODES, Op

_WITHOUT_OUTPUT = (Op.WEIGHT_PENALTY, Op.ACTIVITY_PENALTY, Op.CONSTRAINT)
_WEIGHTED = (Op.LSTM, Op.DENSE, Op.LAYER_NORMALIZATION, Op.EMBEDDING)
_FLAT = (Op.DENSE, Op.ACTIVATION, Op.MASKING, Op.LAYER_NORMALIZATION)  # B rows, and no timesteps


class Flow(NamedTuple):
    """What a row's backward has to do.

    `wanted`, `adds`: for x and x2, whether its gradient is needed and whether it adds to what is
    there.  `first_step`: the first timestep of an LSTM whose output has a gradient.
    """

    wanted: tuple[bool, bool]
    adds: tuple[bool, bool]
    first_step: int


def gradient_flow(plan, rows, start):
    """Follow the gradients back through a plan.

    Parameters
    ----------
    plan : Plan
    rows : ndarray of plan.ROW
        Those that run backward.
    start : Tensor
        Whose gradient the loss has written.

    Returns
    -------
    flows : list of Flow
        One for each row.
    zeros : list of (start, end)
        Parts of the gradient arena to be zeroed before.
    """
    needed = _needed(rows)
    written, zeros, flows = _Intervals(), [], []
    written.add(start.offset, start.offset + start.size)
    for row in reversed(rows):
        begin, end = _output(row)
        missing = written.missing(begin, end)
        first_step = 0
        if row["op"] == Op.LSTM and row["mask"] >= 0:
            # Gradients that pass over masked steps are added to those of the step before.
            zeros.append((int(row["h"]), begin))
        elif row["op"] == Op.LSTM and len(missing) == 1 and missing[0][0] == begin:
            first_step, rest = divmod(missing[0][1] - begin, int(row["B"] * row["U"]))
            missing = missing if rest else []  # where nothing has come yet, nothing is read
        zeros += missing
        inputs = _inputs(row)
        wanted = [needed.touches(*x) for x in inputs]
        adds = [wanted[j] and written.touches(*x) for j, x in enumerate(inputs)]
        for j, x in enumerate(inputs):
            if adds[j]:
                zeros += written.missing(*x)
            if wanted[j]:
                written.add(*x)
        pad = [False] * (2 - len(inputs))
        flows.append(Flow((*wanted, *pad), (*adds, *pad), first_step))
    return flows[::-1], zeros


def _needed(rows):
    """Return the tensors whose gradients lead to weights, as intervals."""
    needed = _Intervals()
    for row in rows:
        if row["op"] in _WEIGHTED or any(needed.touches(*x) for x in _inputs(row)):
            needed.add(*_output(row))
    return needed


def _output(row):
    """Return where in the arena the gradient that a row reads starts and ends."""
    T, B, D, U = (int(row[axis]) for axis in "TBDU")
    if row["op"] in _WITHOUT_OUTPUT:
        return 0, 0
    if row["op"] == Op.LSTM:
        start = int(row["h"]) + B * U
        return start, start + T * B * U
    concat = row["op"] == Op.MERGE and MERGE_MODES[row["mode"]] == "concat"
    steps = 1 if row["op"] in _FLAT else T
    start = int(row["y"])
    return start, start + steps * B * (U + D if concat else U)


def _inputs(row):
    """Return where the gradients that a row writes, of x and perhaps x2, start and end."""
    T, B, D, U = (int(row[axis]) for axis in "TBDU")
    x, x2 = int(row["x"]), int(row["x2"])
    if row["op"] in (Op.WEIGHT_PENALTY, Op.CONSTRAINT):
        return []
    if row["op"] == Op.LSTM:
        return [(x, x + T * B * D)]
    if row["op"] == Op.DENSE:
        return [(x, x + B * D)]
    if row["op"] == Op.MERGE:
        return [(x, x + T * B * U), (x2, x2 + T * B * D)]
    if row["op"] == Op.EMBEDDING:
        return []
    whole = (Op.REVERSE, Op.MOVE_AXIS, Op.HOLD, Op.DROPOUT, Op.ACTIVITY_PENALTY)
    steps = T if row["op"] in whole else 1
    return [(x, x + steps * B * U)]


class _Intervals:
    """A set of numbers, as (start, end) pairs in order, end not included."""

    def __init__(self):
        self._pairs = []

    def add(self, start, end):
        pairs = []
        for a, b in self._pairs:
            if b < start or end < a:
                pairs.append((a, b))
            else:
                start, end = min(a, start), max(b, end)
        self._pairs = sorted([*pairs, (start, end)])

    def touches(self, start, end):
        return any(a < end and start < b for a, b in self._pairs)

    def missing(self, start, end):
        """Return the parts of an interval that are not in the set."""
        gaps = []
        for a, b in self._pairs:
            if a < end and start < b:
                if start < a:
                    gaps.append((start, a))
                start = max(start, b)
        return gaps + [(start, end)] * (start < end)

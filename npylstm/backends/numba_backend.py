"""Runs a plan in machine code that Numba makes: many batches a call, on several threads.

What the code is made of is in `kernels`; here are the functions of a backend, each of which says in
the program's settings what is to be done, and calls it.
"""

import sys
from math import prod

import numpy as np

from ..kernels import frame as fr
from ..kernels import native
from ..kernels.format import host_format
from ..kernels.program import Program
from ..kernels.registers import gates_together
from ..reference.activations import STANDARD
from ..reference.lstm_trace import lstm_h_gradient
from . import _numba_calls as calls
from . import in_python, numpy_backend
from ._numba_updates import bind_update

_QUICK = 1e8  # those of a prediction up to which what Python does beside it counts
_NO_UPDATE = (0, 0, 0, 0)  # kernels that accumulate, clip, step and average
_MASK_BYTES = 1 << 26  # of dropout masks drawn at a time


def prepare(plan, objective=None, keep=False):
    """Return the program of a plan; see `numpy_backend.prepare`."""
    custom = tuple(a.name for a in plan.activations if a not in STANDARD)
    if objective is not None:
        custom += tuple(p.name for p, _ in plan.penalties if not p.is_standard)
        custom += tuple(p.name for p, _ in plan.projections if p.function is not None)
    if custom:
        _say_once(custom, "this model runs on the NumPy backend")
        return numpy_backend.prepare(plan, objective, keep)
    if objective is not None and objective.in_python:
        _say_once(objective.python_names, "one batch runs at a time")
    return Program(plan, objective, keep)


_said = set()


def _say_once(custom, consequence):
    if custom not in _said:
        _said.add(custom)
        names = ", ".join(map(repr, custom))
        print(f"npylstm: {names} is a Python function, so {consequence}", file=sys.stderr)


# ---------------------------------------------------------------------- the functions of a backend
def forward(program, training):
    """Run the rows on what lies in the arena at ``plan.x``; `training` switches dropout on."""
    if not isinstance(program, Program):
        return numpy_backend.forward(program, training)
    program.settings[[fr.FORWARD_ROWS, fr.TRAINING]] = len(program.table), training
    if program.masks:
        program.bind(masks=_draw_masks(program, 1 if training else 0))
    calls.call(program, 1)


def backward(program):
    """Run the rows back; see `numpy_backend.backward`."""
    if not isinstance(program, Program):
        return numpy_backend.backward(program)
    if not program.keeps:
        raise RuntimeError("this program has no backward; prepare(plan, keep=True) makes one")
    s, workspace = program.settings, program.frame.workspace
    kept = workspace.copy()  # where kernels write over what the forward left, for one more backward
    s[[fr.FORWARD_ROWS, fr.BACKWARD_ROWS]] = 0, len(program.table)
    s[fr.BACK] = program.back
    try:
        calls.call(program, 1)
    finally:
        s[fr.BACK] = 0
        workspace[...] = kept


def loss_and_gradients(program, x, y, sample_weight, training):
    """Run one batch of batch-major arrays forward and back; see `numpy_backend`."""
    if not isinstance(program, Program):
        return numpy_backend.loss_and_gradients(program, x, y, sample_weight, training)
    totals = np.zeros(program.objective.n_totals)
    data, order = (x, y, sample_weight), np.arange(program.batch_size)
    _bind_samples(program, data, order, totals)
    if program.masks:
        program.bind(masks=_draw_masks(program, 1 if training else 0))
    _set(program, training=training, back=True, update=_NO_UPDATE)
    if program.objective.custom:
        _call_around_loss(program, data, order)
    else:
        calls.call(program, 1)
    return totals[0] / totals[1]


def train(program, data, order, update, learning_rates, t, totals):
    """Train on as many whole batches as there are learning rates; see `numpy_backend.train`."""
    if not isinstance(program, Program):
        return numpy_backend.train(program, data, order, update, learning_rates, t, totals)
    _bind_samples(program, data, order, totals)
    n = at_a_time = len(learning_rates)
    B = program.batch_size
    if program.masks:
        bytes_each = int(program.settings[fr.MASK_SIZE]) * program.frame.arena.itemsize
        at_a_time = max(1, _MASK_BYTES // max(1, bytes_each))
    if program.objective.in_python:
        at_a_time = 1
    for first in range(0, n, at_a_time):
        rates, chosen = learning_rates, order
        if at_a_time < n:
            rates = learning_rates[first : first + at_a_time]
            chosen = order[first * B : (first + at_a_time) * B]
            program.bind(order=chosen)
        steps = len(rates)
        program.settings[fr.BATCHES_BEFORE] = first
        if program.masks:
            program.bind(masks=_draw_masks(program, steps))
        kernels = bind_update(program, update, rates, t + first)
        _set(program, training=True, back=True, update=kernels)
        if program.objective.in_python:
            epochs = np.atleast_2d(totals)
            if _call_with_python(program, data, chosen, epochs[first * len(epochs) // n]):
                return
        elif calls.call(program, steps):
            return


def apply_update(program, update, learning_rate, t):
    """Take one step along the gradients in the memory; see `numpy_backend.apply_update`."""
    if not isinstance(program, Program):
        return numpy_backend.apply_update(program, update, learning_rate, t)
    s = program.settings
    s[[fr.FORWARD_ROWS, fr.GATHER, fr.COUNT, fr.LOSS, fr.BACK]] = 0
    kernels = bind_update(program, update, np.array([learning_rate]), t)
    s[[fr.ACCUMULATE, fr.CLIP, fr.UPDATE, fr.AVERAGE]] = kernels
    try:
        calls.call(program, 1)
    finally:
        s[[fr.ACCUMULATE, fr.CLIP, fr.UPDATE, fr.AVERAGE]] = _NO_UPDATE


def evaluate(program, data, order, totals):
    """Add loss and metrics to `totals`, batch after batch of the samples in `order`."""
    if not isinstance(program, Program):
        return numpy_backend.evaluate(program, data, order, totals)
    _bind_samples(program, data, order, totals)
    if program.masks:
        program.bind(masks=_draw_masks(program, 0))
    _set(program, training=False, back=False, update=_NO_UPDATE)
    if not program.objective.in_python:
        calls.call(program, len(order) // program.batch_size)
        return
    for chosen in np.split(order, len(order) // program.batch_size):
        program.bind(order=chosen)
        _set(program, training=False, back=False, update=_NO_UPDATE)
        _call_with_python(program, data, chosen, totals)


def predict(program, x, order, outputs):
    """Write what the model says of the samples in `order`; see `numpy_backend.predict`."""
    if not isinstance(program, Program):
        return numpy_backend.predict(program, x, order, outputs)
    s = program.settings
    flat = outputs[0] if len(outputs) == 1 else np.empty(sum(o.size for o in outputs), x.dtype)
    start = 0
    for number, output in enumerate(outputs):
        s[fr.FIRST_OUTPUT + 4 * number + 3] = start
        start += output.size
    program.bind(x=x, order=order, outputs=flat)
    s[[fr.GATHER, fr.SCATTER]] = program.gather, program.scatter
    s[[fr.N_OUTPUTS, fr.TRAINING, fr.FORWARD_ROWS]] = len(outputs), 0, len(program.table)
    try:
        calls.call(program, len(order) // program.batch_size)
    finally:
        s[[fr.GATHER, fr.SCATTER]] = 0
    if len(outputs) > 1:
        start = 0
        for output in outputs:
            part = flat[start : start + output.size].reshape(output.shape)
            output[order] = part[order]
            start += output.size


class Quick:
    """A prediction for one shape of input with nothing in the way.

    Parameters
    ----------
    program : Program
        Of its own: buffers for input and output stay in its frame for good.

    Attributes
    ----------
    dtype, memory
        What the input must be of, and the model's memory.
    backend : module
        This one.
    """

    backend = sys.modules[__name__]

    def __init__(self, program):
        self.dtype, self.memory = program.plan.memory.dtype, program.plan.memory
        s, B, output = program.settings, program.batch_size, program.plan.outputs[0]
        shape = program.plan.batch_major_values(output).shape
        self._x, self._y = np.empty(program.x.shape, self.dtype), np.empty(shape, self.dtype)
        program.bind(x=self._x, outputs=self._y, order=np.arange(B))
        s[[fr.GATHER, fr.SCATTER]] = program.gather, program.scatter
        s[[fr.N_OUTPUTS, fr.STEPS, fr.TRAINING]] = 1, 1, 0
        s[fr.FIRST_OUTPUT + 3] = 0
        if program.masks:
            program.bind(masks=_draw_masks(program, 0))
        self._program, self._sync = program, program.frame.sync
        self._large = calls.is_large(program, 1)
        self._frame = program.frame if native.jit_disabled() else program.address
        self._run = program.run

    def __call__(self, x):
        """Return the output for x, or None if x holds NaN or inf."""
        self._x[...] = x
        if self._large:
            calls.run(self._program, 1)
        else:
            self._sync[fr.NOT_FINITE] = 0
            self._run(0, self._frame, 0)
        return None if self._sync[fr.NOT_FINITE] else self._y.copy()


def quick(plan):
    """Return a callable that predicts for inputs like the plan's; None if it would not be quick."""
    program = prepare(plan)
    if not isinstance(program, Program) or len(plan.outputs) > 1:
        return None
    return None if program.operations > _QUICK else Quick(program)


# ------------------------------------------------------------------- what a run has left of itself
def lstm_dropout(program, number):
    """Return what the last forward dropped in an LSTM row; see `numpy_backend.lstm_dropout`."""
    if not isinstance(program, Program):
        return numpy_backend.lstm_dropout(program, number)
    row, line, drawn = program.rows[number], program.table[number], []
    for rate, place, width in (
        (row["rate"], fr.DROPOUT_MASK, row["D"]),
        (row["recurrent_rate"], fr.STATE_DROPOUT_MASK, row["U"]),
    ):
        shape = (4, int(row["B"]), int(width))
        at = int(line[place])
        drawn.append(
            program.frame.masks.ravel()[at:][: prod(shape)].reshape(shape) if rate else None
        )
    return tuple(drawn)


def lstm_gradients(program, number):
    """Return what the last backward met in an LSTM row; see `numpy_backend.lstm_gradients`."""
    if not isinstance(program, Program):
        return numpy_backend.lstm_gradients(program, number)
    row, plan = program.rows[number], program.plan
    T, B, D, U = (int(row[axis]) for axis in "TBDU")
    dropped = row["rate"] or row["recurrent_rate"]
    dz = program.frame.workspace[int(program.table[number, fr.GATES]) :]
    if dropped:
        dz = dz[: T * B * 4 * U].reshape(T, B, 4 * U).copy()
    else:
        L = program.lanes
        blocks, G = -(-U // L), gates_together(host_format(dz.dtype))
        dz = dz[: blocks * T * B * 4 * L].reshape(blocks, 4 // G, T, B, G, L)  # see `kernels.tile`
        dz = dz.transpose(2, 3, 1, 4, 0, 5).reshape(T, B, 4, blocks * L)
        dz = dz[..., :U].reshape(T, B, 4 * U)
    dh_above = plan.gradients(int(row["h"]), (T + 1, B, U))[1:]
    if row["mask"] < 0:
        return {"dh_above": dh_above.copy(), "dz": dz}
    start = int(row["w"]) + D * 4 * U
    recurrent_kernel = plan.memory.parameters[start : start + U * 4 * U].reshape(U, 4 * U)
    dh = lstm_h_gradient(dh_above, dz, recurrent_kernel, lstm_dropout(program, number)[1])
    if dropped:  # the other kernels add what passes over a step to what comes from above
        mask = plan.values(int(row["mask"]), (T, B))[:: -1 if row["reverse"] else 1]
        for t in reversed(range(T - 1)):
            dh[t] += (1 - mask[t + 1])[:, None] * dh[t + 1]
    return {"dh": dh, "dz": dz}


# ------------------------------------------------------------------------------------- small parts
def _bind_samples(program, data, order, totals):
    x, y, weight = data
    s = program.settings
    targets = {"labels": y} if program.objective.labels else {"y": y}
    *epochs, s[fr.N_TOTALS] = totals.shape
    s[fr.BATCHES_BEFORE] = 0
    s[fr.EPOCH_BATCHES] = len(order) // program.batch_size // prod(epochs)
    s[fr.WEIGHT_STEPS] = 0
    if weight is not None:
        targets["sample_weight"] = weight
        s[fr.WEIGHT_STEPS] = weight.shape[1] if weight.ndim > 1 else 1
    program.bind(order=order, totals=totals, x=x, **targets)


def _call_with_python(program, data, chosen, totals):
    """Run the batch of the `chosen` samples, then the metrics that are Python functions.

    Return whether somebody asked for an end.
    """
    run = _call_around_loss if program.objective.custom else lambda *_: calls.call(program, 1)
    stopped = run(program, data, chosen)
    if not stopped:
        y_true, weight = (None if array is None else array[chosen] for array in data[1:])
        y_pred = program.plan.batch_major_values(program.plan.outputs[0])
        mask = program.plan.batch_major_mask
        in_python.add_python_metrics(program.objective, totals, y_true, y_pred, weight, mask)
    return stopped


_AFTER_LOSS = [
    *(fr.BACK, fr.ACCUMULATE, fr.CLIP, fr.UPDATE, fr.AVERAGE, fr.CONSTRAINTS, fr.COUNT),
    fr.N_ROWS,
]


def _call_around_loss(program, data, chosen):
    """Run a batch whose loss is Python's: forward, the loss and its gradient, and the rest.

    Return whether somebody asked for an end; then, or if the loss raises, nothing is left of it.
    """
    s, plan, objective = program.settings, program.plan, program.objective
    output, states, rest = plan.outputs[0], plan.memory.states.copy(), s[_AFTER_LOSS].copy()
    rest[-1] = 0  # what is packed stays packed
    rows = s[fr.N_ROWS]
    s[_AFTER_LOSS[:-1]] = 0
    stopped = True
    try:
        if calls.call(program, 1):
            return True
        y_true, weight = (None if array is None else array[chosen] for array in data[1:])
        y_pred = plan.batch_major_values(output).copy()
        mask = plan.batch_major_mask
        loss, cache = in_python.custom_loss_forward(objective, y_true, y_pred, weight, mask)
        values = program.frame.workspace[s[fr.LOSS_VALUES] :]
        values[: output.size // output.shape[-1]] = 0
        values[0] = loss
        if rest[0]:
            gradient = plan.gradients(*output)
            gradient = gradient.swapaxes(0, 1) if len(output.shape) > 2 else gradient
            gradient[...] = in_python.custom_loss_backward(objective, cache)
        s[_AFTER_LOSS] = rest
        s[[fr.GATHER, fr.FORWARD_ROWS]] = 0
        stopped = calls.call(program, 1)
    finally:
        s[fr.N_ROWS] = rows
        if stopped:
            plan.memory.states[...] = states
    return stopped


def _set(program, training, back, update):
    s, rows = program.settings, len(program.table)
    reads_output = not training or len(program.objective.metrics) > 0
    s[fr.TRAINING], s[fr.GATHER], s[fr.COUNT] = training, program.gather, program.count
    s[fr.REPACK] = update[2] != 0
    s[fr.FORWARD_ROWS] = rows if reads_output else rows - program.passed
    s[fr.BACKWARD_ROWS] = rows - program.passed
    s[fr.BACK] = program.back if back else 0
    s[fr.LOSS] = program.loss
    s[fr.ACCUMULATE], s[fr.CLIP], s[fr.UPDATE], s[fr.AVERAGE] = update
    s[fr.CONSTRAINTS] = update[2] != 0 and len(program.plan.projections) > 0


def _draw_masks(program, steps):
    """Draw dropout masks for so many batches, in the order in which NumPy's backend does.

    For no batches it is one of ones: what an LSTM that drops nothing goes by.
    """
    masks = np.ones((max(1, steps), int(program.settings[fr.MASK_SIZE])), program.dtype)
    for step in range(steps):
        start = 0
        for generator, rate, shape in program.masks:
            size = prod(shape)
            keep = generator.random(shape) >= rate if rate > 0 else np.ones(shape, bool)
            scale = 1 / (1 - rate) if rate < 1 else 0
            masks[step, start : start + size] = (keep * masks.dtype.type(scale)).ravel()
            start += size
    return masks

"""Runs a plan in plain NumPy, row by row, every equation through `reference`.

`prepare` binds each row once to the views it works on; after that a batch is a loop over the bound
rows, forward and then in reverse.  Nothing here computes: what a row computes is in `reference`.
"""

import contextlib

import numpy as np

from ..plan import ClipOp, Op
from ..reference import losses, optimizers
from . import _numpy_rows as rows
from . import in_python


# ------------------------------------------------------------------------------ loss and metrics
class _Loss:
    """The loss of a batch, read from the last output or, fused, from the logits before it.

    The values of penalties, which their rows have computed, are added to it.
    """

    def __init__(self, plan, objective, penalties):
        self.penalties = penalties
        output = plan.outputs[0]
        self.y_pred = plan.batch_major_values(output)
        before = output  # what went into the last activation, if that is what somebody takes
        if objective.fused or any(metric.of and metric.of.fused for metric in objective.metrics):
            before = plan.logits
        self.before = plan.batch_major_values(before)
        self.source, self.dsource = rows.views(plan, *(before if objective.fused else output))
        if objective.custom is None:
            self.value_forward, self.value_backward = losses.BY_NAME[objective.loss.name.lower()]
        self.numbers, self.smoothing = objective.numbers, objective.smoothing
        self.reduction = objective.reduction.name.lower()
        self.metrics = list(zip(objective.metrics, objective.places, strict=True))
        self.mask, self.batch_major_mask = None, plan.batch_major_mask
        if plan.output_mask is not None:  # to be broadcast with the values (T, B, …)
            shape = plan.output_mask.shape
            inner = (1,) * (len(output.shape) - 1 - len(shape))
            self.mask = plan.values(plan.output_mask.offset, (*shape, *inner))

    def forward(self, y_true, sample_weight):
        y_true = losses.smooth(y_true, *self.smoothing)
        values, self.value_cache = self.value_forward(y_true, self.source, *self.numbers)
        if self.mask is not None:
            sample_weight = losses.masked_weights(self.mask, sample_weight, self.reduction)
        loss, self.mean_cache = losses.weighted_mean_forward(values, sample_weight, self.reduction)
        return loss + sum(penalty.value for penalty in self.penalties)

    def backward(self):
        dvalues = losses.weighted_mean_backward(self.mean_cache)
        self.dsource += self.value_backward(dvalues, self.value_cache)

    def add_to(self, totals, loss, y_true, sample_weight):
        """Add the loss and the metrics of a batch; y_true and sample_weight are batch-major."""
        B, mask = len(y_true), self.batch_major_mask
        totals[:2] += loss * B, B
        for metric, place in self.metrics:
            in_python.add(
                metric, totals[place], y_true, self.y_pred, sample_weight, self.before, mask
            )


class _CustomLoss(_Loss):
    """The same, of the user's functions, which see batch-major arrays."""

    def __init__(self, plan, objective, penalties):
        super().__init__(plan, objective, penalties)
        self.objective = objective
        output = plan.outputs[0]
        self.dsource = plan.gradients(*output)
        if len(output.shape) > 2:
            self.dsource = self.dsource.swapaxes(0, 1)

    def forward(self, y_true, sample_weight):
        loss, self.cache = in_python.custom_loss_forward(
            self.objective, y_true, self.y_pred.copy(), sample_weight, self.batch_major_mask
        )
        return loss + sum(penalty.value for penalty in self.penalties)

    def backward(self):
        self.dsource += in_python.custom_loss_backward(self.objective, self.cache)


# ---------------------------------------------------------------------------------- the optimizer
def _update(memory, update, t, learning_rate, sizes=None):
    w, dw, accumulation = memory.parameters, memory.gradients, update.accumulation
    every = accumulation.every if accumulation else 1
    due = not accumulation or optimizers.accumulate(dw, accumulation.sums, t, every)
    steps = optimizers.steps_taken(t, every)
    if due:
        _step(memory, update, steps + 1, learning_rate, sizes)
    if update.average:
        mean, *settings = update.average
        numbers = optimizers.average_numbers(w.dtype, np.int64(steps), *settings)
        w[...], mean[...] = optimizers.average(w, mean, *numbers)


@contextlib.contextmanager
def _undone_if_it_raises(program, update):
    """Take a step back that a constraint of the user's has not got to its end."""
    if all(constraint.projection.function is None for constraint in program.constraints):
        yield
        return
    arrays = [program.plan.memory.parameters, *update.slots.values()]
    arrays += [update.accumulation.sums] if update.accumulation else []
    arrays += [update.average.values] if update.average else []
    before = [array.copy() for array in arrays]
    try:
        yield
    except BaseException:
        for array, old in zip(arrays, before, strict=True):
            array[...] = old
        raise


def _sizes(program, update):
    """Return the sizes of the gradients as the optimizer takes them, or None for those of dw."""
    # With a penalty, the gradient of a whole table comes together before the optimizer sees it.
    penalized = {row.place for row in program.rows if isinstance(row, rows.WeightPenalty)}
    tables = [row for row in program.rows if isinstance(row, rows.Embedding)]
    tables = [table for table in tables if table.place not in penalized]
    if not (tables and update.sums_sizes):
        return None
    size = optimizers.SIZES[update.op.name.lower()]
    sizes = size(program.plan.memory.gradients)
    for table in tables:
        table.write_sizes(sizes, size)
    return sizes


def _step(memory, update, t, learning_rate, sizes):
    w, dw = memory.parameters, memory.gradients
    if update.clip == ClipOp.VALUE:
        optimizers.clip_by_value(dw, update.clip_limit)
    elif update.clip == ClipOp.GLOBAL_NORM:
        optimizers.clip_by_global_norm(dw, update.clip_limit)
    elif update.clip == ClipOp.NORM:
        for segment in memory.weight_segments.values():
            optimizers.clip_by_norm(dw[segment.slice], update.clip_limit)
    if update.weight_decay:
        optimizers.decay_weights(w, learning_rate, update.weight_decay)
    name = update.op.name.lower()
    optimizers.take_step(name, w, dw, update.slots, t, learning_rate, update.hyperparameters, sizes)


# ---------------------------------------------------------------------- the functions of a backend
class Program:
    """A plan with each row bound to its views, ready to run."""

    def __init__(self, plan, objective):
        self.plan = plan
        self.rows = [rows.BY_OP[Op(row["op"])](row, plan) for row in plan.rows_for(objective)]
        self.constraints = [row for row in self.rows if isinstance(row, rows.Constraint)]
        self.backward_rows = self.rows[::-1]
        self.loss = None
        if objective is not None:
            penalties = (rows.WeightPenalty, rows.ActivityPenalty)
            penalties = [row for row in self.rows if isinstance(row, penalties)]
            self.loss = (_CustomLoss if objective.custom else _Loss)(plan, objective, penalties)
            self.backward_rows = self.backward_rows[plan.passed_by(objective) :]
        self.x = plan.batch_major_values(plan.x)
        self.batch_size = len(self.x)
        output_axes = len(plan.outputs[0].shape)
        self.y_is_sequence = output_axes > 2
        self.inner_axes = output_axes - 3  # of a loss's values, beside samples and timesteps


def prepare(plan, objective=None, keep=False):
    """Return the Program of a plan; with an Objective, one that can be trained and evaluated.

    `keep` says that `backward` will be called without an objective.
    """
    return Program(plan, objective)


def _quietly(function):
    # Training that diverges ends in inf and NaN, which the loss shows; warnings add nothing.
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")(function)


@_quietly
def forward(program, training):
    """Run the rows on what lies in the arena at ``plan.x``; `training` switches dropout on."""
    _forward(program, training)


@_quietly
def backward(program):
    """Run the rows back, from the output gradients in the arena to those of x and the weights.

    The caller sets the output gradients, with everything else in both gradient vectors zero.
    """
    _backward(program)


@_quietly
def loss_and_gradients(program, x, y, sample_weight, training):
    """Run one batch of batch-major arrays forward and back.

    Returns
    -------
    loss : scalar
        The gradients are left in the memory.
    """
    return _loss_and_gradients(program, x, y, sample_weight, training)


@_quietly
def train(program, data, order, update, learning_rates, t, totals):
    """Train on as many whole batches as there are learning rates.

    Parameters
    ----------
    program : Program
        With an objective.
    data : tuple of x, y, sample_weight or None
        Batch-major arrays of all samples.
    order : ndarray of int
        Which samples, batch after batch.
    update : Update
    learning_rates : ndarray of float
        One for each batch.
    t : int
        How many steps the optimizer has taken before.
    totals : ndarray of float64 (n,), or (epochs, n) for several epochs, each of as many batches
        Sum and count of the loss, then each metric's sums; added to after each update, so that the
        count tells how many updates were made, whatever happens.
    """
    B, epochs = program.batch_size, np.atleast_2d(totals)
    for k, learning_rate in enumerate(learning_rates):
        batch = _select(data, order[k * B : (k + 1) * B])
        loss = _loss_and_gradients(program, *batch, training=True)
        sizes = _sizes(program, update)
        with _undone_if_it_raises(program, update):
            _update(program.plan.memory, update, t + k + 1, float(learning_rate), sizes)
            for constraint in program.constraints:
                constraint.apply()
        program.loss.add_to(epochs[k * len(epochs) // len(learning_rates)], loss, *batch[1:])


@_quietly
def apply_update(program, update, learning_rate, t):
    """Take one step of an optimizer along the gradients that lie in the memory.

    Parameters
    ----------
    program : Program
        Any one of that memory.
    update : Update
    learning_rate : float
    t : int
        How many batches the optimizer has had before.
    """
    _update(program.plan.memory, update, t + 1, float(learning_rate))


@_quietly
def evaluate(program, data, order, totals):
    """Add loss and metrics to `totals`, batch after batch of the samples in `order`."""
    B = program.batch_size
    for start in range(0, len(order), B):
        x, y, sample_weight = _select(data, order[start : start + B])
        loss = _loss(program, x, y, sample_weight, training=False, back=False)
        program.loss.add_to(totals, loss, y, sample_weight)


@_quietly
def predict(program, x, order, outputs):
    """Write what the model says of the samples in `order`, batch after batch.

    `x` and each of `outputs` are batch-major arrays of all samples.
    """
    B = program.batch_size
    for start in range(0, len(order), B):
        batch = order[start : start + B]
        program.x[...] = x[batch]
        _forward(program, training=False)
        for output, tensor in zip(outputs, program.plan.outputs, strict=True):
            output[batch] = program.plan.batch_major_values(tensor)


def quick(plan):
    """Return a callable that predicts faster than `forward`, or None: there is none here."""
    return None


# ------------------------------------------------------------------- what a run has left of itself
def lstm_dropout(program, number):
    """Return what the last forward dropped in an LSTM row: x_dropout and h_dropout, None for none.

    `number` counts the program's rows; the shapes are those of `reference.lstm_forward`.
    """
    step = program.rows[number].cache.steps[0]
    return step.x_dropout, step.h_dropout


def lstm_gradients(program, number):
    """Return what the last backward met in an LSTM row, by name.

    Returns
    -------
    dict of str to ndarray
        `dz` (T, B, 4U) and `dh` (T, B, U) of `reference.lstm_backward`; or, in place of dh,
        `dh_above`, from which `reference.lstm_h_gradient` makes it.
    """
    gradients = program.rows[number].gradients
    return {"dh": gradients.dh, "dz": gradients.dz}


# ----------------------------------------------------------------------------------- small parts


def _forward(program, training):
    for row in program.rows:
        row.forward(training)


def _backward(program):
    for row in program.backward_rows:
        row.backward()


def _loss_and_gradients(program, x, y, sample_weight, training):
    program.plan.memory.gradients.fill(0)
    program.plan.gradient_arena.fill(0)
    loss = _loss(program, x, y, sample_weight, training, back=True)
    _backward(program)
    return loss


def _loss(program, x, y, sample_weight, training, back):
    """Run a batch up to its loss, and back through that; if it raises, states stay as they were."""
    states = program.plan.memory.states.copy()
    program.x[...] = x
    try:
        _forward(program, training)
        loss = program.loss.forward(*_time_major_targets(program, y, sample_weight))
        if back:
            program.loss.backward()
        return loss
    except BaseException:
        program.plan.memory.states[...] = states
        raise


def _time_major_targets(program, y, sample_weight):
    """Return y (T, B, …) and sample_weight in a shape that its values (T, B, …) broadcast with."""
    if program.y_is_sequence and not isinstance(program.loss, _CustomLoss):
        y = y.swapaxes(0, 1)
        if sample_weight is not None:
            weight = sample_weight.T if sample_weight.ndim > 1 else sample_weight[None]
            sample_weight = weight.reshape(weight.shape + (1,) * program.inner_axes)
    return y, sample_weight


def _select(data, samples):
    return [None if array is None else array[samples] for array in data]

"""Runs a plan in plain NumPy, row by row, every equation through `reference`.

`prepare` binds each row once to the views it works on; after that a batch is a loop over the bound
rows, forward and then in reverse.  Nothing here computes: what a row computes is in `reference`.
"""

import contextlib

import numpy as np

from ..plan import (
    MERGE_MODES,
    ClipOp,
    Op,
    Start,
)
from ..reference import (
    constraints,
    dense,
    embedding,
    losses,
    lstm,
    normalization,
    optimizers,
    shaping,
)
from . import in_python


# ------------------------------------------------------------------------------ the rows, one each
class _LSTM:
    def __init__(self, row, plan):
        T, B, D, U = (int(row[axis]) for axis in "TBDU")
        self.x, self.dx = _views(plan, row["x"], (T, B, D))
        self.h, self.dh = _views(plan, row["h"], (T + 1, B, U))
        self.c, self.dc = _views(plan, row["c"], (T + 1, B, U))
        shapes = [(D, 4 * U), (U, 4 * U)] + [(4 * U,)] * int(row["use_bias"])
        self.weights, self.dweights = _weight_views(plan.memory, row["w"], shapes)
        if not row["use_bias"]:
            self.weights.append(None)
        self.activation = plan.activations[row["activation"]]
        self.recurrent_activation = plan.activations[row["recurrent_activation"]]
        self.start = Start(row["mode"])
        self.mask = _mask(row, plan, (T, B))
        if row["reverse"]:
            self.x, self.dx = self.x[::-1], self.dx[::-1]
            self.mask = None if self.mask is None else self.mask[::-1]
        if self.start == Start.CARRIED:
            state = int(row["state"])
            self.state = plan.memory.states[state : state + 2 * B * U].reshape(2, B, U)
        self.rates = float(row["rate"]), float(row["recurrent_rate"])
        if any(self.rates):
            self.generator = plan.generators[row["generator"]]

    def _dropout(self, training):
        """Draw what is dropped of x and of h, for each gate on its own; None for nothing."""
        for values, rate in zip((self.x, self.h), self.rates, strict=True):
            keep = None
            if training and rate > 0:
                keep = self.generator.random((4, *values.shape[1:])) >= rate
            yield None if keep is None else shaping.dropout_scale(keep, rate, values.dtype)

    def forward(self, training):
        if self.start == Start.ZEROS:
            h0 = c0 = None
        elif self.start == Start.GIVEN:
            h0, c0 = self.h[0].copy(), self.c[0].copy()
        else:
            h0, c0 = self.state.copy()
        (h, c), self.cache = lstm.lstm_forward(
            self.x, h0, c0, *self.weights, self.activation, self.recurrent_activation, self.mask,
            *self._dropout(training),
        )  # fmt: skip
        self.h[...] = h
        self.c[...] = c
        if self.start == Start.CARRIED:
            self.state[0], self.state[1] = h[-1], c[-1]

    def backward(self):
        gradients = lstm.lstm_backward(self.dh[1:], self.dc[-1], self.cache)
        self.dx += gradients.dx
        self.dh[0] += gradients.dh0
        self.dc[0] += gradients.dc0
        for dweight, value in zip(self.dweights, gradients[3:], strict=False):
            dweight += value


class _Dense:
    def __init__(self, row, plan):
        N, D, K = (int(row[axis]) for axis in "BDU")
        self.x, self.dx = _views(plan, row["x"], (N, D))
        self.y, self.dy = _views(plan, row["y"], (N, K))
        shapes = [(D, K)] + [(K,)] * int(row["use_bias"])
        self.weights, self.dweights = _weight_views(plan.memory, row["w"], shapes)

    def forward(self, training):
        self.y[...], self.cache = dense.dense_forward(self.x, *self.weights)

    def backward(self):
        gradients = dense.dense_backward(self.dy, self.cache)
        self.dx += gradients.dx
        for dweight, value in zip(self.dweights, gradients[1:], strict=False):
            dweight += value


class _Activation:
    def __init__(self, row, plan):
        shape = (int(row["B"]), int(row["U"]))
        self.z, self.dz = _views(plan, row["x"], shape)
        self.y, self.dy = _views(plan, row["y"], shape)
        self.activation = plan.activations[row["activation"]]

    def forward(self, training):
        self.y[...] = self.activation.forward(self.z)

    def backward(self):
        self.dz += self.activation.backward(self.dy, self.z, self.y)


class _Dropout:
    def __init__(self, row, plan):
        shape = tuple(int(row[axis]) for axis in "TBU")
        self.x, self.dx = _views(plan, row["x"], shape)
        self.y, self.dy = _views(plan, row["y"], shape)
        self.rate = float(row["rate"])
        self.generator = plan.generators[row["generator"]]

    def forward(self, training):
        self.scale = None
        if training and self.rate > 0:
            keep = self.generator.random(self.x.shape[1:]) >= self.rate  # the same T times
            self.y[...], self.scale = shaping.dropout_forward(self.x, keep, self.rate)
        else:
            self.y[...] = self.x

    def backward(self):
        self.dx += self.dy if self.scale is None else shaping.dropout_backward(self.dy, self.scale)


class _Repeat:
    def __init__(self, row, plan):
        T, B, U = (int(row[axis]) for axis in "TBU")
        self.x, self.dx = _views(plan, row["x"], (B, U))
        self.y, self.dy = _views(plan, row["y"], (T, B, U))

    def forward(self, training):
        self.y[...] = shaping.repeat_forward(self.x, len(self.y))

    def backward(self):
        self.dx += shaping.repeat_backward(self.dy)


class _Merge:
    def __init__(self, row, plan):
        T, B, U, D = (int(row[axis]) for axis in "TBUD")
        self.mode = MERGE_MODES[row["mode"]]
        width = U + D if self.mode == "concat" else U
        self.ahead, self.dahead = _views(plan, row["x"], (T, B, U))
        self.back, self.dback = _views(plan, row["x2"], (T, B, D))
        self.y, self.dy = _views(plan, row["y"], (T, B, width))
        if row["reverse"]:  # the backward direction read the sequence from its end
            self.back, self.dback = self.back[::-1], self.dback[::-1]

    def forward(self, training):
        self.y[...] = shaping.merge_forward(self.ahead, self.back, self.mode)

    def backward(self):
        dahead, dback = shaping.merge_backward(self.dy, self.ahead, self.back, self.mode)
        self.dahead += dahead
        self.dback += dback


class _Reverse:
    def __init__(self, row, plan):
        shape = tuple(int(row[axis]) for axis in "TBU")
        self.x, self.dx = _views(plan, row["x"], shape)
        self.y, self.dy = _views(plan, row["y"], shape)

    def forward(self, training):
        self.y[...] = self.x[::-1]

    def backward(self):
        self.dx += self.dy[::-1]


class _MoveAxis:
    def __init__(self, row, plan):
        outer, inner, width = (int(row[axis]) for axis in "TBU")
        self.x, self.dx = _views(plan, row["x"], (outer, inner, width))
        self.y, self.dy = _views(plan, row["y"], (inner, outer, width))

    def forward(self, training):
        self.y[...] = self.x.swapaxes(0, 1)

    def backward(self):
        self.dx += self.dy.swapaxes(0, 1)


class _Masking:
    def __init__(self, row, plan):
        shape = (int(row["B"]), int(row["U"]))
        self.x, self.dx = _views(plan, row["x"], shape)
        self.y, self.dy = _views(plan, row["y"], shape)
        self.mask, self.value = _mask(row, plan, shape[:1]), float(row["rate"])

    def forward(self, training):
        self.y[...], self.mask[...] = shaping.masking_forward(self.x, self.value)

    def backward(self):
        self.dx += shaping.masking_backward(self.dy, self.mask)


class _Embedding:
    def __init__(self, row, plan):
        T, B, V, E = (int(row[axis]) for axis in "TBDU")
        self.indices = plan.values(row["x"], (B, T)).T  # (T, B)
        self.y, self.dy = _views(plan, row["y"], (T, B, E))
        (self.table,), (self.dtable,) = _weight_views(plan.memory, row["w"], [(V, E)])
        self.place = int(row["w"])
        self.mask = _mask(row, plan, (T, B))

    def forward(self, training):
        self.y[...], self.cache = embedding.embedding_forward(self.indices, self.table)
        if self.mask is not None:
            self.mask[...] = self.indices != 0

    def backward(self):
        self.dtable += embedding.embedding_backward(self.dy, self.cache, len(self.table))

    def write_sizes(self, sizes, size):
        """Write the sums of the sizes of each row's gradients to where they belong."""
        summed = embedding.embedding_backward(size(self.dy), self.cache, len(self.table))
        sizes[self.place : self.place + summed.size] = summed.ravel()


class _Hold:
    def __init__(self, row, plan):
        T, B, U = (int(row[axis]) for axis in "TBU")
        self.x, self.dx = _views(plan, row["x"], (T, B, U))
        self.y, self.dy = _views(plan, row["y"], (T, B, U))
        self.mask, self.zeros = _mask(row, plan, (T, B)), bool(row["mode"])
        if row["reverse"]:
            self.mask = self.mask[::-1]

    def forward(self, training):
        self.y[...] = shaping.hold_forward(self.x, self.mask, self.zeros)

    def backward(self):
        self.dx += shaping.hold_backward(self.dy, self.mask, self.zeros)


class _WeightPenalty:
    def __init__(self, row, plan):
        self.penalty, segment = plan.penalties[row["mode"]]
        self.place = int(row["w"])
        self.w, self.dw = (
            flat[segment.slice].reshape(segment.shape)
            for flat in (plan.memory.parameters, plan.memory.gradients)
        )

    def forward(self, training):
        self.value, self.cache = self.penalty.forward(self.w, *self.penalty.numbers)

    def backward(self):
        self.dw += self.penalty.backward(1, self.cache)


class _ActivityPenalty:
    def __init__(self, row, plan):
        self.penalty, tensor = plan.penalties[row["mode"]]
        self.x, self.dx = _views(plan, *tensor)
        if len(tensor.shape) > 2:  # samples first, as outside
            self.x, self.dx = self.x.swapaxes(0, 1), self.dx.swapaxes(0, 1)
        self.batch_size = int(row["D"])

    def forward(self, training):
        value, self.cache = self.penalty.forward(self.x, *self.penalty.numbers)
        self.value = value / self.batch_size

    def backward(self):
        self.dx += self.penalty.backward(1, self.cache) / self.batch_size


class _Constraint:
    def __init__(self, row, plan):
        self.projection, segment = plan.projections[row["mode"]]
        self.w = plan.memory.parameters[segment.slice].reshape(segment.shape)

    def forward(self, training):
        pass

    def backward(self):
        pass

    def apply(self):
        w = np.asarray(constraints.project(self.w, self.projection))
        if w.shape != self.w.shape:
            raise ValueError(
                f"the constraint {self.projection.name!r} made an array of shape {w.shape} of a "
                f"weight of shape {self.w.shape}; it must keep the shape"
            )
        self.w[...] = w


class _LayerNormalization:
    def __init__(self, row, plan):
        N, D, U = (int(row[axis]) for axis in "BDU")
        self.x, self.dx = _views(plan, row["x"], (N, U))
        self.y, self.dy = _views(plan, row["y"], (N, U))
        there = {"gamma": D > 0, "beta": bool(row["use_bias"])}
        names = [name for name in there if there[name]]
        weights, dweights = _weight_views(plan.memory, row["w"], [(U,)] * len(names))
        self.weights = dict(zip(names, weights, strict=True))
        self.dweights = dict(zip(names, dweights, strict=True))
        self.epsilon = float(row["rate"])

    def forward(self, training):
        self.y[...], self.cache = normalization.layer_normalization_forward(
            self.x, **self.weights, epsilon=self.epsilon
        )

    def backward(self):
        gradients = normalization.layer_normalization_backward(self.dy, self.cache)
        self.dx += gradients.dx
        for name, dweight in self.dweights.items():
            dweight += getattr(gradients, f"d{name}")


_ROWS = {
    Op.LSTM: _LSTM,
    Op.DENSE: _Dense,
    Op.ACTIVATION: _Activation,
    Op.DROPOUT: _Dropout,
    Op.REPEAT: _Repeat,
    Op.MERGE: _Merge,
    Op.REVERSE: _Reverse,
    Op.MOVE_AXIS: _MoveAxis,
    Op.MASKING: _Masking,
    Op.EMBEDDING: _Embedding,
    Op.HOLD: _Hold,
    Op.WEIGHT_PENALTY: _WeightPenalty,
    Op.ACTIVITY_PENALTY: _ActivityPenalty,
    Op.CONSTRAINT: _Constraint,
    Op.LAYER_NORMALIZATION: _LayerNormalization,
}


def _views(plan, offset, shape):
    return plan.values(offset, shape), plan.gradients(offset, shape)


def _mask(row, plan, shape):
    return plan.values(int(row["mask"]), shape) if row["mask"] >= 0 else None


def _weight_views(memory, offset, shapes):
    weights, dweights = [], []
    for shape in shapes:
        end = offset + np.prod(shape)
        weights.append(memory.parameters[offset:end].reshape(shape))
        dweights.append(memory.gradients[offset:end].reshape(shape))
        offset = end
    return weights, dweights


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
        self.source, self.dsource = _views(plan, *(before if objective.fused else output))
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
    penalized = {row.place for row in program.rows if isinstance(row, _WeightPenalty)}
    rows = [row for row in program.rows if isinstance(row, _Embedding)]
    rows = [row for row in rows if row.place not in penalized]
    if not (rows and update.sums_sizes):
        return None
    size = optimizers.SIZES[update.op.name.lower()]
    sizes = size(program.plan.memory.gradients)
    for row in rows:
        row.write_sizes(sizes, size)
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
        self.rows = [_ROWS[Op(row["op"])](row, plan) for row in plan.rows_for(objective)]
        self.constraints = [row for row in self.rows if isinstance(row, _Constraint)]
        self.backward_rows = self.rows[::-1]
        self.loss = None
        if objective is not None:
            penalties = (_WeightPenalty, _ActivityPenalty)
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
    totals : ndarray of float64
        Sum and count of the loss, then each metric's sums; added to after each update, so that the
        count tells how many updates were made, whatever happens.
    """
    B = program.batch_size
    for k, learning_rate in enumerate(learning_rates):
        batch = _select(data, order[k * B : (k + 1) * B])
        loss = _loss_and_gradients(program, *batch, training=True)
        sizes = _sizes(program, update)
        with _undone_if_it_raises(program, update):
            _update(program.plan.memory, update, t + k + 1, float(learning_rate), sizes)
            for constraint in program.constraints:
                constraint.apply()
        program.loss.add_to(totals, loss, *batch[1:])


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

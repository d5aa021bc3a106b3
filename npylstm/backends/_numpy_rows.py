"""The rows of a plan in plain NumPy, one class each: bound once to the views that it works on.

What a row computes is in `reference`; `forward` and `backward` hand it the arrays and put what
comes back where it belongs.
"""

import numpy as np

from ..plan import MERGE_MODES, Op, Start
from ..reference import constraints, dense, embedding, lstm, normalization, shaping


class LSTM:
    def __init__(self, row, plan):
        T, B, D, U = (int(row[axis]) for axis in "TBDU")
        self.path = path_of(plan.memory, row["w"])
        self.x, self.dx = views(plan, row["x"], (T, B, D))
        self.h, self.dh = views(plan, row["h"], (T + 1, B, U))
        self.c, self.dc = views(plan, row["c"], (T + 1, B, U))
        shapes = [(D, 4 * U), (U, 4 * U)] + [(4 * U,)] * int(row["use_bias"])
        self.weights, self.dweights = weight_views(plan.memory, row["w"], shapes)
        if not row["use_bias"]:
            self.weights.append(None)
        self.activation = plan.activations[row["activation"]]
        self.recurrent_activation = plan.activations[row["recurrent_activation"]]
        self.start = Start(row["mode"])
        self.mask = mask_of(row, plan, (T, B))
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
        self.gradients = gradients


class Dense:
    def __init__(self, row, plan):
        N, D, K = (int(row[axis]) for axis in "BDU")
        self.x, self.dx = views(plan, row["x"], (N, D))
        self.y, self.dy = views(plan, row["y"], (N, K))
        shapes = [(D, K)] + [(K,)] * int(row["use_bias"])
        self.weights, self.dweights = weight_views(plan.memory, row["w"], shapes)

    def forward(self, training):
        self.y[...], self.cache = dense.dense_forward(self.x, *self.weights)

    def backward(self):
        gradients = dense.dense_backward(self.dy, self.cache)
        self.dx += gradients.dx
        for dweight, value in zip(self.dweights, gradients[1:], strict=False):
            dweight += value


class Activation:
    def __init__(self, row, plan):
        shape = (int(row["B"]), int(row["U"]))
        self.z, self.dz = views(plan, row["x"], shape)
        self.y, self.dy = views(plan, row["y"], shape)
        self.activation = plan.activations[row["activation"]]

    def forward(self, training):
        self.y[...] = self.activation.forward(self.z)

    def backward(self):
        self.dz += self.activation.backward(self.dy, self.z, self.y)


class Dropout:
    def __init__(self, row, plan):
        shape = tuple(int(row[axis]) for axis in "TBU")
        self.x, self.dx = views(plan, row["x"], shape)
        self.y, self.dy = views(plan, row["y"], shape)
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


class Repeat:
    def __init__(self, row, plan):
        T, B, U = (int(row[axis]) for axis in "TBU")
        self.x, self.dx = views(plan, row["x"], (B, U))
        self.y, self.dy = views(plan, row["y"], (T, B, U))

    def forward(self, training):
        self.y[...] = shaping.repeat_forward(self.x, len(self.y))

    def backward(self):
        self.dx += shaping.repeat_backward(self.dy)


class Merge:
    def __init__(self, row, plan):
        T, B, U, D = (int(row[axis]) for axis in "TBUD")
        self.mode = MERGE_MODES[row["mode"]]
        width = U + D if self.mode == "concat" else U
        self.ahead, self.dahead = views(plan, row["x"], (T, B, U))
        self.back, self.dback = views(plan, row["x2"], (T, B, D))
        self.y, self.dy = views(plan, row["y"], (T, B, width))
        if row["reverse"]:  # the backward direction read the sequence from its end
            self.back, self.dback = self.back[::-1], self.dback[::-1]

    def forward(self, training):
        self.y[...] = shaping.merge_forward(self.ahead, self.back, self.mode)

    def backward(self):
        dahead, dback = shaping.merge_backward(self.dy, self.ahead, self.back, self.mode)
        self.dahead += dahead
        self.dback += dback


class Reverse:
    def __init__(self, row, plan):
        shape = tuple(int(row[axis]) for axis in "TBU")
        self.x, self.dx = views(plan, row["x"], shape)
        self.y, self.dy = views(plan, row["y"], shape)

    def forward(self, training):
        self.y[...] = self.x[::-1]

    def backward(self):
        self.dx += self.dy[::-1]


class MoveAxis:
    def __init__(self, row, plan):
        outer, inner, width = (int(row[axis]) for axis in "TBU")
        self.x, self.dx = views(plan, row["x"], (outer, inner, width))
        self.y, self.dy = views(plan, row["y"], (inner, outer, width))

    def forward(self, training):
        self.y[...] = self.x.swapaxes(0, 1)

    def backward(self):
        self.dx += self.dy.swapaxes(0, 1)


class Masking:
    def __init__(self, row, plan):
        shape = (int(row["B"]), int(row["U"]))
        self.x, self.dx = views(plan, row["x"], shape)
        self.y, self.dy = views(plan, row["y"], shape)
        self.mask, self.value = mask_of(row, plan, shape[:1]), float(row["rate"])

    def forward(self, training):
        self.y[...], self.mask[...] = shaping.masking_forward(self.x, self.value)

    def backward(self):
        self.dx += shaping.masking_backward(self.dy, self.mask)


class Embedding:
    def __init__(self, row, plan):
        T, B, V, E = (int(row[axis]) for axis in "TBDU")
        self.indices = plan.values(row["x"], (B, T)).T  # (T, B)
        self.y, self.dy = views(plan, row["y"], (T, B, E))
        (self.table,), (self.dtable,) = weight_views(plan.memory, row["w"], [(V, E)])
        self.place = int(row["w"])
        self.mask = mask_of(row, plan, (T, B))

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


class Hold:
    def __init__(self, row, plan):
        T, B, U = (int(row[axis]) for axis in "TBU")
        self.x, self.dx = views(plan, row["x"], (T, B, U))
        self.y, self.dy = views(plan, row["y"], (T, B, U))
        self.mask, self.zeros = mask_of(row, plan, (T, B)), bool(row["mode"])
        if row["reverse"]:
            self.mask = self.mask[::-1]

    def forward(self, training):
        self.y[...] = shaping.hold_forward(self.x, self.mask, self.zeros)

    def backward(self):
        self.dx += shaping.hold_backward(self.dy, self.mask, self.zeros)


class WeightPenalty:
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


class ActivityPenalty:
    def __init__(self, row, plan):
        self.penalty, tensor = plan.penalties[row["mode"]]
        self.x, self.dx = views(plan, *tensor)
        if len(tensor.shape) > 2:  # samples first, as outside
            self.x, self.dx = self.x.swapaxes(0, 1), self.dx.swapaxes(0, 1)
        self.batch_size = int(row["D"])

    def forward(self, training):
        value, self.cache = self.penalty.forward(self.x, *self.penalty.numbers)
        self.value = value / self.batch_size

    def backward(self):
        self.dx += self.penalty.backward(1, self.cache) / self.batch_size


class Constraint:
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


class LayerNormalization:
    def __init__(self, row, plan):
        N, D, U = (int(row[axis]) for axis in "BDU")
        self.x, self.dx = views(plan, row["x"], (N, U))
        self.y, self.dy = views(plan, row["y"], (N, U))
        there = {"gamma": D > 0, "beta": bool(row["use_bias"])}
        names = [name for name in there if there[name]]
        weights, dweights = weight_views(plan.memory, row["w"], [(U,)] * len(names))
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


BY_OP = {
    Op.LSTM: LSTM,
    Op.DENSE: Dense,
    Op.ACTIVATION: Activation,
    Op.DROPOUT: Dropout,
    Op.REPEAT: Repeat,
    Op.MERGE: Merge,
    Op.REVERSE: Reverse,
    Op.MOVE_AXIS: MoveAxis,
    Op.MASKING: Masking,
    Op.EMBEDDING: Embedding,
    Op.HOLD: Hold,
    Op.WEIGHT_PENALTY: WeightPenalty,
    Op.ACTIVITY_PENALTY: ActivityPenalty,
    Op.CONSTRAINT: Constraint,
    Op.LAYER_NORMALIZATION: LayerNormalization,
}


def views(plan, offset, shape):
    return plan.values(offset, shape), plan.gradients(offset, shape)


def mask_of(row, plan, shape):
    return plan.values(int(row["mask"]), shape) if row["mask"] >= 0 else None


def path_of(memory, offset):
    """Return the path of the layer whose first weight lies there, such as "lstm"."""
    paths = (path for path, segment in memory.weight_segments.items() if segment.offset == offset)
    return next(paths, "").rpartition("/")[0]


def weight_views(memory, offset, shapes):
    weights, dweights = [], []
    for shape in shapes:
        end = offset + np.prod(shape)
        weights.append(memory.parameters[offset:end].reshape(shape))
        dweights.append(memory.gradients[offset:end].reshape(shape))
        offset = end
    return weights, dweights

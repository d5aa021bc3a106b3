"""The losses' and metrics' kernels: a value for every row of outputs, and the gradient behind it.

The formulas are those of `reference.losses` and `reference.metrics`, a row of K outputs at a time.
Rows are shared out to the threads; their values are added up afterwards, in order.
"""

import math

import numpy as np

from ..plan import LossOp, MetricOp
from ..reference.losses import EPSILON
from .emit import I64, counted, keep, load, store
from .frame import (
    BATCH,
    LOSS_VALUES,
    OUTPUT,
    OUTPUT_INNER,
    OUTPUT_STEPS,
    OUTPUT_WIDTH,
    SOURCE,
    STEP,
    THREADS,
    WEIGHT_STEPS,
)
from .jit import emitted, jit, share
from .vector import Vector, host_format, reduce, splat


def exponentials(form):
    """Return ``(n, x, x_at, shift, y, y_at) -> sum``: y = exp(x - shift), and the sum of it."""

    def twin(n, x, x_at, shift, y, y_at):
        y[y_at : y_at + n] = np.exp(x[x_at : x_at + n] - shift)
        return y[y_at : y_at + n].sum()

    def typed(typing, n, x, x_at, shift, y, y_at):
        from numba import types

        def emit(context, builder, signature, values):
            n_value, x_value, x_start, shift_value, y_value, y_start = values
            x_data = builder.gep(context.make_array(x)(context, builder, x_value).data, [x_start])
            y_data = builder.gep(context.make_array(y)(context, builder, y_value).data, [y_start])
            shifts = splat(builder, shift_value, form)

            def block(index, sums):
                start = builder.mul(index, I64(form.lanes))
                left = builder.sub(n_value, start)
                here = load(builder, form, builder.gep(x_data, [start]), left)
                result = np.exp(Vector(builder, here, form) - shifts).value
                result = keep(builder, form, result, left)
                store(builder, form, result, builder.gep(y_data, [start]), left)
                return [builder.fadd(sums[0], result)]

            lanes = I64(form.lanes)
            blocks = builder.sdiv(builder.add(n_value, I64(form.lanes - 1)), lanes)
            total = counted(builder, blocks, [form.constant(0)], block)[0]
            return reduce(Vector(builder, total, form), lambda a, b: a + b)

        number = x.dtype
        return number(types.intp, x, types.intp, number, y, types.intp), emit

    return emitted(twin)(typed)


def _row_values(form):
    """Return, by LossOp, ``value(frame, z, y, label, K, weight)``; it leaves weight * d value / dz.

    z is the place of the row in the arena and of its gradient in the gradient arena, y that of its
    targets in ``frame.y``.
    """
    number = form.dtype.type
    zero, one, low = number(0), number(1), number(np.finfo(form.dtype).min / 2)
    smallest, largest = number(EPSILON), number(1 - EPSILON)
    exp_row = exponentials(form)

    @jit
    def mean_squared_error(frame, z, y, label, K, weight):
        value = zero
        scale = weight * (number(2) / number(K))
        for j in range(K):
            error = frame.arena[z + j] - frame.y[y + j]
            value += error * error
            frame.gradient_arena[z + j] = scale * error
        return value / number(K)

    @jit
    def mean_absolute_error(frame, z, y, label, K, weight):
        value = zero
        scale = weight * (one / number(K))
        for j in range(K):
            error = frame.arena[z + j] - frame.y[y + j]
            sign = one if error > zero else -one if error < zero else error
            value += abs(error)
            frame.gradient_arena[z + j] = scale * sign
        return value / number(K)

    @jit
    def top_of(array, start, K):
        top = array[start]
        for j in range(1, K):
            if array[start + j] > top:
                top = array[start + j]
        return top

    @jit
    def softmax_crossentropy(frame, z, y, label, K, weight):
        logits, d = frame.arena, frame.gradient_arena
        top = top_of(logits, z, K)
        total = exp_row(K, logits, z, top, d, z)
        log_total = math.log(total)
        value = zero
        for j in range(K):
            shifted = logits[z + j] - top
            shifted = low if shifted < low else shifted
            value -= frame.y[y + j] * (shifted - log_total)
            d[z + j] = weight * (d[z + j] / total - frame.y[y + j])
        return value

    @jit
    def sparse_softmax_crossentropy(frame, z, y, label, K, weight):
        logits, d = frame.arena, frame.gradient_arena
        top = top_of(logits, z, K)
        total = exp_row(K, logits, z, top, d, z)
        for j in range(K):
            d[z + j] = weight * (d[z + j] / total)
        d[z + label] -= weight
        shifted = logits[z + label] - top
        shifted = low if shifted < low else shifted
        return math.log(total) - shifted

    @jit
    def sigmoid_crossentropy(frame, z, y, label, K, weight):
        value = zero
        scale = weight * (one / number(K))
        for j in range(K):
            logit, target = frame.arena[z + j], frame.y[y + j]
            e = math.exp(-abs(logit))
            value += (zero if logit < zero else logit) - logit * target + math.log1p(e)
            p = (one if logit >= zero else e) / (one + e)
            frame.gradient_arena[z + j] = scale * (p - target)
        return value / number(K)

    @jit
    def clipped(p):
        return smallest if p < smallest else largest if p > largest else p

    @jit
    def outside(p):
        return p < smallest or p > largest

    @jit
    def categorical_crossentropy(frame, z, y, label, K, weight):
        total = zero
        for j in range(K):
            total += frame.arena[z + j]
        value, along = zero, zero
        for j in range(K):
            scaled, target = frame.arena[z + j] / total, frame.y[y + j]
            p = clipped(scaled)
            value -= target * math.log(p)
            d = zero if outside(scaled) else -weight * target / p
            along += d * scaled
            frame.gradient_arena[z + j] = d
        for j in range(K):
            frame.gradient_arena[z + j] = (frame.gradient_arena[z + j] - along) / total
        return value

    @jit
    def sparse_categorical_crossentropy(frame, z, y, label, K, weight):
        total = zero
        for j in range(K):
            total += clipped(frame.arena[z + j])
        for j in range(K):
            p = frame.arena[z + j]
            share_of = clipped(p) / total - (one if j == label else zero)
            frame.gradient_arena[z + j] = zero if outside(p) else weight * share_of / clipped(p)
        return math.log(total) - math.log(clipped(frame.arena[z + label]))

    @jit
    def binary_crossentropy(frame, z, y, label, K, weight):
        value = zero
        scale = weight * (one / number(K))
        for j in range(K):
            target, p = frame.y[y + j], clipped(frame.arena[z + j])
            value -= target * math.log(p) + (one - target) * math.log(one - p)
            d = (one - target) / (one - p) - target / p
            frame.gradient_arena[z + j] = zero if outside(frame.arena[z + j]) else scale * d
        return value / number(K)

    return {
        LossOp.MEAN_SQUARED_ERROR: mean_squared_error,
        LossOp.MEAN_ABSOLUTE_ERROR: mean_absolute_error,
        LossOp.CATEGORICAL_CROSSENTROPY: categorical_crossentropy,
        LossOp.SOFTMAX_CROSSENTROPY: softmax_crossentropy,
        LossOp.SPARSE_CATEGORICAL_CROSSENTROPY: sparse_categorical_crossentropy,
        LossOp.SPARSE_SOFTMAX_CROSSENTROPY: sparse_softmax_crossentropy,
        LossOp.BINARY_CROSSENTROPY: binary_crossentropy,
        LossOp.SIGMOID_CROSSENTROPY: sigmoid_crossentropy,
    }


@jit
def row_of(frame, step, r):
    """Return where in the targets row r of a batch's outputs is, its sample and its timestep."""
    b, inner = frame.settings[BATCH], frame.settings[OUTPUT_INNER]
    steps = frame.settings[OUTPUT_STEPS]
    t, q = r // (b * inner), r // inner % b
    sample = frame.order[step * b + q]
    return (sample * steps + t) * inner + r % inner, sample, t


def loss(dtype, op):
    """Return the kernel of a loss; its row is the batch.

    It leaves each row's value, times its weight, in the workspace, and the gradient of the mean.
    """
    form = host_format(dtype)
    number = form.dtype.type
    value_of = _row_values(form)[LossOp(op)]
    sparse = "SPARSE" in LossOp(op).name

    def kernel(row, frame, k):
        s = frame.settings
        K, steps = s[OUTPUT_WIDTH], s[OUTPUT_STEPS]
        n = s[BATCH] * steps * s[OUTPUT_INNER]
        first, last = share(n, k, s[THREADS])
        for r in range(first, last):
            target, sample, t = row_of(frame, row, r)
            weight = number(1)
            if s[WEIGHT_STEPS] == 1:
                weight = frame.sample_weight[sample]
            elif s[WEIGHT_STEPS] > 1:
                weight = frame.sample_weight[sample * s[WEIGHT_STEPS] + t]
            label = frame.labels[target] if sparse else 0
            z = s[SOURCE] + r * K
            value = value_of(frame, z, target * K, label, K, weight / number(n))
            frame.workspace[s[LOSS_VALUES] + r] = value * weight

    return kernel


def metric(dtype, op):
    """Return the kernel of a metric: it adds the mean of a batch, times its samples, to totals.

    Its row is the metric's number.
    """
    op = int(op)
    binary, categorical = int(MetricOp.BINARY_ACCURACY), int(MetricOp.CATEGORICAL_ACCURACY)
    sparse = int(MetricOp.SPARSE_CATEGORICAL_ACCURACY)
    squared = op == int(MetricOp.MEAN_SQUARED_ERROR)
    by_class = op in (categorical, sparse)
    half = np.dtype(dtype).type(0.5)
    sparse, binary = op == sparse, op == binary

    @jit
    def largest(array, start, K):
        best = 0
        for j in range(1, K):
            if array[start + j] > array[start + best]:
                best = j
        return best

    def kernel(row, frame, k):
        if k != 0:
            return
        s = frame.settings
        K, n = s[OUTPUT_WIDTH], s[BATCH] * s[OUTPUT_STEPS] * s[OUTPUT_INNER]
        step, total = s[STEP], 0.0
        for r in range(n):
            target, _, _ = row_of(frame, step, r)
            y, p = target * K, s[OUTPUT] + r * K
            if by_class:
                label = frame.labels[target] if sparse else largest(frame.y, y, K)
                total += 1.0 if largest(frame.arena, p, K) == label else 0.0
            else:
                value = 0.0
                for j in range(K):
                    error = frame.arena[p + j] - frame.y[y + j]
                    if binary:
                        side = 1.0 if frame.arena[p + j] > half else 0.0
                        value += 1.0 if frame.y[y + j] == side else 0.0
                    else:
                        value += error * error if squared else abs(error)
                total += value / K
        frame.totals[2 * row + 2] += total * (s[BATCH] / n)
        frame.totals[2 * row + 3] += s[BATCH]

    return kernel

"""The losses' kernels: a value for every row of outputs, and the gradient behind it.

The formulas are those of `reference.losses`, a row of K outputs at a time.
Rows are shared out to the threads; their values are added up afterwards, in order.
"""

import math

import numpy as np

from ..plan import LossOp, Reduction
from ..reference.losses import EPSILON, TERMS
from .emit import I64, counted, keep, load, store
from .format import host_format
from .frame import (
    BATCH,
    LOSS_MASK,
    LOSS_MASK_SIZE,
    LOSS_VALUES,
    OUTPUT_INNER,
    OUTPUT_STEPS,
    OUTPUT_WIDTH,
    SOURCE,
    THREADS,
    WEIGHT_STEPS,
)
from .jit import emitted, jit, share
from .vector import Vector, reduce, splat


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


def terms(form, function, keeps, adds, numbers):
    """Return ``(n, z, z_at, y, y_at, d, d_at, scale) -> sum``, traced from one of `TERMS`.

    The sum is that of the terms of n outputs; their slopes, times `scale`, go to d.
    """

    def smooth(y):
        return y if (keeps, adds) == (1.0, 0.0) else y * keeps + adds

    def twin(n, z, z_at, y, y_at, d, d_at, scale):
        values, slopes = function(smooth(y[y_at : y_at + n]), z[z_at : z_at + n], *numbers)
        d[d_at : d_at + n] = slopes * scale
        return values.sum()

    def typed(typing, n, z, z_at, y, y_at, d, d_at, scale):
        from numba import types

        def emit(context, builder, signature, values):
            n_value, *arrays, scale_value = values
            kinds = (z, y, d)
            z_data, y_data, d_data = (
                builder.gep(context.make_array(kind)(context, builder, array).data, [start])
                for kind, array, start in zip(kinds, arrays[::2], arrays[1::2], strict=True)
            )
            scales = splat(builder, scale_value, form)

            def block(index, sums):
                start = builder.mul(index, I64(form.lanes))
                left = builder.sub(n_value, start)
                y_here, z_here = (
                    Vector(builder, load(builder, form, builder.gep(data, [start]), left), form)
                    for data in (y_data, z_data)
                )
                value, slope = function(smooth(y_here), z_here, *numbers)
                slope = (slope * scales).value
                store(builder, form, slope, builder.gep(d_data, [start]), left)
                return [builder.fadd(sums[0], keep(builder, form, value.value, left))]

            lanes = I64(form.lanes)
            blocks = builder.sdiv(builder.add(n_value, I64(form.lanes - 1)), lanes)
            total = counted(builder, blocks, [form.constant(0)], block)[0]
            return reduce(Vector(builder, total, form), lambda a, b: a + b)

        number = z.dtype
        index = types.intp
        return number(index, z, index, y, index, d, index, number), emit

    return emitted(twin)(typed)


def row_value(form, op, keeps, adds, numbers):
    """Return ``value(frame, z, y, label, K, weight)`` of a LossOp; it leaves weight * d value / dz.

    z is the place of the row in the arena and of its gradient in the gradient arena, y that of its
    targets in ``frame.y``.
    """
    if op.name.lower() in TERMS:
        return _value_of_terms(form, *TERMS[op.name.lower()], keeps, adds, numbers)
    return _value_of_row(form, op, keeps, adds, numbers)


def _value_of_terms(form, function, mean, keeps, adds, numbers):
    number = form.dtype.type
    row_of_terms = terms(form, function, number(keeps), number(adds), tuple(map(number, numbers)))

    @jit
    def of_terms(frame, z, y, label, K, weight):
        n = number(K) if mean else number(1)
        d = frame.gradient_arena
        return row_of_terms(K, frame.arena, z, frame.y, y, d, z, weight * (number(1) / n)) / n

    return of_terms


def _value_of_row(form, op, keeps, adds, numbers):
    number = form.dtype.type
    zero, one, low = number(0), number(1), number(np.finfo(form.dtype).min / 2)
    smallest, largest = number(EPSILON), number(1 - EPSILON)
    steepest = number(1 / EPSILON)
    keeps, adds = number(keeps), number(adds)
    alpha, gamma = map(number, numbers or (1, 0))  # of the focal losses
    exp_row = exponentials(form)

    @jit
    def target(frame, place):
        return frame.y[place] * keeps + adds

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
            value -= target(frame, y + j) * (shifted - log_total)
            d[z + j] = weight * (d[z + j] / total - target(frame, y + j))
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
    def clipped(p):
        return smallest if p < smallest else largest if p > largest else p

    @jit
    def outside(p):
        return p < smallest or p > largest

    @jit
    def sum_of(array, start, K):
        total = zero
        for j in range(K):
            total += array[start + j]
        return total

    @jit
    def back_through_scaling(d, z, K, along, total):
        for j in range(K):
            d[z + j] = (d[z + j] - along) / total

    @jit
    def categorical_crossentropy(frame, z, y, label, K, weight):
        total = sum_of(frame.arena, z, K)
        value, along = zero, zero
        for j in range(K):
            scaled, wanted = frame.arena[z + j] / total, target(frame, y + j)
            p = clipped(scaled)
            value -= wanted * math.log(p)
            d = zero if outside(scaled) else -weight * wanted / p
            along += d * scaled
            frame.gradient_arena[z + j] = d
        back_through_scaling(frame.gradient_arena, z, K, along, total)
        return value

    @jit
    def focal(scaled, wanted, weight):
        # The value of a class that has the probability `scaled`, and its slope.
        p = clipped(scaled)
        missed, log_p = one - p, math.log(p)
        factor = alpha * missed**gamma
        slope = zero
        if not outside(scaled):
            falls = alpha * gamma * missed ** (gamma - one) * log_p - factor / p
            slope = weight * wanted * falls
        return -factor * wanted * log_p, slope

    @jit
    def categorical_focal_crossentropy(frame, z, y, label, K, weight):
        total = sum_of(frame.arena, z, K)
        value, along = zero, zero
        for j in range(K):
            scaled = frame.arena[z + j] / total
            term, slope = focal(scaled, target(frame, y + j), weight)
            value += term
            along += slope * scaled
            frame.gradient_arena[z + j] = slope
        back_through_scaling(frame.gradient_arena, z, K, along, total)
        return value

    @jit
    def softmax_focal_crossentropy(frame, z, y, label, K, weight):
        d = frame.gradient_arena
        total = exp_row(K, frame.arena, z, top_of(frame.arena, z, K), d, z)
        value, along = zero, zero
        for j in range(K):
            p = d[z + j] / total
            term, slope = focal(p, target(frame, y + j), weight)
            value += term
            along += slope * p
        for j in range(K):
            p = d[z + j] / total
            _, slope = focal(p, target(frame, y + j), weight)
            d[z + j] = p * (slope - along)
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
    def inverse_length(array, start, K):
        square = zero
        for j in range(K):
            square += array[start + j] * array[start + j]
        inverse = one / math.sqrt(square)
        return steepest if inverse > steepest else inverse

    @jit
    def cosine_similarity(frame, z, y, label, K, weight):
        of_y, of_z = inverse_length(frame.y, y, K), inverse_length(frame.arena, z, K)
        cosine = zero
        for j in range(K):
            cosine += frame.y[y + j] * of_y * (frame.arena[z + j] * of_z)
        along = cosine if of_z < steepest else zero
        for j in range(K):
            across = frame.y[y + j] * of_y - along * (frame.arena[z + j] * of_z)
            frame.gradient_arena[z + j] = -weight * of_z * across
        return -cosine

    return {
        LossOp.CATEGORICAL_CROSSENTROPY: categorical_crossentropy,
        LossOp.SOFTMAX_CROSSENTROPY: softmax_crossentropy,
        LossOp.SPARSE_CATEGORICAL_CROSSENTROPY: sparse_categorical_crossentropy,
        LossOp.SPARSE_SOFTMAX_CROSSENTROPY: sparse_softmax_crossentropy,
        LossOp.CATEGORICAL_FOCAL_CROSSENTROPY: categorical_focal_crossentropy,
        LossOp.SOFTMAX_FOCAL_CROSSENTROPY: softmax_focal_crossentropy,
        LossOp.COSINE_SIMILARITY: cosine_similarity,
    }[op]


@jit
def row_of(frame, step, r):
    """Return where in the targets row r of a batch's outputs is, its sample and its timestep."""
    b, inner = frame.settings[BATCH], frame.settings[OUTPUT_INNER]
    steps = frame.settings[OUTPUT_STEPS]
    t, q = r // (b * inner), r // inner % b
    sample = frame.order[step * b + q]
    return (sample * steps + t) * inner + r % inner, sample, t


@jit
def weight_of(frame, sample, t, one):
    """Return the weight of a sample at a timestep."""
    steps = frame.settings[WEIGHT_STEPS]
    weight = one
    if steps == 1:
        weight = frame.sample_weight[sample]
    elif steps > 1:
        weight = frame.sample_weight[sample * steps + t]
    return weight


@jit
def mask_of(frame, r):
    """Return the mask of row r of a batch's outputs: 1, or 0 where it does not count."""
    s = frame.settings
    rows = s[BATCH] * s[OUTPUT_STEPS] * s[OUTPUT_INNER]
    return frame.arena[s[LOSS_MASK] + r // (rows // s[LOSS_MASK_SIZE])]


@jit
def unmasked(frame, nothing):
    """Return how many timesteps of a batch's outputs count, added to nothing."""
    total = nothing
    for at in range(frame.settings[LOSS_MASK_SIZE]):
        total += frame.arena[frame.settings[LOSS_MASK] + at]
    return total


def loss(dtype, op, numbers=(), smoothing=(1.0, 0.0), reduction=0, masked=False):
    """Return the kernel of a loss; its row is the batch.

    It leaves each row's share of the loss in the workspace, and the gradient of their sum.

    Parameters
    ----------
    dtype : str
    op : int
        A LossOp.
    numbers, smoothing, reduction
        As in `plan.Objective`.
    masked : bool
        Whether there is a mask of the outputs.
    """
    form = host_format(dtype)
    number = form.dtype.type
    zero, one = number(0), number(1)
    value_of = row_value(form, LossOp(op), *smoothing, numbers)
    sparse = "SPARSE" in LossOp(op).name
    by_weight, summed = reduction == Reduction.MEAN_BY_WEIGHT, reduction == Reduction.SUM

    @jit
    def divisor(frame, step, n):
        # What the sum over the batch is divided by.
        b, steps = frame.settings[BATCH], frame.settings[WEIGHT_STEPS]
        total = one if summed else number(n)
        if masked and not by_weight and not summed:
            total *= unmasked(frame, zero) / number(frame.settings[LOSS_MASK_SIZE])
        if masked and by_weight:
            total = zero
            inner = frame.settings[LOSS_MASK_SIZE] // (b * frame.settings[OUTPUT_STEPS])
            for at in range(frame.settings[LOSS_MASK_SIZE]):
                sample = frame.order[step * b + at // inner % b]
                weight = weight_of(frame, sample, at // (inner * b), one)
                total += weight * frame.arena[frame.settings[LOSS_MASK] + at]
        elif by_weight and steps > 0:
            total = zero
            for q in range(b * steps):
                sample = frame.order[step * b + q // steps]
                total += frame.sample_weight[sample * steps + q % steps]
        return total

    def kernel(row, frame, k):
        s = frame.settings
        K, steps = s[OUTPUT_WIDTH], s[OUTPUT_STEPS]
        n = s[BATCH] * steps * s[OUTPUT_INNER]
        first, last = share(n, k, s[THREADS])
        over = divisor(frame, row, n)
        for r in range(first, last):
            target, sample, t = row_of(frame, row, r)
            weight = weight_of(frame, sample, t, one)
            if masked:
                weight *= mask_of(frame, r)
            label = frame.labels[target] if sparse else 0
            z = s[SOURCE] + r * K
            part = weight / over if over != zero else zero  # with no weight at all, no loss
            value = value_of(frame, z, target * K, label, K, part)
            frame.workspace[s[LOSS_VALUES] + r] = value * part

    return kernel

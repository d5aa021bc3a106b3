"""The metrics' kernels: each adds what it makes of a batch to its sums, on the first thread.

Their row is the metric's number.  The formulas are those of `reference.metrics`, a row of K outputs
at a time.
"""

import math

import numpy as np

from ..plan import LossOp, MetricOp
from .format import host_format
from .frame import (
    BATCH,
    FIRST_METRIC,
    OUTPUT_INNER,
    OUTPUT_STEPS,
    OUTPUT_WIDTH,
    STEP,
    TOTALS,
)
from .jit import jit
from .losses import mask_of, row_of, row_value, weight_of


@jit
def setting(frame, row, which):
    """Return where a metric's sums start, where its numbers are, or where its outputs are."""
    return frame.settings[FIRST_METRIC + 4 * row + which]


SUMS, NUMBERS, SOURCE = 1, 2, 3


def metric(
    dtype, op, weighted=False, labels=False, loss=0, numbers=(), smoothing=(1.0, 0.0), masked=False
):
    """Return the kernel of a metric that is a mean: it adds the mean of each sample, and a count.

    Parameters
    ----------
    dtype : str
    op : int
        A MetricOp.
    weighted : bool
        Whether values count with the weights of their samples (and timesteps).
    labels : bool
        Whether targets are integers.
    loss : int
        The LossOp that LOSS is the value of.
    numbers, smoothing
        Of that loss, as in `plan.Objective`.
    masked : bool
        Whether there is a mask of the outputs.
    """
    value_of = {
        MetricOp.LOSS: lambda: _value_of_loss(dtype, LossOp(loss), numbers, smoothing),
        MetricOp.CATEGORICAL_ACCURACY: lambda: _right_class(op),
        MetricOp.SPARSE_CATEGORICAL_ACCURACY: lambda: _right_class(op),
        MetricOp.TOP_K_CATEGORICAL_ACCURACY: lambda: _among_top(op),
        MetricOp.SPARSE_TOP_K_CATEGORICAL_ACCURACY: lambda: _among_top(op),
    }.get(MetricOp(op), lambda: _mean_of_outputs(op, labels))()
    one = np.dtype(dtype).type(1)

    def kernel(row, frame, k):
        if k != 0:
            return
        s = frame.settings
        K, n = s[OUTPUT_WIDTH], s[BATCH] * s[OUTPUT_STEPS] * s[OUTPUT_INNER]
        step, source = s[STEP], setting(frame, row, SOURCE)
        sums = s[TOTALS] + setting(frame, row, SUMS)
        number = frame.workspace[setting(frame, row, NUMBERS)]
        total, weights = 0.0, 0.0
        for r in range(n):
            target, sample, t = row_of(frame, step, r)
            value = value_of(frame, source + r * K, target, K, number)
            if weighted or masked:
                weight = weight_of(frame, sample, t, one) if weighted else one
                if masked:
                    weight *= mask_of(frame, r)
                total += value * weight
                weights += weight
            else:
                total += value
        each = s[BATCH] / n  # of a sample's rows
        frame.totals[sums] += total * each
        frame.totals[sums + 1] += weights * each if weighted or masked else float(s[BATCH])

    return kernel


def _value_of_loss(dtype, op, numbers, smoothing):
    form = host_format(dtype)
    value_of, zero = row_value(form, op, *smoothing, numbers), form.dtype.type(0)
    sparse = "SPARSE" in op.name

    @jit
    def value(frame, p, target, K, number):
        # It leaves a gradient, too, where nobody will look for one any more.
        label = frame.labels[target] if sparse else 0
        return float(value_of(frame, p, target * K, label, K, zero))

    return value


@jit
def _largest(array, start, K):
    best = 0
    for j in range(1, K):
        if array[start + j] > array[start + best]:
            best = j
    return best


def _right_class(op):
    sparse = op == int(MetricOp.SPARSE_CATEGORICAL_ACCURACY)

    @jit
    def value(frame, p, target, K, number):
        label = frame.labels[target] if sparse else _largest(frame.y, target * K, K)
        return 1.0 if _largest(frame.arena, p, K) == label else 0.0

    return value


def _among_top(op):
    sparse = op == int(MetricOp.SPARSE_TOP_K_CATEGORICAL_ACCURACY)

    @jit
    def value(frame, p, target, K, number):
        label = frame.labels[target] if sparse else _largest(frame.y, target * K, K)
        at_label, larger = frame.arena[p + label], 0
        for j in range(K):
            if frame.arena[p + j] > at_label:
                larger += 1
        return 1.0 if larger < number and math.isfinite(at_label) else 0.0

    return value


def _mean_of_outputs(op, labels):
    equal, binary = op == int(MetricOp.ACCURACY), op == int(MetricOp.BINARY_ACCURACY)
    squared = op == int(MetricOp.MEAN_SQUARED_ERROR)

    @jit
    def of_labels(frame, p, target, K, number):
        side = 1 if frame.arena[p] > number else 0
        return 1.0 if frame.labels[target] == side else 0.0

    @jit
    def of_arrays(frame, p, target, K, number):
        y, total = target * K, 0.0
        for j in range(K):
            error = frame.arena[p + j] - frame.y[y + j]
            if binary:
                side = 1.0 if frame.arena[p + j] > number else 0.0
                total += 1.0 if frame.y[y + j] == side else 0.0
            elif equal:
                total += 1.0 if frame.arena[p + j] == frame.y[y + j] else 0.0
            else:
                total += error * error if squared else abs(error)
        return total / K

    return of_labels if labels else of_arrays


def counts(dtype, evenly, some, from_logits, weighted=False):
    """Return the kernel that counts right and wrong positives, by threshold.

    Parameters
    ----------
    dtype : str
    evenly : bool
        Whether the thresholds divide [0, 1], so that no more than one number is added to.
    some : bool
        Whether positive are only the k largest outputs of a row.
    from_logits, weighted : bool
        As in `plan.Counting` and `plan.MetricRow`.
    """
    number = np.dtype(dtype).type
    zero, one = number(0), number(1)

    @jit
    def chosen(frame, p, j, K, top_k):
        # Of equal ones the first come first.
        mine, before = frame.arena[p + j], 0
        for i in range(K):
            other = frame.arena[p + i]
            if other > mine or (other == mine and i < j):
                before += 1
        return before < top_k

    @jit
    def step_of(value, n, open_ended):
        clipped = zero if value < zero else one if value > one else value
        step = np.int64(-1)
        if clipped >= zero:  # and not NaN
            scaled = clipped * number(n - 1)
            step = np.int64(scaled)
            if number(step) == scaled:
                step = np.int64(step - 1)
            if open_ended and step < 0:
                step = np.int64(0)
        return step

    def kernel(row, frame, k):
        if k != 0:
            return
        s, totals = frame.settings, frame.totals
        K, rows = s[OUTPUT_WIDTH], s[BATCH] * s[OUTPUT_STEPS] * s[OUTPUT_INNER]
        step, source = s[STEP], setting(frame, row, SOURCE)
        sums = s[TOTALS] + setting(frame, row, SUMS)
        at = setting(frame, row, NUMBERS)
        n, open_ended = np.int64(frame.workspace[at]), frame.workspace[at + 1] != zero
        top_k, class_id = np.int64(frame.workspace[at + 2]), np.int64(frame.workspace[at + 3])
        first, last = (0, K) if class_id < 0 else (class_id, class_id + 1)
        for r in range(rows):
            target, sample, t = row_of(frame, step, r)
            weight = weight_of(frame, sample, t, one) if weighted else one
            p = source + r * K
            for j in range(first, last):
                value = frame.arena[p + j]
                if from_logits:
                    value = one / (one + math.exp(-value))
                side = 0 if frame.y[target * K + j] != zero else 1
                totals[sums + 2 * n + side] += weight
                if not some or chosen(frame, p, j, K, top_k):
                    if evenly:
                        here = step_of(value, n, open_ended)
                        if here >= 0:
                            totals[sums + side * n + here] += weight
                    else:
                        for i in range(n):
                            if value > frame.workspace[at + 4 + i]:
                                totals[sums + side * n + i] += weight

    return kernel

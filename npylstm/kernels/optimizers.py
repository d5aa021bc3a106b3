"""The optimizer's kernels: clipping and one step, over the flat vectors of parameters.

Threads share the parameters out.  Sums of squares are taken in pieces of a fixed size, so that they
do not depend on how many threads there are.
"""

import math

import numpy as np

from ..plan import ClipOp
from ..reference import optimizers
from .elementwise import elementwise, fill_with_zeros
from .format import host_format
from .frame import (
    CLIP_LIMIT,
    DUE,
    FIRST_NUMBER,
    KEEPS,
    N_MOVING,
    N_PARAMETERS,
    N_PLACED,
    N_SCALARS,
    N_SEGMENTS,
    N_ZEROS,
    SQUARES,
    THREADS,
    WEIGHT_DECAY,
)
from .jit import barrier, jit, least, share
from .vector_math import quotient_by_root

PIECE = 4096  # parameters whose squares are summed at a time


def clip(dtype, op):
    """Return the kernel that clips the gradients; its row is the batch."""
    zero = np.dtype(dtype).type(0)

    @jit
    def squares(gradients, first, last):
        total = zero
        for j in range(first, last):
            total += gradients[j] * gradients[j]
        return total

    @jit
    def by_value(row, frame, k):
        limit = frame.scalars[row * frame.settings[N_SCALARS] + CLIP_LIMIT]
        first, last = share(frame.settings[N_PARAMETERS], k, frame.settings[THREADS])
        gradients = frame.gradients
        for j in range(first, last):
            if gradients[j] > limit:
                gradients[j] = limit
            if gradients[j] < -limit:
                gradients[j] = -limit

    @jit
    def by_norm(row, frame, k):
        # Each weight has a norm of its own.
        limit = frame.scalars[row * frame.settings[N_SCALARS] + CLIP_LIMIT]
        gradients = frame.gradients
        first, last = share(frame.settings[N_SEGMENTS], k, frame.settings[THREADS])
        for segment in range(first, last):
            start, end = frame.segments[segment, 0], frame.segments[segment, 1]
            total = zero
            for j in range(start, end, PIECE):
                total += squares(gradients, j, least(j + PIECE, end))
            norm = math.sqrt(total)
            scale = norm if norm > limit or norm != norm else limit
            for j in range(start, end):
                gradients[j] = gradients[j] * limit / scale

    @jit
    def by_global_norm(row, frame, k):
        limit = frame.scalars[row * frame.settings[N_SCALARS] + CLIP_LIMIT]
        n, threads = frame.settings[N_PARAMETERS], frame.settings[THREADS]
        gradients, sums = frame.gradients, frame.settings[SQUARES]
        pieces = (n + PIECE - 1) // PIECE
        first, last = share(pieces, k, threads)
        for piece in range(first, last):
            end = least((piece + 1) * PIECE, n)
            frame.workspace[sums + piece] = squares(gradients, piece * PIECE, end)
        if barrier(frame):
            return
        total = zero
        for piece in range(pieces):
            total += frame.workspace[sums + piece]
        norm = math.sqrt(total)
        # norm - norm is 0, or NaN for inf and NaN, so that a divergence is seen.
        scale = limit / (norm if norm > limit else limit) + (norm - norm)
        for j in range(first * PIECE, least(last * PIECE, n)):
            gradients[j] *= scale

    kernels = {
        ClipOp.VALUE: by_value, ClipOp.NORM: by_norm, ClipOp.GLOBAL_NORM: by_global_norm
    }  # fmt: skip
    chosen = kernels[ClipOp(op)]

    def kernel(row, frame, k):
        chosen(row, frame, k)

    return kernel


@jit
def _my_parameters(frame, k):
    # Whole vectors for each thread, so that no number is computed otherwise than by one.
    n = frame.settings[N_PARAMETERS]
    first, last = share((n + 63) // 64, k, frame.settings[THREADS])
    return first * 64, least(last * 64, n)


def accumulate(dtype, every):
    """Return the kernel that sums gradients up and, every so many batches, leaves their mean."""
    form = host_format(dtype)
    count = form.dtype.type(every)
    add = elementwise(form, lambda dw, sums: (dw + sums, dw + sums), 2, 2)
    mean = elementwise(form, lambda dw, sums: (dw + sums) / count, 2, 1)
    zero = fill_with_zeros(form)

    def kernel(row, frame, k):
        first, last = _my_parameters(frame, k)
        n, dw, sums = last - first, frame.gradients, frame.sums
        if frame.scalars[row * frame.settings[N_SCALARS] + DUE] > 0:
            mean(n, dw, first, sums, first, dw, first)
            zero(n, sums, first)
        else:
            add(n, dw, first, sums, first, dw, first, sums, first)

    return kernel


def average(dtype):
    """Return the kernel that keeps a running mean of the parameters; its row is the batch."""
    apply = elementwise(host_format(dtype), optimizers.average, 2, 2, 3)

    def kernel(row, frame, k):
        first, last = _my_parameters(frame, k)
        w, mean, numbers = frame.parameters, frame.average, row * frame.settings[N_SCALARS]
        apply(
            last - first, w, first, mean, first, w, first, mean, first,
            frame.scalars, numbers + KEEPS,
        )  # fmt: skip

    return kernel


def update(dtype, optimizer, slots, n_numbers, placed=False):
    """Return the kernel of one optimizer's step; its row is the batch.

    Parameters
    ----------
    dtype : str
    optimizer : str
        Of the step in `reference.optimizers`.
    slots : tuple of str
    n_numbers : int
        How many numbers the step takes.
    placed : bool
        Whether there are weights whose gradients' sizes are summed by place.
    """
    form = host_format(dtype)
    reference_step = optimizers.BY_NAME[optimizer][1]
    extra = {"quotient": quotient_by_root} if optimizer == "adam" else {}

    def step(w, dw, *rest):
        values = dict(zip(slots, rest[: len(slots)], strict=True))
        arguments = extra if hasattr(w, "builder") else {}
        w, new = reference_step(w, dw, values, *rest[len(slots) :], **arguments)
        return (w, *(new[slot] for slot in slots))

    def step_by_sizes(w, dw, sizes, *rest):
        values = dict(zip(slots, rest[: len(slots)], strict=True))
        w, new = reference_step(w, dw, values, *rest[len(slots) :], size=lambda dw: sizes)
        return (w, *(new[slot] for slot in slots))

    apply = elementwise(form, step, 2 + len(slots), 1 + len(slots), n_numbers, together=2)
    by_sizes = elementwise(form, step_by_sizes, 3 + len(slots), 1 + len(slots), n_numbers)
    decay = elementwise(form, lambda w, decay, rate: w - w * decay * rate, 1, 1, 2)

    slots_at = [
        lambda frame, at: (),
        lambda frame, at: (frame.slot_0, at),
        lambda frame, at: (frame.slot_0, at, frame.slot_1, at),
        lambda frame, at: (frame.slot_0, at, frame.slot_1, at, frame.slot_2, at),
    ]
    slots_at = jit(slots_at[len(slots)])

    def kernel(row, frame, k):
        s, w, numbers = frame.settings, frame.parameters, row * frame.settings[N_SCALARS]
        first_placed = s[N_SEGMENTS] + s[N_ZEROS]
        first_moving = first_placed + s[N_PLACED]
        for segment in range(first_placed if placed else first_moving, first_moving + s[N_MOVING]):
            start, end = frame.segments[segment, 0], frame.segments[segment, 1]
            # Whole vectors for each thread, so that no number is computed otherwise than by one.
            first, last = share((end - start + 63) // 64, k, s[THREADS])
            first, last = start + first * 64, least(start + last * 64, end)
            here = slots_at(frame, first)
            if frame.scalars[numbers + WEIGHT_DECAY] != 0:
                decay(last - first, w, first, w, first, frame.scalars, numbers + WEIGHT_DECAY)
            if placed and segment < first_moving:
                by_sizes(
                    last - first, w, first, frame.gradients, first, frame.sizes, first, *here,
                    w, first, *here, frame.scalars, numbers + FIRST_NUMBER,
                )  # fmt: skip
            else:
                apply(
                    last - first, w, first, frame.gradients, first, *here, w, first, *here,
                    frame.scalars, numbers + FIRST_NUMBER,
                )  # fmt: skip

    return kernel

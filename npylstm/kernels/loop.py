"""The loop over batches: everything between two looks at Python, in one call.

All threads run it side by side and do their share of each row; between rows they meet at a barrier,
where they also agree on whether somebody has asked for an end.
"""

from .elementwise import all_finite, fill_with_zeros
from .elementwise import copy as copy_of
from .frame import (
    BACKWARD,
    BACKWARD_ROWS,
    BATCH,
    CLIP,
    COUNT,
    FIRST_METRIC,
    FIRST_OUTPUT,
    FIRST_STEP,
    FORWARD,
    FORWARD_ROWS,
    GATHER,
    INPUT,
    INPUT_STEPS,
    INPUT_WIDTH,
    LOSS,
    LOSS_VALUES,
    N_METRICS,
    N_OUTPUTS,
    N_ROWS,
    N_SEGMENTS,
    N_ZEROS,
    NOT_FINITE,
    OUTPUT_INNER,
    OUTPUT_STEPS,
    PACK,
    REPACK,
    STEP,
    STEPS,
    THREADS,
    UPDATE,
    WEIGHT_GRADIENTS,
    X_GRADIENT,
)
from .jit import barrier, call, flush_denormals, jit, restore_denormals, share
from .vector import host_format


def run(dtype):
    """Return the kernel that runs `STEPS` batches: as much of each as the settings say.

    It stops where it is, with no update half-made, when somebody asks for an end.
    """
    form = host_format(dtype)
    copy, zero, finite = copy_of(form), fill_with_zeros(form), all_finite(form)

    @jit
    def gather(frame, k, step):
        # A batch of samples (N, T, F) to the arena (T, B, F); NaN and inf among them are noted.
        s = frame.settings
        b, t, width, to = s[BATCH], s[INPUT_STEPS], s[INPUT_WIDTH], s[INPUT]
        first, last = share(b, k, s[THREADS])
        for q in range(first, last):
            sample = frame.order[step * b + q] * t * width
            if not finite(t * width, frame.x, sample):
                frame.sync[NOT_FINITE] = 1
            for at in range(t):
                copy(width, frame.x, sample + at * width, frame.arena, to + (at * b + q) * width)

    @jit
    def scatter(frame, k, step, output):
        # A batch of an output, (T, B, F) in the arena, to its samples (N, T, F).
        s = frame.settings
        b, source, t, width, to = s[BATCH], s[output], s[output + 1], s[output + 2], s[output + 3]
        first, last = share(b, k, s[THREADS])
        for q in range(first, last):
            sample = to + frame.order[step * b + q] * t * width
            for at in range(t):
                here = source + (at * b + q) * width
                copy(width, frame.arena, here, frame.outputs, sample + at * width)

    @jit
    def backward(frame, k):
        # The rows, last first, after zeroing what is added to; returns whether to give up.
        s = frame.settings
        for z in range(s[N_SEGMENTS], s[N_SEGMENTS] + s[N_ZEROS]):
            start, end = frame.segments[z, 0], frame.segments[z, 1]
            first, last = share(end - start, k, s[THREADS])
            zero(last - first, frame.gradient_arena, start + first)
        if s[N_ZEROS] and barrier(frame):
            return True
        for r in range(s[BACKWARD_ROWS] - 1, -1, -1):
            if frame.table[r, BACKWARD]:
                call(frame.table[r, BACKWARD], r, frame, k)
                if barrier(frame):
                    return True
            call(frame.table[r, WEIGHT_GRADIENTS], r, frame, k)
            call(frame.table[r, X_GRADIENT], r, frame, k)
            if barrier(frame):
                return True
        return False

    @jit
    def batches(frame, k):
        s = frame.settings
        for step in range(s[FIRST_STEP], s[STEPS]):
            if k == 0:
                s[STEP] = step
            if s[GATHER]:
                gather(frame, k, step)
            if s[REPACK] or step == s[FIRST_STEP]:
                for r in range(s[N_ROWS]):
                    call(frame.table[r, PACK], r, frame, k)
            if barrier(frame):
                return
            for r in range(s[FORWARD_ROWS]):
                call(frame.table[r, FORWARD], r, frame, k)
                if barrier(frame):
                    return
            if s[LOSS]:
                call(s[LOSS], step, frame, k)
                if barrier(frame):
                    return
            if s[BACKWARD_ROWS] and backward(frame, k):
                return
            if s[UPDATE]:
                if s[CLIP]:
                    call(s[CLIP], step, frame, k)
                    if barrier(frame):
                        return
                call(s[UPDATE], step, frame, k)
            if s[COUNT] and k == 0:
                count(frame)
            for output in range(s[N_OUTPUTS]):
                scatter(frame, k, step, FIRST_OUTPUT + 4 * output)
            if barrier(frame):
                return

    def kernel(row, frame, k):
        before = flush_denormals()
        batches(frame, k)
        restore_denormals(before)

    return kernel


@jit
def count(frame):
    """Add the batch's loss and metrics, times its samples, to the totals."""
    s = frame.settings
    n = s[BATCH] * s[OUTPUT_STEPS] * s[OUTPUT_INNER]
    total = 0.0
    for r in range(n):
        total += frame.workspace[s[LOSS_VALUES] + r]
    frame.totals[0] += total / n * s[BATCH]
    frame.totals[1] += s[BATCH]
    for m in range(s[N_METRICS]):
        call(s[FIRST_METRIC + m], m, frame, 0)

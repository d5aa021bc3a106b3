"""The loop over batches: everything between two looks at Python, in one call.

All threads run it side by side and do their share of each row; between rows they meet at a barrier,
where they also agree on whether somebody has asked for an end.
"""

from .elementwise import all_finite, fill_with_zeros
from .elementwise import copy as copy_of
from .format import host_format
from .frame import (
    ACCUMULATE,
    AVERAGE,
    BACK,
    BACKWARD,
    BACKWARD_ROWS,
    BATCH,
    BATCHES,
    BATCHES_BEFORE,
    CLIP,
    CONSTRAIN,
    CONSTRAINTS,
    COUNT,
    DUE,
    EPOCH_BATCHES,
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
    N_PENALTIES,
    N_ROWS,
    N_SCALARS,
    N_SEGMENTS,
    N_TOTALS,
    N_ZEROS,
    NOT_FINITE,
    OUTPUT_INNER,
    OUTPUT_STEPS,
    PACK,
    REPACK,
    SCATTER,
    STEP,
    STEPS,
    THREADS,
    TOTALS,
    UPDATE,
    WEIGHT_GRADIENTS,
    X_GRADIENT,
)
from .jit import barrier, call, flush_denormals, restore_denormals, share


def run(dtype):
    """Return the kernel that a call starts: `batches`, with denormal numbers taken for 0."""

    def kernel(row, frame, k):
        before = flush_denormals()
        call(frame.settings[BATCHES], row, frame, k)
        restore_denormals(before)

    return kernel


def batches(dtype):
    """Return the kernel that runs `STEPS` batches: as much of each as the settings say.

    It stops where it is, with no update half-made, when somebody asks for an end.
    """

    def kernel(row, frame, k):
        s = frame.settings
        for step in range(s[FIRST_STEP], s[STEPS]):
            if k == 0:
                s[STEP] = step
            call(s[GATHER], step, frame, k)
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
            if s[BACK]:
                call(s[BACK], step, frame, k)
                if barrier(frame):
                    return
            if s[ACCUMULATE]:
                call(s[ACCUMULATE], step, frame, k)
                if barrier(frame):
                    return
            if not s[ACCUMULATE] or frame.scalars[step * s[N_SCALARS] + DUE] > 0:
                if s[CLIP]:
                    call(s[CLIP], step, frame, k)
                    if barrier(frame):
                        return
                call(s[UPDATE], step, frame, k)
            # The step is made: an end that is asked for now comes after this batch.
            if s[AVERAGE]:
                barrier(frame)
                call(s[AVERAGE], step, frame, k)
            if s[CONSTRAINTS]:
                barrier(frame)
                for r in range(s[BACKWARD_ROWS]):
                    call(frame.table[r, CONSTRAIN], r, frame, k)
            call(s[COUNT], step, frame, k)
            call(s[SCATTER], step, frame, k)
            if barrier(frame):
                return

    return kernel


def gather(dtype):
    """Return the kernel that takes a batch of samples (N, T, F) to the arena (T, B, F).

    Its row is the batch, as it is in the kernels that follow.  NaN and inf are noted.
    """
    form = host_format(dtype)
    copy, finite = copy_of(form), all_finite(form)

    def kernel(row, frame, k):
        s = frame.settings
        b, t, width, to = s[BATCH], s[INPUT_STEPS], s[INPUT_WIDTH], s[INPUT]
        first, last = share(b, k, s[THREADS])
        for q in range(first, last):
            sample = frame.order[row * b + q] * t * width
            if not finite(t * width, frame.x, sample):
                frame.sync[NOT_FINITE] = 1
            for at in range(t):
                copy(width, frame.x, sample + at * width, frame.arena, to + (at * b + q) * width)

    return kernel


def scatter(dtype):
    """Return the kernel that writes a batch of outputs, (T, B, F), to their samples (N, T, F)."""
    copy = copy_of(host_format(dtype))

    def kernel(row, frame, k):
        s = frame.settings
        first, last = share(s[BATCH], k, s[THREADS])
        for number in range(s[N_OUTPUTS]):
            output = FIRST_OUTPUT + 4 * number
            source, t, width, to = s[output], s[output + 1], s[output + 2], s[output + 3]
            for q in range(first, last):
                sample = to + frame.order[row * s[BATCH] + q] * t * width
                for at in range(t):
                    here = source + (at * s[BATCH] + q) * width
                    copy(width, frame.arena, here, frame.outputs, sample + at * width)

    return kernel


def back(dtype):
    """Return the kernel that runs the rows backward, after zeroing what is added to."""
    zero = fill_with_zeros(host_format(dtype))

    def kernel(row, frame, k):
        s = frame.settings
        for z in range(s[N_SEGMENTS], s[N_SEGMENTS] + s[N_ZEROS]):
            start, end = frame.segments[z, 0], frame.segments[z, 1]
            first, last = share(end - start, k, s[THREADS])
            zero(last - first, frame.gradient_arena, start + first)
        for r in range(s[BACKWARD_ROWS] - 1, -1, -1):
            if barrier(frame):
                return
            if frame.table[r, BACKWARD]:
                call(frame.table[r, BACKWARD], r, frame, k)
                if barrier(frame):
                    return
            call(frame.table[r, WEIGHT_GRADIENTS], r, frame, k)
            call(frame.table[r, X_GRADIENT], r, frame, k)

    return kernel


def count(dtype):
    """Return the kernel that adds a batch's loss, times its samples, and metrics to the totals.

    The loss is the sum of its rows' shares, and of the penalties' values, which follow them.  Each
    epoch has totals of its own.
    """

    def kernel(row, frame, k):
        if k != 0:
            return
        s = frame.settings
        n = s[BATCH] * s[OUTPUT_STEPS] * s[OUTPUT_INNER] + s[N_PENALTIES]
        total = 0.0
        for r in range(n):
            total += frame.workspace[s[LOSS_VALUES] + r]
        epoch = (s[BATCHES_BEFORE] + row) // s[EPOCH_BATCHES]
        s[TOTALS] = epoch * s[N_TOTALS]
        frame.totals[s[TOTALS]] += total * s[BATCH]
        frame.totals[s[TOTALS] + 1] += s[BATCH]
        for m in range(s[N_METRICS]):
            call(s[FIRST_METRIC + 4 * m], m, frame, 0)

    return kernel

"""What kernels work on: a frame of arrays, and a table with a line for each op row of the plan.

A kernel is a function ``kernel(row, frame, k)``: it does thread k's share of what line `row` of
``frame.table`` says.  In machine code a frame is a vector of addresses; in plain Python it is the
arrays themselves.
"""

from dataclasses import dataclass, fields

import numpy as np

from ..plan import ROW


@dataclass(slots=True)
class Frame:
    """The arrays that kernels see.

    The flat vectors of `plan.Memory` and `plan.Plan`; `workspace`, what a backend keeps for itself,
    such as packed weights and gates; the samples of this call (batch-major and flat) with the
    `order` in which to take them; `outputs`, where predictions go.

    `settings` holds the integers below; `scalars` the numbers that each update needs; `masks` the
    drawn dropout masks; `totals` sum and count of the loss and the sums of each metric; `sync` is
    where threads meet.
    """

    table: np.ndarray  # int64 (rows, WIDTH)
    settings: np.ndarray  # int64
    sync: np.ndarray  # int64
    parameters: np.ndarray
    gradients: np.ndarray
    states: np.ndarray
    arena: np.ndarray
    gradient_arena: np.ndarray
    workspace: np.ndarray
    x: np.ndarray
    y: np.ndarray
    labels: np.ndarray  # int64
    sample_weight: np.ndarray
    order: np.ndarray  # int64
    outputs: np.ndarray
    masks: np.ndarray
    scalars: np.ndarray
    slot_0: np.ndarray  # what the optimizer remembers
    slot_1: np.ndarray
    slot_2: np.ndarray
    sums: np.ndarray  # of gradients, where they are accumulated
    sizes: np.ndarray  # of gradients, summed by place: see `reference.optimizers.SIZES`
    average: np.ndarray  # of the parameters, if one is kept
    segments: np.ndarray  # int64 (…, 2): first and last + 1 of each weight, of what is zeroed, …
    totals: np.ndarray  # float64


FIELDS = tuple(field.name for field in fields(Frame))
INTEGERS = ("table", "settings", "sync", "labels", "order", "segments")
TABLES = ("table", "segments")

# The columns of the table: first those of the plan's rows, then a backend's own.
(
    OP, X, X2, Y, H, C, W, STATE, T, B, D, U,
    ACTIVATION, RECURRENT_ACTIVATION, USE_BIAS, REVERSE, MODE, GENERATOR, RATE,
    RECURRENT_RATE, MASK,
    PACK, FORWARD, BACKWARD, WEIGHT_GRADIENTS, X_GRADIENT, CONSTRAIN,  # kernels' addresses; 0
    ADD_DX, ADD_DX2,  # whether the gradients of x and x2 are added to what is there
    DH_FROM,  # the first timestep whose output has a gradient
    SPLIT_FORWARD, SPLIT_BACKWARD,  # whether threads share out the units, and not the samples
    STATE_GRADIENTS,  # whether c[T] has one, and h[0], c[0] are to get one
    GATES,  # where in the workspace: gates, then dz
    PACKED,  # the weights as the forward's tiles read them; -1 for as they are
    COLUMNS,  # the columns of x and h, of a BLOCK of rows, in strips: see `products.strip_tile`
    PARTIAL,  # each thread's sums over chunks of the weights, for GROUP samples
    PACKED_BACK,  # the transposed recurrent kernel; -1 if it is not needed
    PACKED_X,  # the transposed kernel; -1 if it is not needed
    CARRY,  # the gradient of c on its way from step to step
    DROPOUT_MASK,  # where in a batch's dropout masks this row's starts; -1 for none
    STATE_DROPOUT_MASK,  # and that of an LSTM's hidden state
    X_DROPPED, H_DROPPED,  # where in the workspace what is left of x and h for each gate is
    SUMS,  # and room for the gradients of those
    NUMBERS,  # where in the workspace those of a penalty or constraint are
    VALUES,  # and where it leaves its values
    ROOM,  # and what else it keeps
    WIDTH,
) = range(len(ROW.fields or ()) + 28)  # fmt: skip

# The settings.
(
    THREADS,
    YIELD,  # the address of a C function that offers the processor to others
    FIRST_STEP,  # the first batch of this call
    STEPS,  # and the one after the last
    STEP,  # the one at hand
    TRAINING,  # whether dropout is on
    BATCHES,  # the kernel that runs them
    GATHER,  # the kernel that takes a batch from x, as `order` says; or 0
    REPACK,  # whether weights are packed for each batch, and not once
    BATCH,  # samples in a batch
    N_ROWS,  # lines of the table
    FORWARD_ROWS,  # how many of them run forward
    BACKWARD_ROWS,  # and how many backward
    INPUT, INPUT_STEPS, INPUT_WIDTH,  # of x in the arena; one step for vectors
    OUTPUT, OUTPUT_STEPS, OUTPUT_INNER, OUTPUT_WIDTH,  # of the first output: (T, B, …, K)
    SOURCE,  # what the loss is computed from
    LOSS,  # the loss's kernel, or 0
    BACK,  # the kernel that runs the rows backward, or 0
    WEIGHT_STEPS,  # weights for each sample: 0 (none), 1 or as many as timesteps
    LOSS_VALUES, SQUARES,  # where in the workspace
    N_PENALTIES,  # how many values of penalties follow those of the loss
    ACCUMULATE, CLIP, UPDATE, AVERAGE,  # the optimizer's kernels, or 0
    N_PARAMETERS, N_SCALARS,  # scalars for each batch
    N_SEGMENTS, N_ZEROS,  # the weights' segments, what is to be zeroed,
    N_PLACED, N_MOVING,  # what is updated by sizes summed by place, and what as usual
    SIZES,  # which sizes are summed by place: 0 for none, 1 squares, 2 absolute values
    MASK_SIZE,  # of a batch's dropout masks
    LOSS_MASK, LOSS_MASK_SIZE,  # where in the arena the mask of the output is; -1 for none
    CONSTRAINTS,  # whether weights are constrained
    COUNT,  # the kernel that adds loss and metrics to `totals`, or 0
    BATCHES_BEFORE, EPOCH_BATCHES,  # of the run before this call; of an epoch
    TOTALS, N_TOTALS,  # where in `totals` those of the epoch at hand begin, and how many they are
    SCATTER,  # the kernel that writes outputs to where they belong, or 0
    N_METRICS,
    FIRST_METRIC,  # four numbers each: its kernel, or 0; where its sums, numbers and outputs are
) = range(50)  # fmt: skip
MAX_METRICS = 16
N_OUTPUTS = FIRST_METRIC + 4 * MAX_METRICS  # how many outputs are to be written
FIRST_OUTPUT = N_OUTPUTS + 1  # four numbers each: place in the arena, timesteps, width, place
MAX_OUTPUTS = 32
N_SETTINGS = FIRST_OUTPUT + 4 * MAX_OUTPUTS

# A batch's scalars start with these; the numbers of the optimizer's own step follow.
(
    CLIP_LIMIT, WEIGHT_DECAY, DECAY_RATE,
    DUE,  # whether this batch is followed by a step
    KEEPS, SHARE, OVERWRITES,  # of the running mean of the parameters
    FIRST_NUMBER,
) = range(8)  # fmt: skip

# Where threads meet: in cache lines of their own, and the one that is fetched along with each.
LINE = 16
ARRIVED, GENERATION, STOP, DECIDED, NOT_FINITE, ABANDONED, TAKEN = range(0, 7 * LINE, LINE)
MAX_THREADS = 64  # each has a line for what is taken of its share
N_SYNC = TAKEN + MAX_THREADS * LINE

# The letter box of a thread that helps others, int64 numbers: its state, and the job, which is a
# kernel's address, the frame's, and the thread's number k.
BOX_STATE, JOB, BOX = 0, (1, 4), 8
NOTHING, POSTED, UNDER_WAY = range(3)

LINES = 96  # lines of an LSTM's weight gradients that a thread takes at a time
BLOCK = 512  # rows of dz whose products are summed before the next: they stay in the L2 cache
GROUP = 24  # samples of an LSTM that a thread takes at a time
WHOLE = 512  # lines up to which a block of its weights is not cut into chunks

N_NUMBERS = 3  # of every penalty and constraint; those that take fewer ignore the rest
PENALTY_PIECE = 4096  # elements of a penalty that are summed at a time

ONE = 0  # the workspace starts with a 1
ZEROS = 16  # and some zeros
WORKSPACE = 64


def addresses(frame):
    """Return the addresses of a frame's arrays, as machine code takes them."""
    return np.array([getattr(frame, name).ctypes.data for name in FIELDS], np.int64)

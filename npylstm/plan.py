"""A model laid out in flat memory, and the table of op rows that a backend runs over it.

`Memory` belongs to a built model: a flat vector of parameters and one of gradients; an optimizer's
slots are vectors of the same length.  An optimizer step, a global norm, a checkpoint are each one
pass over one vector.  Every weight of every layer is a view into it.

`Plan` belongs to a model and one input shape: a table with one row for each op, and an arena that
holds every tensor those ops read and write, allocated once.  A tensor's gradient lies in a second
arena at the same offset.  Tensors inside are time-major, (T, B, F); vectors are (B, F).

    layers --lower()--> PlanBuilder --finish()--> Plan(rows, arena)  +  Memory  --> backend
"""

import copy
from collections.abc import Callable
from enum import IntEnum
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .aligned import aligned_zeros
from .reference import activations
from .reference.constraints import Projection
from .reference.regularizers import Penalty


# ------------------------------------------------------------------------- what a model always has
class Segment(NamedTuple):
    """Where one weight or state lies in its flat vector."""

    offset: int
    shape: tuple[int, ...]

    @property
    def slice(self):
        """The part of the flat vector, as a slice."""
        return slice(self.offset, self.offset + prod(self.shape))


class Memory:
    """The flat vectors of a built model.

    Parameters
    ----------
    weights : dict of str to shape
        In the order in which they are to lie, under paths such as ``"lstm/kernel"``.
    states : dict of str to shape
        States that stateful layers carry from batch to batch.
    dtype : dtype
        float32 or float64, for all of it.
    owner : Sequential or None
        The model that it is the memory of; None for a layer on its own.

    Attributes
    ----------
    parameters, gradients : ndarray (n,)
    states : ndarray (m,)
    weight_segments, state_segments : dict of str to Segment
    """

    def __init__(self, weights, states, dtype, owner=None):
        self.dtype = np.dtype(dtype)
        self.owner = owner
        self.weight_segments, n = _lay_out(weights)
        self.state_segments, m = _lay_out(states)
        self.parameters = aligned_zeros(n, self.dtype)
        self.gradients = aligned_zeros(n, self.dtype)
        self.states = np.zeros(m, self.dtype)

    def weight(self, path):
        """Return the view of one weight, in its own shape."""
        segment = self.weight_segments[path]
        return self.parameters[segment.slice].reshape(segment.shape)

    def gradient(self, path):
        """Return the view of one weight's gradient, in the weight's shape."""
        segment = self.weight_segments[path]
        return self.gradients[segment.slice].reshape(segment.shape)

    def state(self, path):
        """Return the view of one carried state (B, U)."""
        segment = self.state_segments[path]
        return self.states[segment.slice].reshape(segment.shape)

    def twin(self):
        """Return a memory of the same layout whose vectors are its own; this one is its owner."""
        other = copy.copy(self)
        other.owner = self
        other.parameters, other.states = self.parameters.copy(), self.states.copy()
        other.gradients = np.zeros_like(self.gradients)
        return other


def _lay_out(shapes):
    segments, offset = {}, 0
    for path, shape in shapes.items():
        segments[path] = Segment(offset, tuple(shape))
        offset += prod(shape)
    return segments, offset


# ------------------------------------------------------------------------------------ the op rows
class Op(IntEnum):
    """What a row does."""

    LSTM = 0
    DENSE = 1
    ACTIVATION = 2
    DROPOUT = 3
    REPEAT = 4
    MERGE = 5
    REVERSE = 6
    MOVE_AXIS = 7
    MASKING = 8
    EMBEDDING = 9
    HOLD = 10
    WEIGHT_PENALTY = 11
    ACTIVITY_PENALTY = 12
    CONSTRAINT = 13
    LAYER_NORMALIZATION = 14


class Start(IntEnum):
    """Where an LSTM row takes its initial states from."""

    ZEROS = 0
    GIVEN = 1  # the caller wrote them to h[0], c[0] in the arena
    CARRIED = 2  # from the memory's states, and back there at the end: stateful


MERGE_MODES = ("concat", "sum", "mul", "ave")

# One row of the table.  Offsets count elements: x, x2, y, h, c in the arena, w in the parameters,
# state in the carried states.  What a column means for an op stands beside the op's `lower`.
ROW = np.dtype(
    [
        ("op", "i8"),
        ("x", "i8"),
        ("x2", "i8"),
        ("y", "i8"),
        ("h", "i8"),
        ("c", "i8"),
        ("w", "i8"),
        ("state", "i8"),
        ("T", "i8"),
        ("B", "i8"),
        ("D", "i8"),
        ("U", "i8"),
        ("activation", "i8"),  # index into the plan's activations
        ("recurrent_activation", "i8"),
        ("use_bias", "i8"),
        ("reverse", "i8"),
        # A Start, an index into MERGE_MODES, penalties or projections, or whether HOLD gives zeros.
        ("mode", "i8"),
        ("generator", "i8"),  # index into the plan's generators
        ("rate", "f8"),  # of dropout, or the value that MASKING looks for
        ("recurrent_rate", "f8"),  # of the dropout of an LSTM's hidden state
        ("mask", "i8"),  # a number for each timestep of each sample, 0 or 1; -1: there is none
    ]
)


# Which of them each op reads.
COLUMNS = {
    Op.LSTM: (
        *("x", "h", "c", "w", "state", "T", "B", "D", "U"),
        *("activation", "recurrent_activation", "use_bias", "reverse", "mode", "mask"),
        *("rate", "recurrent_rate", "generator"),
    ),
    Op.DENSE: (*"xywBDU", "use_bias"),
    Op.ACTIVATION: (*"xyBU", "activation"),
    Op.DROPOUT: (*"xyTBU", "rate", "generator"),
    Op.REPEAT: (*"xyTBU",),
    Op.MERGE: ("x", "x2", *"yTBUD", "mode", "reverse"),
    Op.REVERSE: (*"xyTBU",),
    Op.MOVE_AXIS: (*"xyTBU",),
    Op.MASKING: (*"xyBU", "rate", "mask"),
    Op.EMBEDDING: (*"xywTBDU", "mask"),
    Op.HOLD: (*"xyTBU", "reverse", "mode", "mask"),
    Op.WEIGHT_PENALTY: (*"wBU", "mode"),
    Op.ACTIVITY_PENALTY: (*"xTBUD", "mode"),
    Op.CONSTRAINT: (*"wBU", "mode"),
    Op.LAYER_NORMALIZATION: (*"xywBDU", "use_bias", "rate"),
}

# Rows that are there for a loss, and for the training by it, only.
_FOR_OBJECTIVES = (Op.WEIGHT_PENALTY, Op.ACTIVITY_PENALTY, Op.CONSTRAINT)


class LossOp(IntEnum):
    """What a loss computes: the functions of that name in `reference.losses`."""

    MEAN_SQUARED_ERROR = 0
    MEAN_ABSOLUTE_ERROR = 1
    CATEGORICAL_CROSSENTROPY = 2
    SOFTMAX_CROSSENTROPY = 3
    SPARSE_CATEGORICAL_CROSSENTROPY = 4
    SPARSE_SOFTMAX_CROSSENTROPY = 5
    BINARY_CROSSENTROPY = 6
    SIGMOID_CROSSENTROPY = 7
    MEAN_ABSOLUTE_PERCENTAGE_ERROR = 8
    MEAN_SQUARED_LOGARITHMIC_ERROR = 9
    HUBER = 10
    LOG_COSH = 11
    POISSON = 12
    KL_DIVERGENCE = 13
    COSINE_SIMILARITY = 14
    BINARY_FOCAL_CROSSENTROPY = 15
    SIGMOID_FOCAL_CROSSENTROPY = 16
    CATEGORICAL_FOCAL_CROSSENTROPY = 17
    SOFTMAX_FOCAL_CROSSENTROPY = 18
    CUSTOM = 19  # two Python functions


class MetricOp(IntEnum):
    """What a metric averages over samples (and timesteps), or adds up in another way."""

    BINARY_ACCURACY = 0
    CATEGORICAL_ACCURACY = 1
    SPARSE_CATEGORICAL_ACCURACY = 2
    MEAN_SQUARED_ERROR = 3
    MEAN_ABSOLUTE_ERROR = 4
    ACCURACY = 5
    TOP_K_CATEGORICAL_ACCURACY = 6
    SPARSE_TOP_K_CATEGORICAL_ACCURACY = 7
    LOSS = 8  # the value of a loss
    COUNTS = 9  # of right and wrong predictions, by threshold
    PYTHON = 10  # whatever a Python function adds


class Reduction(IntEnum):
    """What the weighted values of a batch are summed up to."""

    MEAN = 0  # their sum, over how many there are
    SUM = 1
    MEAN_BY_WEIGHT = 2  # their sum, over that of the weights


class Counting(NamedTuple):
    """Which outputs a metric takes for positive, and which it counts.

    Those above each of `n` thresholds; they divide [0, 1] evenly if none are named.  With
    `open_ended` 0 is above the first of them, too.  With `top_k` only the k largest outputs of a
    row are positive, with `class_id` only one output of a row is counted.  With `from_logits` it is
    the sigmoid of outputs that counts.
    """

    n: int
    thresholds: tuple[float, ...] = ()
    open_ended: bool = False
    top_k: int | None = None
    class_id: int | None = None
    from_logits: bool = False


class MetricRow(NamedTuple):
    """What a metric adds up, batch after batch: `sums` numbers that its result is a function of.

    A mean has two, the sum and the count; COUNTS 2 n + 2: of each threshold, or each step between
    even ones, what is positive and true, and what is positive and false; then all that is true and
    all that is false.  With `weighted`, everything counts with the weight of its sample (and
    timestep).

    `number` is the threshold of BINARY_ACCURACY, the k of the top k; `of` what LOSS is the value
    of; `counting` belongs to COUNTS; `labels` says that targets are integers.  PYTHON calls
    ``function(sums, y_true, y_pred, sample_weight)`` with batch-major arrays; `name` is its name.
    """

    op: MetricOp
    sums: int = 2
    weighted: bool = False
    number: float = 0.0
    labels: bool = False
    of: "Objective | None" = None
    counting: Counting | None = None
    function: Callable | None = None
    name: str = ""
    by_mask: bool = True  # whether masked timesteps do not count


class Objective(NamedTuple):
    """What a compiled model is judged by.

    `fused` says that the loss takes the logits and its backward starts there, past the activation
    that is the plan's last row.  `numbers` are what the loss takes beside targets and outputs.
    Targets are smoothed to ``y * smoothing[0] + smoothing[1]`` for it.  `custom` is the
    `losses.CustomLoss` that CUSTOM stands for.
    """

    loss: LossOp
    fused: bool
    metrics: tuple[MetricRow, ...]
    numbers: tuple[float, ...] = ()
    smoothing: tuple[float, float] = (1.0, 0.0)
    reduction: Reduction = Reduction.MEAN
    custom: Any = None

    @property
    def labels(self):
        """Whether targets are integer labels."""
        return "SPARSE" in self.loss.name or bool(self.custom and self.custom.sparse)

    @property
    def in_python(self):
        """Whether Python has to see every batch."""
        return self.custom is not None or any(m.op == MetricOp.PYTHON for m in self.metrics)

    @property
    def python_names(self):
        """What the Python functions are called."""
        of_metrics = [m.name for m in self.metrics if m.op == MetricOp.PYTHON]
        return tuple(dict.fromkeys([*([self.custom.name] if self.custom else ()), *of_metrics]))

    @property
    def places(self):
        """Where in the totals the sums of each metric lie: slices, after the loss's two."""
        ends = accumulate((metric.sums for metric in self.metrics), initial=2)
        return [slice(*pair) for pair in pairwise(ends)]

    @property
    def n_totals(self):
        """How many totals there are: sum and count of the loss, and those of the metrics."""
        return 2 + sum(metric.sums for metric in self.metrics)


class UpdateOp(IntEnum):
    """Which optimizer's step."""

    SGD = 0
    RMSPROP = 1
    ADAM = 2
    ADAMAX = 3
    NADAM = 4
    LION = 5
    ADAGRAD = 6
    ADADELTA = 7
    FTRL = 8


class ClipOp(IntEnum):
    """How gradients are clipped before the step."""

    NONE = 0
    VALUE = 1
    NORM = 2
    GLOBAL_NORM = 3


class Accumulation(NamedTuple):
    """That gradients are summed up, in a vector as long as theirs; `every` so many make a step."""

    sums: np.ndarray
    every: int


class Average(NamedTuple):
    """A running mean of the parameters, which replaces them every so many steps; 0 for never."""

    values: np.ndarray
    momentum: float
    overwrite_every: int


class Update(NamedTuple):
    """What an optimizer's step is.

    `slots`, vectors as long as the parameters, hold what the optimizer remembers of each of them,
    such as Adam's two running means.  They and the `hyperparameters` are the step function's
    arguments, by name.
    """

    op: UpdateOp
    slots: dict[str, np.ndarray]
    hyperparameters: dict[str, float]
    clip: ClipOp
    clip_limit: float
    weight_decay: float
    accumulation: Accumulation | None = None
    average: Average | None = None

    @property
    def sums_sizes(self):
        """Whether the gradients of an Embedding are known by place: see `optimizers.SIZES`."""
        known = self.clip == ClipOp.NONE and self.accumulation is None
        return known and self.op not in (UpdateOp.SGD, UpdateOp.LION)


class Tensor(NamedTuple):
    """A place in the arena: (T, B, F) for sequences, (B, F) for vectors."""

    offset: int
    shape: tuple[int, ...]

    @property
    def size(self):
        """How many numbers it holds."""
        return prod(self.shape)

    def reshape(self, *shape):
        """Return the same place under another shape of as many elements."""
        return Tensor(self.offset, shape)


class PlanBuilder:
    """Collects tensors and rows while layers lower themselves one after the other.

    Parameters
    ----------
    memory : Memory
    initial_state : bool
        Whether the caller will write the initial states of the outermost recurrent layer.
    training : bool
        Whether the plan may be run with dropout on.
    batch_size : int
        Samples in a batch, by which penalties on activities are divided.

    Attributes
    ----------
    masks : dict of int to Tensor
        By the offset of a tensor, which of its timesteps are to be passed over: a 0 for each of
        those, a 1 for the others, in the shape of the tensor without its features.
    places : list of (Tensor, Tensor)
        What goes into each layer, and its (first) output.
    """

    def __init__(self, memory, initial_state=False, training=True, batch_size=1):
        self.memory = memory
        self.training = training
        self.initial_state = initial_state
        self.masks: dict[int, Tensor] = {}
        self.batch_size = batch_size
        self.places: list[tuple[Tensor, Tensor]] = []
        self.initial_states: list[Tensor] = []
        self.activations = list(activations.STANDARD)
        self.generators: list[np.random.Generator] = []
        self.penalties: list[tuple[Penalty, Tensor | Segment]] = []
        self.projections: list[tuple[Projection, Segment]] = []
        self._rows: list[np.ndarray] = []
        self._size = 0

    def tensor(self, *shape):
        """Allocate a tensor of this shape in the arena."""
        tensor = Tensor(self._size, shape)
        self._size += prod(shape)
        return tensor

    def row(self, op, **columns):
        """Append a row; columns not named are 0, and there is no mask."""
        row = np.zeros((), ROW)
        row["op"], row["mask"] = op, -1
        for column, value in columns.items():
            row[column] = value.offset if isinstance(value, Tensor | Segment) else value
        self._rows.append(row)

    def mask_of(self, x):
        """Return the mask of a tensor, or -1 for a row that has none."""
        return self.masks.get(x.offset, -1)

    def pass_mask(self, x, y):
        """Give a tensor the mask of another, if that has one."""
        if x.offset in self.masks:
            self.masks[y.offset] = self.masks[x.offset]

    def activation(self, activation: activations.Activation):
        """Return the index by which rows name this activation."""
        if activation not in self.activations:
            self.activations.append(activation)
        return self.activations.index(activation)

    def generator(self, generator):
        """Return the index by which rows name this random generator."""
        self.generators.append(generator)
        return len(self.generators) - 1

    def penalty(self, penalty, place):
        """Return the index by which a row names a Penalty, and the tensor or weight it is on."""
        self.penalties.append((penalty, place))
        return len(self.penalties) - 1

    def projection(self, projection, segment):
        """Return the index by which a row names a Projection, and the weight it is for."""
        self.projections.append((projection, segment))
        return len(self.projections) - 1

    def finish(self, x, outputs):
        """Return the Plan, with its arenas allocated."""
        rows = np.array(self._rows, ROW) if self._rows else np.zeros(0, ROW)
        return Plan(self, rows, self._size, x, outputs)


class Plan:
    """The rows of a model for one input shape, and the arena that they work in.

    Attributes
    ----------
    rows : ndarray of ROW
    arena, gradient_arena : ndarray
        Each tensor's values and, at the same offset, its gradients.
    x : Tensor
        Where the input goes.
    outputs : list of Tensor
    initial_states : list of Tensor
        Where given initial states go.
    mask, output_mask : Tensor or None
        The mask of x, which the caller writes, and that of the first output.
    places : list of (Tensor, Tensor)
        What goes into each layer, and its (first) output.
    activations, generators, penalties, projections : list
        What the rows' indices stand for.
    """

    def __init__(self, builder, rows, size, x, outputs):
        self.memory = builder.memory
        self.rows = rows
        self.arena = aligned_zeros(size, builder.memory.dtype)
        self.gradient_arena = aligned_zeros(size, builder.memory.dtype)
        self.x = x
        self.outputs = outputs
        self.places, self.initial_states = builder.places, builder.initial_states
        self.mask = builder.masks.get(x.offset)
        self.output_mask = builder.masks.get(outputs[0].offset)
        self.activations = builder.activations
        self.generators = builder.generators
        self.penalties, self.projections = builder.penalties, builder.projections

    def rows_for(self, objective):
        """Return the rows that run: without an Objective, no penalties and no constraints."""
        if objective is not None:
            return self.rows
        return self.rows[~np.isin(self.rows["op"], _FOR_OBJECTIVES)]

    @property
    def logits(self):
        """What the last activation is taken of: the tensor that a fused loss starts from."""
        row = self.rows[self.rows["op"] == Op.ACTIVATION][-1]
        return Tensor(int(row["x"]), self.outputs[0].shape)

    def passed_by(self, objective):
        """Return how many of the last rows no gradient comes through, as a fused loss passes them.

        That is the last activation; but not if a penalty on its output follows.
        """
        return int(objective.fused and self.rows[-1]["op"] == Op.ACTIVATION)

    def values(self, offset, shape):
        """Return the view of a tensor's values."""
        return self.arena[offset : offset + prod(shape)].reshape(shape)

    def gradients(self, offset, shape):
        """Return the view of a tensor's gradients."""
        return self.gradient_arena[offset : offset + prod(shape)].reshape(shape)

    def write_mask(self, mask):
        """Write the mask of x, (B, T), where rows will read it; nothing for None."""
        if mask is not None:
            self.values(*self.mask)[...] = mask.T

    @property
    def batch_major_mask(self):
        """The view of the first output's mask, (B, T) or (B,); None if it has none."""
        if self.output_mask is None:
            return None
        mask = self.values(*self.output_mask)
        return mask.swapaxes(0, 1) if mask.ndim > 1 else mask

    def batch_major_values(self, tensor):
        """Return the view of a tensor's values with the samples first: (B, T, F) or (B, F)."""
        values = self.values(*tensor)
        return values.swapaxes(0, 1) if len(tensor.shape) > 2 else values

    def describe(self):
        """Return the table as text: a line for each row, with the columns that its op reads."""
        lines = []
        for number, row in enumerate(self.rows):
            columns = "  ".join(f"{name}={self._value(row, name)}" for name in COLUMNS[row["op"]])
            lines.append(f"{number}  {Op(row['op']).name:<10}  {columns}")
        return "\n".join(lines)

    def _value(self, row, column):
        if column.endswith("activation"):
            return self.activations[row[column]].name
        if column == "mode" and row["op"] in _FOR_OBJECTIVES:
            named = self.projections if row["op"] == Op.CONSTRAINT else self.penalties
            return named[row[column]][0].name
        if column == "mode" and row["op"] == Op.MERGE:
            return MERGE_MODES[row[column]]
        if column == "mode" and row["op"] == Op.LSTM:
            return Start(row[column]).name
        return row[column]

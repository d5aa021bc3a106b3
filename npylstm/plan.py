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
from enum import IntEnum
from math import prod
from typing import NamedTuple

import numpy as np

from .reference import activations


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
        self.parameters = np.zeros(n, self.dtype)
        self.gradients = np.zeros(n, self.dtype)
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
    LAYER_NORMALIZATION = 8


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
        ("mode", "i8"),  # a Start, or an index into MERGE_MODES
        ("generator", "i8"),  # index into the plan's generators
        ("rate", "f8"),
    ]
)


# Which of them each op reads.
COLUMNS = {
    Op.LSTM: (
        *("x", "h", "c", "w", "state", "T", "B", "D", "U"),
        *("activation", "recurrent_activation", "use_bias", "reverse", "mode"),
    ),
    Op.DENSE: (*"xywBDU", "use_bias"),
    Op.ACTIVATION: (*"xyBU", "activation"),
    Op.DROPOUT: (*"xyBU", "rate", "generator"),
    Op.REPEAT: (*"xyTBU",),
    Op.MERGE: ("x", "x2", *"yTBUD", "mode", "reverse"),
    Op.REVERSE: (*"xyTBU",),
    Op.MOVE_AXIS: (*"xyTBU",),
    Op.LAYER_NORMALIZATION: (*"xywBDU", "use_bias", "rate"),
}


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


class MetricOp(IntEnum):
    """What a metric averages over samples (and timesteps)."""

    BINARY_ACCURACY = 0
    CATEGORICAL_ACCURACY = 1
    SPARSE_CATEGORICAL_ACCURACY = 2
    MEAN_SQUARED_ERROR = 3
    MEAN_ABSOLUTE_ERROR = 4


class Reduction(IntEnum):
    """What the weighted values of a batch are summed up to."""

    MEAN = 0  # their sum, over how many there are
    SUM = 1
    MEAN_BY_WEIGHT = 2  # their sum, over that of the weights


class Objective(NamedTuple):
    """What a compiled model is judged by.

    `fused` says that the loss takes the logits and its backward starts there, past the activation
    that is the plan's last row.  `numbers` are what the loss takes beside targets and outputs.
    Targets are smoothed to ``y * smoothing[0] + smoothing[1]`` for it.
    """

    loss: LossOp
    fused: bool
    metrics: tuple[MetricOp, ...]
    numbers: tuple[float, ...] = ()
    smoothing: tuple[float, float] = (1.0, 0.0)
    reduction: Reduction = Reduction.MEAN


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
    """

    def __init__(self, memory, initial_state=False):
        self.memory = memory
        self.initial_state = initial_state
        self.initial_states: list[Tensor] = []
        self.activations = list(activations.STANDARD)
        self.generators: list[np.random.Generator] = []
        self._rows: list[np.ndarray] = []
        self._size = 0

    def tensor(self, *shape):
        """Allocate a tensor of this shape in the arena."""
        tensor = Tensor(self._size, shape)
        self._size += prod(shape)
        return tensor

    def row(self, op, **columns):
        """Append a row; columns not named are 0."""
        row = np.zeros((), ROW)
        row["op"] = op
        for column, value in columns.items():
            row[column] = value.offset if isinstance(value, Tensor | Segment) else value
        self._rows.append(row)

    def activation(self, activation: activations.Activation):
        """Return the index by which rows name this activation."""
        if activation not in self.activations:
            self.activations.append(activation)
        return self.activations.index(activation)

    def generator(self, generator):
        """Return the index by which rows name this random generator."""
        self.generators.append(generator)
        return len(self.generators) - 1

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
    activations, generators : list
        What the rows' indices stand for.
    """

    def __init__(self, builder, rows, size, x, outputs):
        self.memory = builder.memory
        self.rows = rows
        self.arena = np.zeros(size, builder.memory.dtype)
        self.gradient_arena = np.zeros(size, builder.memory.dtype)
        self.x = x
        self.outputs = outputs
        self.initial_states = builder.initial_states
        self.activations = builder.activations
        self.generators = builder.generators

    def values(self, offset, shape):
        """Return the view of a tensor's values."""
        return self.arena[offset : offset + prod(shape)].reshape(shape)

    def gradients(self, offset, shape):
        """Return the view of a tensor's gradients."""
        return self.gradient_arena[offset : offset + prod(shape)].reshape(shape)

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
        if column == "mode":
            return MERGE_MODES[row[column]] if row["op"] == Op.MERGE else Start(row[column]).name
        return row[column]

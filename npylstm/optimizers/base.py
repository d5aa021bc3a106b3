"""What all optimizers share."""

import inspect
import math

import numpy as np

from .. import backends, interrupt
from ..configured import Configured
from ..errors import (
    at_least_zero,
    fraction,
    is_number,
    positive,
    positive_integer,
    unknown_arguments,
)
from ..layout import check_memory, lay_out, unique_names
from ..plan import Accumulation, Average, ClipOp, PlanBuilder, Update, UpdateOp
from ..programs import Programs
from ..reference.optimizers import rounded

OPTIONS = (
    *("weight_decay", "clipnorm", "clipvalue", "global_clipnorm"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency", "gradient_accumulation_steps", "name"),
)


class Optimizer(Configured):
    """What all optimizers share: the rate, the clipping, the weight decay and the count of steps.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule, or function of the number of steps or of nothing
    weight_decay : float or None
        Before each step every weight shrinks by this fraction of itself, times the learning rate.
    clipnorm : float or None
        Scale each weight's gradient down to this norm.
    clipvalue : float or None
        Clip each element of the gradients to ``[-clipvalue, clipvalue]``.
    global_clipnorm : float or None
        Scale all gradients together down to this norm.  Of the three, at most one may be set.
    use_ema : bool
        Keep a running mean of the weights, and make it the weights when `fit` ends.
    ema_momentum : float
        How much of that mean a step keeps.
    ema_overwrite_frequency : int or None
        After how many steps it becomes the weights in between, too.
    gradient_accumulation_steps : int or None
        Step only after so many batches, at least 2, along the mean of their gradients.
    name : str or None

    Attributes
    ----------
    iterations : int
        How many steps have been taken.
    batches : int
        How many gradients have been given: more than steps, where gradients are accumulated.
    slots : dict of str to ndarray
        What is remembered of each parameter.
    memory : Memory or None
        Of the model that it trains.
    learning_rate : float
        Of the next step; can be set, unless it comes from a schedule.

    Raises
    ------
    ValueError
        For a setting out of range, or more than one kind of clipping.
    """

    op: UpdateOp
    slot_names: tuple[str, ...] = ()
    slot_starts: dict[str, float] = {}  # those that do not start at 0

    def __init__(
        self,
        learning_rate,
        *,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        gradient_accumulation_steps=None,
        name=None,
    ):
        clips = {
            ClipOp.NORM: ("clipnorm", clipnorm),
            ClipOp.VALUE: ("clipvalue", clipvalue),
            ClipOp.GLOBAL_NORM: ("global_clipnorm", global_clipnorm),
        }
        given = {clip: pair for clip, pair in clips.items() if pair[1] is not None}
        if len(given) > 1:
            names = ", ".join(f"{name}={limit}" for name, limit in given.values())
            raise ValueError(f"at most one kind of clipping can be set, got {names}")
        self._clip, self._clip_limit = ClipOp.NONE, 0.0
        for clip, (clip_name, limit) in given.items():
            self._clip, self._clip_limit = clip, float(positive(clip_name, limit))
        self.weight_decay = weight_decay
        if weight_decay is not None:
            at_least_zero("weight_decay", weight_decay)
        self.use_ema = bool(use_ema)
        self.ema_momentum = fraction("ema_momentum", ema_momentum)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if ema_overwrite_frequency is not None:
            positive_integer("ema_overwrite_frequency", ema_overwrite_frequency)
        self.gradient_accumulation_steps = gradient_accumulation_steps
        if gradient_accumulation_steps is not None:
            if positive_integer("gradient_accumulation_steps", gradient_accumulation_steps) < 2:
                raise ValueError(
                    "gradient_accumulation_steps must be at least 2, or None for a step after "
                    f"every batch; got {gradient_accumulation_steps}"
                )
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.name = name or type(self).__name__.lower()
        self.batches = 0
        self.slots: dict[str, np.ndarray] = {}
        self._sums = self._average = None
        self.memory = None
        self._schedule = None
        self.learning_rate = learning_rate

    @property
    def iterations(self):
        """How many steps have been taken."""
        return self.batches // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, steps):
        self.batches = steps * (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self):
        """Learning rate of the next step.

        Raises
        ------
        TypeError, ValueError
            When it is set to something else than a finite number of at least 0, or comes from a
            schedule.
        """
        return float(self.learning_rates(1)[0])

    @learning_rate.setter
    def learning_rate(self, value):
        if callable(value):
            takes_step = inspect.signature(value).parameters
            self._schedule = value if takes_step else lambda step: value()
            return
        if self._schedule is not None:
            raise TypeError(
                "the learning rate of this optimizer comes from a schedule and cannot be set; "
                "compile with a number for learning_rate to change it by hand or by a callback"
            )
        if not (is_number(value) and value >= 0 and math.isfinite(value)):
            raise ValueError(
                f"learning_rate must be a finite number of at least 0 or a schedule, got {value!r}"
            )
        self._learning_rate = float(value)

    def learning_rates(self, n):
        """Return the learning rates (n,) of the next n batches."""
        if self._schedule is None:
            return np.full(n, self._learning_rate)
        rates = [self._schedule(self.batches + k) for k in range(n)]
        # Keras computes schedules in float32, unless their numbers are numpy.float64.
        return np.array([r if isinstance(r, np.float64) else np.float32(r) for r in rates], float)

    def get_config(self):
        """Return the constructor's arguments as a dict; a schedule as it is."""
        config = super().get_config() | {name: getattr(self, name) for name in OPTIONS}
        if self._schedule is not None:
            config["learning_rate"] = self._schedule
        return config

    def hyperparameters(self):
        """Return the numbers of the step function, by name."""
        return {}

    def update(self):
        """Return the step as numbers, for a backend."""
        accumulation = average = None
        if self.gradient_accumulation_steps:
            accumulation = Accumulation(self._sums, self.gradient_accumulation_steps)
        if self.use_ema:
            average = Average(self._average, self.ema_momentum, self.ema_overwrite_frequency or 0)
        return Update(
            *(self.op, self.slots, self.hyperparameters(), self._clip, self._clip_limit),
            *(self.weight_decay or 0.0, accumulation, average),
        )

    def build(self, memory):
        """Start afresh on a model's memory: no steps taken, all slots as they start.

        Raises
        ------
        ValueError
            If it trains another model already.
        """
        if self.memory is not None and self.memory.owner is not memory.owner:
            raise ValueError(
                f"this {type(self).__name__} trains another model ({self.memory.owner!r}) and "
                "remembers its gradients; give each model an optimizer of its own"
            )
        self.memory = memory
        self.batches = 0
        self._sums = np.zeros_like(memory.parameters) if self.gradient_accumulation_steps else None
        self._average = np.zeros_like(memory.parameters) if self.use_ema else None
        self.slots = {
            name: np.full_like(
                memory.parameters, rounded(self.slot_starts.get(name, 0.0), memory.dtype)
            )
            for name in self.slot_names
        }

    # ---------------------------------------------------------------- layers without a model around
    def build_for(self, layers):
        """Move layers of one's own into one memory, to train them together by `apply_gradients`.

        Weights and carried states stay as they are; afterwards the layers belong together as those
        of a model do.

        Parameters
        ----------
        layers : list of Layer
            Each built, and in no model.

        Raises
        ------
        RuntimeError
            If one has no weights yet.
        TypeError, ValueError
            If they do not go together; nothing is changed then.
        """
        layers = list(layers)
        for layer in layers:
            layer.named_weights()  # raises unless it is built
            if layer.dtype != layers[0].dtype:
                raise ValueError(
                    f"layer {layer.name!r} computes in {layer.dtype}, {layers[0].name!r} in "
                    f"{layers[0].dtype}; layers that are trained together share one dtype"
                )
        if not layers or len({id(layer) for layer in layers}) < len(layers):
            raise ValueError(f"layers must be a list of layers, each once, got {layers!r}")
        if self.memory is not None and self.memory.owner is not self:
            raise ValueError(
                f"this {type(self).__name__} trains a model ({self.memory.owner!r}) and remembers "
                "its gradients; make a new optimizer"
            )
        shapes = [layer.input_shape for layer in layers]
        self.build(lay_out(layers, unique_names(layers), shapes, owner=self))
        self._layers = layers
        self._programs = Programs(self._make_empty_plan)

    def apply_gradients(self, grads_and_layers):
        """Take one step along gradients that `layer.backward` gave.

        The first call builds the optimizer for its layers, unless `build_for` has done so.

        Parameters
        ----------
        grads_and_layers : list of (caches.Gradients, Layer)
            For all layers, in any order.  A layer that was used several times comes several times;
            its gradients are added up.

        Raises
        ------
        RuntimeError
            If one of the layers has been taken elsewhere.
        TypeError, ValueError
            If it is no such list, if gradients are of another layer, or if a layer is missing or
            none of this optimizer's; nothing is changed then.
        """
        pairs = _checked_pairs(grads_and_layers)
        given = list({id(layer): layer for _, layer in pairs}.values())
        if self.memory is None:
            self.build_for(given)
        if self.memory.owner is not self:
            raise ValueError(
                f"this {type(self).__name__} trains a model ({self.memory.owner!r}), whose fit "
                "calls it; make a new optimizer for layers of your own"
            )
        names = [[layer.name for layer in layers] for layers in (self._layers, given)]
        if {id(layer) for layer in given} != {id(layer) for layer in self._layers}:
            raise ValueError(
                f"this {type(self).__name__} trains the layers {names[0]} together, and each step "
                f"needs gradients for all of them; got some for {names[1]}"
            )
        check_memory(given, self.memory)
        self.memory.gradients.fill(0)
        for gradients, layer in pairs:
            for name, gradient in gradients.weights.items():
                self.memory.gradient(f"{layer.path}/{name}")[...] += gradient
        with self._programs.use(()) as program, interrupt.held_back():
            rate = self.learning_rates(1)[0]
            backends.current().apply_update(program, self.update(), rate, self.batches)
        for layer in given:
            layer.apply_constraints()
        self.batches += 1

    def _make_empty_plan(self, shape):
        """Return a plan that computes nothing, for programs that only update."""
        builder = PlanBuilder(self.memory)
        nothing = builder.tensor(1, 1)
        return builder.finish(nothing, [nothing])

    def finalize(self):
        """Make the running mean of the weights, if one is kept, the weights themselves."""
        if self.use_ema and self.batches:
            self.memory.parameters[...] = self._average


def _checked_pairs(grads_and_layers):
    """Return a list of (Gradients, Layer) pairs; raise unless the gradients fit."""
    try:
        pairs = list(grads_and_layers)
        found = [(gradients.weights, layer.named_weights()) for gradients, layer in pairs]
    except (TypeError, ValueError, AttributeError):
        raise TypeError(
            "apply_gradients takes a list of pairs (gradients, layer), the gradients as "
            f"layer.backward gives them, got {_shortened(grads_and_layers)}"
        ) from None
    for (_, layer), arrays in zip(pairs, found, strict=True):
        shapes, expected = ({name: np.shape(a) for name, a in one.items()} for one in arrays)
        if shapes != expected:
            raise ValueError(
                f"layer {layer.name!r} has weights of the shapes {expected}, got gradients of "
                f"{shapes}; give each layer those that its own backward returned"
            )
    return pairs


def _shortened(value):
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."


def checked(optimizer, options):
    """Return the options of `Optimizer` that a class was given; raise TypeError for any other."""
    unknown = set(options) - set(OPTIONS)
    if unknown:
        own = list(inspect.signature(optimizer.__init__).parameters)[1:-1]
        raise unknown_arguments(optimizer.__name__, unknown, (*own, *OPTIONS))
    return options

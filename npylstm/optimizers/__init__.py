"""Optimizers with Keras's arguments, defaults and arithmetic, and learning-rate schedules.

An optimizer says what a step is, as numbers (`plan.Update`), and counts the steps; the step itself
is taken by a backend, over the model's flat vectors.
"""

import inspect
import math

import numpy as np

from ..errors import fraction, is_number, positive, unknown_arguments, unknown_name
from ..plan import ClipOp, Update, UpdateOp
from . import schedules

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]


class Optimizer:
    """What all optimizers share: the rate, the clipping, the weight decay and the count of steps.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    weight_decay : float or None
        Before each step every weight shrinks by this fraction of itself, times the learning rate.
    clipnorm : float or None
        Scale each weight's gradient down to this norm.
    clipvalue : float or None
        Clip each element of the gradients to ``[-clipvalue, clipvalue]``.
    global_clipnorm : float or None
        Scale all gradients together down to this norm.  Of the three, at most one may be set.
    name : str or None

    Attributes
    ----------
    iterations : int
        How many steps have been taken.
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

    def __init__(
        self,
        learning_rate,
        *,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
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
        if weight_decay is not None and not (is_number(weight_decay) and weight_decay >= 0):
            raise ValueError(f"weight_decay must be a number of at least 0, got {weight_decay!r}")
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.name = name or type(self).__name__.lower()
        self.iterations = 0
        self.slots: dict[str, np.ndarray] = {}
        self.memory = None
        self._schedule = None
        if callable(learning_rate):
            self._schedule = learning_rate
        else:
            self.learning_rate = learning_rate

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
        """Return the learning rates (n,) of the next n steps."""
        if self._schedule is None:
            return np.full(n, self._learning_rate)
        rates = [self._schedule(self.iterations + k) for k in range(n)]
        # Keras computes schedules in float32, unless their numbers are numpy.float64.
        return np.array([r if isinstance(r, np.float64) else np.float32(r) for r in rates], float)

    def hyperparameters(self):
        """Return the numbers of the step function, by name."""
        return {}

    def update(self):
        """Return the step as numbers, for a backend."""
        decay = self.weight_decay or 0.0
        return Update(
            self.op, self.slots, self.hyperparameters(), self._clip, self._clip_limit, decay
        )

    def build(self, memory):
        """Start afresh on a model's memory: no steps taken, all slots zero.

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
        self.iterations = 0
        self.slots = {name: np.zeros_like(memory.parameters) for name in self.slot_names}


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    momentum : float
        In [0, 1].
    nesterov : bool
        Look ahead along the momentum (Sutskever et al. 2013).
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.SGD

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **options):
        super().__init__(learning_rate, **_checked(SGD, options))
        self.momentum = fraction("momentum", momentum)
        self.nesterov = bool(nesterov)
        self.slot_names = ("velocity",) if momentum else ()

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.sgd_numbers`."""
        return {"momentum": self.momentum, "nesterov": self.nesterov}


class RMSprop(Optimizer):
    """Divide the gradient by the root of the running mean of its square.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    rho : float
        How much of the running mean a step keeps.
    momentum : float
    epsilon : float
    centered : bool
        Take the squared mean gradient off the mean squared one.
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.RMSPROP

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        **options,
    ):
        super().__init__(learning_rate, **_checked(RMSprop, options))
        self.rho = fraction("rho", rho)
        self.momentum = fraction("momentum", momentum)
        self.epsilon = positive("epsilon", epsilon)
        self.centered = bool(centered)
        names = ["mean_square"]
        if momentum:
            names.append("momentum_step")
        if centered:
            names.append("mean_gradient")
        self.slot_names = tuple(names)

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.rmsprop_numbers`."""
        return {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon}


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with Keras's place for epsilon.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    beta_1, beta_2 : float
        How much of the running means of the gradient and of its square a step keeps.
    epsilon : float
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.ADAM
    slot_names = ("m", "v")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
        super().__init__(learning_rate, **_checked(type(self), options))
        self.beta_1 = fraction("beta_1", beta_1)
        self.beta_2 = fraction("beta_2", beta_2)
        self.epsilon = positive("epsilon", epsilon)

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.adam_numbers`."""
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    weight_decay : float
    beta_1, beta_2, epsilon
        As in `Adam`.
    **options
        Those of `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        **options,
    ):
        if weight_decay is None:
            raise ValueError("weight_decay must be a number, got None; without it, use Adam")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **options
        )


_BY_NAME = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam, "adamw": AdamW}
_OPTIONS = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "name")


def get(identifier):
    """Return the Optimizer that a name or an Optimizer stands for.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        if identifier.lower() in _BY_NAME:
            return _BY_NAME[identifier.lower()]()
        raise unknown_name("optimizer", identifier, _BY_NAME)
    raise TypeError(f"an optimizer must be a name or an Optimizer, got {identifier!r}")


def _checked(optimizer, options):
    unknown = set(options) - set(_OPTIONS)
    if unknown:
        own = list(inspect.signature(optimizer.__init__).parameters)[1:-1]
        raise unknown_arguments(optimizer.__name__, unknown, (*own, *_OPTIONS))
    return options

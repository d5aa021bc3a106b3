"""Learning rates that change with the number of steps taken: Keras's, with its arguments."""

import math

from ..errors import known_arguments, positive


class LearningRateSchedule:
    """A learning rate as a function of the number of steps taken so far.

    A subclass defines ``__call__(step) -> float``.
    """

    def __call__(self, step):
        """Return the learning rate of the step after `step` others."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")


@known_arguments
class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    decay_rate : float
    staircase : bool
        Round ``step / decay_steps`` down, so that the rate falls in steps.
    name : str
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="ExponentialDecay",
    ):
        self.name = name
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive("decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase

    def __call__(self, step):
        """Return the learning rate of the step after `step` others."""
        periods = step / self.decay_steps
        if self.staircase:
            periods = math.floor(periods)
        return self.initial_learning_rate * self.decay_rate**periods


@known_arguments
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[k]`` up to and including step ``boundaries[k]``, the last value after them all.

    Parameters
    ----------
    boundaries : list of number
        Ascending.
    values : list of float
        One more than there are boundaries.
    name : str

    Raises
    ------
    ValueError
        If the numbers do not fit.
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                f"PiecewiseConstantDecay takes one value more than boundaries; got "
                f"{len(boundaries)} boundaries and {len(values)} values"
            )
        if list(boundaries) != sorted(boundaries):
            raise ValueError(f"boundaries must ascend, got {list(boundaries)}")
        self.name = name
        self.boundaries = list(boundaries)
        self.values = list(values)

    def __call__(self, step):
        """Return the learning rate of the step after `step` others."""
        return self.values[sum(step > boundary for boundary in self.boundaries)]


@known_arguments
class CosineDecay(LearningRateSchedule):
    """Half a cosine from `initial_learning_rate` down to `alpha` times it (Loshchilov & Hutter).

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
        How many steps the way down takes, after the warm-up.
    alpha : float
        What is left at the end, as a fraction.
    name : str
    warmup_target : float or None
        With a number, the rate first climbs in a line from `initial_learning_rate` to it, and the
        way down starts there.
    warmup_steps : int
        How many steps the climb takes.
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        self.name = name
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive("decay_steps", decay_steps)
        self.alpha = alpha
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        """Return the learning rate of the step after `step` others."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                climbed = step / self.warmup_steps
                return top + climbed * (self.warmup_target - top)
            step = step - self.warmup_steps
            top = self.warmup_target
        done = min(step, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        return top * ((1 - self.alpha) * cosine + self.alpha)

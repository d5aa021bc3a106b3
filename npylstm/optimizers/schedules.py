"""Learning rates that change with the number of steps taken: Keras's, with its arguments."""

import math

from ..configured import Configured
from ..errors import is_number, known_arguments, positive


class LearningRateSchedule(Configured):
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
        return self.values[sum(bool(step > boundary) for boundary in self.boundaries)]


@known_arguments
class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` along a power of what is left of the way.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
        How many steps the way down takes; the rate stays at its end then.
    end_learning_rate : float
    power : float
        1 is a straight line.
    cycle : bool
        In place of staying there, climb to where a way down of twice, three times … as many steps
        would be, and go on down.
    name : str
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        self.name = name
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive("decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle

    def __call__(self, step):
        """Return the learning rate of the step after `step` others."""
        steps = self.decay_steps
        if self.cycle:
            steps = steps * max(1, math.ceil(step / steps))
        left = 1 - min(step, steps) / steps
        fall = self.initial_learning_rate - self.end_learning_rate
        return fall * left**self.power + self.end_learning_rate


@known_arguments
class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

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
        name="InverseTimeDecay",
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
        return self.initial_learning_rate / (1 + self.decay_rate * periods)


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


@known_arguments
class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each longer than the one before (Loshchilov & Hutter).

    Parameters
    ----------
    initial_learning_rate : float
        Where the first one starts.
    first_decay_steps : int
        How many steps the first one takes.
    t_mul : float
        At least 1: how many times as long as the one before each one is.
    m_mul : float
        How many times as high as the one before each one starts.
    alpha : float
        What is left at the end of each, as a fraction of `initial_learning_rate`.
    name : str

    Raises
    ------
    ValueError
        If `first_decay_steps` or `t_mul` is too small.

    Notes
    -----
    Keras finds the number of restarts by a logarithm, whose rounding can make a restart come a step
    late; here they are counted.
    """

    def __init__(
        self,
        initial_learning_rate,
        first_decay_steps,
        t_mul=2.0,
        m_mul=1.0,
        alpha=0.0,
        name="SGDRDecay",
    ):
        self.name = name
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive("first_decay_steps", first_decay_steps)
        if not (is_number(t_mul) and t_mul >= 1):
            raise ValueError(f"t_mul must be a number of at least 1, got {t_mul!r}")
        self.t_mul, self.m_mul, self.alpha = t_mul, m_mul, alpha

    def __call__(self, step):
        """Return the learning rate of the step after `step` others."""
        steps, restarts = self.first_decay_steps, 0
        if self.t_mul == 1:
            restarts, step = divmod(step, steps)
        while step >= steps:
            step, steps, restarts = step - steps, steps * self.t_mul, restarts + 1
        cosine = 0.5 * (1 + math.cos(math.pi * (step / steps))) * self.m_mul**restarts
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

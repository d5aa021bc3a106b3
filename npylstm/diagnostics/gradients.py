"""Whether gradients vanish or explode on their way back through time."""

from typing import NamedTuple

import numpy as np

from ..errors import at_least_zero, positive
from .choose import need_finite, one_lstm


class NormOverTime(NamedTuple):
    """The norm of a gradient at each step.

    Attributes
    ----------
    norm : ndarray (B, T)
        Over the units, of each sample.
    mean : ndarray (T,)
        Over the samples.
    factor : float
        The mean at the first step, divided by that at the last one that is not 0; NaN if there is
        no such two steps.
    rate : float
        The factor of one step back: as many of them as there are steps between make `factor`.
    trend : str
        "vanishing" or "exploding" beyond a bound; else "shrinking", "growing" or "steady" by the
        rate; "none" if there is no rate.
    vanishes_at, explodes_at : int or None
        The timestep at which the mean, on its way back from the last step, first falls below or
        rises above the bound; None if it does not.
    """

    norm: np.ndarray
    mean: np.ndarray
    factor: float
    rate: float
    trend: str
    vanishes_at: int | None
    explodes_at: int | None


class GradientNorm(NamedTuple):
    """How the gradients of h and of c change on their way back.

    Attributes
    ----------
    dh, dc : NormOverTime
    timesteps : ndarray (T,) of int
        Which timestep of the input each step reads.
    words : str
    """

    dh: NormOverTime
    dc: NormOverTime
    timesteps: np.ndarray
    words: str

    def __str__(self):
        return self.words


def gradient_norm(trace, vanished=1e-3, exploded=1e3, steady=0.05):
    """Return how the norms of dh and dc change from the last step back to the first.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
        Made with targets.
    vanished, exploded : float
        Parts of the last step's norm below or above which a gradient counts as gone or out of
        hand: a thousandth is what the third digit of a weight's gradient hears of a step.
    steady : float
        A rate within 1 ± `steady` is called neither shrinking nor growing.  Of a gradient that
        loses 0.05 at each step, 0.6 % is left after a hundred.

    Returns
    -------
    GradientNorm

    Raises
    ------
    TypeError, ValueError
        If it is not the trace of an LSTM, has no gradients or ones that are not finite, or a
        bound makes no sense.

    Notes
    -----
    Bengio, Simard, Frasconi 1994, "Learning Long-Term Dependencies with Gradient Descent is
    Difficult"; Pascanu, Mikolov, Bengio 2013, "On the difficulty of training Recurrent Neural
    Networks".  With a loss at every timestep, each of them adds its own gradient on the way; past
    masked steps gradients go unchanged.
    """
    trace = one_lstm(trace, gradients=True)
    if positive("vanished", vanished) >= positive("exploded", exploded):
        raise ValueError(f"vanished must be below exploded, got {vanished} and {exploded}")
    at_least_zero("steady", steady)
    need_finite(trace, "dh", "dc")
    timesteps = np.asarray(trace.timesteps)
    bounds = vanished, exploded, steady
    dh, dc = (_over_time(gradient, timesteps, *bounds) for gradient in (trace.dh, trace.dc))
    words = "; ".join(_words(name, norm, *bounds) for name, norm in (("dh", dh), ("dc", dc)))
    return GradientNorm(dh, dc, timesteps, f"{trace.path}: {words}")


def _over_time(gradient, timesteps, vanished, exploded, steady):
    norm = np.linalg.norm(gradient.astype("float64"), axis=-1)
    mean = norm.mean(axis=0)
    there = np.flatnonzero(mean)
    if not len(there) or there[-1] == 0:
        return NormOverTime(norm, mean, np.nan, np.nan, "none", None, None)
    last = there[-1]
    back = mean[last::-1] / mean[last]  # from the last step to the first
    factor = float(back[-1])
    rate = factor ** (1 / float(last))

    def first(crossed):
        where = np.flatnonzero(crossed)
        return int(timesteps[last - where[0]]) if len(where) else None

    vanishes_at, explodes_at = first(back < vanished), first(back > exploded)
    trend = "shrinking" if rate < 1 - steady else "growing" if rate > 1 + steady else "steady"
    if factor < vanished or factor > exploded:
        trend = "vanishing" if factor < 1 else "exploding"
    return NormOverTime(norm, mean, factor, rate, trend, vanishes_at, explodes_at)


def _words(name, norm, vanished, exploded, _):
    if not norm.mean.any():
        return f"{name} is 0 at all steps"
    if norm.trend == "none":
        return f"{name} has no step to go back to"
    text = (
        f"{name} is {norm.trend}: times {norm.rate:.3g} at each step back, "
        f"{norm.factor:.3g} from the last step to the first"
    )
    if norm.vanishes_at is not None:
        text += f", below {vanished:g} of it from timestep {norm.vanishes_at} on"
    if norm.explodes_at is not None:
        text += f", above {exploded:g} of it from timestep {norm.explodes_at} on"
    return text

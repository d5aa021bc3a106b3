"""Guesses at what is wrong after the outputs: the loss and the optimizer."""

import inspect

import numpy as np

from ..losses import REDUCTIONS
from ..optimizers import Adam, RMSprop
from ..optimizers.base import OPTIONS
from ..reference.optimizers import adam, adam_numbers
from .causes import Cause
from .our_side import steps_along

_EPSILONS = (1e-7, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-10, 1e-12)


# -------------------------------------------------------------------------------------- the loss
def loss_guesses(ours, theirs):
    """Return guesses about the loss, each (Cause, Loss).

    Parameters
    ----------
    ours : Loss
    theirs : Loss or None
        Ours with the settings of theirs, if there is one.
    """
    changes = []
    if hasattr(ours, "from_logits"):
        changes.append({"from_logits": not ours.from_logits})
    known = settings_of(theirs) if type(theirs) is type(ours) else {}
    changes += [{name: value} for name, value in known.items() if name not in ("name", "axis")]
    changes += [{"reduction": r} for r, op in REDUCTIONS.items() if r and op is not None]
    guesses = []
    for change in changes:
        ((name, value),) = change.items()
        here = getattr(ours, name)
        if here != value:
            text = f"{name}: ours is {here!r}; the difference vanishes with {value!r}"
            guesses.append((Cause(name, text), with_settings(ours, **change)))
    if theirs is not None and type(theirs) is not type(ours):
        name = type(theirs).__name__
        text = f"another loss: ours is {type(ours).__name__}; the difference vanishes with {name}"
        guesses.append((Cause("loss", text), theirs))
    return guesses


def settings_of(thing):
    """Return the constructor's arguments of a loss or an optimizer, as they are set."""
    names = list(inspect.signature(type(thing).__init__).parameters)[1:]
    names += [name for name in OPTIONS if hasattr(thing, name)]
    settings = {name: getattr(thing, name) for name in names if hasattr(thing, name)}
    schedule = getattr(thing, "_schedule", None)
    return settings | ({"learning_rate": schedule} if schedule is not None else {})


def with_settings(thing, **changes):
    """Return a new loss or optimizer like this one but for some settings."""
    return type(thing)(**settings_of(thing) | changes)


# --------------------------------------------------------------------------------- the optimizer
def probe(dtype):
    """Return weights (n,) and three gradients (n,) that show an optimizer's every number.

    From 0, a step is seen to all its digits; gradients from 1e-10 to 10 of both signs show epsilon,
    clipping and what is remembered; weights of 1 without a gradient show weight decay.
    """
    sizes = np.logspace(-10, 1, 12)
    gradient = np.concatenate([sizes, -sizes, np.zeros(2)]).astype(dtype)
    w = np.concatenate([np.zeros(24), [1.0, -1.0]]).astype(dtype)
    return w, [gradient, gradient / 2, gradient * 2]


def steps_alike(w, ours, theirs):
    """Return, for each number of each step, its error over what is allowed.

    What is allowed is the root of eps, relative to how far the weight has come, as powers such as
    ``1 - beta_2**t`` have half their digits; and some eps of the weight itself.
    """
    eps = np.finfo(w.dtype).eps
    ratios = []
    for one, other in zip(ours, theirs, strict=True):
        come = np.maximum(np.abs(one - w), np.abs(other - w))
        allowed = np.sqrt(eps) * come + 8 * eps * np.abs(w) + np.finfo(w.dtype).tiny
        with np.errstate(invalid="ignore"):
            ratio = np.abs(one.astype(np.float64) - other) / allowed
        ratios.append(np.where(np.isnan(ratio), np.inf, ratio))
    return np.array(ratios)


def optimizer_guesses(ours, theirs):
    """Yield lists of guesses about the optimizer, each (Cause, function of w and gradients).

    Parameters
    ----------
    ours : Optimizer
    theirs : Optimizer or None
        Ours with the settings of theirs, if there is one.
    """
    if theirs is not None and type(theirs) is not type(ours):
        name = type(theirs).__name__
        text = (
            f"another optimizer: ours is {type(ours).__name__}; the difference vanishes with {name}"
        )
        yield [(Cause("optimizer", text), _along(theirs))]
    elif theirs is not None:
        guesses = []
        for name, value in settings_of(theirs).items():
            here = settings_of(ours).get(name)
            if name != "name" and here != value:
                text = f"{name}: ours is {here!r}; the difference vanishes with {value!r}"
                guesses.append((Cause(name, text), _along(with_settings(ours, **{name: value}))))
        yield guesses
    if hasattr(ours, "epsilon"):
        yield [
            (
                Cause("epsilon", f"epsilon: ours is {ours.epsilon:g}; the difference vanishes with "
                      f"{epsilon:g}"),
                _along(with_settings(ours, epsilon=epsilon)),
            )
            for epsilon in _EPSILONS if epsilon != ours.epsilon
        ]  # fmt: skip
        yield [
            (
                Cause("epsilon_place", f"place of epsilon: ours is added to the root of the mean "
                      f"square as Keras does it; the difference vanishes with {epsilon:g} {place}"),
                steps,
            )
            for epsilon in dict.fromkeys((ours.epsilon, *_EPSILONS))
            for place, steps in _places(ours, epsilon)
        ]  # fmt: skip
    if theirs is not None and type(theirs) is type(ours):
        yield [(Cause("optimizer", "several settings: the difference vanishes with all of theirs"),
                _along(theirs))]  # fmt: skip


def _along(optimizer):
    return lambda w, gradients: steps_along(optimizer, w, gradients)


def _places(optimizer, epsilon):
    """Return the other places where an epsilon may stand: what to say, and the steps."""
    if type(optimizer) is Adam and not optimizer.amsgrad:
        return [
            ("added to the root of the corrected mean square, as in the paper and in PyTorch",
             _adam_steps(optimizer, epsilon, corrected=True)),
            ("inside the root of the mean square",
             _adam_steps(optimizer, epsilon, inside=True)),
            ("inside the root of the corrected mean square",
             _adam_steps(optimizer, epsilon, corrected=True, inside=True)),
        ]  # fmt: skip
    if type(optimizer) is RMSprop and not optimizer.momentum and not optimizer.centered:
        return [("added to the root and not inside it", _rmsprop_steps(optimizer, epsilon))]
    return []


def _adam_steps(optimizer, epsilon, corrected=False, inside=False):
    def steps(w, gradients):
        slots, results = {"m": np.zeros_like(w), "v": np.zeros_like(w)}, []
        betas = optimizer.beta_1, optimizer.beta_2
        for k, gradient in enumerate(gradients):
            left = 1 - optimizer.beta_2 ** (k + 1)
            scaled = epsilon * (left if inside else left**0.5) if corrected else epsilon
            numbers = adam_numbers(w.dtype, k + 1, optimizer.learning_rate, *betas, scaled)
            quotient = _quotient_inside if inside else None
            w, slots = adam(w, gradient, slots, *numbers, quotient=quotient)
            results.append(w)
        return results

    return steps


def _quotient_inside(numerator, v, epsilon):
    return numerator / np.sqrt(v + epsilon)


def _rmsprop_steps(optimizer, epsilon):
    def steps(w, gradients):
        v, results = np.zeros_like(w), []
        for gradient in gradients:
            v = (optimizer.rho * v + (1 - optimizer.rho) * gradient**2).astype(w.dtype)
            step = optimizer.learning_rate * gradient / (np.sqrt(v) + epsilon)
            w = (w - step).astype(w.dtype)
            results.append(w)
        return results

    return steps

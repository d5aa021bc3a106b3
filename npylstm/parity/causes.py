"""Guesses at a cause, each of them tried: one thing is changed on our side, to see if it helps.

A guess is a name, what to say of it, and our side with that one thing changed.  Those are causes
with which the difference is no more than rounding.
"""

import itertools
from typing import NamedTuple

import numpy as np

from ..reference import activations
from .recurrence import trace

GATE_ORDER = ("i", "f", "c", "o")
_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
_SUBSETS = [subset for n in (3, 2, 1) for subset in itertools.combinations(_WEIGHTS, n)]
_ELEMENTWISE = [a for a in activations.STANDARD if a is not activations.softmax]


class Cause(NamedTuple):
    """A change of our side with which the difference vanishes.

    Attributes
    ----------
    name : str
        Such as "gate_order" or "activation".
    text : str
    """

    name: str
    text: str


# ----------------------------------------------------------------------------------------- an LSTM
def lstm_guesses(ours, theirs):
    """Yield lists of guesses about an LSTM layer, the more usual ones first.

    Parameters
    ----------
    ours : Recurrence
    theirs : dict of str to ndarray
        The weights of their layer, by name.

    Yields
    ------
    list of (Cause, Recurrence)
    """
    for subset in _SUBSETS:
        yield _gate_orders(ours, subset)
    yield _biases(ours, theirs)
    known = theirs.get("bias", np.zeros_like(ours.bias))
    if known.shape == ours.bias.shape:
        yield [(_name_bias(ours.bias, known), ours._replace(bias=known))]
    yield _lstm_activations(ours)
    yield _transposed(ours)
    yield [
        (
            Cause("go_backwards", "time runs the other way: the difference vanishes when ours reads"
                  f" each sequence from its {'start' if ours.reverse else 'end'}"),
            ours._replace(reverse=not ours.reverse),
        )
    ]  # fmt: skip
    yield _weights_of_theirs(ours, theirs)


def _gate_orders(ours, subset):
    guesses = []
    for order in itertools.permutations(range(4)):
        if order == (0, 1, 2, 3):
            continue
        letters = ", ".join(GATE_ORDER[gate] for gate in order)
        changes = {name: _put_in_order(getattr(ours, name), order) for name in subset}
        text = (
            f"gate order: the blocks of our {_and(subset)} lie in the order {letters}; the "
            "difference vanishes when they are put in the order i, f, c, o"
        )
        guesses.append((Cause("gate_order", text), ours._replace(**changes)))
    return guesses


def _put_in_order(weight, order):
    """Return a weight whose blocks lie in an order, with them in the order i, f, c, o."""
    blocks = np.split(weight, 4, axis=-1)
    return np.concatenate([blocks[order.index(gate)] for gate in range(4)], axis=-1)


def _biases(ours, theirs):
    U = len(ours.recurrent_kernel)
    others = {
        name: weight for name, weight in theirs.items()
        if name not in _WEIGHTS and weight.shape == ours.bias.shape
    }  # fmt: skip
    guesses = [
        (Cause("second_bias", f"second bias: their layer adds a second one, {name}; the difference "
               "vanishes when it is added to ours"), ours.bias + weight)
        for name, weight in others.items()
    ]  # fmt: skip
    for sign, side in ((1, "their"), (-1, "our")):
        bias = ours.bias.copy()
        bias[U : 2 * U] += sign
        text = (
            f"forget-gate bias: on {side} side the bias of the forget gate has 1 added once more; "
            "the difference vanishes without that"
        )
        guesses.append((Cause("forget_bias", text), bias))
    guesses += [
        (Cause("second_bias", "second bias: ours is added twice; the difference vanishes with half "
               "of it"), ours.bias / 2),
        (Cause("second_bias", "second bias: theirs is added twice; the difference vanishes with "
               "twice ours"), ours.bias * 2),
        (Cause("missing_bias", "bias missing on their side: the difference vanishes without ours"),
         np.zeros_like(ours.bias)),
    ]  # fmt: skip
    return [(cause, ours._replace(bias=bias)) for cause, bias in guesses]


def _name_bias(ours, theirs):
    if not ours.any():
        return Cause("missing_bias", "bias missing on our side: the difference vanishes with their "
                     "bias in ours")  # fmt: skip
    if not theirs.any():
        return Cause("missing_bias", "bias missing on their side: the difference vanishes without "
                     "ours")  # fmt: skip
    apart = float(np.abs(theirs - ours).max())
    return Cause(
        "second_bias",
        f"bias: theirs is ours and a second vector of up to {apart:.3g}, as when only one of two "
        "biases was carried over (PyTorch's b_ih and b_hh must be added up); the difference "
        "vanishes with that vector added",
    )


def _lstm_activations(ours):
    guesses = []
    for argument in ("recurrent_activation", "activation"):
        here = getattr(ours, argument)
        for other in _ELEMENTWISE:
            if other == here:
                continue
            text = (
                f"{argument}: ours is {_formula(here)}; the difference vanishes with "
                f"{_formula(other)}"
            )
            guesses.append((Cause(argument, text), ours._replace(**{argument: other})))
    return guesses


def _formula(activation):
    formulas = {
        "hard_sigmoid": " (clip(z/6 + 0.5))",
        "legacy_hard_sigmoid": " (clip(0.2 z + 0.5), the hard_sigmoid of Keras 1 and 2)",
    }
    return activation.name + formulas.get(activation.name, "")


def _transposed(ours):
    guesses = []
    U, D = len(ours.recurrent_kernel), len(ours.kernel)
    blockwise = {"recurrent_kernel": U, "kernel": D}
    for name, size in blockwise.items():
        weight = getattr(ours, name)
        if size == U:
            blocks = [block.T for block in np.split(weight, 4, axis=-1)]
            text = (
                f"transposed {name}: the difference vanishes when each gate's block of ours is "
                "transposed"
            )
            changed = np.concatenate(blocks, axis=-1)
            guesses.append((Cause(f"transposed_{name}", text), ours._replace(**{name: changed})))
        text = (
            f"transposed {name}: ours was reshaped to {weight.shape} where it should have been "
            "transposed; the difference vanishes when that is undone"
        )
        changed = np.ascontiguousarray(weight.reshape(4 * U, size).T)
        guesses.append((Cause(f"transposed_{name}", text), ours._replace(**{name: changed})))
    return guesses


def _weights_of_theirs(ours, theirs):
    given = {n: theirs[n] for n in _WEIGHTS if n in theirs}
    given = {n: w for n, w in given.items() if w.shape == getattr(ours, n).shape}
    guesses = []
    for n in range(1, len(given) + 1):
        for names in itertools.combinations(given, n):
            text = f"the difference vanishes with their {_and(names)} in the place of ours"
            changed = ours._replace(**{name: given[name] for name in names})
            guesses.append((Cause("weights", text), changed))
    return guesses


def lstm_causes(ours, theirs_weights, x, theirs, step, is_rounding, mask=None, mask_of_theirs=None):
    """Try all guesses about an LSTM layer.

    Parameters
    ----------
    ours : Recurrence
    theirs_weights : dict of str to ndarray
    x : ndarray (B, T, D)
    theirs : Trace
    step : int
        At which both part.
    mask, mask_of_theirs : ndarray (B, T) of bool, or None
        Which timesteps count, on either side.
    is_rounding : callable
        ``is_rounding(recurrence, trace) -> bool``: whether that is theirs but for rounding.

    Returns
    -------
    causes : list of Cause
    tried : int
    """
    tried = 0
    if (mask is None) != (mask_of_theirs is None):
        tried, side = 1, "our" if mask is None else "their"
        if is_rounding(ours, trace(ours, x, mask_of_theirs)):
            text = (
                f"mask ignored on {side} side: the difference vanishes when ours "
                f"{'passes over' if mask is None else 'reads'} the timesteps that are masked"
            )
            return [Cause("mask", text)], tried
    for guesses in lstm_guesses(ours, theirs_weights):
        tried += len(guesses)
        causes = [
            cause
            for cause, recurrence in guesses
            if _is_near(changed := trace(recurrence, x, mask), theirs, step)
            and is_rounding(recurrence, changed)
        ]
        if causes:
            return causes, tried
    return [], tried


def _is_near(ours, theirs, step):
    """Return quickly whether two traces may be the same at all, a few steps on."""
    n = step + 4
    return np.allclose(ours.h[:n], theirs.h[:n], rtol=1e-2, atol=1e-3)


# ----------------------------------------------------------------------------------- a Dense layer
def dense_guesses(kernel, bias, activation, theirs):
    """Yield lists of guesses about a Dense layer, each (Cause, (kernel, bias, activation))."""
    yield [
        (Cause("activation", f"activation: ours is {_formula(activation)}; the difference vanishes "
               f"with {_formula(other)}"), (kernel, bias, other))
        for other in activations.STANDARD if other != activation
    ]  # fmt: skip
    known = theirs.get("bias", np.zeros_like(bias))
    yield [(_name_bias(bias, known), (kernel, known, activation))]
    D, U = kernel.shape
    reshaped = [kernel.reshape(U, D).T] + [kernel.T] * (D == U)
    yield [
        (Cause("transposed_kernel", "transposed kernel: the difference vanishes when ours is "
               "transposed"), (changed, bias, activation))
        for changed in reshaped
    ]  # fmt: skip
    given = theirs.get("kernel")
    if given is not None and given.shape == kernel.shape:
        yield [
            (Cause("weights", f"the difference vanishes with their {_and(names)} in the place of "
                   "ours"), (given, b, activation))
            for names, b in ((("kernel",), bias), (("kernel", "bias"), known))
        ]  # fmt: skip


def dense_causes(part, theirs_weights, x, is_rounding):
    """Try all guesses about a Dense layer; return the causes and how many were tried."""
    weights = part.weights()
    kernel = weights["kernel"]
    bias = weights.get("bias", np.zeros(kernel.shape[-1], kernel.dtype))
    tried = 0
    for guesses in dense_guesses(kernel, bias, part.activation, theirs_weights):
        tried += len(guesses)
        causes = [
            cause
            for cause, (kernel, bias, activation) in guesses
            if is_rounding(activation(x @ kernel + bias))
        ]
        if causes:
            return causes, tried
    return [], tried


def _and(names):
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last

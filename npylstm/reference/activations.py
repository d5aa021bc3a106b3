"""Activations: `y = f(z)`, and below each its gradient `dz` from `dy`.

Shapes: `z`, `y`, `dy`, `dz` are all alike, (..., n).  Only softmax mixes its last axis; all others
work element by element, in any dtype, and on anything that supports arithmetic and NumPy ufuncs.
A backward takes `(dy, z, y)`: what flows in, and what forward saw and gave.

The exponential of a large number overflows to inf on the way to a right answer: 1 / inf is the 0
that a sigmoid of -1e4 is.  So the functions below are to be called where NumPy does not warn of it;
calling the Activation itself, such as ``sigmoid(z)``, sees to that.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Activation(NamedTuple):
    """A function and its gradient, under a name.

    Attributes
    ----------
    name : str
        The name by which layers ask for it.
    forward : callable
        ``forward(z) -> y``.
    backward : callable or None
        ``backward(dy, z, y) -> dz``.  None for a function that can predict but not be trained.
    """

    name: str
    forward: Callable[[Any], Any]
    backward: Callable[[Any, Any, Any], Any] | None = None

    def __call__(self, z):
        """Return ``forward(z)`` for an array or numbers, without warnings."""
        with np.errstate(over="ignore"):
            return self.forward(np.asarray(z))


def _linear(z):
    return z


def _linear_backward(dy, z, y):
    return dy


def _sigmoid(z):
    return np.reciprocal(1 + np.exp(-z))


def _sigmoid_backward(dy, z, y):
    return dy * y * (1 - y)


def _hard_sigmoid(z):
    return np.minimum(np.maximum(z / 6 + 0.5, 0), 1)


def _hard_sigmoid_backward(dy, z, y):
    return dy * ((z > -3) & (z < 3)) / 6


def _tanh(z):
    return np.tanh(z)


def _tanh_backward(dy, z, y):
    return dy * (1 - y * y)


def _relu(z):
    return np.maximum(z, 0)


def _relu_backward(dy, z, y):
    return dy * (z > 0)


def _elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_backward(dy, z, y):
    return dy * np.where(z > 0, 1, y + 1)


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, eq. 14


def _selu(z):
    return _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def _selu_backward(dy, z, y):
    return dy * np.where(z > 0, _SELU_SCALE, y + _SELU_SCALE * _SELU_ALPHA)


def _softplus(z):
    return np.logaddexp(z, 0)


def _softplus_backward(dy, z, y):
    return dy * np.exp(z - y)  # = sigmoid(z), and z - y is never positive


def _softsign(z):
    return z / (1 + np.abs(z))


def _softsign_backward(dy, z, y):
    return dy / (1 + np.abs(z)) / (1 + np.abs(z))


def _exponential(z):
    return np.exp(z)


def _exponential_backward(dy, z, y):
    return dy * y


def _silu(z):
    return z * _sigmoid(z)


def _silu_backward(dy, z, y):
    s = np.exp(-np.logaddexp(-z, 0))  # = sigmoid(z), without overflow
    return dy * (s + z * s * (1 - s))


def _softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))  # the same quotient, and no inf / inf
    return e / np.sum(e, axis=-1, keepdims=True)


def _softmax_backward(dy, z, y):
    return y * (dy - np.sum(dy * y, axis=-1, keepdims=True))


linear = Activation("linear", _linear, _linear_backward)
sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_backward)
hard_sigmoid = Activation("hard_sigmoid", _hard_sigmoid, _hard_sigmoid_backward)
tanh = Activation("tanh", _tanh, _tanh_backward)
relu = Activation("relu", _relu, _relu_backward)
elu = Activation("elu", _elu, _elu_backward)
selu = Activation("selu", _selu, _selu_backward)
softplus = Activation("softplus", _softplus, _softplus_backward)
softsign = Activation("softsign", _softsign, _softsign_backward)
exponential = Activation("exponential", _exponential, _exponential_backward)
silu = Activation("silu", _silu, _silu_backward)
softmax = Activation("softmax", _softmax, _softmax_backward)

STANDARD = (
    linear,
    sigmoid,
    tanh,
    hard_sigmoid,
    relu,
    elu,
    selu,
    softplus,
    softsign,
    exponential,
    silu,
    softmax,
)

BY_NAME = {activation.name: activation for activation in STANDARD}

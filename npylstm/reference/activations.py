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


# (1 + 2a) e^(a^2) erfc(a) as a polynomial in t = (a - 3.75) / (a + 3.75) for all a >= 0, lowest
# power first: the form of Shepherd & Laframboise 1981, fitted anew.  Relative error 2.1e-18.
_ERFCX = (
    1.2375126308378275,
    -0.14024059858554702,
    0.0035854154854644583,
    0.08227673849015109,
    -0.10880393014175023,
    0.09230432116019638,
    -0.05869339858961116,
    0.02836227742154398,
    -0.009746579558275152,
    0.0017556258321915355,
    0.0002937136669846131,
    -0.0002901539781378384,
    5.1649093885821704e-05,
    2.238390827660038e-05,
    -1.1444134389658475e-05,
    -9.728413451815077e-07,
    1.7516189406943677e-06,
    -5.827501862768691e-08,
    -2.586489910718322e-07,
    2.4301839484503084e-08,
    3.866242066283792e-08,
    -4.396921916762906e-09,
    -5.169080644815932e-09,
    5.485084520083625e-10,
    4.2433038251096756e-10,
    -3.7980647235900285e-11,
)


# TensorFlow has these constants in float32, for float64 numbers too.
_ROOT_OF_HALF = 0.7071067690849304
_LEAK = 0.20000000298023224


def _normal_distribution(z):
    """Return how much of the normal distribution lies below z, with all digits in the tails."""
    a = np.minimum(np.absolute(z) * _ROOT_OF_HALF, 30)
    t = (a - 3.75) / (a + 3.75)
    *rest, erfcx = _ERFCX
    for coefficient in reversed(rest):
        erfcx = erfcx * t + coefficient
    tail = 0.5 * np.exp(-(a * a)) * erfcx / (1 + 2 * a)
    return np.where(z > 0, 1 - tail, tail)


def _gelu(z):
    return z * _normal_distribution(z)  # Hendrycks & Gimpel 2016, the exact form


def _gelu_backward(dy, z, y):
    a = z * _ROOT_OF_HALF
    density = 0.5641895835477563 * _ROOT_OF_HALF * np.exp(-(a * a))  # 1 / sqrt(pi) comes first
    return dy * (_normal_distribution(z) + z * density)


def _leaky_relu(z):
    return np.where(z > 0, z, _LEAK * z)


def _leaky_relu_backward(dy, z, y):
    return np.where(z > 0, dy, _LEAK * dy)


def _legacy_hard_sigmoid(z):
    return np.minimum(np.maximum(0.2 * z + 0.5, 0), 1)  # as in Keras 1 and 2


def _legacy_hard_sigmoid_backward(dy, z, y):
    return dy * (np.absolute(z) <= 2.5) * 0.2


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
gelu = Activation("gelu", _gelu, _gelu_backward)
leaky_relu = Activation("leaky_relu", _leaky_relu, _leaky_relu_backward)
legacy_hard_sigmoid = Activation(
    "legacy_hard_sigmoid", _legacy_hard_sigmoid, _legacy_hard_sigmoid_backward
)
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
    gelu,
    leaky_relu,
    legacy_hard_sigmoid,
)

BY_NAME = {activation.name: activation for activation in STANDARD}

"""Layer normalization (Ba, Kiros & Hinton 2016, eq. 4), forward and backward.

Shapes: x, y, dx, dy (..., F); gamma, beta (F,); mean and inverse (..., 1), a pair for each vector.
The order of the operations is that of Keras 3.15, `keras/src/ops/nn.py`.
"""

from typing import NamedTuple

import numpy as np


class LayerNormalizationCache(NamedTuple):
    """What layer normalization keeps for its backward."""

    x: np.ndarray
    gamma: np.ndarray | None
    beta: np.ndarray | None
    mean: np.ndarray
    inverse: np.ndarray


class LayerNormalizationGradients(NamedTuple):
    """The gradient of the loss with respect to every input of layer normalization."""

    dx: np.ndarray
    dgamma: np.ndarray | None
    dbeta: np.ndarray | None


# ------------------------------------------------------------------------ element by element, and
def squared_deviation(x, mean):
    """Return what the variance is the mean of."""
    return (x - mean) * (x - mean)


def inverse_deviation(variance, epsilon):
    """Return 1 over the standard deviation, kept finite by epsilon."""
    return 1 / np.sqrt(variance + epsilon)


def normalized(x, mean, inverse):
    """Return x with mean 0 and variance 1."""
    return (x - mean) * inverse


def scaled_and_shifted(x, gamma, beta, mean, inverse):
    """Return ``normalized * gamma + beta``; the mean is taken off at the end."""
    steepness = inverse * gamma
    return x * steepness + (beta - mean * steepness)


def slope(dnormalized, x, mean, inverse, mean_slope, mean_product):
    """Return dx: what changes mean and variance is taken off, for these are given."""
    return inverse * (dnormalized - mean_slope - normalized(x, mean, inverse) * mean_product)


# ------------------------------------------------------------------------------- vector by vector
def layer_normalization_forward(x, gamma=None, beta=None, epsilon=1e-3):
    """Normalize each vector of x (..., F).

    Parameters
    ----------
    x : ndarray (..., F)
    gamma, beta : ndarray (F,) or None
        None means ones, zeros.
    epsilon : float

    Returns
    -------
    y : ndarray (..., F)
    cache : LayerNormalizationCache
    """
    mean = x.mean(axis=-1, keepdims=True)
    variance = squared_deviation(x, mean).mean(axis=-1, keepdims=True)
    inverse = inverse_deviation(variance, x.dtype.type(epsilon))
    y = scaled_and_shifted(x, _or(gamma, 1, x), _or(beta, 0, x), mean, inverse)
    return y, LayerNormalizationCache(x, gamma, beta, mean, inverse)


def layer_normalization_backward(dy, cache):
    """Return LayerNormalizationGradients: dx (..., F), dgamma and dbeta (F,), for dy (..., F)."""
    x, gamma, beta, mean, inverse = cache
    dnormalized = dy * _or(gamma, 1, x)
    mean_slope = dnormalized.mean(axis=-1, keepdims=True)
    product = dnormalized * normalized(x, mean, inverse)
    mean_product = product.mean(axis=-1, keepdims=True)
    dx = slope(dnormalized, x, mean, inverse, mean_slope, mean_product)
    dy_rows, x_rows = (a.reshape(-1, x.shape[-1]) for a in (dy, normalized(x, mean, inverse)))
    dgamma = None if gamma is None else (dy_rows * x_rows).sum(axis=0)
    dbeta = None if beta is None else dy_rows.sum(axis=0)
    return LayerNormalizationGradients(dx, dgamma, dbeta)


def _or(weight, number, x):
    return x.dtype.type(number) if weight is None else weight

"""Dense, and the head of a classifier: Dense, softmax and cross-entropy in one.

Shapes: x (N, D), kernel (D, K), bias (K,), y (N, K); a sequence (T, B, D) counts as N = T * B rows.
"""

from typing import NamedTuple

import numpy as np

from .activations import softmax
from .losses import (
    softmax_crossentropy_backward,
    softmax_crossentropy_forward,
    weighted_mean_backward,
    weighted_mean_forward,
)


class DenseCache(NamedTuple):
    """What Dense keeps for its backward."""

    x: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray | None


class DenseGradients(NamedTuple):
    """The gradient of the loss with respect to every input of Dense."""

    dx: np.ndarray
    dkernel: np.ndarray
    dbias: np.ndarray | None


def dense_forward(x, kernel, bias=None):
    """Return ``y = x @ kernel + bias`` (..., K) and the cache, for x (..., D)."""
    y = x @ kernel
    if bias is not None:
        y = y + bias
    return y, DenseCache(x, kernel, bias)


def dense_backward(dy, cache):
    """Return DenseGradients: dx (..., D), dkernel (D, K), dbias (K,), for dy (..., K)."""
    dx = dy @ cache.kernel.T
    x_rows = cache.x.reshape(-1, cache.kernel.shape[0])
    dy_rows = dy.reshape(-1, cache.kernel.shape[1])
    dkernel = x_rows.T @ dy_rows
    dbias = None if cache.bias is None else dy_rows.sum(axis=0)
    return DenseGradients(dx, dkernel, dbias)


def dense_softmax_forward(x, kernel, bias=None):
    """Return class probabilities ``softmax(x @ kernel + bias)`` (..., K), and the cache."""
    logits, dense_cache = dense_forward(x, kernel, bias)
    probabilities = softmax(logits)
    return probabilities, (logits, probabilities, dense_cache)


def dense_softmax_backward(dprobabilities, cache):
    """Return DenseGradients from the gradient of the probabilities (..., K)."""
    logits, probabilities, dense_cache = cache
    dlogits = softmax.backward(dprobabilities, logits, probabilities)
    return dense_backward(dlogits, dense_cache)


def dense_softmax_crossentropy_forward(x, kernel, bias, y_true, sample_weight=None):
    """Return the mean cross-entropy of ``softmax(x @ kernel + bias)`` against y_true (..., K).

    The fused head: the loss comes from the logits (log-sum-exp), so no probability is ever rounded
    to 0 and its logarithm taken.

    Returns
    -------
    loss : float scalar
    cache : tuple
    """
    logits, dense_cache = dense_forward(x, kernel, bias)
    values, crossentropy_cache = softmax_crossentropy_forward(y_true, logits)
    loss, mean_cache = weighted_mean_forward(values, sample_weight)
    return loss, (dense_cache, crossentropy_cache, mean_cache)


def dense_softmax_crossentropy_backward(cache):
    """Return DenseGradients of the loss; the logits' share is simply ``(p - y) * weight / N``."""
    dense_cache, crossentropy_cache, mean_cache = cache
    dvalues = weighted_mean_backward(mean_cache)
    dlogits = softmax_crossentropy_backward(dvalues, crossentropy_cache)
    return dense_backward(dlogits, dense_cache)

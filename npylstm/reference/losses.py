"""Losses: a value for every sample (and timestep), and the mean of them; backward below forward.

Shapes: y_true and y_pred (..., K); a loss gives values (...,), one for each row, and its backward
turns dvalues (...,) into the gradient of y_pred or of the logits (..., K).  Labels of the sparse
losses are integers (...,).

Formulas and clipping are those of Keras 3 (`losses/losses.py`, `backend/tensorflow/nn.py`).
"""

import numpy as np

from .activations import sigmoid

EPSILON = 1e-7  # Keras's backend.epsilon(): probabilities are kept this far from 0 and 1


# ------------------------------------------------------------------------------------- reduction
def weighted_mean_forward(values, sample_weight=None):
    """Average over samples (and timesteps), each value times its weight.

    Keras divides by the number of values, not by the sum of the weights.

    Parameters
    ----------
    values : ndarray (B,) or (T, B)
    sample_weight : ndarray, broadcastable to `values`, or None

    Returns
    -------
    mean : scalar
    cache : ndarray
        The gradient of the mean with respect to each value.
    """
    n = values.size
    if sample_weight is None:
        return values.sum() / n, np.full_like(values, 1 / n)
    weight = np.broadcast_to(sample_weight, values.shape).astype(values.dtype)
    return (values * weight).sum() / n, weight / n


def weighted_mean_backward(cache):
    """Return the gradient of the mean with respect to each value: weight / N."""
    return cache


# --------------------------------------------------------------------- mean squared, mean absolute
def mean_squared_error_forward(y_true, y_pred):
    """Return ``mean((y_pred - y_true)**2)`` over the last axis."""
    error = y_pred - y_true
    return (error * error).mean(axis=-1), error


def mean_squared_error_backward(dvalues, error):
    """Return dy_pred."""
    return dvalues[..., None] * (2 / error.shape[-1]) * error


def mean_absolute_error_forward(y_true, y_pred):
    """Return ``mean(abs(y_pred - y_true))`` over the last axis."""
    error = y_pred - y_true
    return np.abs(error).mean(axis=-1), error


def mean_absolute_error_backward(dvalues, error):
    """Return dy_pred; at an error of exactly 0 the gradient is taken as 0."""
    return dvalues[..., None] * (1 / error.shape[-1]) * np.sign(error)


# ------------------------------------------------------------------- cross-entropy, from the logits
def softmax_crossentropy_forward(y_true, logits):
    """Return ``-sum(y_true * log(softmax(logits)))`` over the last axis, by log-sum-exp."""
    log_p = _log_softmax(logits)
    return -(y_true * log_p).sum(axis=-1), (y_true, log_p)


def softmax_crossentropy_backward(dvalues, cache):
    """Return dlogits ``= p - y_true``.

    Exact for targets that sum to 1 over the last axis; TensorFlow takes it for all, and so do we.
    """
    y_true, log_p = cache
    return dvalues[..., None] * (np.exp(log_p) - y_true)


def sparse_softmax_crossentropy_forward(labels, logits):
    """Return ``-log(softmax(logits))[label]``, for integer labels (...,)."""
    log_p = _log_softmax(logits)
    picked = np.take_along_axis(log_p, labels[..., None], axis=-1)[..., 0]
    return -picked, (labels, log_p)


def sparse_softmax_crossentropy_backward(dvalues, cache):
    """Return dlogits: p, less 1 at the label."""
    labels, log_p = cache
    dlogits = np.exp(log_p)
    _add_at_label(dlogits, labels, -1)
    return dvalues[..., None] * dlogits


def sigmoid_crossentropy_forward(y_true, logits):
    """Return the mean over the last axis of the binary cross-entropy of ``sigmoid(logits)``."""
    # = -y log p - (1 - y) log(1 - p), in the form that neither overflows nor cancels
    values = np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-np.abs(logits)))
    return values.mean(axis=-1), (y_true, logits)


def sigmoid_crossentropy_backward(dvalues, cache):
    """Return dlogits ``= (p - y_true) / K``."""
    y_true, logits = cache
    return dvalues[..., None] * (1 / logits.shape[-1]) * (sigmoid(logits) - y_true)


def _log_softmax(logits):
    with np.errstate(over="ignore"):
        shifted = logits - logits.max(axis=-1, keepdims=True)
    # -inf times a target of 0 would be NaN: the lowest finite number serves as well.
    shifted = np.maximum(shifted, np.finfo(shifted.dtype).min / 2)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _add_at_label(array, labels, value):
    at_label = np.take_along_axis(array, labels[..., None], axis=-1) + value
    np.put_along_axis(array, labels[..., None], at_label, axis=-1)


# ------------------------------------------------------------ cross-entropy, from the probabilities
def categorical_crossentropy_forward(y_true, y_pred):
    """Return ``-sum(y_true * log(p))`` with p = y_pred scaled to sum to 1, then clipped."""
    total = y_pred.sum(axis=-1, keepdims=True)
    scaled = y_pred / total
    p = np.clip(scaled, EPSILON, 1 - EPSILON)
    return -(y_true * np.log(p)).sum(axis=-1), (y_true, total, scaled, p)


def categorical_crossentropy_backward(dvalues, cache):
    """Return dy_pred: back through the logarithm, the clipping and the scaling."""
    y_true, total, scaled, p = cache
    dscaled = np.where(_clipped(scaled), 0, -dvalues[..., None] * y_true / p)
    return (dscaled - (dscaled * scaled).sum(axis=-1, keepdims=True)) / total


def sparse_categorical_crossentropy_forward(labels, y_pred):
    """Return the cross-entropy of the clipped probabilities, which are then used as log-odds.

    Keras takes ``log(clip(y_pred))`` for logits here, so they are scaled to sum to 1 after the
    clipping and not before it.
    """
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    values, cache = sparse_softmax_crossentropy_forward(labels, np.log(p))
    return values, (cache, y_pred, p)


def sparse_categorical_crossentropy_backward(dvalues, cache):
    """Return dy_pred."""
    logits_cache, y_pred, p = cache
    dlogits = sparse_softmax_crossentropy_backward(dvalues, logits_cache)
    return np.where(_clipped(y_pred), 0, dlogits / p)


def binary_crossentropy_forward(y_true, y_pred):
    """Return the mean over the last axis of ``-y log p - (1 - y) log(1 - p)``, p clipped."""
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    values = -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))
    return values.mean(axis=-1), (y_true, y_pred, p)


def binary_crossentropy_backward(dvalues, cache):
    """Return dy_pred."""
    y_true, y_pred, p = cache
    dp = (1 - y_true) / (1 - p) - y_true / p
    return dvalues[..., None] * (1 / p.shape[-1]) * np.where(_clipped(y_pred), 0, dp)


def _clipped(p):
    # Written so that a NaN counts as not clipped and is passed on.
    return (p < EPSILON) | (p > 1 - EPSILON)


BY_NAME = {
    "mean_squared_error": (mean_squared_error_forward, mean_squared_error_backward),
    "mean_absolute_error": (mean_absolute_error_forward, mean_absolute_error_backward),
    "categorical_crossentropy": (
        categorical_crossentropy_forward,
        categorical_crossentropy_backward,
    ),
    "softmax_crossentropy": (softmax_crossentropy_forward, softmax_crossentropy_backward),
    "sparse_categorical_crossentropy": (
        sparse_categorical_crossentropy_forward,
        sparse_categorical_crossentropy_backward,
    ),
    "sparse_softmax_crossentropy": (
        sparse_softmax_crossentropy_forward,
        sparse_softmax_crossentropy_backward,
    ),
    "binary_crossentropy": (binary_crossentropy_forward, binary_crossentropy_backward),
    "sigmoid_crossentropy": (sigmoid_crossentropy_forward, sigmoid_crossentropy_backward),
}

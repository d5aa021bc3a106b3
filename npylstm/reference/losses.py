"""Losses: a value for every sample (and timestep), and the mean of them; backward below forward.

Shapes: y_true and y_pred (..., K); a loss gives values (...,), one for each row, and its backward
turns dvalues (...,) into the gradient of y_pred or of the logits (..., K).  Labels of the sparse
losses are integers (...,).

Formulas and clipping are those of Keras 3 (`losses/losses.py`, `backend/tensorflow/nn.py`).
"""

import numpy as np

from .activations import sigmoid, softmax

EPSILON = 1e-7  # Keras's backend.epsilon(): probabilities are kept this far from 0 and 1


def smooth(y_true, keeps, adds):
    """Return targets moved towards all classes being alike; as they are for 1 and 0."""
    return y_true if (keeps, adds) == (1.0, 0.0) else y_true * keeps + adds


# ------------------------------------------------------------------------------------- reduction
def masked_weights(mask, sample_weight=None, reduction="mean"):
    """Return weights such that masked timesteps do not count, in a mean not even as samples.

    Parameters
    ----------
    mask : ndarray (T, B)
        1 for timesteps that count, 0 for others.
    sample_weight : ndarray, broadcastable to `mask`, or None
    reduction : {"mean", "sum", "mean_by_weight"}

    Returns
    -------
    ndarray (T, B)
        As in Keras (`losses/loss.py`): each timestep that counts weighs as much more as there are
        fewer of them.
    """
    valid = mask.sum()
    weight = mask if reduction != "mean" or not valid else mask * (mask.size / valid)
    return weight if sample_weight is None else weight * sample_weight


def weighted_mean_forward(values, sample_weight=None, reduction="mean"):
    """Average over samples (and timesteps), or sum up, each value times its weight.

    Parameters
    ----------
    values : ndarray (B,) or (T, B)
    sample_weight : ndarray, broadcastable to `values`, or None
    reduction : {"mean", "sum", "mean_by_weight"}
        What the weighted sum is divided by: the number of values, as Keras does unless told
        otherwise; nothing; the sum of the weights, each counted once though it may hold for many
        timesteps.

    Returns
    -------
    mean : scalar
    cache : ndarray
        The gradient of the mean with respect to each value.
    """
    n = 1 if reduction == "sum" else values.size
    weight = np.ones_like(values)
    if sample_weight is not None:
        weight = np.broadcast_to(sample_weight, values.shape).astype(values.dtype)
        if reduction == "mean_by_weight":
            n = sample_weight.sum(dtype=values.dtype)
    shares = weight / n if n else np.zeros_like(weight)  # with no weight at all, no loss
    return ((values * weight).sum() / n if n else values.dtype.type(0)), shares


def weighted_mean_backward(cache):
    """Return the gradient of the mean with respect to each value: weight / N."""
    return cache


# ----------------------------------------------------------- losses that are a mean or sum of terms
# A function of y_true and y_pred (or logits) gives the term of each element and its slope, by plain
# arithmetic; `_of_terms` makes forward and backward of it.
def squared_error(y_true, y_pred):
    """Return ``(y_pred - y_true)**2``."""
    error = y_pred - y_true
    return error * error, 2 * error


def absolute_error(y_true, y_pred):
    """Return ``abs(y_pred - y_true)``; at an error of exactly 0 the slope is taken as 0."""
    error = y_pred - y_true
    return np.absolute(error), np.sign(error)


def absolute_percentage_error(y_true, y_pred):
    """Return the error in percent of the target, or of 1e-7 if that is smaller."""
    error = y_pred - y_true
    percent = 100 / np.maximum(np.absolute(y_true), EPSILON)
    return np.absolute(error) * percent, np.sign(error) * percent


def squared_logarithmic_error(y_true, y_pred):
    """Return ``(log(1 + y_pred) - log(1 + y_true))**2``, both kept from falling below 1e-7."""
    p, y = np.maximum(y_pred, EPSILON), np.maximum(y_true, EPSILON)
    error = np.log(p + 1) - np.log(y + 1)
    return error * error, np.where(y_pred >= EPSILON, 2 * error / (p + 1), 0)


def huber_term(y_true, y_pred, delta):
    """Return a parabola up to an error of `delta`, a straight line beyond (Huber 1964)."""
    error = y_pred - y_true
    size = np.absolute(error)
    inside = size <= delta
    term = np.where(inside, 0.5 * (error * error), delta * size - 0.5 * delta * delta)
    return term, np.where(inside, error, delta * np.sign(error))


_LOG_2 = 0.6931471824645996  # ln(2) in float32, which Keras takes in float64, too


def log_cosh_term(y_true, y_pred):
    """Return ``log(cosh(y_pred - y_true))``."""
    error = y_pred - y_true
    return error + np.logaddexp(-2 * error, 0) - _LOG_2, np.tanh(error)


def poisson_term(y_true, y_pred):
    """Return ``y_pred - y_true * log(y_pred)``: the likelihood of counts, but for a constant."""
    p = y_pred + EPSILON
    return y_pred - y_true * np.log(p), 1 - y_true / p


def divergence_term(y_true, y_pred):
    """Return ``y_true * log(y_true / y_pred)``, both kept between 1e-7 and 1."""
    y, p = (np.minimum(np.maximum(values, EPSILON), 1) for values in (y_true, y_pred))
    beyond = (y_pred < EPSILON) | (y_pred > 1)
    return y * np.log(y / p), np.where(beyond, 0, -y / p)


def binary_crossentropy_term(y_true, y_pred):
    """Return ``-y log p - (1 - y) log(1 - p)``, p clipped."""
    p = np.minimum(np.maximum(y_pred, EPSILON), 1 - EPSILON)
    term = -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))
    slope = (1 - y_true) / (1 - p) - y_true / p
    return term, np.where(_clipped(y_pred), 0, slope)


def sigmoid_crossentropy_term(y_true, logits):
    """Return the binary cross-entropy of ``sigmoid(logits)``."""
    # In the form that neither overflows nor cancels.
    e = np.log1p(np.exp(-np.absolute(logits)))
    return np.maximum(logits, 0) - logits * y_true + e, sigmoid.forward(logits) - y_true


def binary_focal_crossentropy_term(y_true, y_pred, gamma, weight_of_1, weight_of_0):
    """Return the binary cross-entropy, less where the prediction is right (Lin et al. 2017)."""
    term, slope = binary_crossentropy_term(y_true, y_pred)
    factor, factor_slope = _focus(y_true, y_pred, gamma, weight_of_1, weight_of_0)
    return factor * term, factor_slope * term + factor * slope


def sigmoid_focal_crossentropy_term(y_true, logits, gamma, weight_of_1, weight_of_0):
    """Return the same of ``sigmoid(logits)``."""
    p = sigmoid.forward(logits)
    term, slope = sigmoid_crossentropy_term(y_true, logits)
    factor, factor_slope = _focus(y_true, p, gamma, weight_of_1, weight_of_0)
    return factor * term, factor_slope * p * (1 - p) * term + factor * slope


def _focus(y_true, p, gamma, weight_of_1, weight_of_0):
    """Return the factor ``weight * (1 - p_t)**gamma`` and its slope along p."""
    missed = 1 - (y_true * p + (1 - y_true) * (1 - p))
    weight = y_true * weight_of_1 + (1 - y_true) * weight_of_0
    slope = weight * gamma * np.power(missed, gamma - 1) * (1 - 2 * y_true)
    return weight * np.power(missed, gamma), slope


def _of_terms(term, mean=True):
    """Return forward and backward of a loss that is the mean, or the sum, of terms."""

    def forward(y_true, y_pred, *numbers):
        terms, slopes = term(y_true, y_pred, *numbers)
        values = terms.sum(axis=-1)
        n = y_pred.shape[-1] if mean else 1
        return values / n, (slopes, n)

    def backward(dvalues, cache):
        slopes, n = cache
        return dvalues[..., None] * (1 / n) * slopes

    forward.__doc__ = (
        f"Return the {'mean' if mean else 'sum'} of `{term.__name__}` over the last axis."
    )
    backward.__doc__ = "Return dy_pred, or dlogits."
    return forward, backward


TERMS = {
    "mean_squared_error": (squared_error, True),
    "mean_absolute_error": (absolute_error, True),
    "mean_absolute_percentage_error": (absolute_percentage_error, True),
    "mean_squared_logarithmic_error": (squared_logarithmic_error, True),
    "huber": (huber_term, True),
    "log_cosh": (log_cosh_term, True),
    "poisson": (poisson_term, True),
    "kl_divergence": (divergence_term, False),
    "binary_crossentropy": (binary_crossentropy_term, True),
    "sigmoid_crossentropy": (sigmoid_crossentropy_term, True),
    "binary_focal_crossentropy": (binary_focal_crossentropy_term, True),
    "sigmoid_focal_crossentropy": (sigmoid_focal_crossentropy_term, True),
}
"""Name of a loss -> its term, and whether it is the mean of them or their sum."""

mean_squared_error_forward, mean_squared_error_backward = _of_terms(squared_error)
mean_absolute_error_forward, mean_absolute_error_backward = _of_terms(absolute_error)


# ------------------------------------------------------------------------------- cosine similarity
def cosine_similarity_forward(y_true, y_pred):
    """Return minus the cosine of the angle between both, along the last axis."""
    y, _ = _normalized(y_true)
    p, scale = _normalized(y_pred)
    return -(y * p).sum(axis=-1), (y, p, scale)


def cosine_similarity_backward(dvalues, cache):
    """Return dy_pred."""
    y, p, scale = cache
    along = np.where(scale < 1 / EPSILON, (y * p).sum(axis=-1, keepdims=True), 0)
    return -dvalues[..., None] * scale * (y - along * p)


def _normalized(x):
    """Return x with a length of 1 along the last axis, and by what it was multiplied for that."""
    scale = np.minimum(1 / np.sqrt((x * x).sum(axis=-1, keepdims=True)), 1 / EPSILON)
    return x * scale, scale


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
    total, scaled, p = _scaled(y_pred)
    return -(y_true * np.log(p)).sum(axis=-1), (y_true, total, scaled, p)


def categorical_crossentropy_backward(dvalues, cache):
    """Return dy_pred: back through the logarithm, the clipping and the scaling."""
    y_true, total, scaled, p = cache
    dscaled = np.where(_clipped(scaled), 0, -dvalues[..., None] * y_true / p)
    return _back_through_scaling(dscaled, scaled, total)


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


def categorical_focal_crossentropy_forward(y_true, y_pred, alpha, gamma):
    """Return the cross-entropy, less where the prediction is right (Lin et al. 2017)."""
    total, scaled, p = _scaled(y_pred)
    values = (alpha * np.power(1 - p, gamma) * -y_true * np.log(p)).sum(axis=-1)
    return values, (y_true, total, scaled, p, alpha, gamma)


def categorical_focal_crossentropy_backward(dvalues, cache):
    """Return dy_pred."""
    y_true, total, scaled, p, alpha, gamma = cache
    falls = gamma * np.power(1 - p, gamma - 1) * np.log(p) - np.power(1 - p, gamma) / p
    dscaled = np.where(_clipped(scaled), 0, dvalues[..., None] * alpha * y_true * falls)
    return _back_through_scaling(dscaled, scaled, total)


def softmax_focal_crossentropy_forward(y_true, logits, alpha, gamma):
    """Return the same of ``softmax(logits)``."""
    p = softmax.forward(logits)
    values, cache = categorical_focal_crossentropy_forward(y_true, p, alpha, gamma)
    return values, (p, cache)


def softmax_focal_crossentropy_backward(dvalues, cache):
    """Return dlogits."""
    p, focal_cache = cache
    return softmax.backward(categorical_focal_crossentropy_backward(dvalues, focal_cache), None, p)


def _scaled(y_pred):
    """Return the sum over the last axis, y_pred over it, and that kept away from 0 and 1."""
    total = y_pred.sum(axis=-1, keepdims=True)
    scaled = y_pred / total
    return total, scaled, np.clip(scaled, EPSILON, 1 - EPSILON)


def _back_through_scaling(dscaled, scaled, total):
    return (dscaled - (dscaled * scaled).sum(axis=-1, keepdims=True)) / total


def _clipped(p):
    # Written so that a NaN counts as not clipped and is passed on.
    return (p < EPSILON) | (p > 1 - EPSILON)


BY_NAME = {name: _of_terms(*term) for name, term in TERMS.items()} | {
    "cosine_similarity": (cosine_similarity_forward, cosine_similarity_backward),
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
    "categorical_focal_crossentropy": (
        categorical_focal_crossentropy_forward,
        categorical_focal_crossentropy_backward,
    ),
    "softmax_focal_crossentropy": (
        softmax_focal_crossentropy_forward,
        softmax_focal_crossentropy_backward,
    ),
}

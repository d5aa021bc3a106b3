"""What both backends do in Python: metrics as NumPy computes them, and losses of the user's.

Arrays are batch-major here, as the user's functions see them.
"""

import numpy as np

from ..plan import MetricOp
from ..reference import losses, metrics

_VALUES = {
    MetricOp.BINARY_ACCURACY: metrics.binary_accuracy,
    MetricOp.CATEGORICAL_ACCURACY: metrics.categorical_accuracy,
    MetricOp.SPARSE_CATEGORICAL_ACCURACY: metrics.sparse_categorical_accuracy,
    MetricOp.MEAN_SQUARED_ERROR: lambda y, p: losses.mean_squared_error_forward(y, p)[0],
    MetricOp.MEAN_ABSOLUTE_ERROR: lambda y, p: losses.mean_absolute_error_forward(y, p)[0],
    MetricOp.ACCURACY: metrics.accuracy,
    MetricOp.TOP_K_CATEGORICAL_ACCURACY: metrics.top_k_categorical_accuracy,
    MetricOp.SPARSE_TOP_K_CATEGORICAL_ACCURACY: metrics.sparse_top_k_categorical_accuracy,
}
_WITH_NUMBER = (
    MetricOp.BINARY_ACCURACY,
    MetricOp.TOP_K_CATEGORICAL_ACCURACY,
    MetricOp.SPARSE_TOP_K_CATEGORICAL_ACCURACY,
)


def add(row, sums, y_true, y_pred, sample_weight, source=None, mask=None):
    """Add what a metric makes of a batch to its sums.

    Parameters
    ----------
    row : plan.MetricRow
    sums : ndarray of float64 (row.sums,)
    y_true, y_pred : ndarray (B, ..., K), or integer labels (B, ...)
    sample_weight : ndarray (B,) or (B, T), or None
    source : ndarray (B, ..., K)
        What went into the last activation, for the value of a loss that takes that.
    mask : ndarray (B, T) or None
        Of the outputs.  Counts do not go by it, as Keras's do not, and what says so.
    """
    weight = sample_weight if row.weighted else None
    if row.op != MetricOp.COUNTS and row.by_mask:
        weight = _masked(mask, weight)
    if row.op == MetricOp.PYTHON:
        row.function(sums, y_true, y_pred.copy(), weight)  # the arena will hold others
    elif row.op == MetricOp.COUNTS:
        sums += metrics.counts(y_true, y_pred, weight, row.counting)
    else:
        sums += metrics.sum_and_count(_values(row, y_true, y_pred, source), weight)


def _masked(mask, weight):
    """Return weights (B,) or (B, T) with zeros where the mask, (B,) or (B, T, …), has them."""
    if mask is None or weight is None:
        return mask if weight is None else weight
    return mask * weight.reshape(weight.shape + (1,) * (mask.ndim - weight.ndim))


def _values(row, y_true, y_pred, source):
    """Return a value for every row of outputs (B, ...)."""
    if row.op == MetricOp.LOSS:
        loss, fused, _, numbers, smoothing, *_ = row.of
        forward, _ = losses.BY_NAME[loss.name.lower()]
        return forward(losses.smooth(y_true, *smoothing), source if fused else y_pred, *numbers)[0]
    if row.labels and row.op == MetricOp.BINARY_ACCURACY:
        y_true = y_true[..., None]
    numbers = (y_pred.dtype.type(row.number),) if row.op in _WITH_NUMBER else ()
    return _VALUES[row.op](y_true, y_pred, *numbers)


def add_python_metrics(objective, totals, y_true, y_pred, sample_weight, mask=None):
    """Call the metrics that are Python functions, each with its sums."""
    for metric, place in zip(objective.metrics, objective.places, strict=True):
        if metric.op == MetricOp.PYTHON:
            add(metric, totals[place], y_true, y_pred, sample_weight, mask=mask)


# ----------------------------------------------------------------------------------- custom losses
def custom_loss_forward(objective, y_true, y_pred, sample_weight, mask=None):
    """Return the loss of a batch by the user's function.

    Returns
    -------
    loss : scalar of y_pred's dtype
    cache : tuple
        For `custom_loss_backward`.

    Raises
    ------
    ValueError
        If what the function returns does not fit.
    """
    custom = objective.custom
    values = custom.values(y_true, y_pred)
    reduction = objective.reduction.name.lower()
    if mask is not None:
        weight = None if sample_weight is None else _masked(np.ones_like(mask), sample_weight)
        sample_weight = losses.masked_weights(mask, weight, reduction)
    weight = aligned_weight(custom.name, values, sample_weight)
    loss, shares = losses.weighted_mean_forward(values, weight, reduction)
    return loss, (y_true, y_pred, shares)


def custom_loss_backward(objective, cache):
    """Return the gradient of the outputs, by the user's derivative."""
    y_true, y_pred, shares = cache
    slopes = objective.custom.slopes(y_true, y_pred)
    return slopes * shares.reshape(shares.shape + (1,) * (slopes.ndim - shares.ndim))


def aligned_weight(name, values, sample_weight):
    """Return weights (B,) or (B, T) in a shape that broadcasts with values (B, ...).

    Raises
    ------
    ValueError
        If there are fewer values than weights.
    """
    if sample_weight is None:
        return None
    if values.ndim < sample_weight.ndim:
        what = f"values of shape {values.shape}" if values.ndim else "one number for the batch"
        raise ValueError(
            f"{name} gives {what}, which weights of shape {sample_weight.shape} do not go with; "
            "let it return a value for each sample (and timestep)"
        )
    return sample_weight.reshape(sample_weight.shape + (1,) * (values.ndim - sample_weight.ndim))

"""Accuracies: 1 where a prediction is right and 0 where it is not; and counts of these, and areas.

Shapes: y_true, y_pred (..., K), integer labels (...,); an accuracy gives values (...,) in [0, 1],
one for each row.  Other metrics are losses, averaged: see `losses`.

Formulas: Keras 3, `metrics/accuracy_metrics.py`, `metrics/metrics_utils.py` and
`metrics/confusion_metrics.py`.
"""

import numpy as np

from .activations import sigmoid


# -------------------------------------------------------------------------------- a value for a row
def accuracy(y_true, y_pred):
    """Return the share of the K outputs that equal their targets."""
    return (y_true == y_pred).mean(axis=-1)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Return the share of the K outputs on the right side of a threshold."""
    return (y_true == (y_pred > threshold)).mean(axis=-1)


def categorical_accuracy(y_true, y_pred):
    """Return whether the largest output is where the largest target is."""
    return y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)


def sparse_categorical_accuracy(labels, y_pred):
    """Return whether the largest output is at the label."""
    return labels == y_pred.argmax(axis=-1)


def top_k_categorical_accuracy(y_true, y_pred, k):
    """Return whether the output where the largest target is, is among the k largest."""
    return sparse_top_k_categorical_accuracy(y_true.argmax(axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(labels, y_pred, k):
    """Return whether the output at the label is among the k largest; equal ones are all in."""
    at_label = np.take_along_axis(y_pred, labels[..., None], axis=-1)
    larger = (y_pred > at_label).sum(axis=-1)
    return (larger < k) & np.isfinite(at_label[..., 0])


# ------------------------------------------------------------------------------ sums over a batch
def sum_and_count(values, sample_weight=None):
    """Return what a mean is made of: the sum over samples, and how many they are.

    Parameters
    ----------
    values : ndarray (B, ...), or one number
        For each sample the mean over all other axes is taken; one number counts as one sample,
        however many it was made of.
    sample_weight : ndarray (B,) or (B, T), or None
        With them it is the sum of weighted values, and the sum of the weights.

    Returns
    -------
    total, count : float64
    """
    values = np.asarray(values, np.float64)
    if values.ndim == 0:
        return values[()], 1.0
    if sample_weight is None:
        return _mean_of_each(values).sum(), float(len(values))
    weight = sample_weight.astype(np.float64)
    values = values.reshape(*weight.shape, -1).mean(axis=-1)
    return _mean_of_each(values * weight).sum(), _mean_of_each(weight).sum()


def _mean_of_each(values):
    return values.reshape(len(values), -1).mean(axis=1)


def counts(y_true, y_pred, sample_weight, counting):
    """Count right and wrong positives.

    Parameters
    ----------
    y_true : ndarray (..., K)
        True where it is not 0.
    y_pred : ndarray (..., K)
    sample_weight : ndarray (B,) or (B, T), or None
    counting : plan.Counting
        Of n thresholds.

    Returns
    -------
    ndarray (2 n + 2,)
        `n` numbers for what is positive and true, `n` for what is positive and false: at named
        thresholds all that is above, at even ones what is above this and not above the next.  Then
        all that is true, and all that is false.
    """
    n, thresholds, open_ended, top_k, class_id, from_logits = counting
    y_pred = sigmoid.forward(y_pred) if from_logits else y_pred
    chosen = np.ones(y_pred.shape, bool) if top_k is None else _among_largest(y_pred, top_k)
    if class_id is not None:
        only = np.s_[..., class_id : class_id + 1]
        y_true, y_pred, chosen = y_true[only], y_pred[only], chosen[only]
    weight = np.ones(y_pred.shape)
    if sample_weight is not None:
        axes = (1,) * (y_pred.ndim - sample_weight.ndim)
        weight = weight * sample_weight.reshape(*sample_weight.shape, *axes)
    true = y_true != 0
    sums = np.zeros((2, n))
    for side, here in zip(sums, (true, ~true), strict=True):
        if thresholds:
            above = [(chosen & here & (y_pred > y_pred.dtype.type(t))) for t in thresholds]
            side[:] = [weight[positive].sum() for positive in above]
        else:
            step = _step_of(y_pred, n, open_ended)
            positive = chosen & here & (step >= 0)
            np.add.at(side, step[positive], weight[positive])
    return np.array([*sums.ravel(), weight[true].sum(), weight[~true].sum()])


def _among_largest(y_pred, k):
    """Return whether each output is one of the k largest of its row; the first of equal ones."""
    order = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    chosen = np.zeros(y_pred.shape, bool)
    np.put_along_axis(chosen, order, True, axis=-1)
    return chosen


def _step_of(y_pred, n, open_ended):
    """Return the highest of n even thresholds from 0 to 1 that is below each output; -1 if none."""
    p = np.minimum(np.maximum(y_pred, 0), 1)
    step = np.ceil(p * y_pred.dtype.type(n - 1)) - 1
    step = np.maximum(step, 0) if open_ended else step
    return np.where(np.isnan(step), -1, step).astype(np.int64)


def confusion(sums, counting):
    """Return true and false positives, true and false negatives (n,) of what `counts` added up."""
    n = counting.n
    positives = sums[: 2 * n].reshape(2, n)
    if not counting.thresholds:
        positives = positives[:, ::-1].cumsum(axis=1)[:, ::-1]
    tp, fp = positives
    fn, tn = sums[2 * n] - tp, sums[2 * n + 1] - fp
    return tp, fp, tn, fn


# ----------------------------------------------------------------------------------------- results
def quotient(a, b):
    """Return a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(b)), where=np.asarray(b) != 0)


def area_under_curve(x, y, summation_method):
    """Return the area under a curve with falling x (n,) and y (n,), in n - 1 pieces.

    Each is as high as its middle ("interpolation"), its lower ("minoring") or its higher side
    ("majoring").
    """
    left, right = y[:-1], y[1:]
    heights = {
        "interpolation": (left + right) / 2,
        "minoring": np.minimum(left, right),
        "majoring": np.maximum(left, right),
    }[summation_method]
    return ((x[:-1] - x[1:]) * heights).sum()


def area_under_precision(tp, fp, fn):
    """Return the area under precision over recall, true positives in between taken as linear.

    Davis and Goadrich 2006, section 4: within a piece precision is ``(a + slope * p) / p``, of p
    positives, which integrates to ``dtp + a * log(p_left / p_right)``.
    """
    p = tp + fp
    dtp, dp = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = quotient(dtp, np.maximum(dp, 0))
    a = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    ratio = np.where(both, quotient(p[:-1], np.maximum(p[1:], 0)), 1)
    return quotient(slope * (dtp + a * np.log(ratio)), np.maximum(tp[1:] + fn[1:], 0)).sum()

"""Metrics by Keras's names: what is averaged beside the loss.

"accuracy" means one of three, chosen by the shapes of targets and outputs, as in Keras 3.
"""

from .errors import unknown_name
from .plan import MetricOp

_BY_NAME = {
    "binary_accuracy": MetricOp.BINARY_ACCURACY,
    "categorical_accuracy": MetricOp.CATEGORICAL_ACCURACY,
    "sparse_categorical_accuracy": MetricOp.SPARSE_CATEGORICAL_ACCURACY,
    "mean_squared_error": MetricOp.MEAN_SQUARED_ERROR,
    "mse": MetricOp.MEAN_SQUARED_ERROR,
    "mean_absolute_error": MetricOp.MEAN_ABSOLUTE_ERROR,
    "mae": MetricOp.MEAN_ABSOLUTE_ERROR,
}
_ACCURACY = ("accuracy", "acc")


def check(name):
    """Return a metric's name, which must be known.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything that is not a name.
    """
    if not isinstance(name, str):
        raise TypeError(f"a metric must be a name such as 'accuracy' or 'mse', got {name!r}")
    if name.lower() not in (*_BY_NAME, *_ACCURACY):
        raise unknown_name("metric", name, (*_BY_NAME, "accuracy"))
    return name


def op(name, labels, n_outputs):
    """Return the MetricOp that a name stands for, given what targets and outputs look like.

    Parameters
    ----------
    name : str
    labels : bool
        Whether the targets are integer labels, not arrays with the outputs' last axis.
    n_outputs : int
        The size of the outputs' last axis.

    Raises
    ------
    ValueError
        If the metric cannot be taken of such targets.
    """
    name = name.lower()
    if name in _ACCURACY:
        if n_outputs == 1:
            return MetricOp.BINARY_ACCURACY
        return MetricOp.SPARSE_CATEGORICAL_ACCURACY if labels else MetricOp.CATEGORICAL_ACCURACY
    metric = _BY_NAME[name]
    if labels != (metric == MetricOp.SPARSE_CATEGORICAL_ACCURACY):
        given = "integer labels" if labels else f"targets with a last axis of {n_outputs}"
        raise ValueError(
            f"metric {name!r} cannot be taken of {given}; use 'accuracy', which fits itself"
        )
    return metric

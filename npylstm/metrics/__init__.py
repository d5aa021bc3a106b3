"""Metrics with Keras's names, arguments and defaults: alone, or as `compile` takes them.

A metric adds up sums over batches; its result is a function of them.  The math is in
`reference.metrics` and `reference.losses`.
"""

from ..errors import unknown_name
from .accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from .base import Mean, MeanMetricWrapper, Metric, Sum, snake_case
from .confusion import (
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from .mean_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CosineSimilarity,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
)
from .operating_points import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CosineSimilarity",
    "FalseNegatives",
    "FalsePositives",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "get",
]

_CLASSES = (
    *(Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy),
    *(TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, Precision, Recall, AUC),
    *(MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError),
    *(MeanSquaredLogarithmicError, LogCoshError, CosineSimilarity, KLDivergence, Poisson),
    *(BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, Mean, Sum),
    *(TruePositives, FalsePositives, TrueNegatives, FalseNegatives),
)
_BY_NAME = {snake_case(metric.__name__): metric for metric in _CLASSES} | {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
}
_BY_CLASS_NAME = {metric.__name__: metric for metric in _CLASSES}


def get(identifier):
    """Return the Metric that a name, a Metric, a class of them or a function stands for.

    Parameters
    ----------
    identifier : str, Metric, class or callable
        A function ``f(y_true, y_pred)`` becomes the mean of what it returns.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, str):
        kind = _BY_CLASS_NAME.get(identifier) or _BY_NAME.get(identifier.lower())
        if kind is None:
            raise unknown_name("metric", identifier, _BY_NAME)
        return kind()
    if callable(identifier) and not isinstance(identifier, type):
        name = getattr(identifier, "name", None)
        name = name or getattr(identifier, "__name__", type(identifier).__name__)
        return MeanMetricWrapper(identifier, name=snake_case(name) or "metric")
    raise TypeError(
        "a metric must be a name such as 'accuracy' or 'mse', a Metric or a function "
        f"f(y_true, y_pred), got {identifier!r}"
    )

"""Losses and errors, averaged over all samples, whatever the loss's own reduction."""

import numpy as np

from .. import losses
from ..errors import known_arguments
from ..plan import MetricOp, MetricRow
from .base import SumMetric, mean_of


class _LossMetric(SumMetric):
    """The mean of a loss."""

    def __init__(self, loss, name, dtype):
        super().__init__(name, dtype)
        self._loss = loss
        self.sparse = loss.sparse

    def sum_row(self, n_outputs, last_activation):
        of = self._loss.objective(last_activation, (), n_outputs)
        return MetricRow(MetricOp.LOSS, of=of)


@known_arguments
class MeanSquaredError(SumMetric):
    """``mean((y_true - y_pred)**2)``.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def sum_row(self, n_outputs, last_activation):  # noqa: D102
        return MetricRow(MetricOp.MEAN_SQUARED_ERROR)


@known_arguments
class RootMeanSquaredError(MeanSquaredError):
    """``sqrt(mean((y_true - y_pred)**2))``, the mean being over all batches.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def sum_row(self, n_outputs, last_activation):  # noqa: D102
        # Keras squares the errors before it asks for a mask, and finds none.
        return MetricRow(MetricOp.MEAN_SQUARED_ERROR, by_mask=False)

    def result_of(self, sums):  # noqa: D102
        with np.errstate(invalid="ignore"):  # weights may be negative
            return float(np.sqrt(mean_of(sums)))


@known_arguments
class MeanAbsoluteError(SumMetric):
    """``mean(abs(y_true - y_pred))``.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(name, dtype)

    def sum_row(self, n_outputs, last_activation):  # noqa: D102
        return MetricRow(MetricOp.MEAN_ABSOLUTE_ERROR)


@known_arguments
class MeanAbsolutePercentageError(_LossMetric):
    """The mean of `losses.MeanAbsolutePercentageError`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.MeanAbsolutePercentageError(), name, dtype)


@known_arguments
class MeanSquaredLogarithmicError(_LossMetric):
    """The mean of `losses.MeanSquaredLogarithmicError`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.MeanSquaredLogarithmicError(), name, dtype)


@known_arguments
class LogCoshError(_LossMetric):
    """The mean of `losses.LogCosh`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.LogCosh(), name, dtype)


@known_arguments
class CosineSimilarity(_LossMetric):
    """The mean cosine of the angle between targets and outputs, in [-1, 1]; the loss is minus that.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    axis : int
        -1: along the outputs.
    """

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(losses.CosineSimilarity(axis), name, dtype)

    def result_of(self, sums):  # noqa: D102
        return -mean_of(sums)


@known_arguments
class KLDivergence(_LossMetric):
    """The mean of `losses.KLDivergence`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.KLDivergence(), name, dtype)


@known_arguments
class Poisson(_LossMetric):
    """The mean of `losses.Poisson`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="poisson", dtype=None):
        super().__init__(losses.Poisson(), name, dtype)


@known_arguments
class BinaryCrossentropy(_LossMetric):
    """The mean of `losses.BinaryCrossentropy`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    from_logits, label_smoothing
        As in the loss.
    """

    def __init__(
        self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0
    ):
        super().__init__(losses.BinaryCrossentropy(from_logits, label_smoothing), name, dtype)


@known_arguments
class CategoricalCrossentropy(_LossMetric):
    """The mean of `losses.CategoricalCrossentropy`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    from_logits, label_smoothing, axis
        As in the loss.
    """

    def __init__(
        self,
        name="categorical_crossentropy",
        dtype=None,
        from_logits=False,
        label_smoothing=0,
        axis=-1,
    ):
        loss = losses.CategoricalCrossentropy(from_logits, label_smoothing, axis)
        super().__init__(loss, name, dtype)


@known_arguments
class SparseCategoricalCrossentropy(_LossMetric):
    """The mean of `losses.SparseCategoricalCrossentropy`.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    from_logits, axis
        As in the loss.
    """

    def __init__(
        self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, *, axis=-1
    ):
        super().__init__(losses.SparseCategoricalCrossentropy(from_logits, axis), name, dtype)

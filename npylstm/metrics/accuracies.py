"""How often a prediction is right."""

import numpy as np

from ..errors import is_number, known_arguments, positive_integer
from ..plan import MetricOp, MetricRow
from .base import SumMetric


class _Accuracy(SumMetric):
    _op: MetricOp

    def sum_row(self, n_outputs, last_activation):
        return MetricRow(self._op, labels=self.sparse)


@known_arguments
class Accuracy(_Accuracy):
    """How often outputs equal their targets.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    _op = MetricOp.ACCURACY

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name, dtype)


@known_arguments
class BinaryAccuracy(_Accuracy):
    """How often outputs are on the side of `threshold` where their targets, 0 or 1, are.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    threshold : float
        Above it is 1.  Rounded to float32, as Keras does it; a ``numpy.float64`` keeps all digits.
    """

    _op = MetricOp.BINARY_ACCURACY

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if not is_number(threshold):
            raise TypeError(f"threshold must be a number, got {threshold!r}")
        super().__init__(name, dtype)
        exact = isinstance(threshold, np.float64)
        self.threshold = float(threshold if exact else np.float32(threshold))

    def sum_row(self, n_outputs, last_activation):  # noqa: D102
        return MetricRow(self._op, number=self.threshold)


@known_arguments
class CategoricalAccuracy(_Accuracy):
    """How often the largest output is where the largest target is.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    _op = MetricOp.CATEGORICAL_ACCURACY

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(name, dtype)


@known_arguments
class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest output is at the label.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    sparse = True
    _op = MetricOp.SPARSE_CATEGORICAL_ACCURACY

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(name, dtype)


@known_arguments
class TopKCategoricalAccuracy(_Accuracy):
    """How often the output where the largest target is, is among the k largest.

    Parameters
    ----------
    k : int
    name : str
    dtype : dtype or None
    """

    _op = MetricOp.TOP_K_CATEGORICAL_ACCURACY

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(name, dtype)
        self.k = positive_integer("k", k)

    def sum_row(self, n_outputs, last_activation):  # noqa: D102
        return MetricRow(self._op, number=float(self.k), labels=self.sparse)


@known_arguments
class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """How often the output at the label is among the k largest.

    Parameters
    ----------
    k : int
    name : str
    dtype : dtype or None
    """

    sparse = True
    _op = MetricOp.SPARSE_TOP_K_CATEGORICAL_ACCURACY

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None):
        super().__init__(k, name, dtype)


class FittingAccuracy(SumMetric):
    """What "accuracy" stands for in `compile`: one of three, chosen by targets and outputs."""

    def row(self, labels, n_outputs, last_activation, weighted):  # noqa: D102
        kind = BinaryAccuracy if n_outputs == 1 else CategoricalAccuracy
        if labels and n_outputs > 1:
            kind = SparseCategoricalAccuracy
        row = kind(name=self.name).sum_row(n_outputs, last_activation)
        return row._replace(labels=labels, weighted=weighted)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Update the one that fits; see `Metric.update_state`."""
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        labels = y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1 < y_pred.shape[-1]
        kind = BinaryAccuracy if y_pred.shape[-1] == 1 else CategoricalAccuracy
        if labels and y_pred.shape[-1] > 1:
            kind = SparseCategoricalAccuracy
        one = kind(name=self.name, dtype=self.dtype)
        one.update_state(y_true, y_pred, sample_weight)
        self._sums += one._sums

"""Precision, recall and areas under curves: functions of counts at one or many thresholds."""

import numpy as np

from ..errors import is_number, known_arguments, positive_integer
from ..plan import Counting, MetricOp, MetricRow
from ..reference.metrics import area_under_curve, area_under_precision, confusion, quotient
from .base import SumMetric

_LOWEST = -1e10  # all of the k largest are above it


class _Confusion(SumMetric):
    """A function of true and false positives and negatives.

    Attributes
    ----------
    true_positives, false_positives, true_negatives, false_negatives : ndarray (n,)
        So far, for each threshold.
    """

    def __init__(self, counting, name, dtype):
        self.n_sums = 2 * counting.n + 2
        super().__init__(name, dtype)
        self._counting = counting

    def sum_row(self, n_outputs, last_activation):
        top_k, class_id = self._counting.top_k, self._counting.class_id
        if top_k is not None and top_k > n_outputs:
            raise ValueError(f"top_k={top_k} of metric {self.name!r}: there are {n_outputs} only")
        if class_id is not None and class_id >= n_outputs:
            raise ValueError(
                f"class_id={class_id} of metric {self.name!r}: classes are integers from 0 to "
                f"{n_outputs - 1}"
            )
        return MetricRow(MetricOp.COUNTS, self.n_sums, counting=self._counting)

    true_positives = property(lambda self: confusion(self._sums, self._counting)[0])
    false_positives = property(lambda self: confusion(self._sums, self._counting)[1])
    true_negatives = property(lambda self: confusion(self._sums, self._counting)[2])
    false_negatives = property(lambda self: confusion(self._sums, self._counting)[3])


class _Share(_Confusion):
    def __init__(self, thresholds, top_k, class_id, name, dtype):
        if top_k is not None:
            top_k = positive_integer("top_k", top_k)
        check_class_id(class_id)
        self.thresholds = [0.5 if top_k is None else _LOWEST]
        if thresholds is not None:
            listed = thresholds if isinstance(thresholds, list | tuple) else [thresholds]
            self.thresholds = _fractions("thresholds", listed)
        n = len(self.thresholds)
        named = () if _evenly(self.thresholds) else tuple(self.thresholds)
        super().__init__(Counting(n, named, False, top_k, class_id), name, dtype)
        self.top_k, self.class_id = top_k, class_id

    def result_of(self, sums):
        shares = self._share(*confusion(sums, self._counting))
        return float(shares[0]) if len(shares) == 1 else shares


@known_arguments
class Precision(_Share):
    """The share of what is right among all that the model takes for positive.

    Parameters
    ----------
    thresholds : float or list of float, or None
        In [0, 1]: positive is what is above.  There is a result for each.  None is 0.5, or, with
        `top_k`, no threshold.
    top_k : int or None
        Of each row only the k largest outputs are positive.
    class_id : int or None
        Of each row only this output is counted.
    name : str or None
    dtype : dtype or None
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def _share(self, tp, fp, tn, fn):
        return quotient(tp, tp + fp)


@known_arguments
class Recall(_Share):
    """The share of what the model takes for positive among all that is.

    Parameters
    ----------
    thresholds, top_k, class_id, name, dtype
        As in `Precision`.
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def _share(self, tp, fp, tn, fn):
        return quotient(tp, tp + fn)


class _Count(_Share):
    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, None, None, name, dtype)


@known_arguments
class TruePositives(_Count):
    """How many outputs are positive, and right so; with the arguments of `FalsePositives`."""

    def _share(self, tp, fp, tn, fn):
        return tp


@known_arguments
class FalsePositives(_Count):
    """How many outputs are positive, and should not be.

    Parameters
    ----------
    thresholds : float or list of float, or None
        In [0, 1]: positive is what is above.  There is a number for each.  None is 0.5.
    name : str or None
    dtype : dtype or None
    """

    def _share(self, tp, fp, tn, fn):
        return fp


@known_arguments
class TrueNegatives(_Count):
    """How many outputs are negative, and right so; with the arguments of `FalsePositives`."""

    def _share(self, tp, fp, tn, fn):
        return tn


@known_arguments
class FalseNegatives(_Count):
    """How many outputs are negative, and should not be; as for `FalsePositives`."""

    def _share(self, tp, fp, tn, fn):
        return fn


@known_arguments
class AUC(_Confusion):
    """The area under a curve that runs through all thresholds.

    Parameters
    ----------
    num_thresholds : int
        At least 2; they divide [0, 1] evenly.
    curve : {"ROC", "PR"}
        Recall over the false positives' share, or precision over recall.
    summation_method : {"interpolation", "minoring", "majoring"}
        How high the curve is between two thresholds: as in its middle, or as at its lower or its
        higher end.  Precision is interpolated as Davis and Goadrich (2006) do it.
    name : str or None
    dtype : dtype or None
    thresholds : list of float, or None
        In [0, 1], in the place of even ones; one below 0 and one above 1 come in addition.
    from_logits : bool
        Whether outputs are logits, of which the sigmoid is taken.

    Notes
    -----
    Keras's `multi_label`, `num_labels` and `label_weights` are not here, nor its curve PRGAIN: all
    outputs of a row are one pool.
    """

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        *,
        from_logits=False,
    ):
        self.curve = _one_of("curve", str(curve).upper(), ("ROC", "PR"))
        methods = ("interpolation", "minoring", "majoring")
        self.summation_method = _one_of("summation_method", str(summation_method).lower(), methods)
        epsilon, named = 1e-7, ()
        if thresholds is None:
            n = positive_integer("num_thresholds", num_thresholds)
            if n == 1:
                raise ValueError("num_thresholds must be at least 2, got 1")
            self.thresholds = [k / (n - 1) for k in range(1, n - 1)]
        else:
            self.thresholds = sorted(_fractions("thresholds", thresholds))
            if not _evenly([0.0, *self.thresholds, 1.0]):
                named = (-epsilon, *self.thresholds, 1 + epsilon)
        self.thresholds = [-epsilon, *self.thresholds, 1 + epsilon]
        self.num_thresholds = n = len(self.thresholds)
        super().__init__(
            Counting(n, named, open_ended=True, from_logits=bool(from_logits)), name, dtype
        )

    def result_of(self, sums):  # noqa: D102
        tp, fp, tn, fn = confusion(sums, self._counting)
        recall = quotient(tp, tp + fn)
        if self.curve == "ROC":
            area = area_under_curve(quotient(fp, fp + tn), recall, self.summation_method)
        elif self.summation_method == "interpolation":
            area = area_under_precision(tp, fp, fn)
        else:
            area = area_under_curve(recall, quotient(tp, tp + fp), self.summation_method)
        return float(area)


def check_class_id(class_id):
    """Raise ValueError unless it is None or an integer of at least 0."""
    if class_id is not None and (
        isinstance(class_id, bool) or not hasattr(class_id, "__index__") or class_id < 0
    ):
        raise ValueError(f"class_id must be an integer of at least 0, got {class_id!r}")


def _evenly(thresholds):
    """Return whether thresholds divide [0, 1] evenly, so that a product tells where a number is."""
    n = len(thresholds)
    even = np.arange(n, dtype=np.float32) / max(1, n - 1)
    return n >= 3 and np.allclose(thresholds, even, atol=1e-7)


def _fractions(name, values):
    for value in values:
        if not (is_number(value) and 0 <= value <= 1):
            raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    return [float(value) for value in values]


def _one_of(name, value, known):
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise ValueError(f"{name} must be one of {listed}, got {value!r}")
    return value

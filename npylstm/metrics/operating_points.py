"""The best of one share at the thresholds where another is as large as it has to be."""

from ..errors import fraction, known_arguments, positive_integer
from ..plan import Counting
from ..reference.metrics import confusion, quotient
from .confusion import _Confusion, check_class_id


class _Best(_Confusion):
    def __init__(self, at_least, num_thresholds, class_id, name, dtype):
        n = self.num_thresholds = positive_integer("num_thresholds", num_thresholds)
        self.thresholds = [0.5] if n == 1 else [k / (n - 1) for k in range(n)]
        named = tuple(self.thresholds) if n < 3 else ()
        self._at_least = at_least
        check_class_id(class_id)
        super().__init__(Counting(n, named, class_id=class_id), name, dtype)
        self.class_id = class_id

    def result_of(self, sums):
        sought, held = self._shares(*confusion(sums, self._counting))
        allowed = held >= self._at_least
        return float(sought[allowed].max()) if allowed.any() else 0.0


@known_arguments
class SensitivityAtSpecificity(_Best):
    """The largest share of positives that are found, where so many negatives are told as such.

    Parameters
    ----------
    specificity : float
        In [0, 1].
    num_thresholds : int
        They divide [0, 1] evenly.
    class_id : int or None
        Of each row only this output is counted.
    name : str or None
    dtype : dtype or None
    """

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.specificity = fraction("specificity", specificity)
        super().__init__(self.specificity, num_thresholds, class_id, name, dtype)

    def _shares(self, tp, fp, tn, fn):
        return quotient(tp, tp + fn), quotient(tn, tn + fp)


@known_arguments
class SpecificityAtSensitivity(_Best):
    """The largest share of negatives that are told as such, where so many positives are found.

    Parameters
    ----------
    sensitivity : float
        In [0, 1].
    num_thresholds, class_id, name, dtype
        As in `SensitivityAtSpecificity`.
    """

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.sensitivity = fraction("sensitivity", sensitivity)
        super().__init__(self.sensitivity, num_thresholds, class_id, name, dtype)

    def _shares(self, tp, fp, tn, fn):
        return quotient(tn, tn + fp), quotient(tp, tp + fn)


@known_arguments
class PrecisionAtRecall(_Best):
    """The largest precision where recall is at least so much.

    Parameters
    ----------
    recall : float
        In [0, 1].
    num_thresholds, class_id, name, dtype
        As in `SensitivityAtSpecificity`.
    """

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.recall = fraction("recall", recall)
        super().__init__(self.recall, num_thresholds, class_id, name, dtype)

    def _shares(self, tp, fp, tn, fn):
        return quotient(tp, tp + fp), quotient(tp, tp + fn)


@known_arguments
class RecallAtPrecision(_Best):
    """The largest recall where precision is at least so much.

    Parameters
    ----------
    precision : float
        In [0, 1].
    num_thresholds, class_id, name, dtype
        As in `SensitivityAtSpecificity`.
    """

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        self.precision = fraction("precision", precision)
        super().__init__(self.precision, num_thresholds, class_id, name, dtype)

    def _shares(self, tp, fp, tn, fn):
        return quotient(tp, tp + fn), quotient(tp, tp + fp)

"""What all metrics have in common: sums that batches are added to, and a result."""

import re
from collections import Counter

import numpy as np

from .. import data
from ..backends import in_python
from ..errors import known_arguments
from ..plan import MetricOp, MetricRow
from ..reference.metrics import sum_and_count

_made: Counter = Counter()


def snake_case(name):
    """Return a class's or function's name as Keras writes it in logs: ``MyMetric`` as my_metric."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix):
    """Return a name that no metric was given so far: precision, precision_1, and so on."""
    number = _made[prefix]
    _made[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


class Metric:
    """A number that is kept up to date, batch after batch.

    For a metric of your own, inherit from this or from a ready-made one and write `update_state`,
    `result` and `reset_state`; or give `compile` a function ``f(y_true, y_pred)``.  Both run in
    Python, one batch at a time.

    Parameters
    ----------
    name : str or None
        What it is called in logs; None makes one of the class's name, unlike all before.
    dtype : dtype or None
        What targets and outputs are turned into; None leaves the outputs' own.  Sums are kept in
        float64 in any case (in Keras in `dtype`).
    """

    n_sums = 0

    def __init__(self, name=None, dtype=None):
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a metric's name must be a string, got {name!r}")
        self.name = name or unique_name(snake_case(type(self).__name__))
        self.dtype = dtype

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take one more batch into account.

        Parameters
        ----------
        y_true : array (B, ..., K), or integer labels (B, ...) for a sparse metric
        y_pred : array (B, ..., K)
        sample_weight : array (B,) or (B, T), or None
            How much each sample (or timestep) counts.

        Raises
        ------
        TypeError, ValueError
            If they do not fit; nothing is added then.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method update_state")

    def result(self):
        """Return the metric of everything since the last `reset_state`.

        Returns
        -------
        float; ndarray (n,) for several thresholds
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method result")

    def reset_state(self):
        """Forget everything."""
        raise NotImplementedError(f"{type(self).__name__} needs a method reset_state")

    def __call__(self, *arguments, **options):
        """Update the state and return the result."""
        self.update_state(*arguments, **options)
        return self.result()

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"

    def row(self, labels, n_outputs, last_activation, weighted):
        """Return the `plan.MetricRow` of this metric in a model.

        Parameters
        ----------
        labels : bool
            Whether targets are integer labels, not arrays with the outputs' last axis.
        n_outputs : int
            The size of the outputs' last axis.
        last_activation : Activation or None
            What the model ends in.
        weighted : bool

        Raises
        ------
        ValueError
            If the metric cannot be taken of such targets and outputs.
        """
        return MetricRow(
            MetricOp.PYTHON, self.n_sums, weighted, function=self._update_by, name=self.name
        )

    def _update_by(self, sums, y_true, y_pred, sample_weight):
        self.update_state(y_true, y_pred, sample_weight)

    def bind(self, sums):
        """Keep the sums in this array (n_sums,) of float64 from now on."""
        self.reset_state()


class SumMetric(Metric):
    """A metric that is a function of sums over batches.

    Attributes
    ----------
    n_sums : int
    sparse : bool
        Whether targets are integer labels.
    """

    n_sums = 2
    sparse = False
    probabilities = False

    def __init__(self, name=None, dtype=None):
        super().__init__(name, dtype)
        self._sums = np.zeros(self.n_sums)

    def update_state(self, y_true, y_pred, sample_weight=None):  # noqa: D102
        y_pred = data.float_array(y_pred, "y_pred", self.dtype, finite=False)
        if y_pred.ndim == 1 and not self.sparse:
            y_pred = y_pred[:, None]
        data.check_shape(y_pred.shape, self.name)
        y_true = data.targets(y_true, self, y_pred.shape, y_pred.dtype)
        data.check_equal_lengths(y_true=y_true, y_pred=y_pred)
        weight = data.sample_weights(sample_weight, None, y_true, y_pred.shape, y_pred.dtype)
        row = self.sum_row(y_pred.shape[-1], None)._replace(weighted=True)
        in_python.add(row, self._sums, y_true, y_pred, weight)

    def result(self):  # noqa: D102
        return self.result_of(self._sums)

    def reset_state(self):  # noqa: D102
        self._sums[:] = 0

    def bind(self, sums):  # noqa: D102
        self._sums = sums

    def row(self, labels, n_outputs, last_activation, weighted):  # noqa: D102
        if type(self).update_state is not SumMetric.update_state:  # the user's own
            return super().row(labels, n_outputs, last_activation, weighted)
        if labels != self.sparse:
            given = "integer labels" if labels else f"targets with a last axis of {n_outputs}"
            raise ValueError(
                f"metric {self.name!r} cannot be taken of {given}; use 'accuracy', which fits "
                "itself"
            )
        return self.sum_row(n_outputs, last_activation)._replace(weighted=weighted)

    def sum_row(self, n_outputs, last_activation):
        """Return the `plan.MetricRow`, unweighted, of targets that fit."""
        raise NotImplementedError

    def result_of(self, sums):
        """Return the result that these sums amount to."""
        return mean_of(sums)


def mean_of(sums):
    """Return the sum over the count, and 0 if the count is 0."""
    total, count = map(float, sums)
    return total / count if count else 0.0


# --------------------------------------------------------------------------------- of plain values
class _OfValues(SumMetric):
    def row(self, labels, n_outputs, last_activation, weighted):
        if type(self).update_state is _OfValues.update_state:
            raise TypeError(
                f"{type(self).__name__} takes values, not targets and outputs: give compile a "
                "function f(y_true, y_pred) that returns them, or inherit from it"
            )
        return super().row(labels, n_outputs, last_activation, weighted)

    def update_state(self, values, sample_weight=None):
        """Add values.

        Parameters
        ----------
        values : array (B, ...), or one number
        sample_weight : array (B,) or (B, T), or None
        """
        values = data.float_array(values, "values", self.dtype, finite=False)
        weight = _weights(sample_weight, values, "values")
        self._sums += self._of_batch(values, weight)


@known_arguments
class Mean(_OfValues):
    """The mean of values, weighted if weights are given.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name, dtype)

    def _of_batch(self, values, weight):
        return sum_and_count(values, weight)


@known_arguments
class Sum(_OfValues):
    """The sum of values, each times its weight if weights are given.

    Parameters
    ----------
    name : str
    dtype : dtype or None
    """

    n_sums = 1

    def __init__(self, name="sum", dtype=None):
        super().__init__(name, dtype)

    def _of_batch(self, values, weight):
        values = values.astype(np.float64)
        if weight is not None:
            values = values * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        return values.sum()

    def result_of(self, sums):  # noqa: D102
        return float(sums[0])


class MeanMetricWrapper(SumMetric):
    """The mean of what a function ``fn(y_true, y_pred)`` returns.

    A value for each sample, or for each sample and timestep; or one number for the batch, all of
    which count alike then, as in Keras: a last batch that is not full counts as much as the others.

    Parameters
    ----------
    fn : callable
        Of arrays, batch-major; targets as the model takes them, so (B, 1) if there is one output.
    name : str or None
    dtype : dtype or None
    **kwargs
        Passed on to `fn`.
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        if not callable(fn):
            raise TypeError(f"fn must be a function of y_true and y_pred, got {fn!r}")
        super().__init__(name, dtype)
        self._fn, self._options = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):  # noqa: D102
        self._update_by(self._sums, np.asarray(y_true), np.asarray(y_pred), sample_weight)

    def _update_by(self, sums, y_true, y_pred, sample_weight):
        if type(self).update_state is not MeanMetricWrapper.update_state:
            super()._update_by(sums, y_true, y_pred, sample_weight)
            return
        values = np.asarray(self._fn(y_true, y_pred, **self._options))
        if values.dtype.kind not in "fiub" or (values.ndim and len(values) != len(y_pred)):
            raise ValueError(
                f"metric {self.name!r} returned an array of shape {values.shape} and dtype "
                f"{values.dtype} for {len(y_pred)} samples; let it return a number for each "
                "sample (and timestep), or one number"
            )
        sums += sum_and_count(values, _weights(sample_weight, values, self.name))


def _weights(sample_weight, values, name):
    """Return weights as an array that goes with values."""
    if sample_weight is None:
        return None
    weight = data.float_array(sample_weight, "sample_weight", None)
    if weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    weight = np.broadcast_to(weight, values.shape) if weight.ndim == 0 else weight
    in_python.aligned_weight(name, values, weight)
    if weight.shape != values.shape[: weight.ndim]:
        raise ValueError(
            f"sample_weight has the shape {weight.shape}, expected {values.shape[:1]}, or "
            f"{values.shape[:2]} for one for each timestep"
        )
    return weight

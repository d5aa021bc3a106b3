"""The metrics of a compiled model: their names in its logs, and their places in its totals."""

from itertools import pairwise

import numpy as np

from .accuracies import FittingAccuracy
from .base import Mean, SumMetric, mean_of


class CompiledMetrics:
    """The loss's mean, then metrics, then weighted metrics.

    Parameters
    ----------
    get : callable
        `metrics.get`.
    metrics, weighted_metrics : list of str, Metric or callable, or one of them, or None

    Attributes
    ----------
    all : list of Metric
        The first is the mean of the loss.
    names : list of str
        Of each in the logs: like Keras's, a second "mse" is "mse_1", and "weighted_mse" if it is a
        weighted one.

    Raises
    ------
    ValueError, TypeError
        For unknown names and other things.
    """

    def __init__(self, get, metrics=None, weighted_metrics=None):
        plain = [_resolved(get, one) for one in _listed("metrics", metrics)]
        weighted = [_resolved(get, one) for one in _listed("weighted_metrics", weighted_metrics)]
        self.names = ["loss", *_names(plain, weighted)]
        self.all = [Mean(name="loss"), *plain, *weighted]
        self._weighted = [False] * len(plain) + [True] * len(weighted)
        ends = np.cumsum([0, *(metric.n_sums for metric in self.all)]).tolist()
        self._places = [slice(*pair) for pair in pairwise(ends)]
        self._n = ends[-1]
        self._rows = (None, ())

    def rows(self, *judged):
        """Return the `plan.MetricRow` of each metric.

        Parameters
        ----------
        labels, n_outputs, last_activation
            As in `Metric.row`.
        """
        if self._rows[0] != judged:
            metrics = zip(self.all[1:], self._weighted, strict=True)
            self._rows = judged, tuple(metric.row(*judged, weight) for metric, weight in metrics)
        return self._rows[1]

    def start(self, epochs=None):
        """Return totals (n,) for a new run, all zero, or (epochs, n) for several.

        The metrics' own states are views of them, those of the last epoch.
        """
        totals = np.zeros(self._n if epochs is None else (epochs, self._n))
        last = np.atleast_2d(totals)[-1]
        for metric, place in zip(self.all, self._places, strict=True):
            metric.bind(last[place])
        return totals

    def logs(self, totals):
        """Return {name: result} of what is in the totals, in the order of Keras's logs."""
        values = [mean_of(totals[:2])]
        for metric, place in zip(self.all[1:], self._places[1:], strict=True):
            sums = totals[place]
            sums_up = isinstance(metric, SumMetric)
            if sums_up and type(metric).result is SumMetric.result:
                values.append(metric.result_of(sums))
            else:
                if sums_up:  # others have a state of their own
                    metric.bind(sums)
                values.append(metric.result())
        return dict(sorted(zip(self.names, values, strict=True)))


def _listed(argument, metrics):
    if isinstance(metrics, dict):
        raise TypeError(f"{argument} must be a list: a model here has one output that is judged")
    if metrics is None:
        return []
    return list(metrics) if isinstance(metrics, list | tuple) else [metrics]


def _resolved(get, identifier):
    if not isinstance(identifier, str):
        return get(identifier)
    fitting = identifier.lower() in ("accuracy", "acc")
    metric = FittingAccuracy(name=identifier) if fitting else get(identifier)
    metric.name = identifier
    return metric


def _names(plain, weighted):
    # As in Keras's `CompileMetrics.result`.
    names, seen = [], {}
    for metric in plain + weighted:
        name = metric.name
        if name in seen and len(names) >= len(plain):
            name = f"weighted_{name}"
        number = seen.get(name, 0)
        seen[name] = number + 1
        names.append(f"{name}_{number}" if number else name)
    if "loss" in names or len(set(names)) < len(names):
        double = "loss" if "loss" in names else next(n for n in names if names.count(n) > 1)
        raise ValueError(f"two results of one model would be called {double!r}; rename a metric")
    return names

"""What the callbacks that watch one metric have in common."""

import warnings

import numpy as np

from .. import compat
from .base import Callback

_COMPARISONS = {"min": np.less, "max": np.greater}

# Which direction is better, for every name that the logs can hold.
_BETTER = compat.HistoryDict(
    loss="min",
    accuracy="max",
    binary_accuracy="max",
    categorical_accuracy="max",
    sparse_categorical_accuracy="max",
    mean_absolute_error="min",
    mean_squared_error="min",
    mae="min",
    mse="min",
    top_k_categorical_accuracy="max",
    sparse_top_k_categorical_accuracy="max",
    precision="max",
    recall="max",
    auc="max",
    cosine_similarity="max",
    root_mean_squared_error="min",
    mean_absolute_percentage_error="min",
    mape="min",
    mean_squared_logarithmic_error="min",
    msle="min",
    logcosh="min",
    log_cosh_error="min",
    kl_divergence="min",
    poisson="min",
    binary_crossentropy="min",
    bce="min",
    categorical_crossentropy="min",
    sparse_categorical_crossentropy="min",
)


class MonitorCallback(Callback):
    """A callback that watches one metric and knows whether it has improved.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The metric's name in the logs.
    mode : {"auto", "min", "max"}, default "auto"
        Which direction is better.  "auto" knows it of the loss, of accuracies and of errors, with
        or without ``val_`` before the name.
    baseline : float, optional
        The first value to beat; without one, the first value seen is the best so far.
    min_delta : float, default 0
        Less change than this is no improvement.
    """

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta=0):
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode {mode!r} is unknown, expected 'auto', 'min' or "
                "'max'; taking 'auto'",
                stacklevel=4,  # past this, the subclass and what checks its arguments
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op = None
        self._has_warned = False

    def _set_monitor_op(self):
        """Settle which direction is better."""
        mode = self.mode
        if mode == "auto":
            try:
                mode = _BETTER[self.monitor.removeprefix("val_")]
            except KeyError:
                raise ValueError(
                    f"{type(self).__name__} cannot tell whether {self.monitor!r} is better high or "
                    f"low, which is known of {', '.join(_BETTER)}; pass mode='max' or mode='min'"
                ) from None
        self.monitor_op = _COMPARISONS[mode]

    def _is_improvement(self, value, reference):
        """Return whether a value is better than the reference by more than `min_delta`."""
        if reference is None:
            return True
        margin = self.min_delta if self.monitor_op is np.greater else -self.min_delta
        return bool(self.monitor_op(value - margin, reference))

    def _monitored(self, logs, consequence):
        """Return the metric's value, or None after one warning that names what there is."""
        try:
            return compat.HistoryDict(logs or {})[self.monitor]
        except KeyError:
            self._warn_once(
                f"{type(self).__name__} watches {self.monitor!r}, which is not available, so "
                f"{consequence}; available are: {','.join(logs or {})}"
            )
            return None

    def _warn_once(self, message):
        """Warn, unless this callback has done so before in this run."""
        if not self._has_warned:
            warnings.warn(message, stacklevel=2)
        self._has_warned = True

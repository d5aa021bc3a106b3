"""Change the learning rate between epochs: by a schedule, or when a metric stalls."""

import inspect

import numpy as np

from ..errors import known_arguments
from .base import Callback
from .monitor import MonitorCallback


@known_arguments
class LearningRateScheduler(Callback):
    """Set the learning rate at the start of every epoch, and log it at its end.

    Parameters
    ----------
    schedule : callable
        Called as ``schedule(epoch, learning_rate)`` or ``schedule(epoch)``, whichever it can take,
        with the epoch counted from 0 and the current rate; returns the new rate, a float.
    verbose : {0, 1}, default 0
        With 1, a line is printed every epoch.

    Raises
    ------
    ValueError
        From `on_epoch_begin`, if the schedule returns anything but a float.
    """

    def __init__(self, schedule, verbose=0):
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        """Ask the schedule and set the rate."""
        optimizer = self.model.optimizer
        if _takes_two(self.schedule):
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        else:
            rate = self.schedule(epoch)
        if not isinstance(rate, float | np.floating):
            raise ValueError(f"the schedule must return a float, got {rate!r} for epoch {epoch}")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: the schedule sets the learning rate to {rate}", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        """Add the rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


@known_arguments
class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by `factor` when the monitored metric stalls; log the rate.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The metric's name in the logs.
    factor : float, default 0.1
        What the rate is multiplied by; in [0, 1).
    patience : int, default 10
        How many epochs without improvement are borne.
    verbose : {0, 1}, default 0
        With 1, a line is printed at every reduction.
    mode : {"auto", "min", "max"}, default "auto"
        Which direction is better; see `MonitorCallback`.
    min_delta : float, default 1e-4
        Less change than this is no improvement.
    cooldown : int, default 0
        For how many epochs after a reduction stalling is not counted.
    min_lr : float, default 0.0
        The rate is never reduced below this.

    Raises
    ------
    ValueError
        If `factor` is not in [0, 1); at the end of the first epoch, if `mode` is "auto" and the
        direction is not known.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 <= factor < 1:
            raise ValueError(f"factor must be in [0, 1), so that the rate falls; got {factor}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self):
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0
        self._has_warned = False

    def on_train_begin(self, logs=None):
        """Forget the last run, so that one callback serves many."""
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        """Compare with the best so far; reduce the rate if patience is exhausted."""
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self._monitored(logs, "the learning rate will not be reduced")
        if value is None:
            return

        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self):
        """Return whether a reduction is so recent that stalling is not counted."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch):
        """Reduce the rate and return whether there was room to."""
        optimizer = self.model.optimizer
        # In float32, in which an optimizer may keep its rate: a rate at the minimum stays there.
        if np.float32(optimizer.learning_rate) <= np.float32(self.min_lr):
            return False
        rate = max(float(optimizer.learning_rate) * self.factor, self.min_lr)
        optimizer.learning_rate = rate
        if self.verbose:
            print(
                f"\nEpoch {epoch + 1}: {self.monitor} has stalled, reducing the learning rate to "
                f"{rate}",
                flush=True,
            )
        return True


def _takes_two(schedule):
    """Return whether a schedule can be called with the epoch and the rate."""
    try:
        inspect.signature(schedule).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature to look at
        return True
    return True

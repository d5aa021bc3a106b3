"""Stop when a metric no longer improves."""

from ..errors import known_arguments
from .monitor import MonitorCallback


@known_arguments
class EarlyStopping(MonitorCallback):
    """Stop training once the monitored metric has not improved for `patience` epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The metric's name in the logs.
    min_delta : float, default 0
        Less change than this is no improvement.
    patience : int, default 0
        How many epochs without improvement are borne.
    verbose : {0, 1}, default 0
        With 1, a line is printed when training stops and when weights are restored.
    mode : {"auto", "min", "max"}, default "auto"
        Which direction is better; see `MonitorCallback`.
    baseline : float, optional
        Epochs count as without improvement until this value is beaten.
    restore_best_weights : bool, default False
        Whether the model is given the weights of the best epoch when training ends, for whatever
        reason it ends.
    start_from_epoch : int, default 0
        Epochs before this one, counted from 0, are not looked at.

    Attributes
    ----------
    stopped_epoch : int
        The epoch, counted from 0, that training was stopped after; 0 if it was not.
    best, best_epoch, best_weights, wait
        The best value so far, its epoch (from 0), its weights, and the epochs since.

    Raises
    ------
    ValueError
        At the end of the first epoch, if `mode` is "auto" and the direction is not known.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None
        self._has_warned = False

    def on_train_begin(self, logs=None):
        """Forget the last run, so that one callback serves many."""
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        """Compare with the best so far; stop if patience is exhausted."""
        if self.monitor_op is None:
            self._set_monitor_op()
        value = self._monitored(logs, "training will not be stopped early")
        if value is None or epoch < self.start_from_epoch:
            return

        self.wait += 1
        if self._is_improvement(value, self.best):
            self._remember(epoch, value)
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember(self, epoch, value):
        self.best = value
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        """Restore the best weights if that was asked for."""
        if self.verbose and self.stopped_epoch > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping", flush=True)
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of epoch {self.best_epoch + 1}, the best", flush=True)
            self.model.set_weights(self.best_weights)

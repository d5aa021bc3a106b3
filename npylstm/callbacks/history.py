"""The record of a training run, which `fit` returns."""

from .. import compat
from .base import EPOCH_HOOKS, Callback


class History(Callback):
    """Every epoch's logs, as curves by name.

    Attributes
    ----------
    history : dict of str to list of float
        Such as ``{"accuracy": [...], "loss": [...], "val_loss": [...]}``.  A record that is used
        for a second `fit` goes on growing, as in Keras.
    epoch : list of int
        The epochs of the last run, counted from 0.
    params : dict
        `verbose`, `epochs` and `steps` of the run.
    """

    def __init__(self):
        self.history = compat.HistoryDict()
        self.epoch = []

    def wants_epochs(self):
        """Return False, unless a subclass does more: what is recorded does not hurry."""
        return self._overrides(EPOCH_HOOKS, History)

    def on_train_begin(self, logs=None):
        """Start counting epochs anew."""
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        """Append the epoch and its logs, and attach the record to the model."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

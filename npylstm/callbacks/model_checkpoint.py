"""Save the weights while training runs."""

import os
import warnings

import numpy as np

from ..errors import known_arguments
from .monitor import MonitorCallback


@known_arguments
class ModelCheckpoint(MonitorCallback):
    """Save the model's weights at the end of every epoch, or every so many batches.

    Parameters
    ----------
    filepath : str or os.PathLike
        Where to; must end in ``.npz``, as in ``"best.weights.npz"``.  May hold places for the
        epoch, counted from 1, the batch, counted from 1 (with an integer `save_freq`), and anything
        in the logs: ``"{epoch:02d}-{val_loss:.2f}.weights.npz"``.  Folders are made as needed.
    monitor : str, default "val_loss"
        The metric that decides, with `save_best_only`.
    verbose : {0, 1}, default 0
        With 1, lines are printed about what is saved, where and why.
    save_best_only : bool, default False
        Whether to save only when the metric has improved.
    save_weights_only : bool
        Must be True: whole models cannot be saved by this callback yet.
    mode : {"auto", "min", "max"}, default "auto"
        Which direction is better; see `MonitorCallback`.
    save_freq : "epoch" or int, default "epoch"
        An integer saves after that many batches, counted on across epochs, and makes training run
        one batch at a time.
    initial_value_threshold : float, optional
        The first value to beat, with `save_best_only`.

    Raises
    ------
    ValueError
        If `filepath`, `save_weights_only` or `save_freq` is none of the above.  When weights are
        due: if `save_best_only` is set, `mode` is "auto" and the direction is not known.
    KeyError
        If `filepath` has a place for something that is not in the logs.
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._current_epoch = 0
        self._last_batch = None
        self._batches_since_saving = 0
        self._require_weights_file()
        self._require_frequency()

    def _require_weights_file(self):
        if not self.save_weights_only:
            raise ValueError(
                "ModelCheckpoint saves weights only so far: pass save_weights_only=True and a "
                f"filepath that ends in '.weights.npz' (got save_weights_only="
                f"{self.save_weights_only}, filepath={self.filepath!r})"
            )
        if not self.filepath.endswith(".npz"):
            raise ValueError(
                "filepath must end in '.weights.npz' or '.npz', NumPy's file format, got "
                f"{self.filepath!r}"
            )

    def _require_frequency(self):
        is_count = isinstance(self.save_freq, int) and not isinstance(self.save_freq, bool)
        if self.save_freq != "epoch" and not (is_count and self.save_freq >= 1):
            raise ValueError(
                f"save_freq must be 'epoch' or a positive number of batches, got {self.save_freq!r}"
            )

    def wants_batches(self, mode):
        """Return whether batches are counted; a subclass may override hooks of its own."""
        if self.save_freq == "epoch" and type(self) is ModelCheckpoint:
            return False
        return super().wants_batches(mode)

    def on_train_begin(self, logs=None):
        """Let a missing metric be warned about once more."""
        self._has_warned = False

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch for the file's name."""
        self._current_epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Save if so many batches have passed."""
        if self.save_freq != "epoch" and self._is_due(batch):
            self._save(self._current_epoch, logs or {}, batch)

    def on_epoch_end(self, epoch, logs=None):
        """Save if epochs are what counts."""
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _is_due(self, batch):
        """Count the batches done since the last call; return whether enough have come together."""
        is_new_epoch = self._last_batch is None or batch <= self._last_batch
        self._batches_since_saving += batch + 1 if is_new_epoch else batch - self._last_batch
        self._last_batch = batch
        if self._batches_since_saving < self.save_freq:
            return False
        self._batches_since_saving = 0
        return True

    def _save(self, epoch, logs, batch=None):
        path = self._path(epoch, logs, batch)
        if not self._should_save(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise IsADirectoryError(f"filepath must name a file, but {path!r} is a folder")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.model.save_weights(path)
        self._say(epoch, f"saved to {path}")

    def _path(self, epoch, logs, batch):
        """Fill the epoch, the batch and the logs into the file's name."""
        values = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            raise KeyError(
                f"filepath {self.filepath!r} asks for {error}, which is not available; available "
                f"are: {', '.join(values)}"
            ) from None

    def _should_save(self, epoch, logs, path):
        """Return whether the weights are worth saving, and say why."""
        if not self.save_best_only:
            self._say(epoch, f"saving to {path}")
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        value = self._monitored(logs, "the weights are saved whether they are the best or not")
        if value is None:
            return True
        if np.ndim(value) > 0:
            warnings.warn(
                f"{self.monitor!r} is no single number but {value}, so the weights are saved "
                "whether they are the best or not",
                stacklevel=2,
            )
            return True

        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(value, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(epoch, f"{self.monitor} improved from {best} to {value:.5f}, saving to {path}")
        self.best = value
        return True

    def _say(self, epoch, message):
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: {message}", flush=True)

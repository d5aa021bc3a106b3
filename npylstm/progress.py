"""What `fit`, `evaluate` and `predict` print: Keras's lines, or one bar an epoch."""

import math
import sys
import time

import numpy as np

from .callbacks import Callback


class ProgressLogger(Callback):
    """Show how far an epoch is and how well it does.

    With verbose=2, each epoch ends in the line that Keras 3 prints, such as
    ``25/25 - 0s - 13ms/step - accuracy: 0.0400 - loss: 3.2677``, after a line ``Epoch 1/5`` if
    there are several epochs.  With verbose=1 (or "auto"), each epoch is a tqdm bar.  Inside `fit`,
    validation shows nothing of its own, but its results and its time are in the epoch's.

    The bar moves when the training loop calls `on_progress`; batch hooks are not used, so that the
    loop need not return to Python for them.

    Parameters
    ----------
    file : file-like, optional
        Where to print; `sys.stdout` as it is when an epoch begins, unless given.
    clock : callable, default time.perf_counter
        Returns the time in seconds.

    Notes
    -----
    Line format: Keras 3's `keras/src/utils/progbar.py`.  Its bar for verbose=1 is not copied.
    """

    def __init__(self, file=None, clock=time.perf_counter):
        self.verbose = 1
        self.epochs = 1
        self.steps = None
        self._file = file
        self._clock = clock
        self._bar = None
        self._is_training = False
        self._is_validating = False
        self._seen = 0
        self._start = clock()

    def set_params(self, params):
        """Take `verbose`, `epochs` and `steps` (None if unknown) of the call about to begin.

        Raises
        ------
        ValueError
            If `verbose` is not 0, 1, 2 or "auto".
        """
        super().set_params(params)
        verbose = params.get("verbose", 1)
        if verbose not in (0, 1, 2, "auto"):
            raise ValueError(f"verbose must be 0, 1, 2 or 'auto', got {verbose!r}")
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.steps = params.get("steps")

    def on_train_begin(self, logs=None):
        """Remember that evaluation is validation from now on."""
        self._is_training = True

    def on_train_end(self, logs=None):
        """Leave a bar behind that was not finished."""
        self._is_training = False
        self.close()

    def on_epoch_begin(self, epoch, logs=None):
        """Announce the epoch."""
        name = f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 else None
        if name and self.verbose == 2:
            self._print(name)
        self._open(name)

    def on_epoch_end(self, epoch, logs=None):
        """Show the epoch's results, those of validation among them."""
        self._finish(logs)

    def on_test_begin(self, logs=None):
        """Begin a bar, unless this is validation."""
        self._is_validating = self._is_training
        if not self._is_validating:
            self._open()

    def on_test_end(self, logs=None):
        """Show the results, unless this is validation."""
        if not self._is_validating:
            self._finish(logs)
        self._is_validating = False

    def on_predict_begin(self, logs=None):
        """Begin a bar."""
        self._open()

    def on_predict_end(self, logs=None):
        """Finish the bar; predictions are not shown."""
        self._finish({})

    def on_progress(self, step, logs=None):
        """Move the bar to `step` batches done, and show the running averages."""
        if self._is_validating:
            return
        if self._bar is not None:
            # Set what the bar shows first: `update` draws only when it is time to.
            self._bar.set_postfix(_formatted(logs), refresh=False)
            self._bar.update(step - self._seen)
        self._seen = step

    def close(self):
        """Leave an unfinished bar as it is, so that what is printed next gets a line of its own."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def _open(self, name=None):
        self.close()
        self._seen = 0
        self._start = self._clock()
        if self.verbose == 1:
            from tqdm import tqdm  # only those who watch a bar wait for its import

            self._bar = tqdm(
                total=self.steps, desc=name, unit="step", file=self._file or sys.stdout
            )

    def _finish(self, logs):
        if self._bar is not None:
            self._bar.set_postfix(_formatted(logs), refresh=False)
            self.close()
        if self.verbose == 2:
            self._print_summary(logs)

    def _print_summary(self, logs):
        """Print Keras's line about an epoch, an evaluation or a prediction."""
        steps = self.steps if self.steps is not None else self._seen
        if not steps:
            return
        elapsed = self._clock() - self._start
        fields = [f"{steps}/{steps}", f"{elapsed:.0f}s", f"{_duration(elapsed / steps)}/step"]
        # Unlike in a bar, Keras writes negative values with an exponent here.
        for name, value in _numbers(logs):
            fields.append(f"{name}: {value:.4f}" if value > 1e-3 else f"{name}: {value:.4e}")
        self._print(" - ".join(fields))

    def _print(self, line):
        print(line, file=self._file or sys.stdout, flush=True)


def _duration(seconds):
    """Write a time as Keras does: whole seconds, milliseconds or microseconds."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e6:.0f}us"


def _formatted(logs):
    """Write values as Keras does: 4 decimals, with an exponent if they are small."""
    return {
        name: f"{value:.4f}" if math.fabs(value) > 1e-3 else f"{value:.4e}"
        for name, value in _numbers(logs)
    }


def _numbers(logs):
    """Return names and values; of several values, such as one for each threshold, their mean."""
    return [(name, float(np.mean(value))) for name, value in (logs or {}).items()]

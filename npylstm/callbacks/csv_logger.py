"""Write every epoch's results to a file that spreadsheets read."""

import csv
import os
from collections.abc import Iterable

from ..errors import known_arguments
from .base import Callback


@known_arguments
class CSVLogger(Callback):
    """Write one row an epoch: the epoch, counted from 0, then the logs sorted by name.

    A value that an epoch lacks is written as NA.  If the first epoch has no ``val_...`` values, as
    with a `validation_freq` above 1, columns for them are reserved all the same.

    Parameters
    ----------
    filename : str or os.PathLike
    separator : str, default ","
        One character.
    append : bool, default False
        Whether to continue an existing file; its header is then not repeated.
    """

    def __init__(self, filename, separator=",", append=False):
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.csv_file = None
        self.writer = None
        self._needs_header = True

    def on_train_begin(self, logs=None):
        """Open the file."""
        self._close()
        self._needs_header = not (self.append and _has_content(self.filename))
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")
        self.writer = None

    def on_epoch_end(self, epoch, logs=None):
        """Write the epoch's row, and the header before the first."""
        logs = logs or {}
        if self.writer is None:
            self.writer = self._start_table(logs)
        self.writer.writerow({"epoch": epoch, **{k: _cell(v) for k, v in logs.items()}})
        self.csv_file.flush()

    def _start_table(self, logs):
        names = sorted(logs)
        if not any(name.startswith("val_") for name in names):
            names += [f"val_{name}" for name in names]
        writer = csv.DictWriter(
            self.csv_file,
            ["epoch", *names],
            restval="NA",
            extrasaction="ignore",
            delimiter=self.sep,
        )
        if self._needs_header:
            writer.writeheader()
        return writer

    def on_train_end(self, logs=None):
        """Close the file."""
        self._close()

    def _close(self):
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = None
        self.writer = None


def _has_content(filename):
    return os.path.exists(filename) and os.path.getsize(filename) > 0


def _cell(value):
    """Write a list of numbers into one cell."""
    if isinstance(value, str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'

"""Files that are replaced whole or not at all."""

import contextlib
import os
import zipfile
from pathlib import Path

import numpy as np


@contextlib.contextmanager
def replacing(filepath):
    """Lend a binary file to write to, which takes the place of `filepath` when all is written.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    filepath = Path(filepath)
    if not filepath.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {str(filepath)!r}: there is no folder {str(filepath.parent)!r}"
        )
    own = f"{os.getpid()}-{id(filepath)}"  # another process or thread may be writing, too
    temporary = filepath.with_name(f".{filepath.stem}-{own}{filepath.suffix}")
    try:
        with open(temporary, "xb") as file:
            yield file
        os.replace(temporary, filepath)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_npz(filepath, arrays, what):
    """Write arrays by name; `what` they are goes into errors, such as "weights".

    Raises
    ------
    ValueError
        If the name does not end in ".npz".
    OSError
        If it cannot be written.
    """
    with replacing(_npz_path(filepath, what)) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_npz(filepath, what):
    """Return the arrays of a file by name.

    Raises
    ------
    ValueError
        If the name does not end in ".npz", or it is no such file.
    OSError
        If it cannot be read.
    """
    filepath = _npz_path(filepath, what)
    try:
        with open(filepath, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, zipfile.BadZipFile, EOFError, TypeError) as error:
        raise ValueError(f"{filepath} is no file of {what}, or is damaged: {error}") from error


def _npz_path(filepath, what):
    filepath = Path(filepath)
    if filepath.suffix != ".npz":
        raise ValueError(f"{what} are written to .npz files, got {str(filepath)!r}")
    return filepath

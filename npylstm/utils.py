"""Small preparations of data, as in `keras.utils`."""

import numpy as np

from .pydataset import PyDataset
from .seeding import set_random_seed

__all__ = ["PyDataset", "pad_sequences", "set_random_seed", "to_categorical"]


def to_categorical(x, num_classes=None):
    """Turn class numbers into one-hot vectors.

    Parameters
    ----------
    x : array_like of int
        Class numbers from 0 to `num_classes` - 1, of any shape.  A last axis of size 1 is dropped.
    num_classes : int, optional
        The largest number plus one unless given.

    Returns
    -------
    numpy.ndarray
        float64, of the shape of `x` with an axis of `num_classes` added at the end.

    Raises
    ------
    ValueError
        If a number is negative, fractional or not below `num_classes`, or if `x` is empty and
        `num_classes` is not given.

    Notes
    -----
    Source: Keras 3's `keras/src/utils/numerical_utils.py`.  Keras silently takes -1 as the last
    class and 1.7 as 1; here both raise.

    Examples
    --------
    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    labels = _as_class_numbers(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        if labels.size == 0:
            raise ValueError("x is empty, so that num_classes cannot be told from it; pass it")
        num_classes = int(labels.max()) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"labels must be in [0, {num_classes - 1}] for num_classes={num_classes}, got labels "
            f"from {labels.min()} to {labels.max()}; number the classes from 0"
        )
    return (labels[..., None] == np.arange(num_classes)).astype("float64")


def _as_class_numbers(x):
    """Return the labels as integers, or say which of them is none."""
    labels = np.asarray(x)
    if labels.dtype.kind == "f":
        bad = labels[~np.isfinite(labels) | (labels != np.trunc(labels))]
        if bad.size:
            raise ValueError(f"labels must be whole numbers, got {bad[0]}")
    if labels.dtype.kind in "biuf":
        return labels.astype("int64")
    try:
        return np.asarray(labels.tolist(), "int64")  # such as ["0", "2"], read from a text file
    except (TypeError, ValueError):
        raise ValueError(
            f"labels must be whole numbers, got dtype {labels.dtype}; number the classes from 0, "
            "for instance with np.unique(labels, return_inverse=True)"
        ) from None


def pad_sequences(
    sequences,
    maxlen=None,
    dtype="int32",
    padding="pre",
    truncating="pre",
    value=0.0,
):
    """Bring sequences to one length, by padding the shorter and cutting the longer.

    Parameters
    ----------
    sequences : sequence of sequences
        Each of T_i numbers, or of T_i entries of one shape (...).
    maxlen : int, optional
        The common length T; that of the longest sequence unless given.
    dtype : str or numpy.dtype, default "int32"
        Of the result.  The default cuts fractions off: pass "float32" for real numbers.
    padding : {"pre", "post"}, default "pre"
        Where `value` is added.  "pre" keeps the last entry at the last timestep, where an LSTM
        that returns its last output looks.
    truncating : {"pre", "post"}, default "pre"
        Where a sequence that is too long is cut.
    value : float or str, default 0.0
        What is padded with.

    Returns
    -------
    numpy.ndarray
        Of shape (len(sequences), T, ...).

    Raises
    ------
    ValueError
        If `padding` or `truncating` is unknown, `maxlen` is negative, `sequences` is not a sequence
        of sequences or is empty while `maxlen` is not given, or their entries differ in shape.

    Notes
    -----
    Source: Keras 3's `keras/src/utils/sequence_utils.py`.

    Examples
    --------
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    _require_side("padding", padding)
    _require_side("truncating", truncating)
    lengths = _lengths(sequences)
    if maxlen is None:
        if not lengths:
            raise ValueError("sequences is empty, so that maxlen cannot be told from it; pass it")
        maxlen = max(lengths)
    if maxlen < 0:
        raise ValueError(f"maxlen must not be negative, got {maxlen}")
    _require_fitting(value, dtype)

    entry_shape = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    padded = np.full((len(sequences), maxlen, *entry_shape), value, dtype)
    for index, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        if length == 0 or maxlen == 0:
            continue
        start = max(length - maxlen, 0) if truncating == "pre" else 0
        kept = np.asarray(sequence[start : start + maxlen], dtype)
        if kept.shape[1:] != entry_shape:
            raise ValueError(
                f"all entries must have one shape: those of sequence {index} have "
                f"{kept.shape[1:]}, expected {entry_shape} as in the first that is not empty"
            )
        offset = maxlen - len(kept) if padding == "pre" else 0
        padded[index, offset : offset + len(kept)] = kept
    return padded


def _lengths(sequences):
    """Return the length of every sequence, or say what is not one."""
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"sequences must be a list of sequences, got {sequences!r}")
    for index, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"sequences must be a list of sequences, but its item {index} is {sequence!r}; put "
                "a single sequence into a list"
            )
    return [len(sequence) for sequence in sequences]


def _require_side(name, side):
    if side not in ("pre", "post"):
        raise ValueError(f"{name} must be 'pre' or 'post', got {side!r}")


def _require_fitting(value, dtype):
    """Raise if a string is to be padded into numbers."""
    if isinstance(value, str) and np.dtype(dtype).kind not in "OSU":
        raise ValueError(
            f"value {value!r} does not fit dtype {np.dtype(dtype).name!r}; pass dtype=object"
        )

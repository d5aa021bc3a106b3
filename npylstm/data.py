"""What goes into a model, checked at the door: arrays, targets, weights.

Every check says what was given, what is expected and what to do.  All of them run before anything
is computed, so that a model is never left half-changed.
"""

import math

import numpy as np

from .errors import is_number


def float_array(values, name, dtype, finite=True):
    """Return values as a float array.

    Parameters
    ----------
    values : array_like of numbers
    name : str
        What to call it in an error.
    dtype : dtype or None
        None keeps the precision that floats come in.
    finite : bool
        Whether NaN and infinities are refused.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If the rows have unequal lengths, or for values that are not finite.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} has rows of unequal length, which make no array; pad them with "
            "npylstm.utils.pad_sequences"
        ) from error
    if array.dtype.kind not in "fiub":
        raise TypeError(_not_numbers(name, array))
    if dtype is None:
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    if array.dtype != dtype:
        with np.errstate(over="ignore"):  # float64 beyond float32: becomes inf, and is refused
            array = array.astype(dtype)
    if finite and not np.isfinite(array).all():
        raise ValueError(_not_finite(name, array))
    return array


def checked_mask(mask, x, owner):
    """Return a mask of the timesteps of x as an array of bool (B, T); None for None.

    Raises
    ------
    TypeError, ValueError
        If it is none of x.
    """
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.dtype.kind not in "biuf":
        raise TypeError(f"mask must be an array of booleans, got dtype {mask.dtype}")
    if x.ndim < 3 or mask.shape != x.shape[:2]:
        expected = f"(samples, timesteps) = {x.shape[:2]}" if x.ndim > 2 else "none for vectors"
        raise ValueError(f"mask of {owner} has the shape {mask.shape}, expected {expected}")
    return mask != 0


def _not_numbers(name, array):
    hint = "turn it into an array of floats first"
    if array.dtype.kind in "OSU":
        hint = (
            "turn strings into numbers first, for example with a dict from character to integer; "
            "rows of unequal length are padded with npylstm.utils.pad_sequences"
        )
    if array.dtype.kind == "c":
        hint = "take the real part, or give real and imaginary part as two features"
    return f"{name} must hold real numbers, got an array of dtype {array.dtype}; {hint}"


def _not_finite(name, array):
    bad = np.argwhere(~np.isfinite(array))
    first = tuple(int(index) for index in bad[0])
    count = "1 value that is" if len(bad) == 1 else f"{len(bad)} values that are"
    return (
        f"{name} holds {count} not finite in {array.dtype}, the first one {array[first]} at index "
        f"{first}; drop or replace such values, for example with numpy.nan_to_num"
    )


def check_shape(shape, name):
    """Raise ValueError if a batch shape has no samples, timesteps or features."""
    if not shape:
        raise ValueError(f"{name} was given a single number; give an array of samples")
    if 0 in shape:
        axes = ("samples", "timesteps", "features") if len(shape) == 3 else ("samples", "features")
        axis = shape.index(0)
        what = axes[axis] if len(shape) <= 3 else f"entries along axis {axis}"
        raise ValueError(f"{name} was given no {what}: shape {tuple(shape)}; give at least one")


def check_equal_lengths(**arrays):
    """Raise ValueError unless all arrays that are given have as many samples."""
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"unequal numbers of samples: {given}; every sample needs one of each")


# ----------------------------------------------------------------------------------------- targets
def targets(y, loss, output_shape, dtype):
    """Return targets as a loss takes them.

    Parameters
    ----------
    y : array_like
    loss : losses.Loss
    output_shape : tuple
        What the model gives for all samples: (N, …, K).
    dtype : dtype

    Returns
    -------
    ndarray
        (N, …, K) of the dtype; or integer labels (N, …) for a sparse loss.

    Raises
    ------
    TypeError, ValueError
        If they do not fit.
    """
    if y is None:
        raise ValueError("y is missing: training and evaluation need a target for every sample")
    if loss.sparse:
        return _labels(_with_samples(float_array(y, "y", np.float64), "y"), output_shape)
    y = _with_samples(float_array(y, "y", dtype), "y")
    if y.ndim == len(output_shape) - 1 and output_shape[-1] == 1:
        y = y[..., None]
    if y.shape[1:] != output_shape[1:]:
        raise ValueError(_wrong_targets(y, loss, output_shape))
    if loss.probabilities and not ((y >= 0) & (y <= 1)).all():
        bad = y[(y < 0) | (y > 1)][0]
        raise ValueError(
            f"y holds {bad:g}; {loss.name} takes targets in [0, 1]: one-hot rows "
            "(npylstm.utils.to_categorical), zeros and ones, or probabilities"
        )
    return y


def _wrong_targets(y, loss, output_shape):
    message = (
        f"y has the shape {y.shape}, but the model gives {output_shape}: with {loss.name} both "
        "must be alike"
    )
    labels = y.ndim == len(output_shape) - 1 or y.shape[1:] == (*output_shape[1:-1], 1)
    if loss.probabilities and labels:
        message += (
            "; for integer labels use loss='sparse_categorical_crossentropy', or turn them into "
            "one-hot rows with npylstm.utils.to_categorical"
        )
    elif len(output_shape) == 3 and y.ndim == 2:
        message += "; for one target a sequence, leave return_sequences off in the last LSTM"
    return message


def _labels(y, output_shape):
    if y.shape[1:] == (*output_shape[1:-1], 1):
        y = y[..., 0]
    if y.shape[1:] != output_shape[1:-1]:
        hint = ""
        if y.shape[1:] == output_shape[1:]:
            hint = "; for one-hot rows use loss='categorical_crossentropy'"
        raise ValueError(
            f"y has the shape {y.shape}, expected integer labels {output_shape[:-1]} for a model "
            f"that gives {output_shape}{hint}"
        )
    K = output_shape[-1]
    wrong = (y != np.floor(y)) | (y < 0) | (y >= K)
    if wrong.any():
        raise ValueError(
            f"y holds the label {y[wrong][0]:g}; labels must be integers from 0 to {K - 1}, one "
            f"for each of the model's {K} outputs"
        )
    return y.astype(np.int64)


# ----------------------------------------------------------------------------------------- weights
def sample_weights(sample_weight, class_weight, y, output_shape, dtype):
    """Return a weight for every sample (N,), or for every timestep (N, T); None for all alike.

    Parameters
    ----------
    sample_weight : array_like (N,), (N, 1) or, for a model that gives sequences, (N, T); or None
    class_weight : dict of int to float, or None
        Classes that are not in it weigh 1.
    y : ndarray
        Checked targets.
    output_shape : tuple
    dtype : dtype
    """
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError("give either class_weight or sample_weight, not both")
        return _from_class_weight(class_weight, y, output_shape, dtype)
    if sample_weight is None:
        return None
    weight = _with_samples(float_array(sample_weight, "sample_weight", dtype), "sample_weight")
    if weight.ndim in (2, 3) and weight.shape[-1] == 1:
        weight = weight[..., 0]
    allowed = [(len(y),)] + [output_shape[:2]] * (len(output_shape) > 2)
    check_equal_lengths(y=y, sample_weight=weight)
    if weight.shape not in allowed:
        raise ValueError(
            f"sample_weight has the shape {weight.shape}, expected "
            f"{' or '.join(map(str, allowed))}: a weight for each sample"
            + (" or each timestep" if len(allowed) > 1 else "")
        )
    return weight


def _from_class_weight(class_weight, y, output_shape, dtype):
    classes = max(2, output_shape[-1])
    if not isinstance(class_weight, dict):
        raise TypeError(
            f"class_weight must be a dict such as {{0: 1.0, 1: 2.5}}, got {class_weight!r}"
        )
    for label, weight in class_weight.items():
        if not hasattr(label, "__index__") or not 0 <= label < classes:
            raise ValueError(
                f"class_weight has the key {label!r}; classes are integers from 0 to {classes - 1}"
            )
        if not is_number(weight) or not math.isfinite(weight):
            raise ValueError(f"class_weight of class {label} must be a number, got {weight!r}")
    if len(output_shape) > 2:
        raise ValueError(
            "class_weight is for models with one output a sample; for a sequence of them give "
            f"sample_weight with the shape {output_shape[:2]}"
        )
    labels = y
    if y.ndim > 1:
        labels = y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)
    labels = np.round(labels).astype(int)
    return np.array([class_weight.get(int(label), 1.0) for label in labels], dtype)


def check_split(fraction):
    """Return whether there is anything to split off; raise ValueError for a bad fraction."""
    if not is_number(fraction) or not 0 <= fraction < 1:
        raise ValueError(f"validation_split must be a number in [0, 1), got {fraction!r}")
    return fraction > 0


def split(fraction, x, y, sample_weight):
    """Split off the last samples, unshuffled.

    Returns
    -------
    first, last : tuples of x, y, sample_weight

    Raises
    ------
    TypeError, ValueError
        If the arrays have no samples, unequally many, or too few to split.
    """
    arrays = {"x": x, "y": y, "sample_weight": sample_weight}
    arrays = {
        name: None if array is None else _with_samples(float_array(array, name, None, False), name)
        for name, array in arrays.items()
    }
    if arrays["x"] is None or arrays["y"] is None:
        raise ValueError("validation_split needs x and y as arrays")
    check_equal_lengths(**arrays)
    n = len(arrays["x"])
    first = int(n * (1 - fraction))
    if first in (0, n):
        raise ValueError(
            f"validation_split={fraction} leaves nothing on one side of {n} samples; give more "
            "samples or another fraction"
        )
    parts = [(a, a) if a is None else (a[:first], a[first:]) for a in arrays.values()]
    return tuple(part[0] for part in parts), tuple(part[1] for part in parts)


def _with_samples(array, name):
    if array.ndim == 0:
        raise ValueError(f"{name} must be an array with one entry a sample, got {array!r}")
    return array

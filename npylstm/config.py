"""The package-wide default precision, under Keras's names."""

_FLOATS = ("float32", "float64")
_floatx = "float32"


def floatx():
    """Return the dtype of layers that are given none: "float32" unless `set_floatx` was called."""
    return _floatx


def set_floatx(dtype):
    """Set the dtype of layers made from now on without a `dtype` of their own.

    Parameters
    ----------
    dtype : {"float32", "float64"}

    Raises
    ------
    ValueError
        For any other dtype.
    """
    global _floatx
    _floatx = check_float(dtype)


def check_float(dtype):
    """Return the name of a dtype, which must be one that the engine computes in."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    if name not in _FLOATS:
        raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    return name

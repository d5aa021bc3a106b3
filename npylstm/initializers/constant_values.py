"""Initializers that draw nothing: the values are known beforehand."""

import numpy as np

from ..config import floatx
from ..errors import known_arguments
from .base import Initializer, as_shape


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape, dtype=None):
        """Return zeros of the given shape; `dtype` is `floatx()` unless given."""
        return np.zeros(as_shape(shape), dtype or floatx())


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape, dtype=None):
        """Return ones of the given shape; `dtype` is `floatx()` unless given."""
        return np.ones(as_shape(shape), dtype or floatx())


@known_arguments
class Constant(Initializer):
    """One value everywhere.

    Parameters
    ----------
    value : float, default 0.0

    Raises
    ------
    ValueError
        If `value` is not a single number.
    """

    def __init__(self, value=0.0):
        if np.ndim(value) != 0:
            raise ValueError(
                f"Constant takes a single number, got an array of shape {np.shape(value)}; to "
                "start from given values, pass the array itself as the initializer"
            )
        self.value = value

    def __call__(self, shape, dtype=None):
        """Return an array filled with the value; `dtype` is `floatx()` unless given."""
        return np.full(as_shape(shape), self.value, dtype or floatx())

    def get_config(self):
        """Return ``{"value": value}``."""
        return {"value": self.value}


@known_arguments
class Identity(Initializer):
    """The identity matrix times a gain.

    Parameters
    ----------
    gain : float, default 1.0
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        """Return a matrix, square or not, with `gain` on its main diagonal.

        Raises
        ------
        ValueError
            If `shape` is not two-dimensional.
        """
        shape = as_shape(shape)
        if len(shape) != 2:
            raise ValueError(
                f"Identity makes matrices only: expected a shape of two sizes, got {shape}"
            )
        return (self.gain * np.eye(*shape)).astype(dtype or floatx())

    def get_config(self):
        """Return ``{"gain": gain}``."""
        return {"gain": self.gain}

"""Initializers that draw: uniform, normal, scaled to a weight's shape, orthogonal.

Draws are made in float64 and then cast, so one seed gives the same weights in float32 and in
float64 up to rounding.  A given integer `seed` makes every call give the same values; without one,
the values come from the package's shared generator, which `npylstm.utils.set_random_seed` restarts.
"""

import math

import numpy as np

from .. import seeding
from ..config import floatx
from ..errors import known_arguments
from .base import Initializer, as_shape

# The standard deviation of a standard normal that is cut off at +-2, as Keras writes it.
_STDDEV_OF_TRUNCATED_NORMAL = 0.87962566103423978
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class _Random(Initializer):
    """An initializer that draws; subclasses define ``_draw(rng, shape)``, in float64."""

    def __init__(self, seed=None):
        self.seed = _as_seed(seed)

    def __call__(self, shape, dtype=None):
        """Return a fresh draw.

        Parameters
        ----------
        shape : tuple of int
        dtype : str or numpy.dtype, optional
            A floating type; `npylstm.config.floatx()` unless given.

        Returns
        -------
        numpy.ndarray
            The same values at every call if the initializer has a seed.

        Raises
        ------
        TypeError
            If `dtype` is not a floating type.
        """
        dtype = np.dtype(dtype or floatx())
        if dtype.kind != "f":
            raise TypeError(
                f"{type(self).__name__} draws real numbers: expected a floating dtype such as "
                f"'float32', got {dtype.name!r}"
            )
        draws = self._draw(seeding.generator(self.seed), as_shape(shape))
        return np.asarray(draws, dtype)

    def get_config(self):
        """Return ``{"seed": seed}``."""
        return {"seed": self.seed}


@known_arguments
class RandomNormal(_Random):
    """Draws from a normal distribution.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        Not negative.
    seed : int, optional
        Makes every call give the same values.

    Raises
    ------
    ValueError
        If `stddev` is negative.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        _require_not_negative(stddev)
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def _draw(self, rng, shape):
        return self.mean + self.stddev * rng.standard_normal(shape)

    def get_config(self):
        """Return the seed, the mean and the standard deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Draws from a normal distribution; values beyond two standard deviations are drawn again.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        Of the normal distribution *before* the cut, not negative.  What comes back has 0.8796 of
        it and lies within ``mean +- 2 stddev``.
    seed : int, optional
        Makes every call give the same values.

    Raises
    ------
    ValueError
        If `stddev` is negative.
    """

    def _draw(self, rng, shape):
        return self.mean + self.stddev * _truncated_normal(rng, shape)


@known_arguments
class RandomUniform(_Random):
    """Draws from a uniform distribution on [minval, maxval).

    Parameters
    ----------
    minval : float, default -0.05
    maxval : float, default 0.05
        Not below `minval`.
    seed : int, optional
        Makes every call give the same values.

    Raises
    ------
    ValueError
        If `minval` is above `maxval`.
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        if not minval <= maxval:
            raise ValueError(
                f"expected minval <= maxval, got minval={minval} and maxval={maxval}; swap them?"
            )
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def _draw(self, rng, shape):
        return rng.uniform(self.minval, self.maxval, shape)

    def get_config(self):
        """Return the seed and both bounds."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


@known_arguments
class VarianceScaling(_Random):
    """Draws whose variance is ``scale / n``, where `n` counts a weight's inputs, outputs or both.

    A weight of shape ``(D, K)`` has fan-in `D` and fan-out `K`.  With more axes, the leading ones
    multiply both; with one axis, both are its size; a scalar has 1 and 1.

    Parameters
    ----------
    scale : float, default 1.0
        Positive.
    mode : {"fan_in", "fan_out", "fan_avg"}, default "fan_in"
        What `n` is: the fan-in, the fan-out, or their mean; at least 1.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        "truncated_normal" (the default, also called "normal") draws within two standard deviations
        of a normal distribution and makes up for the variance that the cut takes away; "uniform"
        draws from +-sqrt(3 scale / n).
    seed : int, optional
        Makes every call give the same values.
    input_axes, output_axes : sequence of int, optional
        With both given, the axes whose sizes multiply to the fan-in and to the fan-out.

    Raises
    ------
    ValueError
        If `scale` is not positive, or `mode` or `distribution` is unknown.
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        if not scale > 0:
            raise ValueError(f"scale must be positive, got {scale}")
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {_MODES}, got {mode!r}")
        name = str(distribution).lower()
        name = "truncated_normal" if name == "normal" else name
        if name not in _DISTRIBUTIONS:
            raise ValueError(f"distribution must be one of {_DISTRIBUTIONS}, got {distribution!r}")
        self.scale = scale
        self.mode = mode
        self.distribution = name
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def _draw(self, rng, shape):
        stddev = math.sqrt(self.scale / self._units(shape))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return stddev * rng.standard_normal(shape)
        return stddev / _STDDEV_OF_TRUNCATED_NORMAL * _truncated_normal(rng, shape)

    def _units(self, shape):
        """Return the `n` that the variance is divided by, at least 1."""
        fan_in, fan_out = _fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return max(1.0, n)

    def get_config(self):
        """Return the seed, the scale, the mode, the distribution and the axes."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


@known_arguments
class _FixedVarianceScaling(VarianceScaling):
    """A `VarianceScaling` that leaves only `seed`, `input_axes` and `output_axes` to choose."""

    _scale, _mode, _distribution = 1.0, "fan_in", "truncated_normal"

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        scale, mode, distribution = self._scale, self._mode, self._distribution
        super().__init__(scale, mode, distribution, seed, input_axes, output_axes)

    def get_config(self):
        """Return the seed and the axes."""
        return {
            "seed": self.seed,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class GlorotUniform(_FixedVarianceScaling):
    """Uniform on +-sqrt(6 / (fan_in + fan_out)): the default of every `kernel`."""

    _scale, _mode, _distribution = 1.0, "fan_avg", "uniform"


class GlorotNormal(_FixedVarianceScaling):
    """Truncated normal of standard deviation sqrt(2 / (fan_in + fan_out))."""

    _scale, _mode, _distribution = 1.0, "fan_avg", "truncated_normal"


class HeUniform(_FixedVarianceScaling):
    """Uniform on +-sqrt(6 / fan_in)."""

    _scale, _mode, _distribution = 2.0, "fan_in", "uniform"


class HeNormal(_FixedVarianceScaling):
    """Truncated normal of standard deviation sqrt(2 / fan_in)."""

    _scale, _mode, _distribution = 2.0, "fan_in", "truncated_normal"


class LecunUniform(_FixedVarianceScaling):
    """Uniform on +-sqrt(3 / fan_in)."""

    _scale, _mode, _distribution = 1.0, "fan_in", "uniform"


class LecunNormal(_FixedVarianceScaling):
    """Truncated normal of standard deviation sqrt(1 / fan_in)."""

    _scale, _mode, _distribution = 1.0, "fan_in", "truncated_normal"


@known_arguments
class Orthogonal(_Random):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times a gain.

    It is the Q of one QR decomposition of normal draws, with signs fixed by the diagonal of R, so
    that every orthogonal matrix is equally likely.  The default of every `recurrent_kernel`: its
    ``(U, 4U)`` matrix is made as a whole, so that its rows are orthonormal over all four gates.

    Parameters
    ----------
    gain : float, default 1.0
    seed : int, optional
        Makes every call give the same values.
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed)

    def _draw(self, rng, shape):
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal makes matrices: expected a shape of at least two sizes, got {shape}; "
                "use another initializer for vectors and scalars"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diagonal(r))
        q = q.T if rows < columns else q
        return self.gain * q.reshape(shape)

    def get_config(self):
        """Return the seed and the gain."""
        return {**super().get_config(), "gain": self.gain}


def _truncated_normal(rng, shape):
    """Draw standard normals within +-2, redrawing those outside."""
    draws = rng.standard_normal(shape)
    while (outside := np.abs(draws) > 2).any():
        draws[outside] = rng.standard_normal(np.count_nonzero(outside))
    return draws


def _fans(shape, input_axes, output_axes):
    """Return how many inputs and how many outputs a weight of this shape has."""
    if input_axes is not None and output_axes is not None:
        fan_in = math.prod(shape[axis] for axis in input_axes)
        return fan_in, math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def _as_seed(seed):
    """Return the seed as a plain int or None, or say what is wrong with it."""
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be an integer or None, got {seed!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    return int(seed)


def _require_not_negative(stddev):
    if not stddev >= 0:
        raise ValueError(f"stddev must not be negative, got {stddev}")

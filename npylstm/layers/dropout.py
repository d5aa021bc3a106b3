"""Dropout: at training time, leave some of the numbers out."""

import math

from .. import seeding
from ..errors import fraction
from ..plan import Op
from .base import Layer


class Dropout(Layer):
    """Set a random part of the input to zero while training; scale the rest up to make up for it.

    Parameters
    ----------
    rate : float
        In [0, 1]: the chance of each number to be dropped.
    noise_shape : tuple of int or None, or None
        ``(None, 1, None)`` drops the same features at all timesteps of a sequence; anything else
        must be the shape of the input, None for sizes that may vary.
    seed : int or None
        Makes the draws repeatable.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    ValueError
        If `rate` is out of range, or `noise_shape` no shape.
    """

    arguments = ("rate", "noise_shape", "seed")

    def __init__(self, rate, noise_shape=None, seed=None, **options):
        super().__init__(**options)
        self.rate = fraction("rate", rate)
        self.noise_shape = None if noise_shape is None else _checked(noise_shape)
        self.seed = seed
        self._generator = None if seed is None else seeding.generator(seed)

    def check_input_shape(self, input_shape):
        """Raise ValueError unless `noise_shape`, if there is one, fits the input."""
        super().check_input_shape(input_shape)
        if self.noise_shape is None:
            return
        given = self.noise_shape
        fits = len(given) == len(input_shape) and all(
            size in (None, there) or there is None or (axis == 1 and size == 1 and len(given) > 2)
            for axis, (size, there) in enumerate(zip(given, input_shape, strict=True))
        )
        if not fits:
            raise ValueError(
                f"layer {self.name!r} drops alike along timesteps only: noise_shape must be the "
                f"input's shape {tuple(input_shape)}, or that with 1 timestep, got {given}"
            )

    def lower(self, plan, x):
        """Append a DROPOUT row over B rows of U features: once, or the same T times."""
        y = plan.tensor(*x.shape)
        alike = self.noise_shape is not None and len(x.shape) > 2 and self.noise_shape[1] == 1
        T, U = x.shape[0] if alike else 1, x.shape[-1]
        plan.row(
            Op.DROPOUT, x=x, y=y, T=T, B=math.prod(x.shape) // (T * U), U=U, rate=self.rate,
            generator=plan.generator(self._generator or seeding.generator()),
        )  # fmt: skip
        plan.pass_mask(x, y)
        return y


def _checked(noise_shape):
    sizes = noise_shape if isinstance(noise_shape, list | tuple) else [noise_shape]
    whole = [size is None or (hasattr(size, "__index__") and size > 0) for size in sizes]
    if not isinstance(noise_shape, list | tuple) or not all(whole):
        raise ValueError(
            "noise_shape must be a tuple of positive integers and None, such as (None, 1, None), "
            f"got {noise_shape!r}"
        )
    return tuple(noise_shape)

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
    seed : int or None
        Makes the draws repeatable.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    ValueError
        If `rate` is out of range.
    """

    arguments = ("rate", "seed")

    def __init__(self, rate, *, seed=None, **options):
        super().__init__(**options)
        self.rate = fraction("rate", rate)
        self.seed = seed
        self._generator = None if seed is None else seeding.generator(seed)

    def lower(self, plan, x):
        """Append a DROPOUT row over B rows of U features, T times: just once."""
        y = plan.tensor(*x.shape)
        U = x.shape[-1]
        plan.row(
            Op.DROPOUT, x=x, y=y, T=1, B=math.prod(x.shape) // U, U=U, rate=self.rate,
            generator=plan.generator(self._generator or seeding.generator()),
        )  # fmt: skip
        plan.pass_mask(x, y)
        return y

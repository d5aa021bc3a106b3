"""Masking: timesteps that are only there to fill up are passed over."""

import math

import numpy as np

from ..errors import is_number
from ..plan import Op
from .base import Layer


class Masking(Layer):
    """Mask the timesteps at which all features are `mask_value`.

    The layers that follow pass over masked timesteps: an LSTM keeps its states there and gives its
    last output again, a loss and the metrics do not count them.

    Parameters
    ----------
    mask_value : float
        What sequences are filled up with.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError
        If `mask_value` is not a finite number.

    Notes
    -----
    Shapes: (B, T, ...) -> (B, T, ...).  The output is 0 where it is masked.
    """

    arguments = ("mask_value",)
    _axes = "(samples, timesteps, ..., features)"

    def __init__(self, mask_value=0.0, **options):
        super().__init__(**options)
        if not is_number(mask_value) or not math.isfinite(mask_value):
            raise TypeError(f"mask_value must be a finite number, got {mask_value!r}")
        self.mask_value = float(mask_value)

    def compute_mask(self, x, mask=None):
        """Return which timesteps are not filled up, (samples, timesteps)."""
        return (np.asarray(x) != self.mask_value).any(axis=-1)

    def lower(self, plan, x):
        """Append a MASKING row over B rows of U features; the mask is that of x without them."""
        y, mask = plan.tensor(*x.shape), plan.tensor(*x.shape[:-1])
        U = x.shape[-1]
        plan.row(
            Op.MASKING, x=x, y=y, B=math.prod(x.shape) // U, U=U, rate=self.mask_value, mask=mask
        )
        plan.masks[y.offset] = mask
        return y

"""Flatten: all that belongs to a sample in one vector."""

import math

from ..plan import Op
from .base import Layer


class Flatten(Layer):
    """Lay the timesteps of a sample side by side: (samples, timesteps, …) -> (samples, features).

    Parameters
    ----------
    **options
        `name` and `dtype`, as for every layer.
    """

    def compute_output_shape(self, input_shape):
        """Return ``(samples, features)``; None for features if the timesteps are not known."""
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))

    def lower(self, plan, x):
        """Append a row as `batch_major` does; vectors stay as they are."""
        return batch_major(plan, x)


def batch_major(plan, x):
    """Return x (T, B, …) as vectors (B, F), by a MOVE_AXIS row: (T, B, U) becomes (B, T, U)."""
    if len(x.shape) < 3:
        return x
    T, B, *inner = x.shape
    U = math.prod(inner)
    y = plan.tensor(B, T * U)
    plan.row(Op.MOVE_AXIS, x=x, y=y, T=T, B=B, U=U)
    return y

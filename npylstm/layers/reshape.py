"""Reshape: the numbers of a sample under another shape."""

import math

from ..errors import positive_integer
from ..plan import Op
from .base import Layer
from .flatten import batch_major


class Reshape(Layer):
    """Give each sample another shape, with as many numbers: (samples, …) -> (samples, *shape).

    Parameters
    ----------
    target_shape : tuple of int
        Without the axis of samples; one of them may be -1, which stands for what is left.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError, ValueError
        If that is no shape.
    """

    arguments = ("target_shape",)

    def __init__(self, target_shape, **options):
        super().__init__(**options)
        if not isinstance(target_shape, tuple | list) or not target_shape:
            raise TypeError(
                f"target_shape must be a tuple such as (timesteps, features), got {target_shape!r}"
            )
        sizes = [s if s == -1 else positive_integer("a size", s) for s in target_shape]
        if sizes.count(-1) > 1:
            raise ValueError(f"only one size can be -1, got {tuple(target_shape)}")
        self.target_shape = tuple(sizes)

    def compute_output_shape(self, input_shape):
        """Return ``(samples, *target_shape)``, with the -1 worked out where that can be."""
        rest = input_shape[1:]
        if None in rest:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        numbers, known = math.prod(rest), math.prod(s for s in self.target_shape if s != -1)
        fits = numbers % known == 0 if -1 in self.target_shape else numbers == known
        if not fits:
            raise ValueError(
                f"layer {self.name!r} cannot give samples of {numbers} numbers, shape "
                f"{tuple(rest)}, the shape {self.target_shape}; its sizes must multiply to as many"
            )
        left = numbers // known
        return (input_shape[0], *(left if size == -1 else size for size in self.target_shape))

    def lower(self, plan, x):
        """Append up to two MOVE_AXIS rows: to samples first, and back to timesteps first."""
        flat = batch_major(plan, x)
        B, F = flat.shape
        _, *shape = self.compute_output_shape((B, F))
        if len(shape) == 1:
            return flat
        T, *inner = shape
        y = plan.tensor(T, B, *inner)
        plan.row(Op.MOVE_AXIS, x=flat, y=y, T=B, B=T, U=math.prod(inner))
        return y

"""Activation: a function of each number, or for softmax of each vector, as a layer of its own."""

import math

from .. import activations
from ..plan import Op
from .base import Layer


class Activation(Layer):
    """Apply an activation to whatever comes in.

    Parameters
    ----------
    activation : str, Activation, callable or None
        As in `activations.get`; softmax goes along the last axis.
    **options
        `name` and `dtype`, as for every layer.
    """

    arguments = ("activation",)

    def __init__(self, activation, **options):
        super().__init__(**options)
        self.activation = activations.get(activation)

    @property
    def used_activations(self):
        """The activation."""
        return [self.activation]

    @property
    def last_activation(self):
        """The activation."""
        return self.activation

    def lower(self, plan, x):
        """Append an ACTIVATION row over B rows of U features."""
        if self.activation == activations.linear:
            return x
        y, U = plan.tensor(*x.shape), x.shape[-1]
        plan.row(
            Op.ACTIVATION, x=x, y=y, B=math.prod(x.shape) // U, U=U,
            activation=plan.activation(self.activation),
        )  # fmt: skip
        plan.pass_mask(x, y)
        return y

"""LayerNormalization: every vector of features brought to mean 0 and variance 1."""

import math

from .. import constraints, initializers, regularizers
from ..errors import positive
from ..plan import Op
from .base import Layer


class LayerNormalization(Layer):
    """Normalize each vector of features on its own, then scale and shift it (Ba et al. 2016).

    Parameters
    ----------
    axis : int
        The axis of features, which is the last: -1.
    epsilon : float
        Added to the variance, so that equal features divide by no zero.
    center : bool
        Add `beta`, a number for each feature.
    scale : bool
        Multiply by `gamma`, a number for each feature.
    beta_initializer, gamma_initializer : str, initializer or callable
    beta_regularizer, gamma_regularizer : str, Regularizer or None
    beta_constraint, gamma_constraint : str, Constraint, callable or None
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError
        If `axis` is no integer, nor a list of them.
    ValueError
        If `epsilon` is not greater than 0.  For another axis than the last, when it is built.

    Notes
    -----
    Weights: gamma (features,), beta (features,).  Shapes: (..., features) -> the same.
    """

    arguments = (
        "axis",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )
    _axes = "(samples, ..., features)"

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **options,
    ):
        super().__init__(**options)
        axes = axis if isinstance(axis, list | tuple) else [axis]
        if not all(isinstance(one, int) for one in axes):
            raise TypeError(f"axis must be an integer or a list of integers, got {axis!r}")
        self.axis = axis
        self.epsilon = positive("epsilon", epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer, "zeros")
        self.gamma_initializer = initializers.get(gamma_initializer, "ones")
        self.beta_regularizer = regularizers.get(beta_regularizer, axes=1)
        self.gamma_regularizer = regularizers.get(gamma_regularizer, axes=1)
        self.beta_constraint = constraints.get(beta_constraint, axes=1)
        self.gamma_constraint = constraints.get(gamma_constraint, axes=1)

    @property
    def gamma(self):
        """What each feature is multiplied by (features,), a view; None without `scale`."""
        return self.weight("gamma") if self.scale else None

    @property
    def beta(self):
        """What is added to each feature (features,), a view; None without `center`."""
        return self.weight("beta") if self.center else None

    def check_input_shape(self, input_shape):
        """Raise ValueError unless the last axis has a known size and is the one to normalize."""
        rank = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        if rank < 2 or axes not in ([-1], [rank - 1]):
            raise ValueError(
                f"layer {self.name!r} normalizes the last axis only, -1, of {self._axes}; got "
                f"axis={self.axis!r} for shape {tuple(input_shape)}"
            )
        if input_shape[-1] is None:
            raise ValueError(
                f"layer {self.name!r} needs a known number of features, got shape "
                f"{tuple(input_shape)}"
            )
        super().check_input_shape(input_shape)

    def weight_specs(self, input_shape):
        """Return gamma and beta, if there are to be such."""
        F = input_shape[-1]
        specs = {}
        if self.scale:
            specs["gamma"] = ((F,), self.gamma_initializer)
        if self.center:
            specs["beta"] = ((F,), self.beta_initializer)
        return specs

    def lower(self, plan, x):
        """Append a LAYER_NORMALIZATION row: B rows of U features, D numbers in gamma (U, or 0)."""
        y, U = plan.tensor(*x.shape), x.shape[-1]
        first = "gamma" if self.scale else "beta"
        plan.row(
            Op.LAYER_NORMALIZATION, x=x, y=y, B=math.prod(x.shape) // U, U=U,
            D=U if self.scale else 0, use_bias=self.center, rate=self.epsilon,
            w=self.segment(first) if self.scale or self.center else 0,
        )  # fmt: skip
        plan.pass_mask(x, y)
        return y

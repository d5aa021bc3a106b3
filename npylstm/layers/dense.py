"""Dense: every output sees every input feature."""

from .. import activations, constraints, initializers, regularizers
from ..errors import positive_integer
from ..plan import Op
from .base import Layer


class Dense(Layer):
    """``activation(x @ kernel + bias)``, on the last axis of whatever comes in.

    Parameters
    ----------
    units : int
        How many outputs.
    activation : str, Activation, callable or None
        None leaves the sum as it is.
    use_bias : bool
    kernel_initializer, bias_initializer : str, initializer or callable
    kernel_regularizer, bias_regularizer : str, Regularizer or None
        What large weights cost.
    activity_regularizer : str, Regularizer or None
        What large outputs cost.
    kernel_constraint, bias_constraint : str, Constraint, callable or None
        Where weights may be.
    **options
        `name` and `dtype`, as for every layer.

    Notes
    -----
    Weights: kernel (features, units), bias (units,).  Shapes: (..., features) -> (..., units).
    """

    arguments = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )
    _axes = "(samples, ..., features)"

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.units = positive_integer("units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer, "glorot_uniform")
        self.bias_initializer = initializers.get(bias_initializer, "zeros")
        self.kernel_regularizer = regularizers.get(kernel_regularizer, axes=2)
        self.bias_regularizer = regularizers.get(bias_regularizer, axes=1)
        self.kernel_constraint = constraints.get(kernel_constraint, axes=2)
        self.bias_constraint = constraints.get(bias_constraint, axes=1)

    def check_input_shape(self, input_shape):
        """Raise ValueError unless there is a features axis of the right size."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"layer {self.name!r} takes an array {self._axes} with a known number of features, "
                f"got shape {tuple(input_shape)}"
            )
        super().check_input_shape(input_shape)

    def weight_specs(self, input_shape):
        """Return kernel and bias."""
        specs = {"kernel": ((input_shape[-1], self.units), self.kernel_initializer)}
        if self.use_bias:
            specs["bias"] = ((self.units,), self.bias_initializer)
        return specs

    def compute_output_shape(self, input_shape):
        """Return ``(..., units)``."""
        return (*input_shape[:-1], self.units)

    @property
    def kernel(self):
        """Weights (features, units): a view."""
        return self.weight("kernel")

    @property
    def bias(self):
        """Bias (units,), a view; None without one."""
        return self.weight("bias") if self.use_bias else None

    @property
    def used_activations(self):
        """The activation."""
        return [self.activation]

    @property
    def last_activation(self):
        """The activation."""
        return self.activation

    def lower(self, plan, x):
        """Append a DENSE row, B rows of D features to U units, and an ACTIVATION row."""
        *outer, D = x.shape
        y = plan.tensor(*outer, self.units)
        N = y.size // self.units
        plan.row(
            Op.DENSE, x=x, y=y, w=self.segment("kernel"), B=N, D=D, U=self.units,
            use_bias=self.use_bias,
        )  # fmt: skip
        plan.pass_mask(x, y)
        if self.activation == activations.linear:
            return y
        z, y = y, plan.tensor(*y.shape)
        plan.row(
            Op.ACTIVATION, x=z, y=y, B=N, U=self.units, activation=plan.activation(self.activation)
        )
        plan.pass_mask(x, y)
        return y

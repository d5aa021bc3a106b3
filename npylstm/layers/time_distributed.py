"""TimeDistributed: the same layer at every timestep."""

import math

from ..plan import Op
from .base import Layer


class TimeDistributed(Layer):
    """Apply a layer to each timestep on its own: (B, T, …) -> (B, T, …).

    Inside, all timesteps of all samples are one large batch of B * T samples.  As in Keras, an
    `activity_regularizer` counts that is given to this layer, and not one of the layer inside.

    Parameters
    ----------
    layer : Layer
        Must not be stateful, and must have one output.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError, ValueError
        If the layer is none, or is stateful.
    """

    arguments = ("layer",)
    _axes = "(samples, timesteps, ...)"

    def __init__(self, layer, **options):
        if not isinstance(layer, Layer):
            raise TypeError(f"TimeDistributed wraps a layer, got {layer!r}")
        if layer.stateful:
            raise ValueError(
                "TimeDistributed cannot wrap a stateful layer: the timesteps are its batch, and "
                "none comes after another; pass stateful=False"
            )
        options.setdefault("dtype", layer.dtype)
        super().__init__(**options)
        self.layer = layer

    @property
    def sublayers(self):
        """The layer inside."""
        return [self.layer]

    def check_input_shape(self, input_shape):
        """Raise ValueError unless each timestep is something that the layer inside can take."""
        if len(input_shape) not in (3, 4):
            raise ValueError(
                f"layer {self.name!r} takes an array {self._axes} with 3 or 4 axes, got shape "
                f"{tuple(input_shape)}"
            )
        super().check_input_shape(input_shape)
        one_timestep = _one_timestep(input_shape)
        try:
            self.layer.check_input_shape(one_timestep)
        except ValueError as error:
            raise ValueError(f"at each timestep of {self.name!r}: {error}") from None
        if isinstance(self.layer.compute_output_shape(one_timestep), list):
            raise ValueError(f"layer {self.name!r} needs a layer with one output inside it")

    def check_values(self, x):
        """Raise ValueError if there are numbers in x that the layer inside cannot take."""
        self.layer.check_values(x)

    @classmethod
    def from_config(cls, config):
        """Return a new layer, with a new one inside."""
        layer = config["layer"]
        return cls(**config | {"layer": type(layer).from_config(layer.get_config())})

    def draw_weights(self, input_shape):
        """Return the weights of the layer inside: those it has, or else new ones."""
        if not self.layer.built:
            return super().draw_weights(input_shape)
        return {
            f"{self.layer.name}/{name}": weight
            for name, weight in self.layer.named_weights().items()
        }

    def weight_specs(self, input_shape):
        """Return the weights of the layer inside."""
        specs = self.layer.weight_specs(_one_timestep(input_shape))
        return {f"{self.layer.name}/{name}": spec for name, spec in specs.items()}

    def attach(self, memory, path, input_shape):
        """Attach the layer inside with it."""
        super().attach(memory, path, input_shape)
        self.layer.attach(memory, f"{path}/{self.layer.name}", _one_timestep(input_shape))

    def compute_output_shape(self, input_shape):
        """Return ``(samples, timesteps, …)``."""
        inner = self.layer.compute_output_shape(_one_timestep(input_shape))
        return (*input_shape[:2], *inner[1:])

    def lower(self, plan, x):
        """Lower the layer inside for T * B samples; sequences at a timestep are made time-major."""
        T, B, *inner = x.shape
        mask = plan.masks.get(x.offset)  # (T, B), or (T, B, t) if a timestep is a sequence itself
        if len(inner) == 1:
            samples = x.reshape(T * B, *inner)
        else:
            samples = _swap(plan, x, T * B, *inner).reshape(inner[0], T * B, inner[1])
            if mask and len(mask.shape) == 3:
                of_samples = _swap(plan, mask, T * B, inner[0], 1).reshape(inner[0], T * B)
                plan.masks[samples.offset] = of_samples
        y = self.layer.lower(plan, samples)
        if len(y.shape) == 3:
            t, _, F = y.shape
            y = _swap(plan, y, t, T * B, F).reshape(T, B, t, F)
        else:
            y = y.reshape(T, B, y.shape[-1])
        plan.masks.pop(y.offset, None)  # of the layer inside, at each timestep
        if mask and len(mask.shape) == 2:
            plan.masks[y.offset] = mask
        return y


def _swap(plan, x, outer, inner, width):
    """Append a MOVE_AXIS row: x (outer, inner, width) to (inner, outer, width)."""
    y = plan.tensor(math.prod((inner, outer, width)))
    plan.row(Op.MOVE_AXIS, x=x, y=y, T=outer, B=inner, U=width)
    return y


def _one_timestep(input_shape):
    return (None, *input_shape[2:])

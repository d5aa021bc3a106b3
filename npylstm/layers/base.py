"""What all layers share: weights in flat memory, shapes, and eager calls."""

import re

import numpy as np

from .. import backends, compat, config, regularizers
from ..data import check_shape, checked_mask, float_array
from ..errors import unknown_arguments
from ..layout import check_memory, lay_out, lower_all, nested
from ..programs import Programs
from ..weights import WeightHolder
from . import rules
from .input import Input


class Layer(WeightHolder):
    """A layer: what it holds, what shapes it makes, and the op rows it turns into.

    Parameters
    ----------
    name : str or None
        None takes the class's name, such as "lstm"; in a model a number follows if it is taken.
    dtype : {"float32", "float64"} or None
        None takes `npylstm.config.floatx()`.
    activity_regularizer : str, Regularizer or None
        The price of each output, divided by the number of samples in a batch.

    Attributes
    ----------
    built : bool
        Whether the weights exist.
    input_shape : tuple or None
        The batch shape it was built for, with None for axes that may vary.
    """

    arguments: tuple[str, ...] = ()  # constructor arguments, as in get_config
    _rank = None  # of the input, with the batch axis; None if any will do
    _axes = "(samples, features)"

    def __init__(self, *, name=None, dtype=None, activity_regularizer=None, **unknown):
        shape = compat.pop_batch_shape(unknown)
        self.batch_shape = None if shape is None else Input(batch_shape=shape).batch_shape
        if unknown:
            known = dict.fromkeys((*self.arguments, "name", "dtype", "activity_regularizer"))
            raise unknown_arguments(type(self).__name__, unknown, known)
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise ValueError(f"a layer's name must be a word without '/', got {name!r}")
        self.name = name or re.sub("(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        self.named_by_user = name is not None
        self.dtype = config.floatx() if dtype is None else config.check_float(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_shape = None
        self.memory = None
        self.path = None
        self._weight_names = ()
        self._programs = Programs(self.make_plan)

    # ------------------------------------------------------------- what a layer defines for itself
    def weight_specs(self, input_shape):
        """Return the weights for a batch shape, {name: (shape, initializer)} in Keras's order."""
        return {}

    def state_specs(self, input_shape):
        """Return the states carried from batch to batch, as {name: shape}."""
        return {}

    def compute_output_shape(self, input_shape):
        """Return the batch shape that comes out (a list of them for several outputs)."""
        return input_shape

    def compute_mask(self, x, mask=None):
        """Return the mask of what comes out for x, given that of x; None if there is none."""
        return mask

    def check_values(self, x):
        """Raise ValueError if there are numbers in x that this layer cannot take."""

    def open_shape(self, shape):
        """Return the batch shape to build for, when data of some shape comes."""
        return (None,) * (len(shape) - 1) + tuple(shape[-1:])

    def lower(self, plan, x):
        """Append this layer's rows to a PlanBuilder; return the tensor(s) that come out.

        If timesteps of x are masked, ``plan.mask_of(x)`` says which.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to lower itself")

    def lower_with_penalty(self, plan, x):
        """Append this layer's rows, and one for the penalty on each of its outputs."""
        outputs = self.lower(plan, x)
        if self.activity_regularizer is not None:
            rules.lower_activity(plan, self, outputs)
        return outputs

    def lower_rules(self, plan):
        """Append rows for the regularizers and constraints of this layer's own weights."""
        for name in self._weight_names:
            role = "recurrent" if name == "recurrent_kernel" else name
            regularizer = getattr(self, f"{role}_regularizer", None)
            constraint = getattr(self, f"{role}_constraint", None)
            rules.lower_weight(plan, self.segment(name), regularizer, constraint)

    @property
    def sublayers(self):
        """The layers inside this one."""
        return []

    @property
    def stateful(self):
        """Whether states are carried from batch to batch."""
        return any(layer.stateful for layer in self.sublayers)

    @property
    def used_activations(self):
        """The activations that a gradient has to pass."""
        return [activation for layer in self.sublayers for activation in layer.used_activations]

    @property
    def needs_sequences(self):
        """Whether the input has a timesteps axis."""
        return self._rank == 3

    @property
    def last_activation(self):
        """The activation that the output comes straight out of, or None."""
        return None

    # ------------------------------------------------------------------------------------ building
    def build(self, input_shape):
        """Create the weights for a batch shape such as ``(None, 3, 1)``, unless they exist.

        Raises
        ------
        ValueError
            If the layer cannot take such a batch.
        """
        input_shape = tuple(input_shape)
        self.check_input_shape(input_shape)
        if not self.built:
            lay_out([self], [self.name], [input_shape])

    def draw_weights(self, input_shape):
        """Return new weights by name, each as its initializer draws it."""
        weights = {}
        for name, (shape, initializer) in self.weight_specs(input_shape).items():
            weights[name] = np.asarray(initializer(shape, dtype=self.dtype))
            if weights[name].shape != tuple(shape):
                raise ValueError(
                    f"the initializer of {name!r} in layer {self.name!r} gave an array of shape "
                    f"{weights[name].shape}, expected {tuple(shape)}"
                )
        return weights

    def attach(self, memory, path, input_shape):
        """Make this layer's weights the views into a memory that lie under a path."""
        self.memory, self.path = memory, path
        self.input_shape = tuple(input_shape)
        self.built = True
        self._weight_names = tuple(self.weight_specs(input_shape))

    def detach(self):
        """Forget weights and memory: back to a layer that is not built."""
        self.memory, self.path, self.input_shape, self.built = None, None, None, False

    def check_input_shape(self, input_shape):
        """Raise ValueError unless this layer can take a batch of that shape."""
        rank = len(input_shape)
        if self._rank is not None and rank != self._rank:
            raise ValueError(self._wrong_rank(input_shape))
        if self.built and self.memory.weight_segments and input_shape[-1] != self.input_shape[-1]:
            raise ValueError(
                f"layer {self.name!r} was built for {self.input_shape[-1]} features, got "
                f"{input_shape[-1]} (shape {input_shape}); pass as many features as it was built "
                "for, or make a new layer"
            )

    def check_batch_size(self, batch_size):
        """Raise ValueError if states are carried of another number of samples."""
        for layer in self.sublayers:
            layer.check_batch_size(batch_size)

    def _wrong_rank(self, shape):
        hint = ""
        if self._rank == 3 and len(shape) == 2:
            n = "len(x)" if shape[0] is None else shape[0]
            hint = (
                f"; if each of the {shape[1]} numbers of a sample is a timestep, "
                f"reshape to ({n}, {shape[1]}, 1); if they are features of a single timestep, to "
                f"({n}, 1, {shape[1]})"
            )
        return (
            f"layer {self.name!r} takes a {self._rank}-D array {self._axes}, got shape "
            f"{tuple(shape)} with {len(shape)} axes{hint}"
        )

    # ------------------------------------------------------------------------------------- weights
    def _need_weights(self):
        if not self.built:
            raise RuntimeError(
                f"layer {self.name!r} has no weights yet: call it on data, build it with a batch "
                "shape such as (None, timesteps, features), or put it into a model that is built"
            )

    def segment(self, name):
        """Return where one weight lies in the flat parameters."""
        return self.memory.weight_segments[f"{self.path}/{name}"]

    def weight(self, name):
        """Return one weight: the view itself, so that a change to it changes the layer."""
        self._need_weights()
        return self.memory.weight(f"{self.path}/{name}")

    def named_weights(self):
        """Return all weights by name, as views, in Keras's order."""
        self._need_weights()
        return {name: self.weight(name) for name in self._weight_names}

    # -------------------------------------------------------------------------------------- states
    def reset_state(self):
        """Set the states carried from batch to batch to zero."""
        for layer in self.sublayers:
            layer.reset_state()

    # ------------------------------------------------------------------------------------ eager use
    def __call__(self, x, *, mask=None, training=False):
        """Run the layer on data.

        Parameters
        ----------
        x : array
            Batch-major, such as (B, T, D) or (B, F).
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over.
        training : bool
            Whether dropout drops.

        Returns
        -------
        ndarray, or list of ndarray for several outputs

        Raises
        ------
        TypeError, ValueError
            If x does not fit.
        """
        return self._run(x, [], training, mask)

    def _run(self, x, initial_state, training, mask=None):
        x = float_array(x, "x", self.dtype, finite=False)
        check_shape(x.shape, f"layer {self.name!r}")
        mask = checked_mask(mask, x, f"layer {self.name!r}")
        fresh = [layer for layer in nested(self) if not layer.built]
        try:
            self.build(x.shape)
            self.check_batch_size(len(x))
            self.check_values(x)
            check_memory([self], self.memory)
            options = {"initial_state": bool(initial_state), "memory": id(self.memory)}
            options |= {"mask": mask is not None, "training": bool(training)}
            with self._programs.use(x.shape, **options) as program:
                program.plan.write_mask(mask)
                self._write_initial_state(program.plan, initial_state)
                program.x[...] = x
                backends.current().forward(program, training)
                plan = program.plan
                outputs = [plan.batch_major_values(tensor).copy() for tensor in plan.outputs]
        except Exception:
            for layer in fresh:  # built for data that it could not take
                layer.detach()
            raise
        return outputs[0] if len(outputs) == 1 else outputs

    def listed_states(self, initial_state):
        """Return initial states as a list, empty for None."""
        if initial_state is None:
            return []
        if not isinstance(initial_state, list | tuple | np.ndarray):
            raise TypeError(
                f"initial_state of layer {self.name!r} must be a list of arrays, got "
                f"{initial_state!r}"
            )
        return list(initial_state)

    def _write_initial_state(self, plan, initial_state):
        if len(initial_state) != len(plan.initial_states):
            raise ValueError(
                f"layer {self.name!r} takes {len(plan.initial_states)} initial states, "
                f"got {len(initial_state)}"
            )
        arrays = [float_array(s, "initial_state", self.dtype, finite=False) for s in initial_state]
        for array, tensor in zip(arrays, plan.initial_states, strict=True):
            if array.shape != tensor.shape:
                raise ValueError(
                    f"initial states of layer {self.name!r} must have the shape (samples, units) = "
                    f"{tensor.shape}, got {array.shape}"
                )
        for array, tensor in zip(arrays, plan.initial_states, strict=True):
            plan.values(*tensor)[...] = array

    def make_plan(self, shape, initial_state=False, memory=None, mask=False, training=True):
        """Return the Plan for an input of shape (B, …); see `Plan.describe`."""
        return lower_all([self], self.memory, shape, initial_state, mask, training)

    # ------------------------------------------------------------------------------------- config
    def get_config(self):
        """Return the constructor's arguments as a dict."""
        config = {name: getattr(self, name) for name in self.arguments}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = self.activity_regularizer
        return {"name": self.name, "dtype": self.dtype} | config

    @classmethod
    def from_config(cls, config):
        """Return a new layer from such a dict."""
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name!r}>"

"""What all layers share: weights in flat memory, shapes, and eager calls."""

import contextlib
import re

import numpy as np

from .. import backends, caches, compat, config, regularizers
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
        words = "(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # lstm_cell, stacked_rnn_cells
        self.name = name or re.sub(words, "_", type(self).__name__).lower()
        self.named_by_user = name is not None
        self.dtype = config.floatx() if dtype is None else config.check_float(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_shape = None
        self.memory = None
        self.path = None
        self._weight_names = ()
        self._programs = Programs(self.make_plan)
        self._kept_programs = Programs(self._make_kept_plan, keep=True)  # those that run backward

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
            regularizer, constraint = self._rules_of(name)
            rules.lower_weight(plan, self.segment(name), regularizer, constraint)

    def _rules_of(self, name):
        """Return the regularizer and the constraint of a weight; None for none."""
        role = "recurrent" if name == "recurrent_kernel" else name
        kinds = "regularizer", "constraint"
        return [getattr(self, f"{role}_{kind}", None) for kind in kinds]

    def apply_constraints(self):
        """Put the weights of this layer, and of those inside it, where their constraints allow."""
        for layer in nested(self):
            for name in layer._weight_names:
                _, constraint = layer._rules_of(name)
                if constraint is not None:
                    weight = layer.weight(name)
                    weight[...] = constraint(weight)

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

    def reset_states(self, states=None):
        """Set the carried states: to zero, or to the states given, as `set_states` takes them."""
        if states is None:
            self.reset_state()
        else:
            self.set_states(states)

    def set_states(self, states):
        """Raise RuntimeError: only recurrent layers carry states, and they say how to set them."""
        raise RuntimeError(f"layer {self.name!r} carries no states")

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
        with self._built_for(x) as x:
            mask = checked_mask(mask, x, f"layer {self.name!r}")
            options = {"initial_state": bool(initial_state), "memory": id(self.memory)}
            options |= {"mask": mask is not None, "training": bool(training)}
            with self._programs.use(x.shape, **options) as program:
                program.plan.write_mask(mask)
                self._write_initial_state(program.plan, initial_state)
                program.x[...] = x
                backends.current().forward(program, training)
                plan = program.plan
                outputs = [plan.batch_major_values(tensor).copy() for tensor in plan.outputs]
        return self.arranged(outputs)

    @contextlib.contextmanager
    def _built_for(self, x):
        """Build for data, unless built, and lend it as an array; undo that if there is an error."""
        x = float_array(x, "x", self.dtype, finite=False)
        check_shape(x.shape, f"layer {self.name!r}")
        fresh = [layer for layer in nested(self) if not layer.built]
        try:
            self.build(x.shape)
            self.check_batch_size(len(x))
            self.check_values(x)
            check_memory([self], self.memory)
            yield x
        except Exception:
            for layer in fresh:  # built for data that it could not take
                layer.detach()
            raise

    def arranged(self, outputs):
        """Return a list of outputs as the layer gives them out: one alone, or a list."""
        return outputs[0] if len(outputs) == 1 else outputs

    def forward(self, x, initial_state=None, mask=None, training=False):
        """Run the layer on data, as calling it does, and keep what its backward needs.

        Parameters
        ----------
        x : array
            Batch-major, such as (B, T, D) or (B, F).
        initial_state : list of arrays, or None
            As in a call; for recurrent layers.
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over.
        training : bool
            Whether dropout drops.

        Returns
        -------
        outputs : ndarray, or list of ndarray for several outputs
        cache : caches.Cache
            For `backward`.  It stays good however often the layer is called in between.

        Raises
        ------
        TypeError, ValueError
            If x or the states do not fit.
        """
        return caches.forward(self, x, initial_state, training, mask)

    def backward(self, douts, cache):
        """Carry the gradients of a loss from the outputs of one `forward` back to all that went in.

        Nothing is changed by it: the gradients come as new arrays, and twice the same.

        Parameters
        ----------
        douts : array, or list of arrays and None
            The gradient of the loss with respect to each output, in its shape; None means zeros.
        cache : caches.Cache
            Of that forward.

        Returns
        -------
        caches.Gradients
            `dx`, `dinitial_state` and `weights`.

        Raises
        ------
        TypeError, ValueError
            If the gradients do not fit, or an activation has no derivative.
        RuntimeError
            If the weights are no longer those of the forward.
        """
        return caches.backward(self, douts, cache)

    def trace(self, x, initial_state=None, mask=None, training=False):
        """Run the layer once and return every number that its LSTMs went through, by name.

        Nothing is changed: carried states and random generators stay as they are.

        Parameters
        ----------
        x, initial_state, mask, training
            As in `forward`.  A stateful layer starts from the states that it carries, unless others
            are given.

        Returns
        -------
        tracing.Trace
            Without gradients: those are of a loss, for which there is `Sequential.trace`.

        Raises
        ------
        TypeError, ValueError
            If x or the states do not fit.
        """
        from ..tracing.record import trace_layer  # which nobody else needs

        return trace_layer(self, x, initial_state, mask, training)

    def states_to_write(self, x, initial_state):
        """Return initial states as a list that is still to be written, after checking x.

        A stateful layer takes them over as those that it carries, and none is left to be written.
        """
        states = self.listed_states(initial_state)
        if not states or not self.stateful:
            return states
        x = float_array(x, "x", self.dtype, finite=False)
        check_shape(x.shape, f"layer {self.name!r}")
        self.build(x.shape)
        self.check_batch_size(len(x))
        self.set_states(states)
        return []

    def nested_states(self, states):
        """Return a flat list of states as the layer gives them out."""
        return states

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

    def _make_kept_plan(self, shape, initial_state, memory, mask):
        # Its own copy of the weights and gradients, so that nobody else's are ever touched.
        return lower_all([self], self.memory.twin(), shape, initial_state, mask)

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

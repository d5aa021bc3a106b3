"""Sequential: layers one after the other, over one flat memory."""

from . import config
from .errors import known_arguments, unknown_name
from .files import read_npz, write_npz
from .layers import Input, Layer
from .layout import belongs_elsewhere, check_memory, lay_out, lower_all, nested, unique_names
from .programs import Programs
from .training import Trainer
from .weights import WeightHolder


@known_arguments
class Sequential(Trainer, WeightHolder):
    """A model of layers, each fed by the one before.

    Parameters
    ----------
    layers : list of Layer, or None
        May start with an `Input`; without one the model is built when it first sees data.
    name : str or None

    Attributes
    ----------
    built : bool
        Whether the weights exist.
    dtype : str
        "float32" or "float64", as its layers have it.
    input_shape : tuple or None
        The batch shape it was built for.
    """

    def __init__(self, layers=None, *, name=None):
        super().__init__()
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a model's name must be a string, got {name!r}")
        self.name = name or "sequential"
        self.built = False
        self.input_shape = None
        self._layers: list[Layer] = []
        self._declared_shape = None  # by an Input
        self._fresh: list[Layer] = []  # layers that were not built before this model was
        self._programs = Programs(self.make_plan)
        layers = _listed(layers)
        if layers and isinstance(layers[0], Input):
            self._declared_shape = layers.pop(0).batch_shape
        for position, layer in enumerate(layers):
            _check_new(layer, layers[:position])
        if layers:
            self._rebuild(layers, self._first_shape(layers[0]))

    @property
    def layers(self):
        """The layers, in order."""
        return list(self._layers)

    @property
    def dtype(self):
        """The dtype that all layers compute in."""
        return self._layers[0].dtype if self._layers else config.floatx()

    # ------------------------------------------------------------------------------------ building
    def add(self, layer):
        """Append a layer, or, first of all, an Input.

        Raises
        ------
        TypeError
            If it is neither.
        ValueError
            If it does not fit; the model stays as it was.
        """
        if isinstance(layer, Input):
            if self._layers or self._declared_shape is not None:
                raise ValueError("an Input comes first, and once")
            self._declared_shape = layer.batch_shape
            return
        _check_new(layer, self._layers)
        first = self._layers[0] if self._layers else layer
        self._rebuild([*self._layers, layer], self.input_shape or self._first_shape(first))

    def _first_shape(self, first):
        """Return the batch shape that goes in, if an Input or the first layer tells it."""
        in_another_model = first.memory and first.memory.owner is not None
        return (
            self._declared_shape
            or first.batch_shape
            or (first.input_shape if in_another_model else None)
        )

    def pop(self):
        """Remove the last layer and return it, with its weights.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self._layers:
            raise ValueError("there is no layer to remove")
        *rest, last = self._layers
        ours = last.built and last.memory.owner is self
        self._rebuild(rest, self.input_shape if rest else None)
        if ours:
            last.memory.owner = None  # what is left of a memory that this model has moved out of
            lay_out([last], [last.name], [last.input_shape])
        return last

    def build(self, input_shape=None):
        """Create the weights for a batch shape such as ``(None, 3, 1)``, unless they exist.

        Raises
        ------
        ValueError
            If there are no layers, no shape, or they do not fit.
        """
        if self.built:
            return
        if not self._layers:
            raise ValueError("the model has no layers; add some first")
        shape = self._declared_shape or input_shape
        if not isinstance(shape, tuple | list):
            raise ValueError(
                f"build needs a batch shape, such as (None, timesteps, features), got {shape!r}"
            )
        self._rebuild(self._layers, tuple(shape))

    def _build_for(self, x):
        """Build for data like x, if not built yet; as few sizes as possible are fixed by it."""
        shape = self._layers[0].open_shape(x.shape) if self._layers else x.shape
        try:
            self.build(shape)
        except ValueError:
            if len(shape) < 3 and shape[1:] == x.shape[1:]:
                raise
            self.build((None, *x.shape[1:]))  # for Flatten and the like, which need all of them

    def _unbuild(self):
        """Undo a build for data that turned out not to fit."""
        for layer in self._fresh:
            layer.detach()
        self.built, self.input_shape, self._fresh = False, None, []

    def _rebuild(self, layers, batch_shape):
        """Take on these layers; with a known shape, lay them out in one memory, keeping weights."""
        names = unique_names(layers)
        fresh = [inner for layer in layers for inner in nested(layer) if not inner.built]
        if batch_shape is not None and layers:
            shapes = _shapes(layers, batch_shape)
            if not self._borrows(layers, shapes):
                lay_out(layers, names, shapes, self)
                for layer, name in zip(layers, names, strict=True):
                    layer.name = name
        self.built = batch_shape is not None and bool(layers)
        self.input_shape = tuple(batch_shape) if self.built else None
        self._layers, self._fresh = list(layers), fresh

    def _borrows(self, layers, shapes):
        """Return whether all these layers are those of another model, to be used as they lie."""
        taken = [
            layer for layer in layers if layer.memory and layer.memory.owner not in (None, self)
        ]
        if not taken:
            return False
        if len(taken) < len(layers) or len({id(layer.memory) for layer in layers}) > 1:
            raise belongs_elsewhere(taken[0])
        for layer, shape in zip(layers, shapes, strict=True):
            for state, size in layer.state_specs(shape).items():
                there = layer.memory.state_segments[f"{layer.path}/{state}"].shape
                if there != size:
                    raise ValueError(
                        f"stateful layer {layer.name!r} belongs to {layer.memory.owner!r}, where "
                        f"it carries the states of {there[0]} samples, not of {size[0]}; use the "
                        "same batch size in both models"
                    )
        return True

    @property
    def memory(self):
        """The flat vectors that all layers lie in; None if not built.

        A model of another model's layers has the memory of that one.
        """
        return self._layers[0].memory if self.built else None

    def make_plan(self, shape, memory=None, mask=False, training=True):
        """Return the Plan for an input of shape (B, …); see `Plan.describe`."""
        return lower_all(self._layers, self.memory, shape, mask=mask, training=training)

    def _need_built(self, method):
        if not self.built:
            raise RuntimeError(
                f"{method} needs weights, and the model is not built yet: start it with "
                "Input((timesteps, features)), call build, or fit it first"
            )

    def _check_input_shape(self, shape):
        if not self._layers:
            raise ValueError("the model has no layers; add some first")
        self._layers[0].check_input_shape(shape)
        expected = self.input_shape or self._declared_shape
        if expected is None:
            return
        fits = len(expected) == len(shape) and all(
            size in (None, given) for size, given in zip(expected[1:], shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                f"the model takes arrays of shape {(None, *expected[1:])}, got {shape}; "
                "None stands for any size"
            )

    def _output_shapes(self, input_shape):
        shape = tuple(input_shape)
        for layer in self._layers:
            shapes = layer.compute_output_shape(shape)
            shapes = shapes if isinstance(shapes, list) else [shapes]
            shape = shapes[0]
        return shapes

    @property
    def output_shape(self):
        """The batch shape that comes out; a list of them for several outputs."""
        self._need_built("output_shape")
        shapes = self._output_shapes(self.input_shape)
        return shapes[0] if len(shapes) == 1 else shapes

    # ------------------------------------------------------------------------------------- weights
    def _weight_paths(self):
        self._need_built("what you ask for")
        check_memory(self._layers, self.memory)
        return [f"{layer.path}/{name}" for layer in self._layers for name in layer.named_weights()]

    def named_weights(self):
        """Return all weights by path, such as "lstm/kernel", as views, in Keras's order."""
        return {path: self.memory.weight(path) for path in self._weight_paths()}

    def save_weights(self, filepath):
        """Write all weights, by path, to an .npz file; an old file is replaced whole or not at all.

        Raises
        ------
        ValueError
            If the name does not end in ".npz".
        OSError
            If it cannot be written.
        """
        write_npz(filepath, self.named_weights(), "weights")

    def load_weights(self, filepath):
        """Read weights written by `save_weights`.

        Raises
        ------
        ValueError
            If they are not those of a model like this; nothing is changed then.
        """
        paths = self._weight_paths()
        arrays = read_npz(filepath, "weights")
        if set(arrays) != set(paths):
            raise ValueError(
                f"{filepath} holds the weights {sorted(arrays)}, but this model has {sorted(paths)}"
            )
        self.set_weights([arrays[path] for path in paths])

    # -------------------------------------------------------------------------------------- states
    def __call__(self, x, *, mask=None, training=False):
        """Return the outputs for one batch; a model that is not built yet is built for it.

        Parameters
        ----------
        x : array (B, T, D) or (B, F)
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over.
        training : bool
            Whether dropout drops.
        """
        if self.built:
            return self._predict_on_batch(x, training, mask)
        try:
            self._build_for(self._inputs(x))
            return self._predict_on_batch(x, training, mask)
        except Exception:
            self._unbuild()
            raise

    def trace(self, x, y=None, sample_weight=None, mask=None, training=False):
        """Run one batch and return every number that its LSTMs went through, by name.

        Nothing is changed: no update is made, carried states and random generators stay as they
        are.  A stateful model starts from the states that it carries.

        Parameters
        ----------
        x : array (B, T, D) or (B, F)
        y : array, or None
            Targets as in `fit`: with them there are gradients, too.
        sample_weight : array (B,) or (B, T), or None
            How much each sample (or timestep) counts in the loss.
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over.
        training : bool
            Whether dropout drops: what the next batch of training would.

        Returns
        -------
        tracing.Trace
            ``trace["lstm"].f`` is the forget gate (B, T, U).

        Raises
        ------
        RuntimeError
            With targets before `compile`.
        TypeError, ValueError
            If something does not fit, or gradients are wanted of an activation that has none.
        """
        from .tracing.record import trace_model  # which nobody else needs

        if self.built:
            return trace_model(self, x, y, sample_weight, mask, training)
        try:
            return trace_model(self, x, y, sample_weight, mask, training)
        except Exception:
            self._unbuild()
            raise

    def get_layer(self, name=None, index=None):
        """Return a layer by its name or its position.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer takes either a name or an index")
        names = [layer.name for layer in self._layers]
        if index is not None and not -len(names) <= index < len(names):
            raise ValueError(f"there is no layer {index}; the model has {len(names)}")
        if name is not None and name not in names:
            raise unknown_name("layer", name, names)
        return self._layers[names.index(name) if index is None else index]

    def reset_states(self):
        """Set all carried states to zero, as before a new sequence."""
        for layer in self._layers:
            layer.reset_state()

    def _stateful_batch_size(self):
        if not any(layer.stateful for layer in self._layers):
            return None
        return self.input_shape[0] if self.built else None

    # ------------------------------------------------------------------------------------- summary
    def summary(self, *, print_fn=print):
        """Print each layer with its output shape and how many parameters it has.

        Parameters
        ----------
        print_fn : callable
            Called with the whole text.
        """
        rows = [("Layer (type)", "Output shape", "Params")]
        shape = self.input_shape
        for layer in self._layers:
            described, params = "?", "?"
            if self.built:
                shape = layer.compute_output_shape(shape)
                described, params = _describe(shape), f"{layer.count_params():,}"
                shape = shape[0] if isinstance(shape, list) else shape
            rows.append((f"{layer.name} ({type(layer).__name__})", described, params))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {params:>{widths[2]}}"
            for name, shape, params in rows
        ]
        rule = "-" * max(map(len, lines))
        total = f"{self.count_params():,}" if self.built else "not built yet"
        text = [f"Model: {self.name}", rule, lines[0], rule, *lines[1:], rule, f"Total: {total}"]
        print_fn("\n".join(text))

    def __repr__(self):
        return f"<Sequential {self.name!r} {self._layers}>"


def _listed(layers):
    if layers is None:
        return []
    if not isinstance(layers, list | tuple):
        raise TypeError(f"a Sequential takes a list of layers, got {layers!r}")
    return list(layers)


def _check_new(layer, before):
    """Raise unless a layer can come after others."""
    if not isinstance(layer, Layer):
        hint = "; make an instance of it first" if isinstance(layer, type) else ""
        hint = "; an Input comes first, and once" if isinstance(layer, Input) else hint
        raise TypeError(f"a Sequential takes layers, got {layer!r}{hint}")
    there = {id(inner) for other in before for inner in nested(other)}
    for inner in nested(layer):
        if id(inner) in there:
            raise ValueError(f"layer {inner.name!r} is in this model already; make a new one")
    if before and layer.dtype != before[0].dtype:
        raise ValueError(
            f"layer {layer.name!r} computes in {layer.dtype}, the layers before it in "
            f"{before[0].dtype}; all layers of a model share one dtype"
        )


def _shapes(layers, batch_shape):
    """Return each layer's input shape, after checking that all of them fit together."""
    shapes, shape = [], tuple(batch_shape)
    for position, layer in enumerate(layers):
        if position and len(shape) == 2 and layer.needs_sequences:
            before = layers[position - 1]
            hint = "; give it return_sequences=True" if hasattr(before, "return_sequences") else ""
            raise ValueError(
                f"layer {layer.name!r} takes sequences (samples, timesteps, features), but "
                f"{before.name!r} before it gives one vector a sample {shape}{hint}"
            )
        layer.check_input_shape(shape)
        shapes.append(shape)
        shape = layer.compute_output_shape(shape)
        if isinstance(shape, list):
            if position + 1 < len(layers):
                raise ValueError(
                    f"layer {layer.name!r} gives {len(shape)} outputs, and the layer after it "
                    "takes one; leave return_state off, or make it the last layer"
                )
            shape = shape[0]
    return shapes


def _describe(shape):
    if isinstance(shape, list):
        return ", ".join(map(_describe, shape))
    return str(tuple(shape))

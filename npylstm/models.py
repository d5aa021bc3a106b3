"""Sequential: layers one after the other, over one flat memory."""

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np

from . import config
from .layers import Input, Layer
from .layers.base import lower_all
from .plan import Memory
from .programs import Programs
from .training import Trainer
from .weights import WeightHolder


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
    memory : Memory or None
        The flat vectors: parameters, gradients, carried states.
    input_shape : tuple or None
        The batch shape it was built for.
    """

    def __init__(self, layers=None, name=None):
        super().__init__()
        self.name = name or "sequential"
        self.built = False
        self.memory = None
        self.input_shape = None
        self._layers: list[Layer] = []
        self._batch_shape = None
        self._programs = Programs(self.make_plan)
        for layer in layers or []:
            self.add(layer)

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
            if self._layers or self._batch_shape is not None:
                raise ValueError("an Input comes first, and once")
            self._batch_shape = layer.batch_shape
            return
        if not isinstance(layer, Layer):
            hint = "; make an instance of it first" if isinstance(layer, type) else ""
            raise TypeError(f"a Sequential takes layers, got {layer!r}{hint}")
        if layer in self._layers:
            raise ValueError(f"layer {layer.name!r} is in this model already; make a new one")
        if self._layers and layer.dtype != self.dtype:
            raise ValueError(
                f"layer {layer.name!r} computes in {layer.dtype}, the layers before it in "
                f"{self.dtype}; all layers of a model share one dtype"
            )
        batch_shape = layer.batch_shape if not self._layers else None
        self._rebuild([*self._layers, layer], self._batch_shape or batch_shape)

    def pop(self):
        """Remove the last layer and return it."""
        if not self._layers:
            raise ValueError("there is no layer to remove")
        last = self._layers[-1]
        self._rebuild(self._layers[:-1], self._batch_shape)
        return last

    def build(self, input_shape=None):
        """Create the weights for a batch shape such as ``(None, 3, 1)``, unless they exist."""
        if self.built:
            return
        shape = self._batch_shape or input_shape
        if shape is None:
            raise ValueError("build needs a batch shape, such as (None, timesteps, features)")
        if not self._layers:
            raise ValueError("the model has no layers; add some first")
        self._rebuild(self._layers, tuple(shape))

    def _build_for(self, x):
        """Build for data like x, if not built yet; only the number of features is fixed by it."""
        self.build((None,) * (x.ndim - 1) + x.shape[-1:])

    def _rebuild(self, layers, batch_shape):
        """Take on these layers; with a known shape, lay them out in one memory, keeping weights."""
        names = _unique_names(layers)
        if batch_shape is not None and layers:
            shapes = _shapes(layers, batch_shape)
            self.memory = self._borrowed_memory(layers) or _lay_out(self, layers, names, shapes)
            self.input_shape = tuple(batch_shape)
            self.built = True
        else:
            self.built, self.memory = False, None
        for layer, name in zip(layers, names, strict=True):
            layer.name = name
        self._layers = list(layers)
        self._batch_shape = batch_shape
        self._programs = Programs(self.make_plan)

    def _borrowed_memory(self, layers):
        """Return the memory of the model that all these layers belong to; None if they are free."""
        taken = [
            layer for layer in layers if layer.memory and layer.memory.owner not in (None, self)
        ]
        if not taken:
            return None
        if len(taken) < len(layers) or len({id(layer.memory) for layer in layers}) > 1:
            raise ValueError(
                f"layer {taken[0].name!r} belongs to the model {taken[0].memory.owner.name!r}; a "
                "second model can be made of layers of that model alone, or of new layers "
                "(type(layer).from_config(layer.get_config()), then set_weights)"
            )
        return taken[0].memory

    def make_plan(self, shape):
        """Return the Plan for an input of shape (B, …); see `Plan.describe`."""
        if any(layer.memory is not self.memory for layer in self._layers):
            raise RuntimeError(
                f"the layers of {self.name!r} have since been laid out anew by the model they "
                "belong to; make this model again"
            )
        return lower_all(self._layers, self.memory, shape)

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
        expected = self._batch_shape
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
        self._need_built("this")
        return [f"{layer.path}/{name}" for layer in self._layers for name in layer._weight_names()]

    def named_weights(self):
        """Return all weights by path, such as "lstm/kernel", as views, in Keras's order."""
        return {path: self.memory.weight(path) for path in self._weight_paths()}

    def save_weights(self, filepath):
        """Write all weights, by path, to an .npz file; an old file is replaced whole or not at all.

        Raises
        ------
        ValueError
            If the name does not end in ".npz".
        """
        filepath = _npz_path(filepath)
        arrays = self.named_weights()
        handle, temporary = tempfile.mkstemp(dir=filepath.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            os.replace(temporary, filepath)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def load_weights(self, filepath):
        """Read weights written by `save_weights`.

        Raises
        ------
        ValueError
            If they are not those of a model like this; nothing is changed then.
        """
        filepath = _npz_path(filepath)
        paths = self._weight_paths()
        with np.load(filepath, allow_pickle=False) as file:
            if set(file.files) != set(paths):
                raise ValueError(
                    f"{filepath} holds the weights {sorted(file.files)}, but this model has "
                    f"{sorted(paths)}"
                )
            self.set_weights([file[path] for path in paths])

    # -------------------------------------------------------------------------------------- states
    def reset_states(self):
        """Set all carried states to zero, as before a new sequence."""
        for layer in self._layers:
            layer.reset_state()

    def _stateful_batch_size(self):
        if not any(layer.stateful for layer in self._layers):
            return None
        return self.input_shape[0] if self.built else None

    # ------------------------------------------------------------------------------------- summary
    def summary(self, print_fn=print):
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


def _unique_names(layers):
    names: list[str] = []
    for layer in layers:
        name, number = layer.name, 0
        while name in names:
            if layer.named_by_user:
                raise ValueError(f"two layers of one model have the name {name!r}; rename one")
            number += 1
            name = f"{layer.name}_{number}"
        names.append(name)
    return names


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


def _lay_out(model, layers, names, shapes):
    """Move all layers into one new memory: weights that exist are kept, others drawn."""
    values, states = {}, {}
    for layer, name, shape in zip(layers, names, shapes, strict=True):
        weights = layer.named_weights() if layer.built else layer.draw_weights(shape)
        values |= {f"{name}/{weight}": array for weight, array in weights.items()}
        states |= {f"{name}/{state}": size for state, size in layer.state_specs(shape).items()}
    memory = Memory(
        {path: array.shape for path, array in values.items()}, states, layers[0].dtype, model
    )
    for path, array in values.items():
        memory.weight(path)[...] = array
    for layer, name, shape in zip(layers, names, shapes, strict=True):
        layer.attach(memory, name, shape)
    return memory


def _npz_path(filepath):
    filepath = Path(filepath)
    if filepath.suffix != ".npz":
        raise ValueError(f"weights are written to .npz files, got {str(filepath)!r}")
    return filepath


def _describe(shape):
    if isinstance(shape, list):
        return ", ".join(map(_describe, shape))
    return str(tuple(shape))

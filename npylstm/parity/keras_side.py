"""Keras's side of a comparison: the one module of the package that imports Keras."""

import importlib
import inspect
import warnings

import numpy as np

from .. import layers
from .recurrence import GATES, Trace

_HOW_TO_INSTALL = (
    "this needs Keras, which is not installed: pip install 'keras>=3.15,<3.16' "
    "'tensorflow-cpu>=2.21,<2.22'"
)


def import_keras():
    """Return the keras module.

    Raises
    ------
    ImportError
        If it is missing; the message says how to install it.
    """
    try:
        return importlib.import_module("keras")
    except ModuleNotFoundError as error:
        if error.name in ("keras", "tensorflow", "torch", "jax"):
            raise ImportError(_HOW_TO_INSTALL) from error
        raise


def is_keras_model(model):
    """Return whether an object is a Keras model, without importing Keras for it."""
    return any(
        cls.__module__.split(".")[0] in ("keras", "tf_keras") and cls.__name__ == "Model"
        for cls in type(model).__mro__
    )


def load(filepath):
    """Return the Keras model in a file, loaded by Keras.

    Raises
    ------
    ImportError
        If Keras is missing.
    ValueError
        If it is no file that Keras can load.
    """
    keras = import_keras()
    with warnings.catch_warnings():
        # Of an optimizer's state, which a comparison leaves out: a file may hold none of it.
        warnings.filterwarnings("ignore", ".*could not be loaded|Skipping variable loading")
        # Keras copies variables in a way that NumPy 2 warns of.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        try:
            return keras.saving.load_model(filepath)
        except Exception as error:  # whatever the file makes Keras stumble over
            raise ValueError(f"Keras cannot load {str(filepath)!r}: {error}") from error


# -------------------------------------------------------------------------------- theirs, looked at
class KerasPart:
    """One layer of a Keras model, with an Activation layer that follows a Dense one."""

    def __init__(self, layer, keras):
        self.layer, self.keras = layer, keras
        self.then = None
        self.name = layer.name
        self.kind = _kind(keras, layer)
        passive = ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout")
        self.is_passive = isinstance(layer, tuple(getattr(keras.layers, p) for p in passive))

    def weights(self):
        """Return copies of the weights, by names that both sides share."""
        return {name: np.asarray(variable).copy() for name, variable in self.variables().items()}

    def variables(self):
        """Return the variables, by names that both sides share."""
        return _named_variables(self.keras, self.layer)

    def tensors(self, x):
        """Return what the layer makes of a tensor, as tensors."""
        recurrent = [layer for layer in _nested(self.layer) if getattr(layer, "stateful", False)]
        states = [
            (s, np.asarray(s).copy()) for layer in recurrent for s in _listed(layer.states or [])
        ]
        for state, _ in states:
            state.assign(np.zeros(state.shape, state.dtype))
        outputs = self.layer(x, **_not_training(self.layer))
        for state, value in states:
            state.assign(value)
        return self.then(outputs) if self.then is not None else outputs

    def inner(self):
        """Return the parts inside, by what they are called there."""
        if self.kind == "Bidirectional":
            directions = {"forward": "forward_layer", "backward": "backward_layer"}
            return {
                direction: KerasPart(getattr(self.layer, name), self.keras)
                for direction, name in directions.items()
            }
        if self.kind == "TimeDistributed":
            return {"layer": KerasPart(self.layer.layer, self.keras)}
        return {}

    def trace(self, x, mask=None):
        """Return the Trace of an LSTM layer, step by step, as its own cell computes it."""
        layer, ops = self.layer, self.keras.ops
        x = np.asarray(x, layer.compute_dtype)
        kept = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask, bool)
        if layer.go_backwards:
            x, kept = x[:, ::-1], kept[:, ::-1]
        zeros = np.zeros((len(x), layer.cell.state_size[0]), x.dtype)
        h, c, steps = ops.convert_to_tensor(zeros), ops.convert_to_tensor(zeros), []
        for t in range(x.shape[1]):
            x_t = ops.convert_to_tensor(x[:, t])
            gates = self._gates(x_t, h)
            _, after = layer.cell(x_t, [h, c], **_not_training(layer.cell))
            keep = ops.convert_to_tensor(kept[:, t, None])
            h, c = (ops.where(keep, new, old) for new, old in zip(after, (h, c), strict=True))
            steps.append((h, c, *gates))
        h, c, *gates = (
            np.stack([np.asarray(value) for value in values]) for values in zip(*steps, strict=True)
        )
        return Trace(h, c, dict(zip(GATES, gates, strict=True)) if gates else {})

    def _gates(self, x, h):
        """Return i, f, g, o of a step, by Keras's own operations; of a foreign cell, nothing."""
        cell, ops = self.layer.cell, self.keras.ops
        if type(cell) is not self.keras.layers.LSTMCell:
            return ()
        z = ops.matmul(x, cell.kernel) + ops.matmul(h, cell.recurrent_kernel)
        z = z + cell.bias if cell.use_bias else z
        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
        sigma = cell.recurrent_activation
        return sigma(z_i), sigma(z_f), cell.activation(z_g), sigma(z_o)


def _kind(keras, layer):
    cell = getattr(layer, "cell", None)
    if isinstance(layer, keras.layers.RNN) and len(_listed(cell.state_size)) == 2:
        return "LSTM"
    for name in layers.__all__:
        if name not in ("Layer", "Input") and isinstance(layer, getattr(keras.layers, name, ())):
            return name
    return type(layer).__name__


def _named_variables(keras, layer):
    if isinstance(layer, keras.layers.Bidirectional):
        directions = {"forward": layer.forward_layer, "backward": layer.backward_layer}
        return {
            f"{direction} {name}": variable
            for direction, inner in directions.items()
            for name, variable in _named_variables(keras, inner).items()
        }
    if isinstance(layer, keras.layers.TimeDistributed):
        return _named_variables(keras, layer.layer)
    return {variable.name: variable for variable in layer.weights}


def _nested(layer):
    yield layer
    for name in ("layer", "forward_layer", "backward_layer"):
        if hasattr(layer, name):
            yield from _nested(getattr(layer, name))


def _not_training(layer):
    takes = inspect.signature(layer.call).parameters
    return {"training": False} if "training" in takes else {}


def _listed(values):
    return list(values) if isinstance(values, list | tuple) else [values]


class KerasSide:
    """A Keras model, seen by a comparison; the model itself is left as it is."""

    def __init__(self, model, loss=None, optimizer=None):
        self.keras = keras = import_keras()
        if not model.built:
            raise ValueError(
                f"the Keras model {model.name!r} has no weights yet: build it, or call it on data"
            )
        self.model = model
        listed, self.chain = _layers_in_order(keras, model)
        policies = {layer.dtype_policy.name for layer in listed}
        if not policies <= {"float32", "float64"} or len(policies) != 1:
            raise ValueError(
                f"the Keras model {model.name!r} computes in {', '.join(sorted(policies))}; it "
                "must be float32 or float64, the same in all layers"
            )
        self.dtype = np.dtype(policies.pop())
        self.loss = loss if loss is not None else getattr(model, "loss", None)
        self.optimizer = optimizer if optimizer is not None else getattr(model, "optimizer", None)
        if not getattr(model, "compiled", False):
            self.loss, self.optimizer = loss, optimizer
        self._given_loss = loss
        self.parts = _parts(keras, listed)
        self.gives_gradients = keras.backend.backend() == "tensorflow"

    @property
    def title(self):
        """What computes here."""
        return f"Keras {self.keras.__version__} on {self.keras.backend.backend()}"

    @property
    def input_shape(self):
        """The batch shape that goes in."""
        return self.model.input_shape

    def outputs(self, x):
        """Return the model's outputs, a list."""
        if self.chain:  # with carried states set aside
            for part in self.parts:
                x = part.tensors(x)
                outputs, x = _listed(x), _listed(x)[0]
            return [np.asarray(tensor) for tensor in outputs]
        return [np.asarray(tensor) for tensor in _listed(self.model(x, training=False))]

    def _output(self, x):
        if not self.chain:
            return self.model(x, training=False)
        for part in self.parts:
            x = part.tensors(x)
        return x

    def _loss(self, x, y, output):
        if self._given_loss is None:
            return self.model.compute_loss(x, y, output)
        loss = self.keras.losses.get(self._given_loss)
        if inspect.isfunction(loss):
            return self.keras.ops.mean(loss(y, output))
        return loss(y, output)

    def loss_and_gradients(self, x, y):
        """Return the loss, and the gradients by part and name."""
        tensorflow = importlib.import_module("tensorflow")
        variables = self._variables()
        with tensorflow.GradientTape() as tape:
            for variable in variables.values():
                tape.watch(variable.value)
            output = self._output(tensorflow.convert_to_tensor(x))
            y = y.reshape(output.shape) if y.dtype.kind == "f" else y
            loss = self._loss(x, y, output)
        gradients = tape.gradient(loss, [variable.value for variable in variables.values()])
        self._slices = {  # an embedding's, which optimizers treat in a way of their own
            key: gradient
            for key, gradient in zip(variables, gradients, strict=True)
            if isinstance(gradient, tensorflow.IndexedSlices)
        }
        found = {  # an embedding's comes as slices, one of a frozen layer's may not come at all
            key: np.zeros(variables[key].shape, self.dtype)
            if g is None
            else np.asarray(tensorflow.convert_to_tensor(g))
            for key, g in zip(variables, gradients, strict=True)
        }
        return float(np.asarray(loss)), found

    def _variables(self):
        return {
            (position, name): variable
            for position, part in enumerate(self.parts)
            for name, variable in part.variables().items()
        }

    def after_step(self, x, y, gradients):
        """Return the weights after one step of a fresh optimizer, by part and name."""
        variables = {key: self.keras.Variable(v, dtype=self.dtype.name)
                     for key, v in self._variables().items()}  # fmt: skip
        for key, variable in variables.items():
            variable.constraint = self._variables()[key].constraint
        optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
        optimizer.apply(
            [
                self._slices.get(key, self.keras.ops.convert_to_tensor(g))
                for key, g in gradients.items()
            ],
            list(variables.values()),
        )
        return {key: np.asarray(variable).copy() for key, variable in variables.items()}

    def steps_along(self, w, gradients):
        """Return what the optimizer, started afresh, makes of weights w (n,) step by step."""
        variable = self.keras.Variable(w, dtype=w.dtype.name)
        optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
        results = []
        for gradient in gradients:
            optimizer.apply([self.keras.ops.convert_to_tensor(gradient)], [variable])
            results.append(np.asarray(variable).copy())
        return results


def _layers_in_order(keras, model):
    """Return the layers, those of nested Sequentials one by one, and whether they are a chain."""
    if isinstance(model, keras.Sequential):
        listed, chain = [], True
        for layer in model.layers:
            inner, is_chain = (
                _layers_in_order(keras, layer)
                if isinstance(layer, keras.Model)
                else ([layer], True)
            )
            listed, chain = listed + inner, chain and is_chain
    else:
        listed = list(model.layers)
        chain = _is_chain(keras, model)
    return [layer for layer in listed if not isinstance(layer, keras.layers.InputLayer)], chain


def _is_chain(keras, model):
    if not hasattr(model, "_functional") and type(model).__name__ != "Functional":
        return False
    before = None
    try:
        for layer in model.layers:
            if isinstance(layer, keras.Model):
                return False
            if before is not None and layer.input is not _listed(before.output)[0]:
                return False
            before = layer
        return _listed(model.outputs)[0] is _listed(before.output)[0]
    except (AttributeError, ValueError):  # several inputs, or used twice
        return False


def _parts(keras, listed):
    parts = []
    for layer in listed:
        before = parts[-1] if parts else None
        if (
            isinstance(layer, keras.layers.Activation)
            and before is not None
            and isinstance(before.layer, keras.layers.Dense)
            and before.layer.activation is keras.activations.linear
        ):
            before.then = layer
        else:
            parts.append(KerasPart(layer, keras))
    return parts


def mask_of(tensor):
    """Return the mask (B, T) that a Keras tensor carries, or None."""
    mask = getattr(tensor, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)

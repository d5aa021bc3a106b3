"""npylstm's side of a comparison."""

import copy
import inspect
import math

import numpy as np

from .. import backends, layers, optimizers
from ..models import Sequential
from ..plan import Memory
from .recurrence import Recurrence, trace

PASSIVE = (layers.Dropout,)
"""Layers that hand on what they get when nothing is trained."""


class Part:
    """One layer of a model, of this side.

    Attributes
    ----------
    name, kind : str
        The kind is the name of the class.
    """

    def __init__(self, layer):
        self.layer = layer
        self.name = layer.name
        self.kind = type(layer).__name__
        self.is_passive = isinstance(layer, PASSIVE)

    def weights(self):
        """Return copies of the weights, by names that both sides share."""
        return {name: weight.copy() for name, weight in named_weights(self.layer).items()}

    def run(self, x, mask=None):
        """Return the outputs for x, a list; the mask (B, T) is for layers that take one."""
        before = _states(self.layer)
        self.layer.reset_state()
        takes = inspect.signature(self.layer.__call__).parameters
        options = {"mask": mask} if mask is not None and "mask" in takes else {}
        outputs = self.layer(x, **options)
        _restore(before)
        return outputs if isinstance(outputs, list) else [outputs]

    def run_in_float64(self, weights, x):
        """Return the outputs for other weights and input, in float64."""
        if not hasattr(self, "_in_float64"):
            self._in_float64 = copy_of_layer(self.layer, "float64")
            self._in_float64.build((None, *x.shape[1:]))
        self._in_float64.set_weights(weights)
        outputs = self._in_float64(x)
        return outputs if isinstance(outputs, list) else [outputs]

    def inner(self):
        """Return the parts inside, by what they are called there."""
        if isinstance(self.layer, layers.Bidirectional):
            return {
                "forward": Part(self.layer.forward_layer),
                "backward": Part(self.layer.backward_layer),
            }
        return {"layer": Part(self.layer.layer)} if self.kind == "TimeDistributed" else {}

    @property
    def merge_mode(self):
        """How a Bidirectional layer merges."""
        return self.layer.merge_mode

    @property
    def activation(self):
        """The Activation of a Dense layer."""
        return self.layer.activation

    def recurrence(self):
        """Return the Recurrence of an LSTM layer."""
        layer = self.layer
        bias = layer.bias if layer.use_bias else np.zeros(4 * layer.units, layer.dtype)
        return Recurrence(
            *(np.array(weight) for weight in (layer.kernel, layer.recurrent_kernel, bias)),
            *(layer.activation, layer.recurrent_activation, layer.go_backwards),
        )

    def trace(self, x, mask=None):
        """Return the Trace of an LSTM layer."""
        return trace(self.recurrence(), x, mask)

    def tensors(self, x):
        """Return what the layer makes of x, for the next layer; here, the arrays themselves."""
        outputs = self.run(x)
        return outputs if len(outputs) > 1 else outputs[0]

    def terms(self, shape):
        """Return how many terms are summed up on the way from an input of that shape."""
        return sum_of_terms(self.layer, shape)


def sum_of_terms(layer, shape):
    """Return how many terms a layer sums up, one after the other, for an input of that shape."""
    if isinstance(layer, layers.TimeDistributed):
        return sum_of_terms(layer.layer, (None, *shape[2:]))
    if isinstance(layer, layers.Bidirectional):
        return max(sum_of_terms(inner, shape) for inner in layer.sublayers)
    if isinstance(layer, layers.LSTM):
        return shape[1] * (shape[2] + layer.units + 1)
    if isinstance(layer, layers.Dense):
        return shape[-1] + 1
    return math.prod(shape[1:]) + 1 if layer.memory and layer.weights else 1


def named_weights(layer):
    """Return a layer's weights, views, by names that both sides share."""
    if isinstance(layer, layers.TimeDistributed):
        return named_weights(layer.layer)
    if isinstance(layer, layers.Bidirectional):
        directions = {"forward": layer.forward_layer, "backward": layer.backward_layer}
        return {
            f"{direction} {name}": weight
            for direction, inner in directions.items()
            for name, weight in named_weights(inner).items()
        }
    return layer.named_weights()


class OurSide:
    """A built npylstm model, seen by a comparison; the model itself is left as it is."""

    gives_gradients = True

    def __init__(self, model, loss=None, optimizer=None):
        self.model = model
        self.dtype = np.dtype(model.dtype)
        self.loss = loss if loss is not None else model.loss
        self.optimizer = optimizer if optimizer is not None else model.optimizer
        self.parts = [Part(layer) for layer in model.layers]
        self.chain = True

    @property
    def title(self):
        """What computes here."""
        return f"npylstm, {backends.get_backend()} backend"

    @property
    def input_shape(self):
        """The batch shape that goes in."""
        return self.model.input_shape

    def outputs(self, x):
        """Return the model's outputs, a list."""
        before = _states(self.model)
        self.model.reset_states()
        outputs = self.model.predict_on_batch(x)
        _restore(before)
        return outputs if isinstance(outputs, list) else [outputs]

    def weights(self):
        """Return copies of the weights, by part and name."""
        return self._by_part(self.model.get_weights())

    def copy(self, dtype=None, loss=None):
        """Return a compiled copy of the model, without what is random while training."""
        copied = copy_of_model(self.model, dtype)
        copied.compile(_fresh(self.optimizer), self.loss if loss is None else loss)
        return copied

    def loss_and_gradients(self, x, y, loss=None):
        """Return the loss, and the gradients by part and name."""
        copied = self.copy(loss=loss)
        value, gradients = copied.loss_and_gradients(x, y)
        return value, self._by_part(gradients.values())

    def after_step(self, x, y, gradients):
        """Return the weights after one step of training, by part and name.

        The gradients are taken once more: what is meant is what training does.
        """
        copied = self.copy()
        copied.train_on_batch(x, y)
        return self._by_part(copied.get_weights())

    def in_float64(self, x, y=None):
        """Return a function from float64 weights, x (and y) to all results, and what it takes.

        The results are a list: the outputs; with y the loss, the gradients and the weights after a
        step, too.
        """
        copied = self.copy("float64") if y is not None else copy_of_model(self.model, "float64")
        whole = y is not None and (y.dtype.kind != "f" or self.loss.probabilities)
        arrays = [*self.model.get_weights(), x] + ([] if y is None or whole else [y])

        def run(arrays):
            n = len(arrays) - 1 - (y is not None and not whole)
            copied.set_weights(arrays[:n])
            results = copied.predict_on_batch(arrays[n])
            results = list(results) if isinstance(results, list) else [results]
            if y is None:
                return results
            targets = y if whole else arrays[-1]
            loss, gradients = copied.loss_and_gradients(arrays[n], targets)
            copied.optimizer = _fresh(self.optimizer)
            copied.train_on_batch(arrays[n], targets)
            return [*results, np.array(loss), *gradients.values(), *copied.get_weights()]

        return run, arrays

    def _by_part(self, arrays):
        names = [
            (position, name)
            for position, part in enumerate(self.parts)
            for name in named_weights(part.layer)
        ]
        return dict(zip(names, arrays, strict=True))

    def steps_along(self, w, gradients):
        """Return what the optimizer, started afresh, makes of weights w (n,) step by step."""
        return steps_along(self.optimizer, w, gradients)


def steps_along(optimizer, w, gradients):
    """Return the weights (n,) after each of some steps of an optimizer that starts afresh."""
    from ..backends import numpy_backend

    memory = Memory({"probe/w": w.shape}, {}, w.dtype)
    memory.parameters[...] = w
    optimizer = _fresh(optimizer)
    optimizer.build(memory)
    results = []
    for t, gradient in enumerate(gradients):
        memory.gradients[...] = gradient
        rate = float(optimizer.learning_rates(1)[0])
        numpy_backend._update(memory, optimizer.update(), t + 1, rate)
        optimizer.batches += 1
        results.append(memory.parameters.copy())
    return results


def _fresh(optimizer):
    """Return a copy of an optimizer that has taken no step yet; SGD for None."""
    if optimizer is None:
        return optimizers.SGD()
    optimizer = copy.copy(optimizer)
    optimizer.memory, optimizer.batches, optimizer.slots = None, 0, {}
    return optimizer


# ----------------------------------------------------------------------------------------- copies
def copy_of_layer(layer, dtype=None):
    """Return a new layer like this one, not built, with nothing random and nothing carried."""
    changes = {"dtype": dtype or layer.dtype}
    config = layer.get_config()
    for name in ("layer", "backward_layer"):
        if config.get(name) is not None:
            config[name] = copy_of_layer(config[name], dtype)
    changes |= {name: 0.0 for name in ("dropout", "recurrent_dropout") if name in config}
    changes |= {"stateful": False} if "stateful" in config else {}
    # Weights are copied: none is drawn, so that the random numbers of the session stay as they are.
    changes |= {name: "zeros" for name in config if name.endswith("_initializer")}
    return type(layer).from_config(config | changes)


def copy_of_model(model, dtype=None):
    """Return a new model with the same weights, without dropout and carried states."""
    kept = [layer for layer in model.layers if not isinstance(layer, PASSIVE)]
    copied = Sequential([copy_of_layer(layer, dtype) for layer in kept], name=model.name)
    copied.build((None, *model.input_shape[1:]))
    copied.set_weights(model.get_weights())
    return copied


def _states(holder):
    """Return the carried states, to be put back."""
    memory = getattr(holder, "memory", None)
    return None if memory is None else (memory, memory.states.copy())


def _restore(before):
    if before is not None:
        memory, states = before
        memory.states[...] = states

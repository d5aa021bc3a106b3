"""An npylstm model made of a Keras model: layers, weights, loss and optimizer."""

import inspect

import numpy as np

from .. import activations, initializers, layers, losses, optimizers
from ..models import Sequential
from .keras_side import KerasSide, import_keras

# What makes no difference to the numbers, or is taken from elsewhere.
_WITHOUT_EFFECT = {
    *("name", "dtype", "trainable", "unroll", "use_cudnn", "implementation", "seed"),
    *("batch_shape", "batch_input_shape", "input_shape", "build_config", "registered_name"),
    *("quantization_config", "lora_rank", "lora_alpha", "input_length"),
    *("sparse", "ragged", "optional"),
}
# What makes no difference here where npylstm lacks it: nothing is dropped in a comparison, and
# without masks (Bidirectional sets the last one by itself) nothing is masked.
_MAY_BE_MISSING = {"dropout", "recurrent_dropout", "zero_output_for_mask"}


def from_keras(model):
    """Build an npylstm model like a Keras model, with the same weights.

    Parameters
    ----------
    model : keras.Sequential, or a keras.Model whose layers are one chain
        Built, in float32 or float64.  If it is compiled, so is the result, where npylstm has the
        loss and the optimizer.

    Returns
    -------
    Sequential

    Raises
    ------
    ImportError
        If Keras is missing.
    ValueError
        If npylstm lacks a layer or one of its settings; the message names it.
    """
    keras = import_keras()
    side = KerasSide(model)
    if not side.chain:
        raise ValueError(
            f"the layers of {model.name!r} are not one chain, each fed by the one before; npylstm "
            "has Sequential models only: compare with a model of your own"
        )
    shape = side.input_shape
    ours = [layers.Input(batch_shape=tuple(shape))]
    for part in side.parts:
        ours.append(_layer_from(keras, part.layer, part.then))
    result = Sequential(ours, name=model.name)
    result.set_weights([np.asarray(w) for part in side.parts for w in part.layer.weights])
    loss, optimizer = loss_from(side.loss), optimizer_from(side.optimizer)
    if optimizer is not None:
        result.compile(optimizer, loss)
    return result


def _layer_from(keras, layer, then=None, name=None):
    cls = getattr(layers, type(layer).__name__, None)
    exact = getattr(keras.layers, type(layer).__name__, None) is type(layer)
    if cls is None or not exact or layer.dtype_policy.name not in ("float32", "float64"):
        kind = type(layer).__name__ if exact else f"{type(layer).__name__}, a class of its own"
        if cls is not None and exact:
            kind += f" in {layer.dtype_policy.name}"
        raise ValueError(
            f"layer {layer.name!r} is a {kind}, which npylstm does not have; it has "
            f"{', '.join(name for name in layers.__all__ if name != 'Layer')}, in float32 and "
            "float64"
        )
    given = _settings(keras, layer)
    if then is not None:
        given["activation"] = then.activation
    arguments = {}
    for argument, value in given.items():
        if argument not in (*cls.arguments, "activity_regularizer"):
            raise ValueError(
                f"layer {layer.name!r} has {argument}={value!r}, which npylstm's {cls.__name__} "
                "does not have"
            )
        arguments[argument] = _argument(keras, layer, argument, value)
    return cls(
        **arguments, name=name or layer.name.replace("/", "_"), dtype=layer.dtype_policy.name
    )


def _settings(keras, layer):
    """Return the arguments of a Keras layer that matter and are not at their defaults."""
    config = layer.get_config()
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(type(layer).__init__).parameters.items()
    }
    known = getattr(layers, type(layer).__name__).arguments
    settings = {}
    for name, value in config.items():
        missing = name not in known
        if name in _WITHOUT_EFFECT or (missing and name in _MAY_BE_MISSING):
            continue
        if missing and (value is None or value is False or value == defaults.get(name, None)):
            continue
        if missing and name.endswith("_initializer"):
            continue
        settings[name] = value
    if "backward_layer" in known:
        settings |= {"layer": layer.forward_layer, "backward_layer": layer.backward_layer}
    elif "layer" in known:
        settings["layer"] = layer.layer
    return settings


def _argument(keras, layer, name, value):
    if name in ("layer", "backward_layer"):
        # Ours puts the direction before the name by itself.
        inner_name = value.name.removeprefix("forward_").removeprefix("backward_")
        return _layer_from(keras, value, name=inner_name)
    if name.endswith("activation"):
        return _activation(layer, value if callable(value) else getattr(layer, name))
    if name.endswith("_initializer"):
        return _initializer(value)
    return value


def _activation(layer, function):
    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", "")
    if module.startswith("keras."):
        try:
            return activations.get(name)
        except ValueError as error:
            raise ValueError(f"in layer {layer.name!r}: {error}") from None
    raise ValueError(
        f"layer {layer.name!r} has the activation {name!r}, a function of its own; npylstm knows "
        f"{', '.join(name for name in activations.__all__ if name.islower() and name != 'get')}"
    )


def _initializer(value):
    try:
        return initializers.get(value)
    except (TypeError, ValueError):
        return "zeros"  # the weights are copied, whatever they started from


def loss_from(loss):
    """Return our Loss for what a Keras model was compiled with; None if there is none such."""
    if isinstance(loss, list | tuple | dict) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    try:
        if isinstance(loss, str):
            return losses.get(loss)
        if inspect.isfunction(loss):
            return losses.get(loss.__name__)
        cls = type(losses.get(type(loss).__name__))
        return cls(**_accepted(cls, loss.get_config()))
    except (TypeError, ValueError, AttributeError):
        return None


def optimizer_from(optimizer):
    """Return our Optimizer like a Keras optimizer; None if there is none such."""
    if optimizer is None or isinstance(optimizer, optimizers.Optimizer):
        return optimizer
    config = dict(optimizer.get_config())
    rate = config.get("learning_rate")
    try:
        base = next(c for c in type(optimizer).__mro__ if c.__module__.startswith("keras."))
        cls = type(optimizers.get(base.__name__))
        if isinstance(rate, dict):
            schedule = getattr(optimizers.schedules, rate["class_name"])
            config["learning_rate"] = schedule(**_accepted(schedule, rate["config"]))
        options = _accepted(cls, config, optimizers.base.OPTIONS)
        if "weight_decay" in inspect.signature(cls.__init__).parameters or config["weight_decay"]:
            options["weight_decay"] = config["weight_decay"]
        return cls(**options)
    except (TypeError, ValueError, AttributeError, KeyError):
        return None


def _accepted(cls, config, more=()):
    known = [*inspect.signature(cls.__init__).parameters, *more]
    return {name: value for name, value in config.items() if name in known and value is not None}

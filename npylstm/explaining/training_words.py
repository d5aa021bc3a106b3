"""The section on training: batches, updates, the loss, and what y is."""

import numpy as np

from .. import data
from ..layers import LSTM, RNN, Activation, Dense, Dropout, Flatten, Reshape, TimeDistributed
from ..layout import nested
from ..losses import CustomLoss
from .texts import LOSSES
from .writer import LANGUAGES, number, shown

# Between what numbers an output lies, for those activations that have bounds.
_BOUNDS = {
    **dict.fromkeys(("sigmoid", "hard_sigmoid", "legacy_hard_sigmoid", "softmax"), (0, 1)),
    **dict.fromkeys(("tanh", "softsign"), (-1, 1)),
    **dict.fromkeys(("relu", "softplus", "exponential"), (0, np.inf)),
}
_NOT_PROBABILITIES = {"linear", "tanh", "softsign", "relu", "leaky_relu", "elu", "selu", "gelu"}
_LARGE = 10


def write(w, flow):
    """Write a Flow's section on training with a Writer."""
    _batches(w, flow)
    _updates(w, flow)
    _order(w, flow)
    _objective(w, flow)
    _targets(w, flow)


# ----------------------------------------------------------------------------- batches, updates
def _batches(w, flow):
    N, b, n = flow.shape[0] - flow.left_over, flow.batch_size, flow.n_batches
    w.say("epoch", N=N if n else flow.shape[0], epochs=flow.epochs)
    if flow.default_batch_size:
        key = "fixed_batch_size" if flow.fixed_batch_size else "default_batch_size"
        w.say(key, asked=flow.default_batch_size)
    if flow.wrong_batch_size:
        w.hint("wrong_batch_size", given=flow.given_batch_size, fixed=flow.fixed_batch_size)
    if not n:
        w.hint("too_few", N=flow.shape[0], fixed=flow.fixed_batch_size)
    elif flow.left_over:
        w.hint("left_over", N=flow.shape[0], fixed=b, rest=flow.left_over, used=N, n=n)
    if n == 1:
        w.say("one_batch", N=N, asked=flow.asked_batch_size)
    elif n and flow.last_batch == b:
        w.say("even_batches", N=N, b=b, n=n)
    elif n:
        w.say("uneven_batches", b=b, n=n, full=n - 1, last=flow.last_batch)


def _updates(w, flow):
    if not flow.n_batches:
        return
    updates, before, after = flow.updates()
    k = getattr(flow.model.optimizer, "gradient_accumulation_steps", None)
    counts = {"n": flow.n_batches, "epochs": flow.epochs, "updates": updates}
    if not k:
        w.say("updates", **counts)
        return
    w.say("accumulated", k=k, batches=flow.n_batches * flow.epochs, **counts)
    if before:
        w.say("waiting_before", n=before)
    if after:
        w.say("waiting_after", n=after)


def _order(w, flow):
    if flow.fixed_batch_size:
        w.say("not_shuffled")
    else:
        several = "shuffled" if flow.n_batches > 1 else "shuffled_alone"
        w.say(several if flow.shape[0] > 1 else "one_sample_order")


# --------------------------------------------------------------------------- loss and optimizer
def _objective(w, flow):
    model, loss = flow.model, flow.model.loss
    if len(flow.output_shapes) > 1:
        w.hint("several_outputs", n=len(flow.output_shapes))
    if loss is None:
        w.hint("no_loss")
    else:
        _loss(w, flow, loss)
    if model.optimizer is not None:
        _optimizer(w, model.optimizer)
    names = model.metrics_names[1:]
    if names:
        w.say("metrics", names=", ".join(map(shown, names)))


def _loss(w, flow, loss):
    words = loss_words(loss)
    if words is None:
        w.say("own_loss", name=loss.name)
    else:
        w.say("loss", name=loss.name, words=words[LANGUAGES.index(w.lang)])
    if loss.reduction in ("sum_over_batch_size", "mean"):
        sequences = len(flow.output_shapes[0]) > 2
        w.say("mean_of_timesteps" if sequences else "mean_of_samples")
    if flow.mask > 1:
        w.say("masked_loss")
    if any(_has_price(inner) for layer in flow.model.layers for inner in nested(layer)):
        w.say("price")


def loss_words(loss):
    """Return what a loss is, (English, Korean); None for one of the user's."""
    if isinstance(loss, CustomLoss):
        return None
    names = (cls.__name__ for cls in type(loss).__mro__)
    return next((LOSSES[name] for name in names if name in LOSSES), None)


def _has_price(layer):
    return any(value is not None for name, value in vars(layer).items() if "_regularizer" in name)


def _optimizer(w, optimizer):
    name = type(optimizer).__name__
    if optimizer._schedule is not None:  # asking it for a rate could run a function of the user's
        w.say("scheduled_optimizer", name=name)
    else:
        w.say("optimizer", name=name, rate=number(optimizer.learning_rate))


# ---------------------------------------------------------------------------------------- targets
def _targets(w, flow):
    output, loss = flow.output_shapes[0], flow.model.loss
    if len(flow.output_shapes) > 1 or len(output) < 2:
        return
    meaning = w.text("per_timestep" if len(output) > 2 else "per_sample")
    if flow.y is None:
        if loss is not None and loss.sparse:
            w.say("y_missing_labels", shape=output, labels=output[:-1], meaning=meaning)
        else:
            w.say("y_missing", shape=output, meaning=meaning)
        return
    y = flow.y
    if y.ndim == 0 or len(y) != flow.shape[0]:
        w.hint("y_lengths", N=flow.shape[0], n=len(y) if y.ndim else 1)
        return
    checked = _fitting(w, flow, output)
    if checked is None:
        return
    _describe(w, flow, checked, meaning)
    _warn(w, flow, checked)


def _fitting(w, flow, output):
    """Return y as the loss takes it; None, after a hint, if it does not fit."""
    y, loss = flow.y, flow.model.loss
    if loss is not None:
        try:
            return data.targets(y, loss, output, flow.model.dtype)
        except (TypeError, ValueError) as error:
            w.hint("y_misfit", output=output, error=str(error))
            return None
    y = y.astype(np.float64)
    if y.shape == output[:-1] and output[-1] == 1:
        y = y[..., None]
    if y.shape not in (output, output[:-1]):
        w.hint("y_shapes", shape=flow.y.shape, output=output)
        return None
    return y


def _describe(w, flow, y, what):
    output, shape = flow.output_shapes[0], flow.y.shape
    K = output[-1]
    if not np.isfinite(y).all():
        w.say("y_other", shape=shape, output=output)
    elif y.ndim < len(output):
        labels = {"low": number(y.min()), "high": number(y.max()), "first": number(y.flat[0])}
        w.say("y_labels", shape=shape, what=what, n=len(np.unique(y)), K=K, **labels)
    elif K > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all():
        first = int(y.reshape(-1, K)[0].argmax())
        w.say("y_one_hot", shape=shape, what=what, K=K, first=first)
    elif np.isin(y, (0, 1)).all():
        w.say("y_binary", shape=shape, what=what, percent=number(100 * y.mean()))
    else:
        low, high = number(y.min()), number(y.max())
        w.say("y_values", shape=shape, what=what, K=K, low=low, high=high)


def _warn(w, flow, y):
    loss, activation = flow.model.loss, _final_activation(flow.stops)
    kind = "" if loss is None else type(loss).__name__
    output, values = flow.output_shapes[0], y.astype(np.float64)
    if "Categorical" in kind and output[-1] == 1:
        w.hint("one_class", loss=loss.name)
        return
    if hasattr(loss, "from_logits"):
        if not loss.from_logits and activation in _NOT_PROBABILITIES:
            right = "sigmoid" if "Binary" in kind else "softmax"
            w.hint("no_probabilities", loss=loss.name, activation=activation, right=right)
        return
    if y.ndim < len(output) or not np.isfinite(values).all():
        return
    low, high = values.min(), values.max()
    least, most = _BOUNDS.get(activation, (-np.inf, np.inf))
    if low < least or high > most:
        w.hint(
            "y_out_of_reach", low=number(low), high=number(high), activation=activation,
            least=number(least), most="∞" if most == np.inf else number(most),
        )  # fmt: skip
    elif max(-low, high) > _LARGE and "Percentage" not in kind and "Log" not in kind:
        w.hint(
            "y_large", low=number(low), high=number(high), mean=number(values.mean()),
            deviation=number(values.std() or 1),
        )  # fmt: skip


def _final_activation(stops):
    """Return the name of the activation that the outputs come out of; None if that is not known."""
    for stop in reversed(stops):
        layer = stop.layer
        while isinstance(layer, TimeDistributed):
            layer = layer.layer
        if isinstance(layer, LSTM | RNN):
            cells = getattr(layer, "_cells", [layer])
            return cells[-1].activation.name if cells[-1].activation.name == "tanh" else None
        if isinstance(layer, Dense | Activation) and layer.activation.name != "linear":
            return layer.activation.name
        if isinstance(layer, Dense):
            return "linear"
        if not isinstance(layer, Activation | Dropout | Flatten | Reshape):
            return None
    return None

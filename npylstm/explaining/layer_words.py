"""The section on layers: the shape that leaves each, and why."""

import math

from .. import layers as all_layers
from ..activations import linear, sigmoid, softmax
from .flow import inner_stops, makes_mask, mask_after


def write(w, flow):
    """Write a Flow's section on layers with a Writer."""
    if not flow.model.built:
        w.say("not_built")
    w.say("first_axis", N=flow.shape[0], b=flow.batch_size)
    for stop in flow.stops:
        _write_layer(w, stop)
        if stop is flow.stops[0] and (padding := flow.is_padding()) is not None:
            w.say("masked_here", n=padding.sum(), of=padding.size)
        if isinstance(stop.layer, all_layers.LSTMCell | all_layers.StackedRNNCells):
            w.hint("cell_alone")
    w.close("total", n=sum(_count(stop) for stop in flow.stops))


def _write_layer(w, stop):
    kind = type(stop.layer).__name__
    out = ", ".join(map(str, stop.outputs))
    w.layer("layer", name=stop.name, kind=kind, shape=stop.shape, out=out)
    words_for(stop.layer)(w, stop)
    if stop.mask > 1 and isinstance(stop.layer, _ENDS_OF_MASKS):
        if not mask_after(stop.layer, stop.shape, stop.mask):
            w.hint("mask_ends")
    if isinstance(stop.layer, all_layers.TimeDistributed) and makes_mask(stop.layer.layer):
        w.hint("mask_stays_inside")
    w.depth += 1
    for inner in inner_stops(stop):
        _write_layer(w, inner)
    w.depth -= 1


def words_for(layer):
    """Return the function that writes about a layer: that of its class, or of a base."""
    return next(WORDS[cls] for cls in type(layer).__mro__ if cls in WORDS)


def _count(stop):
    specs = stop.layer.weight_specs(stop.shape)
    return sum(math.prod(shape) for shape, _ in specs.values())


# ------------------------------------------------------------------------------------ recurrent
def _lstm(w, stop):
    layer, (_, T, D) = stop.layer, stop.shape
    reads = "reads_backwards" if layer.go_backwards else "reads"
    w.say(reads if T > 1 else "reads_one", T=T, D=D)
    w.say("makes_states" if T > 1 else "makes_states_once", U=layer.units)
    _outputs(w, stop)
    if T == 1 and not layer.stateful:
        w.say("starts_from_nothing", n=4 * layer.units**2)
    _lstm_weights(w, stop)
    if layer.stateful:
        w.say("is_stateful")
    _masked_steps(w, stop)


def _outputs(w, stop):
    """Write what an LSTM or an RNN gives out of its T steps."""
    layer, (N, T, _) = stop.layer, stop.shape
    out, *states = stop.outputs
    if layer.return_sequences:
        w.say("gives_all", out=out, other=(N, layer.units))
    else:
        w.say("gives_last", out=out, other=(N, T, layer.units))
    if layer.return_sequences and layer.go_backwards and T > 1:
        w.say("order_of_steps")
    if states:
        w.say("gives_states", state=", ".join(map(str, states)))


def _lstm_weights(w, stop):
    layer, D = stop.layer, stop.shape[-1]
    key = "lstm_weights" if layer.use_bias else "lstm_weights_no_bias"
    w.say(key, D=D, U=layer.units, n=_count(stop))
    if layer.dropout:
        w.say("drops_input", rate=layer.dropout)
    if layer.recurrent_dropout:
        w.say("drops_state", rate=layer.recurrent_dropout)


def _masked_steps(w, stop):
    layer = stop.layer
    if not stop.mask:
        return
    keys = ["passes_over"]
    if layer.return_sequences or layer.zero_output_for_mask:
        keys.append("output_zero" if layer.zero_output_for_mask else "output_again")
    w.say(*keys)


def _rnn(w, stop):
    layer, (_, T, _) = stop.layer, stop.shape
    w.say("rnn_backwards" if layer.go_backwards else "rnn", T=T)
    _outputs(w, stop)
    if T == 1 and not layer.stateful:
        cells = getattr(layer.cell, "cells", [layer.cell])
        w.say("starts_from_nothing", n=sum(4 * cell.units**2 for cell in cells))
    if layer.stateful:
        w.say("is_stateful")
    _masked_steps(w, stop)


def _cell(w, stop):
    w.say("cell", D=stop.shape[-1], U=stop.layer.units)
    _lstm_weights(w, stop)


def _stack(w, stop):
    w.say("stack", n=len(stop.layer.cells))


def _bidirectional(w, stop):
    layer, out = stop.layer, stop.outputs[0]
    w.say("bidirectional")
    w.say("aligned" if layer.return_sequences else "ends")
    a, b = (one.units for one in layer.sublayers)
    w.say(f"merge_{layer.merge_mode or 'none'}".lower(), a=a, b=b, n=a + b, out=out)
    if layer.forward_layer.return_state:
        w.say("gives_both_states")


def _time_distributed(w, stop):
    N, T, *one = stop.shape
    w.say("time_distributed", N=N, T=T, n=N * T, one=tuple(one))


# ---------------------------------------------------------------------------------- all the rest
def _dense(w, stop):
    layer, D = stop.layer, stop.shape[-1]
    bias = w.text("and_bias") if layer.use_bias else ""
    if layer.units == 1:
        w.say("dense_one", D=D, bias=bias)
    else:
        w.say("dense", U=layer.units, D=D, bias=bias)
    if layer.activation == softmax:
        w.say("softmax", U=layer.units)
    elif layer.activation == sigmoid:
        w.say("sigmoid")
    elif layer.activation != linear:
        w.say("activation_after", name=layer.activation.name)
    if len(stop.shape) > 2:
        w.say("dense_in_time", T=math.prod(stop.shape[1:-1]))
    key = "dense_weights" if layer.use_bias else "dense_weights_no_bias"
    w.say(key, D=D, U=layer.units, n=_count(stop))


def _embedding(w, stop):
    V, E = stop.layer.input_dim, stop.layer.output_dim
    w.say("embedding", V=V, E=E, last=V - 1)
    w.say("embedding_weights", V=V, E=E, n=V * E)
    w.say("masks_zero" if stop.layer.mask_zero else "zero_is_one")


def _masking(w, stop):
    w.say("masking", value=stop.layer.mask_value)


def _dropout(w, stop):
    layer = stop.layer
    if layer.rate in (0, 1):
        w.say("dropout_all" if layer.rate else "dropout_none")
        return
    w.say("dropout", percent=100 * layer.rate, scale=1 / (1 - layer.rate))
    if layer.noise_shape is not None and len(stop.shape) > 2 and layer.noise_shape[1] == 1:
        w.say("dropout_alike")


def _repeat(w, stop):
    w.say("repeat", F=stop.shape[1], n=stop.layer.n)


def _flatten(w, stop):
    if len(stop.shape) < 3:
        w.say("flatten_nothing")
    else:
        w.say("flatten", F=math.prod(stop.shape[1:]))


def _reshape(w, stop):
    w.say("reshape", F=math.prod(stop.shape[1:]))


def _activation(w, stop):
    if stop.layer.activation == softmax:
        w.say("activation_softmax", U=stop.shape[-1])
    else:
        w.say("activation", name=stop.layer.activation.name)


def _normalization(w, stop):
    w.say("normalization", F=stop.shape[-1])
    names = ", ".join(stop.layer.weight_specs(stop.shape))
    if names:
        w.say("normalization_weights", names=names, n=_count(stop))


def _own(w, stop):
    w.say("own_layer", shape=stop.shape, out=", ".join(map(str, stop.outputs)))
    w.say("own_weights", n=_count(stop))


WORDS = {
    all_layers.LSTM: _lstm,
    all_layers.RNN: _rnn,
    all_layers.LSTMCell: _cell,
    all_layers.StackedRNNCells: _stack,
    all_layers.Bidirectional: _bidirectional,
    all_layers.TimeDistributed: _time_distributed,
    all_layers.Dense: _dense,
    all_layers.Embedding: _embedding,
    all_layers.Masking: _masking,
    all_layers.Dropout: _dropout,
    all_layers.RepeatVector: _repeat,
    all_layers.Flatten: _flatten,
    all_layers.Reshape: _reshape,
    all_layers.Activation: _activation,
    all_layers.LayerNormalization: _normalization,
    all_layers.Layer: _own,
}
_ENDS_OF_MASKS = (all_layers.Flatten, all_layers.Reshape)

"""The math of the whole package as pure NumPy functions, one equation a line.

Arrays in, arrays out.  A forward returns ``(out, cache)``, its backward takes ``(dout, cache)`` and
stands directly below it.  Sequences are time-major, (T, B, ·).  With the NumPy backend every
training step passes through here: this is the place for a breakpoint.
"""

from . import (
    activations,
    constraints,
    embedding,
    losses,
    metrics,
    normalization,
    optimizers,
    regularizers,
    shaping,
)
from .dense import (
    dense_backward,
    dense_forward,
    dense_softmax_backward,
    dense_softmax_crossentropy_backward,
    dense_softmax_crossentropy_forward,
    dense_softmax_forward,
)
from .lstm import (
    LSTMCache,
    LSTMGradients,
    LSTMStep,
    gates_backward,
    gates_forward,
    gates_slopes,
    lstm_backward,
    lstm_cell_backward,
    lstm_cell_forward,
    lstm_forward,
    masked_backward,
    split_gates,
)
from .lstm_trace import (
    lstm_gate_gradients,
    lstm_gates,
    lstm_gradient_shares,
    lstm_h_gradient,
    lstm_x_gradient,
)
from .normalization import layer_normalization_backward, layer_normalization_forward

__all__ = [
    "LSTMCache",
    "LSTMGradients",
    "LSTMStep",
    "activations",
    "constraints",
    "dense_backward",
    "dense_forward",
    "dense_softmax_backward",
    "dense_softmax_crossentropy_backward",
    "dense_softmax_crossentropy_forward",
    "dense_softmax_forward",
    "embedding",
    "gates_backward",
    "gates_forward",
    "gates_slopes",
    "layer_normalization_backward",
    "layer_normalization_forward",
    "losses",
    "lstm_backward",
    "lstm_cell_backward",
    "lstm_cell_forward",
    "lstm_forward",
    "lstm_gate_gradients",
    "lstm_gates",
    "lstm_gradient_shares",
    "lstm_h_gradient",
    "lstm_x_gradient",
    "masked_backward",
    "metrics",
    "normalization",
    "optimizers",
    "regularizers",
    "shaping",
    "split_gates",
]

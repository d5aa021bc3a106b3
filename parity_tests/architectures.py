"""Random networks, as Hypothesis draws them, and how each is built with either library.

To let them vary in another way, give a field with a default to the class it belongs to, draw it in
its strategy and use it in `layers` (or `inputs`): examples that are written down stay as they are.
"""

from typing import NamedTuple

import keras
import numpy as np
from hypothesis import strategies as st

import npylstm

from .oracle import activation, random

# The usual ones first: Hypothesis takes what comes first for the simplest.
_NAMES = sorted(npylstm.activations._BY_NAME)
HEADS = ["linear", *(name for name in _NAMES if name != "linear")]
GATES = ["tanh", "sigmoid", *(n for n in _NAMES if n not in ("tanh", "sigmoid", "softmax"))]
MERGE_MODES = ("concat", "sum", "mul", "ave")
# States that nothing bounds grow with every step: weights are smaller, for them to stay of size 1.
SCALES = {"exponential": 0.1} | dict.fromkeys(
    ("elu", "gelu", "leaky_relu", "linear", "relu", "selu", "silu", "softplus", "swish"), 0.3
)

# Every pair of activations, and every loss, is a kernel to compile, which takes a second or so.
# Examples for the compiled backend are drawn from these.
COMPILED_PAIRS = (("tanh", "sigmoid"), ("relu", "hard_sigmoid"))
COMPILED_HEADS = ("linear", "tanh", "softmax")
COMPILED_LOSSES = ("MeanSquaredError", "CategoricalCrossentropy")


FILL = 2.0  # masks the timesteps at which all features are that


class Targets(NamedTuple):
    """What a loss takes: a kind of targets, and the activations to end in; None for any."""

    kind: str
    ends: tuple[str, ...] | None = None


POSITIVE = ("sigmoid", "softmax", "softplus", "exponential")
LOSSES = {
    "MeanSquaredError": Targets("real"),
    "MeanAbsoluteError": Targets("real"),
    "MeanAbsolutePercentageError": Targets("positive"),
    "MeanSquaredLogarithmicError": Targets("positive"),
    "Huber": Targets("real"),
    "LogCosh": Targets("real"),
    "CosineSimilarity": Targets("directions", ("linear", "tanh", "sigmoid")),
    "Poisson": Targets("positive", POSITIVE),
    "KLDivergence": Targets("probabilities", ("softmax", "sigmoid")),
    "CategoricalCrossentropy": Targets("one-hot", ("softmax", "sigmoid", "softplus")),
    "SparseCategoricalCrossentropy": Targets("labels", ("softmax",)),
    "BinaryCrossentropy": Targets("bits", ("sigmoid",)),
    "BinaryFocalCrossentropy": Targets("bits", ("sigmoid",)),
    "CategoricalFocalCrossentropy": Targets("one-hot", ("softmax",)),
}


# ------------------------------------------------------------------------------ what an example is
class Recurrent(NamedTuple):
    """An LSTM; with a merge mode, both directions of one."""

    units: int
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"
    use_bias: bool = True
    go_backwards: bool = False
    merge_mode: str | None = None
    zero_output_for_mask: bool = False

    def layer(self, L, return_sequences):
        lstm = self._one_way(L, return_sequences, self.go_backwards)
        if self.merge_mode is None:
            return lstm
        if not self.go_backwards:
            return L.Bidirectional(lstm, self.merge_mode)
        # Keras makes the other direction go backwards too, and refuses it; so it is given.
        ahead = self._one_way(L, return_sequences, False)
        return L.Bidirectional(lstm, self.merge_mode, backward_layer=ahead)

    def _one_way(self, L, return_sequences, go_backwards):
        return L.LSTM(
            self.units,
            activation(L, self.activation),
            activation(L, self.recurrent_activation),
            self.use_bias,
            "zeros",  # other weights are given soon; an orthogonal matrix takes its time
            "zeros",
            return_sequences=return_sequences,
            go_backwards=go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
        )


class Head(NamedTuple):
    """A Dense; `time_distributed` says how it is put on sequences."""

    units: int
    activation: str = "linear"
    use_bias: bool = True
    time_distributed: bool = False

    def layer(self, L, sequences):
        dense = L.Dense(self.units, activation(L, self.activation), self.use_bias)
        return L.TimeDistributed(dense) if sequences and self.time_distributed else dense


class Example(NamedTuple):
    """A network, and the data that it is shown."""

    recurrent: tuple[Recurrent, ...]
    heads: tuple[Head, ...] = ()
    return_sequences: bool = False  # of the last recurrent layer; those below always do
    loss: str = "MeanSquaredError"
    B: int = 3
    T: int = 4
    D: int = 2
    dtype: str = "float64"
    compiled: bool = False
    seed: int = 0
    masked: bool = False

    def layers(self, L):
        """Return the layers, made from `npylstm.layers` or `keras.layers`."""
        last = len(self.recurrent) - 1
        recurrent = [
            one.layer(L, k < last or self.return_sequences) for k, one in enumerate(self.recurrent)
        ]
        masking = [L.Masking(FILL)] if self.masked else []
        return [
            *(*masking, *recurrent),
            *(head.layer(L, self.return_sequences) for head in self.heads),
        ]

    def inputs(self, rng):
        """Return x (B, T, D); a third of the timesteps are masked, if any."""
        x = random(rng, self.B, self.T, self.D)
        if self.masked:
            x[rng.random((self.B, self.T)) < 1 / 3] = FILL
        return x

    def weights(self, shapes, rng):
        """Return random weights, none of them constant, of a size that suits the activations."""
        used = {name for one in self.recurrent for name in one[1:3]}
        used |= {head.activation for head in self.heads}
        scale = min(SCALES.get(name, 0.5) for name in used)
        return [random(rng, *shape, scale=scale) for shape in shapes]

    def targets(self, shape, rng):
        """Return targets for outputs of a shape (..., K)."""
        kind, K = LOSSES[self.loss].kind, shape[-1]
        if kind == "labels":
            return rng.integers(K, size=shape[:-1])
        if kind == "one-hot":
            return np.eye(K, dtype=self.dtype)[rng.integers(K, size=shape[:-1])]
        if kind == "bits":
            return rng.integers(2, size=shape).astype(self.dtype)
        if kind in ("real", "directions"):
            return random(rng, *shape)
        positive = 0.1 + np.abs(random(rng, *shape))
        if kind == "probabilities":
            positive /= positive.sum(axis=-1, keepdims=True)
        return positive.astype(self.dtype)

    @property
    def backends(self):
        return ("numpy", "numba") if self.compiled else ("numpy",)


# ----------------------------------------------------------------------------- how they are drawn
SIZES = st.integers(1, 5)


@st.composite
def recurrents(draw, compiled):
    """Draw a recurrent layer."""
    pairs = st.sampled_from(COMPILED_PAIRS)
    if not compiled:
        pairs = st.tuples(st.sampled_from(GATES), st.sampled_from(GATES))
    return Recurrent(
        draw(SIZES),
        *draw(pairs),
        use_bias=draw(st.booleans()),
        go_backwards=draw(st.booleans()),
        merge_mode=draw(st.sampled_from((None, None, *MERGE_MODES))),
        zero_output_for_mask=draw(st.booleans()),
    )


@st.composite
def heads(draw, names, least_units=1):
    """Draw a Dense that ends in one of some activations."""
    name = draw(st.sampled_from(names))
    least_units = 2 if name == "softmax" else least_units  # Keras warns of a softmax of one number
    return Head(
        draw(st.integers(least_units, 5)),
        name,
        use_bias=draw(st.booleans()),
        time_distributed=draw(st.booleans()),
    )


@st.composite
def examples(draw):
    """Draw an Example; one in five for the compiled backend too."""
    compiled = draw(st.integers(0, 4)) == 4
    loss = draw(st.sampled_from(COMPILED_LOSSES if compiled else sorted(LOSSES)))
    names = COMPILED_HEADS if compiled else HEADS
    dense = draw(st.lists(heads(names), max_size=1))
    kind, ends = LOSSES[loss]
    if ends is not None:
        ends = [name for name in ends if name in names]
        least = (
            1 if kind in ("bits", "positive") else 2
        )  # a single class, or direction, is no choice
        dense.append(draw(heads(ends, least)))
    return Example(
        recurrent=tuple(draw(st.lists(recurrents(compiled), min_size=1, max_size=3))),
        heads=tuple(dense),
        return_sequences=draw(st.booleans()),
        loss=loss,
        B=draw(st.integers(2, 5) if compiled else SIZES),  # one sample has kernels of its own
        T=draw(SIZES),
        D=draw(SIZES),
        dtype=draw(st.sampled_from(("float32", "float64"))),
        compiled=compiled,
        seed=draw(st.integers(0, 2**32 - 1)),
        masked=not compiled and draw(st.integers(0, 3)) == 3,  # their kernels: see test_masks
    )


# ------------------------------------------------------------------------------------- Keras's side
class KerasStack:
    """Keras layers one after the other, called as they are: no graph is made, no model is built."""

    def __init__(self, layers, input_shape):
        self.layers = layers
        for layer in layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.output_shape = input_shape

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    @property
    def weights(self):
        """The variables, in order."""
        return [weight for layer in self.layers for weight in layer.trainable_weights]

    def set_weights(self, arrays):
        """Give them other values."""
        for weight, array in zip(self.weights, arrays, strict=True):
            weight.assign(array)


def keras_stack(example):
    """Return an example's layers as Keras has them."""
    return KerasStack(example.layers(keras.layers), (example.B, example.T, example.D))


def our_model(example):
    """Return an example's layers as a compiled Sequential of ours."""
    inputs = npylstm.layers.Input((example.T, example.D))
    model = npylstm.Sequential([inputs, *example.layers(npylstm.layers)])
    model.compile(optimizer="sgd", loss=getattr(npylstm.losses, example.loss)())
    return model

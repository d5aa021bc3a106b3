"""LayerNormalization, Activation, Flatten and Reshape beside Keras's, alone and in models."""

import numpy as np
import pytest

import npylstm

from .oracle import (
    B,
    D,
    K,
    T,
    U,
    assert_close,
    assert_same_loss_and_gradients,
    assert_same_outputs,
    both_layers,
    one_hot,
    random,
    share_random_weights,
    shared_models,
)

F = 19  # features: more than one vector of the widest processor in double precision


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with npylstm.using_backend(request.param):
        yield request.param


def compile_both(ours, theirs, loss="mse"):
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss=loss, run_eagerly=True)


WEIGHTS = {
    "both": {},
    "no-center": {"center": False},
    "no-scale": {"scale": False},
    "neither": {"center": False, "scale": False, "epsilon": 0.3},
}


class TestLayerNormalization:
    @pytest.mark.parametrize("shape", [(B, F), (B, T, F), (1, 1)], ids=str)
    def test_outputs(self, shape, floatx, rng):
        ours, theirs = both_layers(lambda L: L.LayerNormalization())
        for layer in (ours, theirs):
            layer.build(shape)
        share_random_weights(ours, theirs, rng)
        x = random(rng, *shape)
        assert_same_outputs(ours, theirs, x)
        # Where the mean is large, its square is what rounding is a share of: 10 * 10 / sqrt(0.001).
        x[...] = 10
        tolerance = {"float32": 1e-3, "float64": 1e-12}[floatx]
        assert_close(ours(x), np.asarray(theirs(x)), atol=tolerance)

    @pytest.mark.parametrize("options", WEIGHTS.values(), ids=WEIGHTS)
    def test_loss_and_gradients_within_a_model(self, options, float64, rng):
        ours, theirs = shared_models(
            lambda L: [
                L.Input((T, D)),
                L.LSTM(F, return_sequences=True),
                L.LayerNormalization(**options),
                L.LSTM(U),
                L.LayerNormalization(**options),
                L.Dense(K),
            ],
            rng,
        )
        compile_both(ours, theirs)
        assert_same_loss_and_gradients(ours, theirs, random(rng, B, T, D), random(rng, B, K))

    def test_training_in_float32(self, rng):
        ours, theirs = shared_models(
            lambda L: [L.Input((F,)), L.LayerNormalization(), L.Dense(K), L.Activation("tanh")],
            rng,
        )
        compile_both(ours, theirs)
        x, y = random(rng, B, F), random(rng, B, K)
        assert_same_loss_and_gradients(ours, theirs, x, y)
        for model in (ours, theirs):
            model.fit(x, y, batch_size=B, epochs=3, verbose=0)
        assert_close(ours.get_weights(), theirs.get_weights())

    def test_two_readers_of_what_comes_out(self, float64, rng):
        """Both directions read what it makes of x, and add to its gradient."""
        ours, theirs = shared_models(
            lambda L: [
                L.Input((T, D)),
                L.Dense(U),
                L.LayerNormalization(),
                L.Bidirectional(L.LSTM(U, return_sequences=True)),
                L.LayerNormalization(),
            ],
            rng,
        )
        compile_both(ours, theirs)
        x, y = random(rng, B, T, D), random(rng, B, T, 2 * U)
        assert_same_loss_and_gradients(ours, theirs, x, y)


@pytest.mark.parametrize(
    ("name", "loss", "scale"),
    [
        ("softmax", "categorical_crossentropy", 1),
        # So far apart that a probability is rounded to 0: the loss must take what goes into it.
        ("softmax", "categorical_crossentropy", 300),
        ("sigmoid", "binary_crossentropy", 1),
        ("softmax", "mse", 1),
        ("linear", "mse", 1),
    ],
)
def test_activation_as_the_last_layer(name, loss, scale, float64, rng):
    ours, theirs = shared_models(
        lambda L: [L.Input((T, D)), L.LSTM(U), L.Dense(K), L.Activation(name)], rng
    )
    compile_both(ours, theirs, loss)
    x, y = random(rng, B, T, D), one_hot(rng, B)
    for model in (ours, theirs):
        weights = model.get_weights()
        model.set_weights([*weights[:3], scale * weights[3], weights[4]])
    assert_same_outputs(ours, theirs, x)
    assert_same_loss_and_gradients(ours, theirs, x, y)


SHAPES = {
    "flatten": lambda L: [L.Flatten()],
    "flatten-vectors": lambda L: [L.LSTM(K), L.Flatten()],
    "reshape": lambda L: [L.Reshape((2, -1))],
    "reshape-to-vectors": lambda L: [L.Reshape((-1,))],
    "reshape-to-sequences": lambda L: [L.LSTM(U), L.Reshape((3, 2)), L.LSTM(2)],
    "reshape-to-four-axes": lambda L: [
        L.Reshape((2, 2, -1)),
        L.TimeDistributed(L.LSTM(2)),
        L.Flatten(),
    ],
}


@pytest.mark.parametrize("layers", SHAPES.values(), ids=SHAPES)
def test_shapes(layers, float64, rng):
    ours, theirs = shared_models(
        lambda L: [L.Input((T, D)), L.LSTM(U, return_sequences=True), *layers(L), L.Dense(K)], rng
    )
    assert ours.output_shape == theirs.output_shape
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert mine.count_params() == other.count_params()
    compile_both(ours, theirs)
    x = random(rng, B, T, D)
    assert_same_outputs(ours, theirs, x)
    assert_same_loss_and_gradients(ours, theirs, x, random(rng, B, *theirs.output_shape[1:]))

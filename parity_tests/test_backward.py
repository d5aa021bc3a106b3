"""`layer.forward` and `layer.backward` beside Keras's GradientTape, alone and between layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import npylstm

from .oracle import (
    B,
    D,
    K,
    T,
    U,
    adam,
    assert_close,
    both_layers,
    one_hot,
    random,
    share_random_weights,
)

V = U + 2
EVERYTHING = {"return_sequences": True, "return_state": True}


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with npylstm.using_backend(request.param):
        yield request.param


def flat(tensors):
    return [np.asarray(tensor) for tensor in tf.nest.flatten(tensors)]


# What a layer is made of, the shape of x, and the units of its states' cells.
LAYERS = {
    "lstm": (lambda L: L.LSTM(U, **EVERYTHING), (B, T, D), (U,)),
    "lstm-last-backwards": (lambda L: L.LSTM(U, go_backwards=True), (B, T, D), (U,)),
    "lstm-last-and-state": (lambda L: L.LSTM(U, return_state=True), (B, T, D), ()),
    "bidirectional": (
        lambda L: L.Bidirectional(L.LSTM(U, **EVERYTHING), merge_mode="mul"),
        (B, T, D),
        (U, U),
    ),
    "not-merged": (
        lambda L: L.Bidirectional(L.LSTM(U, return_sequences=True), merge_mode=None),
        (B, T, D),
        (),
    ),
    "stack": (lambda L: L.RNN([L.LSTMCell(U), L.LSTMCell(V)], **EVERYTHING), (B, T, D), (U, V)),
    "dense": (lambda L: L.Dense(K, activation="softmax"), (B, T, D), ()),
    "repeat_vector": (lambda L: L.RepeatVector(T), (B, D), ()),
    "time_distributed": (lambda L: L.TimeDistributed(L.LSTM(U)), (B, T, 2, D), ()),
    "layer_normalization": (lambda L: L.LayerNormalization(), (B, T, D), ()),
    "activation": (lambda L: L.Activation("tanh"), (B, T, D), ()),
    "flatten": (lambda L: L.Flatten(), (B, T, D), ()),
    "reshape": (lambda L: L.Reshape((D, -1)), (B, T, D), ()),
    "dropout-off": (lambda L: L.Dropout(0.5), (B, T, D), ()),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_every_input(name, float64, rng):
    build, shape, cells = LAYERS[name]
    ours, theirs = both_layers(build)
    ours.build(shape)
    theirs.build(shape)
    share_random_weights(ours, theirs, rng)
    x = random(rng, *shape)
    states = [[random(rng, B, units) for _ in range(2)] for units in cells]
    if name != "stack":
        states = [state for pair in states for state in pair]
    states = states or None

    given = {} if states is None else {"initial_state": tf.nest.map_structure(tf.constant, states)}
    with tf.GradientTape() as tape:
        their_x = tf.constant(x)
        tape.watch([their_x, *tf.nest.flatten(given)])
        expected = tf.nest.flatten(theirs(their_x, **given))
        douts = [random(rng, *output.shape) for output in expected]
        loss = sum(tf.reduce_sum(y * dy) for y, dy in zip(expected, douts, strict=True))
    sources = [their_x, tf.nest.flatten(given), theirs.trainable_weights]
    dx, dstates, dweights = tape.gradient(loss, sources)

    outputs, cache = ours.forward(x, states)
    assert_close(flat(outputs), flat(expected), "outputs")
    ours(random(rng, *shape))  # must not matter to the cache
    for _ in range(2):
        gradients = ours.backward(douts if len(douts) > 1 else douts[0], cache)
        assert_close(gradients.dx, dx, "dx")
        assert_close(gradients.dinitial_state, flat(dstates), "dinitial_state")
        assert list(gradients.weights) == list(ours.named_weights())
        assert_close(list(gradients.weights.values()), flat(dweights), "weights")


def test_gradients_of_a_cell(float64, rng):
    ours, theirs = both_layers(lambda L: L.LSTMCell(U))
    ours.build((B, D))
    theirs.build((B, D))
    share_random_weights(ours, theirs, rng)
    x, h, c, dh, dc = random(rng, B, D), *(random(rng, B, U) for _ in range(4))
    with tf.GradientTape() as tape:
        inputs = [tf.constant(array) for array in (x, h, c)]
        tape.watch(inputs)
        _, (new_h, new_c) = theirs(inputs[0], inputs[1:])
        loss = tf.reduce_sum(new_h * dh) + tf.reduce_sum(new_c * dc)
    dinputs, dweights = tape.gradient(loss, [inputs, theirs.trainable_weights])
    (out, states), cache = ours.forward(x, [h, c])
    assert_close([out, *states], flat([new_h, new_h, new_c]))
    gradients = ours.backward([dh, dc], cache)
    assert_close([gradients.dx, *gradients.dinitial_state], flat(dinputs))
    assert_close(list(gradients.weights.values()), flat(dweights))


class TestEncoderDecoder:
    """An encoder's states go into a decoder, whose loss comes back through them."""

    @pytest.fixture
    def both(self, rng):
        layers = []
        for L in (npylstm.layers, keras.layers):
            encoder, decoder = L.LSTM(U, return_state=True), L.LSTM(U, return_sequences=True)
            encoder.build((B, T, D))
            decoder.build((B, T + 1, K))
            dense = L.Dense(K, activation="softmax")
            dense.build((B, T + 1, U))
            layers.append([encoder, decoder, dense])
        for ours, theirs in zip(*layers, strict=True):
            share_random_weights(ours, theirs, rng)
        return layers

    @staticmethod
    def theirs(layers, x, shown, wanted):
        encoder, decoder, dense = layers
        weights = [weight for layer in layers for weight in layer.trainable_weights]
        with tf.GradientTape() as tape:
            _, *states = encoder(x)
            p = dense(decoder(shown, initial_state=states))
            loss = -tf.reduce_mean(tf.reduce_sum(wanted * tf.math.log(p), axis=-1))
        return loss, tape.gradient(loss, weights), weights

    @staticmethod
    def ours(layers, x, shown, wanted):
        encoder, decoder, dense = layers
        (_, *states), encoder_cache = encoder.forward(x)
        sequence, decoder_cache = decoder.forward(shown, initial_state=states)
        p, dense_cache = dense.forward(sequence)
        n = len(x) * shown.shape[1]
        loss = -np.sum(wanted * np.log(p)) / n
        of_dense = dense.backward(-wanted / p / n, dense_cache)
        of_decoder = decoder.backward(of_dense.dx, decoder_cache)
        of_encoder = encoder.backward([None, *of_decoder.dinitial_state], encoder_cache)
        return loss, [of_encoder, of_decoder, of_dense]

    @pytest.mark.parametrize(
        "options",
        [
            pytest.param({}, id="adam"),
            pytest.param({"global_clipnorm": 0.05}, id="clipped"),
            pytest.param({"gradient_accumulation_steps": 2}, id="accumulated"),
        ],
    )
    def test_gradients_and_weights_after_several_steps(self, both, options, rng, float64):
        ours, theirs = both
        our_optimizer = adam(npylstm.optimizers, learning_rate=0.01, **options)
        their_optimizer = adam(keras.optimizers, learning_rate=0.01, **options)
        for step in range(4):
            x, shown = random(rng, B, T, D), one_hot(rng, B, T + 1)
            wanted = one_hot(rng, B, T + 1)
            expected_loss, expected, weights = self.theirs(theirs, x, shown, wanted)
            loss, gradients = self.ours(ours, x, shown, wanted)
            assert_close(loss, expected_loss, f"loss {step}")
            assert_close(
                [g for one in gradients for g in one.weights.values()], flat(expected), "gradients"
            )
            their_optimizer.apply(expected, weights)
            our_optimizer.apply_gradients(zip(gradients, ours, strict=True))
            for mine, other in zip(ours, theirs, strict=True):
                assert_close(mine.get_weights(), other.get_weights(), f"weights after {step}")

    @pytest.fixture(autouse=True)
    def double(self, float64):
        """Before `both`."""

"""Layers beside Keras's: outputs, states, losses and gradients, from the same weights.

Gradients of x, h0 and c0 are compared where the reference gives them out (`TestReference`); those
of all weights, and through every layer down to the first, on whole models (`TestModels`).
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import npylstm
from npylstm import reference

from .oracle import (
    B,
    D,
    K,
    T,
    U,
    activation,
    assert_close,
    assert_same_loss_and_gradients,
    assert_same_outputs,
    both_layers,
    both_models,
    random,
    share_random_weights,
    shared_models,
)

ACTIVATIONS = sorted(npylstm.activations._BY_NAME)  # every name that there is
# What an LSTM takes: softmax mixes its units, which gates do not do here.
ELEMENTWISE = [name for name in ACTIVATIONS if name != "softmax"]
LSTM_OPTIONS = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "state": {"return_state": True},
    "sequences-state": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True},
    "backwards-sequences-state": {
        "go_backwards": True,
        "return_sequences": True,
        "return_state": True,
    },
    "no-bias": {"use_bias": False, "return_sequences": True, "return_state": True},
    "relu-hard_sigmoid": {
        "activation": "relu",
        "recurrent_activation": "hard_sigmoid",
        "return_sequences": True,
        "return_state": True,
    },
    "linear-sigmoid": {"activation": "linear", "return_state": True},
}


def by_id(cases):
    """Parametrize over the values of a dict, with its keys as ids."""
    return [pytest.param(value, id=name) for name, value in cases.items()]


def shared_layers(build, input_shape, rng, scale=0.5):
    ours, theirs = both_layers(build)
    ours.build(input_shape)
    theirs.build(input_shape)
    share_random_weights(ours, theirs, rng, scale)
    return ours, theirs


def random_states(rng, n=2, scale=1.0):
    return [random(rng, B, U, scale=scale) for _ in range(n)]


def weight_scale(*activations):
    """Keep states of size 1, step after step, where gates are not bounded by 1."""
    return 0.1 if "exponential" in activations else 0.3


class TestLSTM:
    @pytest.mark.parametrize("given_states", [False, True], ids=["zero-states", "given-states"])
    @pytest.mark.parametrize("options", by_id(LSTM_OPTIONS))
    def test_outputs_and_states(self, options, given_states, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.LSTM(U, **options), (B, T, D), rng)
        states = random_states(rng) if given_states else None
        assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=states)

    @pytest.mark.parametrize("place", range(len(ELEMENTWISE)))
    def test_activations(self, place, floatx, rng):
        """Each once as the activation and once as the gates': every pair has to be compiled."""
        names = ELEMENTWISE[place], ELEMENTWISE[place - 4]
        scale = weight_scale(*names)
        ours, theirs = shared_layers(
            lambda L: L.LSTM(
                U,
                *(activation(L, name) for name in names),
                return_sequences=True,
                return_state=True,
            ),
            (B, T, D),
            rng,
            scale,
        )
        states = random_states(rng, scale=scale)
        assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=states)

    def test_one_sample_one_step_one_feature_one_unit(self, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.LSTM(1, return_state=True), (1, 1, 1), rng)
        assert_same_outputs(ours, theirs, random(rng, 1, 1, 1))

    def test_large_inputs_saturate_alike(self, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.LSTM(U, return_state=True), (B, T, D), rng)
        assert_same_outputs(ours, theirs, random(rng, B, T, D, scale=1e4))

    @pytest.mark.parametrize("length", [1, 2, 9])
    def test_another_length_than_at_first(self, length, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.LSTM(U), (None, None, D), rng)
        assert_same_outputs(ours, theirs, random(rng, B, T, D))
        assert_same_outputs(ours, theirs, random(rng, B + 1, length, D))


STATEFUL = {
    "last": {},
    "sequences-state": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True, "return_state": True},
}


class TestStateful:
    @pytest.mark.parametrize("options", by_id(STATEFUL))
    def test_states_go_on_from_batch_to_batch_until_reset(self, options, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.LSTM(U, stateful=True, **options), (B, T, D), rng)
        x = random(rng, B, T, D)
        first = assert_same_outputs(ours, theirs, x)
        second = assert_same_outputs(ours, theirs, x)
        assert not np.allclose(first[0], second[0], rtol=0, atol=1e-3)
        assert_close(ours.states, [np.asarray(state) for state in theirs.states], "states")

        ours.reset_state()
        theirs.reset_state()
        again = assert_same_outputs(ours, theirs, x)
        np.testing.assert_array_equal(again[0], first[0])

    def test_given_states_replace_the_carried_ones(self, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.LSTM(U, stateful=True), (B, T, D), rng)
        assert_same_outputs(ours, theirs, random(rng, B, T, D))
        assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=random_states(rng))
        assert_same_outputs(ours, theirs, random(rng, B, T, D))

    def test_both_directions_carry_their_own(self, floatx, rng):
        # Not with return_state: Keras 3.15 itself fails on that.
        ours, theirs = shared_layers(
            lambda L: L.Bidirectional(L.LSTM(U, stateful=True, return_sequences=True)),
            (B, T, D),
            rng,
        )
        for _ in range(3):
            assert_same_outputs(ours, theirs, random(rng, B, T, D))

    def test_gradients_of_a_later_batch(self, floatx, rng):
        """They stop at the carried states, on both sides."""
        ours, theirs = shared_models(
            lambda L: [L.Input(batch_shape=(B, T, D)), L.LSTM(U, stateful=True), L.Dense(K)], rng
        )
        compile_both(ours, theirs)
        x = random(rng, B, T, D)
        assert_same_outputs(ours, theirs, x)  # leaves h and c behind, which differ
        assert_same_loss_and_gradients(ours, theirs, random(rng, B, T, D), random(rng, B, K))

    def test_evaluate_and_fit_go_on_from_batch_to_batch(self, float64, rng):
        ours, theirs = shared_models(
            lambda L: [L.Input(batch_shape=(B, T, D)), L.LSTM(U, stateful=True), L.Dense(K)], rng
        )
        compile_both(ours, theirs)
        x, y = random(rng, 3 * B, T, D), random(rng, 3 * B, K)
        for _ in range(2):
            expected = theirs.evaluate(x, y, batch_size=B, verbose=0)
            assert_close(ours.evaluate(x, y, batch_size=B, verbose=0), expected)
        options = {"batch_size": B, "epochs": 2, "shuffle": False, "verbose": 0}
        expected = theirs.fit(x, y, **options).history["loss"]
        assert_close(ours.fit(x, y, **options).history["loss"], expected)
        assert_close(ours.get_weights(), theirs.get_weights())


REFERENCE_OPTIONS = {
    "plain": {},
    "no-bias": {"use_bias": False},
    "backwards": {"go_backwards": True},
} | {
    f"{argument}-{name}": {argument: name}
    for argument in ("activation", "recurrent_activation")
    for name in ELEMENTWISE
}


class TestReference:
    """The reference, time-major, against the tape on every input of the layer."""

    @pytest.mark.parametrize("options", by_id(REFERENCE_OPTIONS))
    def test_gradients_of_every_input(self, options, floatx, rng):
        theirs = {
            name: activation(keras.layers, value) if isinstance(value, str) else value
            for name, value in options.items()
        }
        layer = keras.layers.LSTM(U, return_sequences=True, return_state=True, **theirs)
        layer.build((B, T, D))
        scale = weight_scale(*options.values())
        layer.set_weights([random(rng, *w.shape, scale=scale) for w in layer.get_weights()])
        x = tf.constant(random(rng, B, T, D))
        h0, c0 = (tf.constant(state) for state in random_states(rng, scale=scale))
        d_sequence, dh_last, dc_last = (
            random(rng, *shape) for shape in ((B, T, U), (B, U), (B, U))
        )
        with tf.GradientTape() as tape:
            tape.watch([x, h0, c0])
            sequence, h_last, c_last = layer(x, initial_state=[h0, c0])
            loss = (
                tf.reduce_sum(sequence * d_sequence)
                + tf.reduce_sum(h_last * dh_last)
                + tf.reduce_sum(c_last * dc_last)
            )
        dx, dh0, dc0, *dweights = tape.gradient(loss, [x, h0, c0, *layer.trainable_weights])

        direction = -1 if options.get("go_backwards") else 1
        weights = layer.get_weights()
        activations = [
            npylstm.activations.get(options.get(argument, default))
            for argument, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid"))
        ]
        (h, c), cache = reference.lstm_forward(
            x.numpy().swapaxes(0, 1)[::direction],
            h0.numpy(),
            c0.numpy(),
            *(weights if len(weights) == 3 else (*weights, None)),
            *activations,
        )
        assert_close(h[1:].swapaxes(0, 1), sequence, "h")
        assert_close(h[-1], h_last, "last h")
        assert_close(c[-1], c_last, "last c")

        dh = d_sequence.swapaxes(0, 1).copy()
        dh[-1] += dh_last
        gradients = reference.lstm_backward(dh, dc_last, cache)
        assert_close(gradients.dx[::direction].swapaxes(0, 1), dx, "dx")
        assert_close(gradients.dh0, dh0, "dh0")
        assert_close(gradients.dc0, dc0, "dc0")
        ours = [g for g in gradients[3:6] if g is not None]
        assert_close(ours, [np.asarray(g) for g in dweights], "dkernel, drecurrent_kernel, dbias")

    def test_no_gradient_of_the_last_cell_state_means_zero(self, float64, rng):
        x, h0, c0 = random(rng, T, B, D), random(rng, B, U), random(rng, B, U)
        weights = [random(rng, *shape) for shape in ((D, 4 * U), (U, 4 * U), (4 * U,))]
        _, cache = reference.lstm_forward(x, h0, c0, *weights)
        dh = random(rng, T, B, U)
        without = reference.lstm_backward(dh, None, cache)
        zeros = reference.lstm_backward(dh, np.zeros((B, U)), cache)
        assert_close(list(without), list(zeros), atol=0, rtol=0)


class TestDense:
    @pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no-bias"])
    @pytest.mark.parametrize("shape", [(B, D), (B, T, D)], ids=["2-D", "3-D"])
    def test_last_axis(self, shape, use_bias, floatx, rng):
        ours, theirs = shared_layers(lambda L: L.Dense(K, use_bias=use_bias), shape, rng)
        assert_same_outputs(ours, theirs, random(rng, *shape))

    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_activations(self, name, floatx, rng):
        ours, theirs = shared_models(
            lambda L: [L.Input((T, D)), L.Dense(U, activation=activation(L, name)), L.Dense(K)],
            rng,
        )
        compile_both(ours, theirs)
        x, y = random(rng, B, T, D), random(rng, B, T, K)
        assert_same_outputs(ours, theirs, x)
        assert_same_loss_and_gradients(ours, theirs, x, y)


MERGE_MODES = ["concat", "sum", "mul", "ave", None]
BIDIRECTIONAL = {
    "last": {},
    "sequences": {"return_sequences": True},
    "state": {"return_state": True},
    "sequences-state": {"return_sequences": True, "return_state": True},
}


class TestBidirectional:
    @pytest.mark.parametrize("given_states", [False, True], ids=["zero-states", "given-states"])
    @pytest.mark.parametrize("options", by_id(BIDIRECTIONAL))
    @pytest.mark.parametrize("mode", MERGE_MODES, ids=str)
    def test_outputs_and_states(self, mode, options, given_states, floatx, rng):
        ours, theirs = shared_layers(
            lambda L: L.Bidirectional(L.LSTM(U, **options), merge_mode=mode), (B, T, D), rng
        )
        states = random_states(rng, 4) if given_states else None  # fh, fc, bh, bc
        assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=states)

    @pytest.mark.parametrize("options", by_id(BIDIRECTIONAL))
    def test_backward_layer_of_its_own(self, options, floatx, rng):
        ours, theirs = shared_layers(
            lambda L: L.Bidirectional(
                L.LSTM(U, **options),
                backward_layer=L.LSTM(
                    U, activation="relu", use_bias=False, go_backwards=True, **options
                ),
            ),
            (B, T, D),
            rng,
        )
        assert_same_outputs(ours, theirs, random(rng, B, T, D))

    def test_backward_layer_of_another_size(self, floatx, rng):
        ours, theirs = shared_layers(
            lambda L: L.Bidirectional(L.LSTM(U), backward_layer=L.LSTM(U + 2, go_backwards=True)),
            (B, T, D),
            rng,
        )
        assert_same_outputs(ours, theirs, random(rng, B, T, D))

    def test_both_refuse_two_layers_of_one_direction(self):
        for L in (npylstm.layers, keras.layers):
            with pytest.raises(ValueError, match="go_backwards"):
                L.Bidirectional(L.LSTM(U), backward_layer=L.LSTM(U))


class TestDropout:
    def test_inference_leaves_everything_as_it_is(self, floatx, rng):
        ours, theirs = both_layers(lambda L: L.Dropout(0.3))
        x = random(rng, B, T, D)
        assert_same_outputs(ours, theirs, x)
        np.testing.assert_array_equal(ours(x), x)

    @pytest.mark.parametrize("rate", [0.0, 0.2, 0.7])
    def test_training_drops_and_scales_alike(self, rate, floatx):
        """The draws differ; what is kept is scaled alike, and the share of it is the same."""
        n = 100_000
        x = np.full((n // 100, 100), 2, floatx)
        standard_error = np.sqrt(rate * (1 - rate) / n)
        for layer in both_layers(lambda L: L.Dropout(rate, seed=1)):
            y = np.asarray(layer(x, training=True))
            assert y.dtype == x.dtype
            kept = y != 0
            assert_close(y[kept], np.full(kept.sum(), 2 / (1 - rate), floatx))
            assert abs(kept.mean() - (1 - rate)) <= 5 * standard_error
            # Each number is dropped or kept on its own, not whole rows or columns of them.
            if rate:
                assert kept.mean(axis=0).std() < 5 * np.sqrt(100) * standard_error
                assert kept.mean(axis=1).std() < 5 * np.sqrt(n / 100) * standard_error
                assert not np.array_equal(kept, np.asarray(layer(x, training=True)) != 0)


class TestTimeDistributed:
    def test_dense(self, floatx, rng):
        ours, theirs = shared_layers(
            lambda L: L.TimeDistributed(L.Dense(K, activation="tanh")), (B, T, D), rng
        )
        assert_same_outputs(ours, theirs, random(rng, B, T, D))

    @pytest.mark.parametrize("options", by_id({k: LSTM_OPTIONS[k] for k in ("plain", "sequences")}))
    def test_lstm_on_four_axes(self, options, floatx, rng):
        shape = (B, T, 2, D)
        ours, theirs = shared_layers(lambda L: L.TimeDistributed(L.LSTM(U, **options)), shape, rng)
        assert_same_outputs(ours, theirs, random(rng, *shape))


def test_repeat_vector(floatx, rng):
    ours, theirs = both_layers(lambda L: L.RepeatVector(T))
    assert_same_outputs(ours, theirs, random(rng, B, D))


# ------------------------------------------------------------------------------------ whole models
def encoder_decoder(L):
    return [
        L.Input((T, D)),
        L.LSTM(U),
        L.RepeatVector(2),
        L.LSTM(8, return_sequences=True),
        L.TimeDistributed(L.Dense(K)),
    ]


MODELS = {
    "lstm": lambda L: [L.Input((T, D)), L.LSTM(U)],
    "lstm-dense": lambda L: [L.Input((T, D)), L.LSTM(U), L.Dense(K)],
    "sequences": lambda L: [L.Input((T, D)), L.LSTM(U, return_sequences=True), L.Dense(K)],
    "no-bias": lambda L: [
        L.Input((T, D)),
        L.LSTM(U, use_bias=False),
        L.Dense(K, use_bias=False),
    ],
    "backwards": lambda L: [
        L.Input((T, D)),
        L.LSTM(U, go_backwards=True, return_sequences=True),
        L.LSTM(8, go_backwards=True),
    ],
    "relu-hard_sigmoid": lambda L: [
        L.Input((T, D)),
        L.LSTM(U, activation="relu", recurrent_activation="hard_sigmoid", return_sequences=True),
        L.Dense(K, activation="relu"),
    ],
    "stack-of-three": lambda L: [
        L.Input((T, D)),
        L.LSTM(U, return_sequences=True),
        L.LSTM(8, return_sequences=True),
        L.LSTM(2),
        L.Dense(K),
    ],
    "dense-below": lambda L: [
        L.Input((T, D)),
        L.Dense(8, activation="tanh"),
        L.LSTM(U),
        L.Dense(K, activation="sigmoid"),
    ],
    "dropout-between": lambda L: [
        L.Input((T, D)),
        L.LSTM(U, return_sequences=True),
        L.Dropout(0.4),
        L.LSTM(8),
        L.Dropout(0.4),
        L.Dense(K),
    ],
    "encoder-decoder": encoder_decoder,
    "time-distributed-dense": lambda L: [
        L.Input((T, D)),
        L.LSTM(U, return_sequences=True),
        L.TimeDistributed(L.Dense(8, activation="relu")),
        L.LSTM(K),
    ],
    "time-distributed-lstm": lambda L: [
        L.Input((T, 2, D)),
        L.TimeDistributed(L.LSTM(U)),
        L.LSTM(K),
    ],
    "time-distributed-sequences": lambda L: [
        L.Input((T, 2, D)),
        L.TimeDistributed(L.LSTM(U, return_sequences=True)),
        L.TimeDistributed(L.LSTM(8)),
        L.Dense(K),
    ],
    "bidirectional-own-backward": lambda L: [
        L.Input((T, D)),
        L.Bidirectional(
            L.LSTM(U, return_sequences=True),
            backward_layer=L.LSTM(
                U, activation="softsign", use_bias=False, go_backwards=True, return_sequences=True
            ),
        ),
        L.Dense(K),
    ],
}
for _mode in MERGE_MODES[:-1]:
    MODELS[f"bidirectional-{_mode}"] = lambda L, mode=_mode: [
        L.Input((T, D)),
        L.Dense(8),
        L.Bidirectional(L.LSTM(U, return_sequences=True), merge_mode=mode),
        L.Bidirectional(L.LSTM(2), merge_mode=mode),
        L.Dense(K),
    ]


def compile_both(ours, theirs, loss="mse"):
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss=loss, run_eagerly=True)


class TestModels:
    @pytest.mark.parametrize("build", by_id(MODELS))
    def test_weights_copied_either_way_give_the_same_outputs(self, build, floatx, rng):
        ours, theirs = both_models(build)
        x = random(rng, B, *theirs.input_shape[1:])
        drawn = [random(rng, *w.shape) for w in theirs.get_weights()]
        theirs.set_weights(drawn)
        ours.set_weights(theirs.get_weights())
        assert_close(ours.get_weights(), drawn, atol=0, rtol=0)
        assert_same_outputs(ours, theirs, x)

        drawn = [random(rng, *w.shape) for w in ours.get_weights()]
        ours.set_weights(drawn)
        theirs.set_weights(ours.get_weights())
        assert_close(theirs.get_weights(), drawn, atol=0, rtol=0)
        assert_same_outputs(ours, theirs, x)

    @pytest.mark.parametrize("build", by_id(MODELS))
    def test_loss_and_gradients(self, build, floatx, rng):
        ours, theirs = shared_models(build, rng)
        compile_both(ours, theirs)
        x = random(rng, B, *theirs.input_shape[1:])
        y = random(rng, B, *theirs.output_shape[1:])
        assert_same_loss_and_gradients(ours, theirs, x, y)

    @pytest.mark.parametrize("build", by_id(MODELS))
    def test_shapes_and_sizes(self, build):
        ours, theirs = both_models(build)
        assert ours.input_shape == theirs.input_shape
        assert ours.output_shape == theirs.output_shape
        assert ours.count_params() == theirs.count_params()
        for mine, other in zip(ours.layers, theirs.layers, strict=True):
            assert mine.count_params() == other.count_params()

    @pytest.mark.parametrize("mode", MERGE_MODES, ids=str)
    def test_several_outputs(self, mode, floatx, rng):
        ours, theirs = shared_models(
            lambda L: [
                L.Input((T, D)),
                L.LSTM(8, return_sequences=True),
                L.Bidirectional(L.LSTM(U, return_state=True), merge_mode=mode),
            ],
            rng,
        )
        assert_same_outputs(ours, theirs, random(rng, B, T, D))

    def test_predict_with_a_partial_last_batch(self, floatx, rng):
        ours, theirs = shared_models(MODELS["bidirectional-concat"], rng)
        x = random(rng, 2 * B + 1, T, D)
        expected = theirs.predict(x, batch_size=B, verbose=0)
        assert_close(ours.predict(x, batch_size=B, verbose=0), expected)

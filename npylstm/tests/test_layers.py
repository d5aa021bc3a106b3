"""Layers called on data, and put into models: shapes, states, names, configs."""

import numpy as np
import pytest

from npylstm import Sequential, reference
from npylstm.activations import Activation
from npylstm.layers import (
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Input,
    RepeatVector,
    TimeDistributed,
)

B, T, D, U = 3, 5, 2, 4


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D)).astype("float32")


def test_lstm_is_the_reference(x, rng):
    layer = LSTM(U, return_sequences=True, return_state=True)
    h0, c0 = rng.normal(size=(2, B, U)).astype("float32")
    sequence, h_last, c_last = layer(x, initial_state=[h0, c0])
    (h, c), _ = reference.lstm_forward(x.swapaxes(0, 1), h0, c0, *layer.get_weights())
    # The compiled kernels sum in another order: a few units in the last place of 1.
    np.testing.assert_allclose(sequence, h[1:].swapaxes(0, 1), rtol=0, atol=1e-6)
    np.testing.assert_allclose(h_last, h[-1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(c_last, c[-1], rtol=0, atol=1e-6)


def test_last_output_is_the_end_of_the_sequence(x):
    sequence = LSTM(U, return_sequences=True)
    last = LSTM(U)
    last.build(x.shape)
    last.set_weights(sequence.get_weights() if sequence.built else _built(sequence, x))
    np.testing.assert_array_equal(last(x), sequence(x)[:, -1])


def _built(layer, x):
    layer.build(x.shape)
    return layer.get_weights()


def test_go_backwards_reads_from_the_end(x):
    ahead, back = LSTM(U, return_sequences=True), LSTM(U, return_sequences=True, go_backwards=True)
    back.build(x.shape)
    back.set_weights(_built(ahead, x))
    np.testing.assert_array_equal(back(x), ahead(x[:, ::-1]))


def test_stateful_continues_where_it_stopped(x):
    whole, parts = LSTM(U), LSTM(U, stateful=True)
    parts.build(x.shape)
    parts.set_weights(_built(whole, x))
    parts(x[:, :2])
    np.testing.assert_allclose(parts(x[:, 2:]), whole(x), rtol=1e-6)
    h, c = parts.states
    assert h.shape == c.shape == (B, U)
    parts.reset_state()
    assert not any(state.any() for state in parts.states)
    np.testing.assert_allclose(parts(x), whole(x), rtol=1e-6)
    parts.set_states([h, c])
    np.testing.assert_array_equal(parts.states, [h, c])


def test_a_stateful_layer_given_states_carries_on_from_them(x, rng):
    stateful, plain = LSTM(U, stateful=True), LSTM(U)
    plain.build(x.shape)
    plain.set_weights(_built(stateful, x))
    states = rng.normal(size=(2, B, U))
    np.testing.assert_array_equal(stateful(x, initial_state=states), plain(x, states))
    np.testing.assert_array_equal(stateful.states[0], plain(x, states))


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_bidirectional_merges_two_lstms(x, mode, return_sequences):
    layer = Bidirectional(LSTM(U, return_sequences=return_sequences), merge_mode=mode)
    out = layer(x)
    ahead, back = layer.forward_layer(x), layer.backward_layer(x)
    if return_sequences:
        back = back[:, ::-1]
    expected = {
        "concat": lambda: np.concatenate([ahead, back], axis=-1),
        "sum": lambda: ahead + back,
        "mul": lambda: ahead * back,
        "ave": lambda: (ahead + back) / 2,
        None: lambda: [ahead, back],
    }[mode]()
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    assert layer.compute_output_shape((B, T, D)) == (
        out.shape if mode else [out[0].shape, out[1].shape]
    )


def test_bidirectional_states_and_backward_layer(x, rng):
    layer = Bidirectional(
        LSTM(U, return_state=True), backward_layer=LSTM(U, go_backwards=True, return_state=True)
    )
    states = list(rng.normal(size=(4, B, U)).astype("float32"))
    out, fh, fc, bh, bc = layer(x, initial_state=states)
    ahead, back = layer.forward_layer(x, states[:2]), layer.backward_layer(x, states[2:])
    np.testing.assert_array_equal(out, np.concatenate([ahead[0], back[0]], axis=-1))
    for got, expected in zip([fh, fc, bh, bc], [*ahead[1:], *back[1:]], strict=True):
        np.testing.assert_array_equal(got, expected)


def test_dense_on_the_last_axis(x):
    layer = Dense(3, activation="relu")
    out = layer(x)
    assert out.shape == (B, T, 3)
    np.testing.assert_allclose(
        out, np.maximum(x @ layer.weight("kernel") + layer.weight("bias"), 0), rtol=1e-6
    )


def test_dropout_drops_while_training_only(rng):
    x = np.ones((200, 50), "float32")
    layer = Dropout(0.3, seed=5)
    np.testing.assert_array_equal(layer(x), x)
    out = layer(x, training=True)
    kept = out[out != 0]
    np.testing.assert_allclose(kept, 1 / 0.7, rtol=1e-6)
    # 10,000 draws: the share kept has a standard deviation of 0.0046
    assert abs(len(kept) / x.size - 0.7) < 0.02
    assert (layer(x, training=True) != out).any()
    np.testing.assert_array_equal(Dropout(0.3, seed=5)(x, training=True), out)


def test_dropout_alike_at_all_timesteps(rng):
    x = np.ones((6, 5, 40), "float32")
    for shape in ((None, 1, None), [6, 1, 40]):
        out = Dropout(0.5, noise_shape=shape, seed=5)(x, training=True)
        np.testing.assert_array_equal(out, np.repeat(out[:, :1], 5, axis=1))
        assert (out[0] != out[1]).any() and 0 < (out == 0).mean() < 1
    for shape in ((None, None, None), (6, 5, 40), None):
        out = Dropout(0.5, noise_shape=shape, seed=5)(x, training=True)
        assert (out[:, 0] != out[:, 1]).any()


def test_dropout_of_another_noise_shape():
    for shape in ((None, 1, 1), (1, None, None), (None, 1), (6, 5, 41)):
        with pytest.raises(ValueError, match="along timesteps only"):
            Dropout(0.5, noise_shape=shape)(np.ones((6, 5, 40)))
    for shape in ((6, 0, 40), (6, 1.5, 40), "abc", 3):
        with pytest.raises(ValueError, match="tuple of positive integers and None"):
            Dropout(0.5, noise_shape=shape)


def test_weights_by_name(rng):
    dense, embedding = Dense(3), Embedding(4, 2)
    dense(rng.normal(size=(5, 2)))
    np.testing.assert_array_equal(dense.kernel, dense.get_weights()[0])
    assert dense.bias.shape == (3,) and Dense(3, use_bias=False).bias is None
    dense.bias[...] = 7
    np.testing.assert_array_equal(dense.get_weights()[1], [7, 7, 7])
    embedding.build()
    assert embedding.embeddings.shape == (4, 2)


def test_embedding_that_starts_from_weights(rng):
    vectors = rng.normal(size=(4, 2)).astype("float32")
    for weights in (vectors, [vectors]):
        layer = Embedding(4, 2, weights=weights)
        np.testing.assert_array_equal(layer([[3, 1]]), [vectors[[3, 1]]])
        model = Sequential([Embedding(4, 2, weights=weights), LSTM(3)])
        model(np.array([[1, 2, 0]]))
        np.testing.assert_array_equal(model.layers[0].embeddings, vectors)
    with pytest.raises(ValueError, match="has the shape"):
        Embedding(4, 3, weights=vectors)


def test_time_distributed_is_the_layer_at_each_timestep(rng):
    x = rng.normal(size=(B, T, 6, D)).astype("float32")
    for inner in (LSTM(U), LSTM(U, return_sequences=True), Dense(U), Dropout(0.5)):
        layer = TimeDistributed(inner)
        out = layer(x) if not isinstance(inner, Dense) else layer(x[:, :, 0])
        for t in range(T):
            step = x[:, t] if not isinstance(inner, Dense) else x[:, t, 0]
            np.testing.assert_array_equal(out[:, t], inner(step))


def test_repeat_vector(rng):
    x = rng.normal(size=(B, D)).astype("float32")
    np.testing.assert_array_equal(RepeatVector(4)(x), np.repeat(x[:, None], 4, axis=1))


def test_unit_forget_bias_is_ones_in_the_second_block(x):
    layer = LSTM(U)
    layer.build(x.shape)
    np.testing.assert_array_equal(layer.bias, [0] * U + [1] * U + [0] * 2 * U)
    plain = LSTM(U, unit_forget_bias=False)
    plain.build(x.shape)
    assert not plain.bias.any()


def test_custom_activations(x):
    plain = LSTM(U, activation=lambda z: z / 2, return_sequences=True)
    pair = LSTM(U, activation=Activation("half", lambda z: z / 2, lambda dy, z, y: dy / 2))
    pair.build(x.shape)
    plain.build(x.shape)
    pair.set_weights(plain.get_weights())
    np.testing.assert_array_equal(plain(x)[:, -1], pair(x))


def test_float64_on_request(x):
    layer = LSTM(U, dtype="float64")
    assert layer(x).dtype == np.float64
    model = Sequential([Input((T, D)), LSTM(U, dtype="float64"), Dense(2, dtype="float64")])
    assert model.predict(x, verbose=0).dtype == np.float64


def test_names_are_unique_within_a_model():
    first = Sequential([Input((T, D)), LSTM(U, return_sequences=True), LSTM(U), Dense(2)])
    second = Sequential([Input((T, D)), LSTM(U)])
    assert [layer.name for layer in first.layers] == ["lstm", "lstm_1", "dense"]
    assert [layer.name for layer in second.layers] == ["lstm"]


@pytest.mark.parametrize(
    "layer",
    [
        LSTM(U, activation="relu", return_sequences=True, go_backwards=True, name="x"),
        Dense(3, activation="softmax", use_bias=False),
        Dropout(0.25, seed=3),
        RepeatVector(2),
        Bidirectional(LSTM(U), merge_mode="sum"),
        TimeDistributed(Dense(2)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_makes_the_same_layer_again(layer):
    again = type(layer).from_config(layer.get_config())
    configs = [one.get_config() for one in (again, layer)]
    for config in configs:  # what wraps a layer makes a new one
        if isinstance(layer, TimeDistributed):
            config["layer"] = config["layer"].get_config()
    assert configs[0] == configs[1]

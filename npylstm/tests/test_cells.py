"""Cells and RNN: what they are made of, what they refuse; what a layer says of its states."""

import copy
import pickle

import numpy as np
import pytest

from npylstm import Sequential
from npylstm.layers import (
    LSTM,
    RNN,
    Activation,
    Bidirectional,
    Dense,
    Flatten,
    Input,
    LayerNormalization,
    LSTMCell,
    Reshape,
    StackedRNNCells,
    TimeDistributed,
)

B, T, D, U, V = 3, 5, 2, 4, 6


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D)).astype("float32")


def test_an_rnn_of_cells_is_lstms_one_after_the_other(x):
    rnn = RNN([LSTMCell(U), LSTMCell(V)], return_sequences=True, go_backwards=True)
    model = Sequential(
        [
            Input((T, D)),
            LSTM(U, return_sequences=True, go_backwards=True),
            LSTM(V, return_sequences=True),
        ]
    )
    rnn.build(x.shape)
    model.set_weights(rnn.get_weights())
    np.testing.assert_array_equal(rnn(x), model.predict(x, verbose=0))
    assert rnn.compute_output_shape(x.shape) == rnn(x).shape
    assert list(rnn.named_weights())[3] == "stacked_rnn_cells/lstm_cell_1/kernel"


def test_a_cell_steps_through_what_its_layer_runs_over(x):
    cell = LSTMCell(U)
    layer = RNN(cell, return_sequences=True)
    sequence = layer(x)
    states = cell.get_initial_state(B)
    for t in range(T):
        h, states = cell(x[:, t], states)
        np.testing.assert_allclose(h, sequence[:, t], rtol=1e-5, atol=1e-6)
    layer.set_weights([w + 1 for w in layer.get_weights()])  # it is one set of weights
    assert all((a == b).all() for a, b in zip(cell.weights, layer.weights, strict=True))


def test_a_stack_of_one_takes_and_gives_its_states_alike(x):
    stack = StackedRNNCells([LSTMCell(U)])
    states = stack.get_initial_state(B)
    for t in range(T):
        h, states = stack(x[:, t], states)
    assert np.shape(states) == (1, 2, B, U)
    np.testing.assert_allclose(RNN(stack)(x), h, rtol=1e-5, atol=1e-6)


def test_a_built_cell_keeps_its_weights(x):
    cell = LSTMCell(U)
    cell.build((B, D))
    weights = cell.get_weights()
    model = Sequential([Input((T, D)), RNN(cell), Dense(1)])
    for kept, weight in zip(weights, model.get_weights(), strict=False):
        np.testing.assert_array_equal(kept, weight)
    assert model.layers[0].path == "rnn" and cell.path == "rnn/lstm_cell"


def test_states_of_a_stack(x, rng):
    layer = RNN([LSTMCell(U), LSTMCell(V)], stateful=True)
    assert layer.states is None
    layer(x)
    states = [[rng.normal(size=(B, n)).astype("float32") for _ in "hc"] for n in (U, V)]
    layer.set_states(states)
    with pytest.raises(ValueError, match="carries two states of shape"):
        layer.set_states([states[0], states[0]])  # the first would fit
    for kept, pair in zip(layer.states, states, strict=True):
        np.testing.assert_array_equal(kept, pair)
    layer.reset_states([state for pair in states for state in pair])  # all in one list
    layer.reset_states()
    assert not any(np.any(state) for pair in layer.states for state in pair)
    with pytest.raises(ValueError, match="carries the states of 3 samples, got a batch of 2"):
        layer(x[:2])


def test_half_of_the_states_of_both_directions_change_nothing(x, rng):
    layer = Bidirectional(LSTM(U, stateful=True))
    layer(x)
    before = layer.states
    good, bad = list(rng.normal(size=(2, B, U))), [np.zeros((B, U)), np.zeros((B, V))]
    with pytest.raises(ValueError, match="carries two states of shape"):
        layer.set_states([*good, *bad])
    np.testing.assert_array_equal(layer.states, before)


def test_layers_without_states_say_so(x):
    dense = Dense(2)
    dense.reset_states()
    for layer in (dense, RNN(LSTMCell(U)), LSTM(U), Bidirectional(LSTM(U))):
        layer(x)
        with pytest.raises(RuntimeError, match="carries no states"):
            layer.reset_states(states=[np.zeros((B, U))] * 2)


@pytest.mark.parametrize(
    ("make_it", "error", "message"),
    [
        (lambda: RNN(LSTM(U)), TypeError, "RNN takes an LSTMCell, StackedRNNCells or a list"),
        (lambda: RNN(LSTMCell), TypeError, "make an instance of it first"),
        (lambda: RNN(lambda x, h: (x, h)), TypeError, "RNN takes an LSTMCell"),
        (lambda: RNN([LSTMCell(U), Dense(U)]), TypeError, "StackedRNNCells takes LSTMCells"),
        (lambda: StackedRNNCells([]), ValueError, "at least one cell"),
        (lambda: StackedRNNCells(LSTMCell(U)), TypeError, "a list of cells"),
        (lambda: StackedRNNCells([LSTMCell(U)] * 1 + [LSTMCell(U, dtype="float64")]), ValueError,
            "computes in float64"),
        (lambda: RNN(LSTMCell(U), dtype="float64"), ValueError, "its cell in float32"),
        (lambda: RNN(LSTMCell(U), stateful=1, statefull=1), TypeError, "did you mean 'stateful'"),
        (lambda: LSTMCell(0), ValueError, "units must be at least 1"),
        (lambda: LSTMCell(U, activation="softmax"), ValueError, "layer 'lstm_cell' takes activ"),
        (lambda: LSTM(U, use_cudnn="yes"), ValueError, 'use_cudnn must be "auto", True or False'),
        (lambda: LSTMCell(U)(np.zeros((B, D)), None), ValueError, "cell.get_initial_state"),
        (lambda: Sequential([Input((D,)), LSTMCell(U)]).predict(np.zeros((B, D))), ValueError,
            "put it into an RNN layer"),
        (lambda: RNN([LSTMCell(U), LSTMCell(V)])(np.zeros((B, T, D)), [np.zeros((B, U))] * 2),
            ValueError, r"a list of 2 lists \[h, c\]"),
        (lambda: LayerNormalization(axis=1)(np.zeros((B, T, D))), ValueError, "last axis only"),
        (lambda: LayerNormalization(epsilon=0), ValueError, "epsilon must be greater than 0"),
        (lambda: LayerNormalization(axis="last"), TypeError, "axis must be an integer or a list"),
        (lambda: Reshape((3, 4))(np.zeros((B, T, D))), ValueError, "10 numbers.*multiply"),
        (lambda: Reshape((-1, -1)), ValueError, "only one size"),
        (lambda: Reshape(10), TypeError, "must be a tuple"),
    ],
)  # fmt: skip
def test_what_is_refused(make_it, error, message):
    with pytest.raises(error, match=message):
        make_it()


@pytest.mark.parametrize(
    "layer",
    [
        LSTM(U, unroll=True, use_cudnn=False, implementation=1),
        LSTMCell(U, activation="relu", implementation=1),
        LayerNormalization(epsilon=0.1, scale=False),
        Activation("relu"),
        Flatten(name="flat"),
        Reshape((2, -1)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_makes_the_same_layer_again(layer):
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


def test_config_of_an_rnn_makes_new_cells(x):
    layer = Bidirectional(RNN([LSTMCell(U, name="first"), LSTMCell(V)], unroll=True))
    layer(x)
    again = Bidirectional.from_config(layer.get_config())
    again.build(x.shape)
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]
    cells = again.forward_layer.cell.cells
    assert cells[0] is not again.backward_layer.cell.cells[0]
    assert cells[0].name == "first" and again.forward_layer.unroll


def test_copies_are_independent(x):
    layer = RNN([LSTMCell(U), LSTMCell(V)])
    expected = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(other(x), expected)
        other.set_weights([w * 2 for w in other.get_weights()])
        assert (other(x) != expected).any()
        np.testing.assert_array_equal(layer(x), expected)


def test_an_rnn_at_each_timestep(rng):
    x = rng.normal(size=(B, T, 4, D)).astype("float32")
    inner = RNN([LSTMCell(U), LSTMCell(V)])
    out = TimeDistributed(inner)(x)
    for t in range(T):
        np.testing.assert_array_equal(out[:, t], inner(x[:, t]))

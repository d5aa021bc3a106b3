"""Cells, RNN, Bidirectional around them, and states carried on, beside Keras's.

Keras fails where it resets the states of stacked cells (its loop meets lists in the place of
variables), and takes a stack of one cell for no stack in what the cell itself returns; neither is
compared here.
"""

import keras
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
    random,
    share_random_weights,
    shared_models,
)

V = U + 2  # units of a second cell


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with npylstm.using_backend(request.param):
        yield request.param


def shared(build, shape, rng):
    """Return two layers built alike, with the same random weights."""
    ours, theirs = both_layers(build)
    for layer in (ours, theirs):
        layer.build(shape)
    share_random_weights(ours, theirs, rng)
    return ours, theirs


def numbers(tensors):
    """Return nested tensors as nested arrays."""
    return keras.tree.map_structure(np.asarray, tensors)


def stack(L, **options):
    return L.RNN(L.StackedRNNCells([L.LSTMCell(U), L.LSTMCell(V)]), **options)


def pairs(rng):
    """Return the states of both cells of a stack."""
    return [[random(rng, B, units) for _ in range(2)] for units in (U, V)]


OPTIONS = {
    "last": {},
    "sequences-state": {"return_sequences": True, "return_state": True},
    "backwards-state": {"go_backwards": True, "return_state": True},
    "backwards-sequences": {"go_backwards": True, "return_sequences": True, "unroll": True},
}


def options(*names):
    return [pytest.param(OPTIONS[name], id=name) for name in names or OPTIONS]


# ------------------------------------------------------------------------------------------- cells
def test_a_cell_takes_a_step(floatx, rng):
    ours, theirs = shared(lambda L: L.LSTMCell(U), (B, D), rng)
    x, states = random(rng, B, D), [random(rng, B, U) for _ in range(2)]
    h, (h_again, c) = ours(x, states)
    expected = numbers(theirs(x, states))
    assert_close([h, h_again, c], [expected[0], *expected[1]])
    assert ours.state_size == theirs.state_size and ours.output_size == theirs.output_size
    assert_close(ours.get_initial_state(3), numbers(theirs.get_initial_state(3)))


def test_stacked_cells_take_a_step(float64, rng):
    ours, theirs = shared(
        lambda L: L.StackedRNNCells([L.LSTMCell(U), L.LSTMCell(V, use_bias=False)]), (B, D), rng
    )
    x, states = random(rng, B, D), pairs(rng)
    h, new_states = ours(x, states)
    expected = numbers(theirs(x, states))
    assert_close(h, expected[0])
    assert_close(new_states, expected[1])
    assert ours.state_size == theirs.state_size and ours.output_size == theirs.output_size
    zeros = ours.get_initial_state(3)
    assert_close(zeros, numbers(theirs.get_initial_state(3)))


# --------------------------------------------------------------------------------------------- RNN
@pytest.mark.parametrize("given_states", [False, True], ids=["zero-states", "given-states"])
@pytest.mark.parametrize("options", options())
def test_rnn_with_a_cell(options, given_states, float64, rng):
    ours, theirs = shared(lambda L: L.RNN(L.LSTMCell(U), **options), (B, T, D), rng)
    states = [random(rng, B, U) for _ in range(2)] if given_states else None
    assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=states)


@pytest.mark.parametrize("given_states", [False, True], ids=["zero-states", "given-states"])
@pytest.mark.parametrize("options", options())
def test_rnn_with_stacked_cells(options, given_states, float64, rng):
    ours, theirs = shared(lambda L: stack(L, **options), (B, T, D), rng)
    x, states = random(rng, B, T, D), pairs(rng) if given_states else None
    outputs, expected = ours(x, states), numbers(theirs(x, initial_state=states))
    if ours.return_state:
        assert isinstance(outputs, list) and len(outputs) == len(expected) == 3
        expected = list(expected)
    assert_close(outputs, expected, "output")


def test_rnn_in_float32(rng):
    ours, theirs = shared(lambda L: stack(L, return_sequences=True), (B, T, D), rng)
    assert_same_outputs(ours, theirs, random(rng, B, T, D))


def test_a_list_of_cells_is_a_stack(float64, rng):
    ours, theirs = shared(lambda L: L.RNN([L.LSTMCell(U), L.LSTMCell(V)]), (B, T, D), rng)
    assert_same_outputs(ours, theirs, random(rng, B, T, D))


def test_models_with_rnn_train_alike(float64, rng):
    ours, theirs = shared_models(
        lambda L: [
            L.Input((T, D)),
            stack(L, return_sequences=True, go_backwards=True),
            L.Bidirectional(L.RNN(L.LSTMCell(U)), merge_mode="mul"),
            L.Dense(K),
        ],
        rng,
    )
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    x, y = random(rng, B, T, D), random(rng, B, K)
    assert_same_loss_and_gradients(ours, theirs, x, y)
    ours_history, theirs_history = (
        model.fit(x, y, epochs=2, batch_size=B, verbose=0).history["loss"]
        for model in (ours, theirs)
    )
    assert_close(ours_history, theirs_history)
    assert_close(ours.get_weights(), theirs.get_weights())


# ----------------------------------------------------------------------------------- Bidirectional
@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None], ids=str)
def test_bidirectional_around_rnn(mode, float64, rng):
    options = {"return_sequences": True, "return_state": True}
    ours, theirs = shared(
        lambda L: L.Bidirectional(L.RNN(L.LSTMCell(U), **options), merge_mode=mode), (B, T, D), rng
    )
    states = [random(rng, B, U) for _ in range(4)]  # fh, fc, bh, bc
    assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=states)


def test_bidirectional_around_stacked_cells(float64, rng):
    ours, theirs = shared(lambda L: L.Bidirectional(stack(L, return_state=True)), (B, T, D), rng)
    x, states = random(rng, B, T, D), [*pairs(rng), *pairs(rng)]
    assert_close(ours(x, states), list(numbers(theirs(x, initial_state=states))))


def test_a_backward_layer_of_another_size_without_merging(float64, rng):
    ours, theirs = shared(
        lambda L: L.Bidirectional(
            L.LSTM(U, return_state=True),
            merge_mode=None,
            backward_layer=L.LSTM(V, go_backwards=True, return_state=True),
        ),
        (B, T, D),
        rng,
    )
    states = [random(rng, B, units) for units in (U, U, V, V)]
    assert_same_outputs(ours, theirs, random(rng, B, T, D), initial_state=states)


# ------------------------------------------------------------------------------------------ states
STATEFUL = {
    "lstm": lambda L: L.LSTM(U, stateful=True),
    "rnn": lambda L: L.RNN(L.LSTMCell(U), stateful=True, go_backwards=True),
    "stack": lambda L: stack(L, stateful=True, return_sequences=True),
    "bidirectional": lambda L: L.Bidirectional(L.LSTM(U, stateful=True)),
    "bidirectional-stack": lambda L: L.Bidirectional(stack(L, stateful=True)),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_states_go_on_and_can_be_given_and_reset(name, float64, rng):
    ours, theirs = shared(STATEFUL[name], (B, T, D), rng)
    x = random(rng, B, T, D)
    first = np.asarray(assert_same_outputs(ours, theirs, x))
    second = np.asarray(assert_same_outputs(ours, theirs, x))
    assert np.abs(first - second).max() > 1e-3
    assert_close(ours.states, list(numbers(theirs.states)), "states")
    states = [[random(rng, *s.shape) for s in pair] for pair in _as_pairs(ours.states)]
    if "stack" not in name:
        states = [state for pair in states for state in pair]
    assert_same_outputs(ours, theirs, x, initial_state=states)
    assert_same_outputs(ours, theirs, x)
    assert_close(ours.states, list(numbers(theirs.states)), "states")

    kept, continued = ours.states, ours(x)
    ours.set_states(kept)
    assert_close(ours(x), continued, atol=0, rtol=0)
    ours.reset_states(states=kept)
    assert_close(ours(x), continued, atol=0, rtol=0)
    ours.reset_states()
    if "stack" not in name:
        theirs.reset_states()
        assert_close(ours.states, list(numbers(theirs.states)), "states")
    assert_close(ours(x), first)


def _as_pairs(states):
    return (
        states
        if isinstance(states[0], list)
        else [states[n : n + 2] for n in (0, 2)][: len(states) // 2]
    )


@pytest.mark.parametrize("shuffle", [False, True], ids=["in-order", "shuffled"])
def test_what_fit_evaluate_and_predict_leave_behind(shuffle, float64, rng):
    """Each starts where the last one ended, validation within fit included, until a reset."""
    ours, theirs = shared_models(
        lambda L: [
            L.Input(batch_shape=(B, T, D)),
            L.LSTM(U, stateful=True, return_sequences=True),
            L.LSTM(V, stateful=True),
            L.Dense(K),
        ],
        rng,
    )
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    # Shuffled, all samples are alike, so that the order, which is not the same, cannot matter.
    n = 2 * B
    x, y = random(rng, n, T, D), random(rng, n, K)
    if shuffle:
        x[:], y[:] = x[0], y[0]

    def same_states():
        for mine, other in zip(ours.layers[:2], theirs.layers[:2], strict=True):
            assert_close(mine.states, list(numbers(other.states)), "states")
            assert np.abs(mine.states[0]).max() > 1e-3

    def both(method, *arguments, **options):
        results = [
            getattr(model, method)(*arguments, batch_size=B, verbose=0, **options)
            for model in (ours, theirs)
        ]
        if method == "fit":
            results = [list(one.history.values()) for one in results]
        assert_close(*results, what=method)
        same_states()

    validation = random(rng, B, T, D), random(rng, B, K)
    both("fit", x, y, epochs=2, shuffle=shuffle, validation_data=validation)
    both("predict", x)
    both("evaluate", x, y)
    both("predict", x[:B])
    both("fit", x, y, shuffle=shuffle)
    ours.reset_states()
    for layer in theirs.layers[:2]:
        layer.reset_state()
    both("predict", x[:B])
    both("fit", x, y, shuffle=shuffle)
    assert_close(ours.get_weights(), theirs.get_weights())

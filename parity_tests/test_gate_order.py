"""The 23 wrong orders of the four gate blocks: the parity check must fail for each of them.

Constant weights make all gates alike, and a test with them passes whatever the order.  So this
tests the tests: `assert_same_outputs` and the comparison of gradients, as `test_layers` uses them.
"""

import itertools

import numpy as np
import pytest

from .oracle import (
    B,
    D,
    T,
    U,
    assert_same_loss_and_gradients,
    assert_same_outputs,
    both_layers,
    random,
    share_random_weights,
    shared_models,
)

IDENTITY = (0, 1, 2, 3)  # i, f, c, o
WRONG_ORDERS = [order for order in itertools.permutations(range(4)) if order != IDENTITY]
WEIGHTS = ["kernel", "recurrent_kernel", "bias"]


def order_id(order):
    return "".join("ifco"[block] for block in order)


def with_blocks_in(order, weight):
    """Return a weight (..., 4U) with its blocks of columns in another order."""
    blocks = np.split(weight, 4, axis=-1)
    return np.concatenate([blocks[block] for block in order], axis=-1)


def copy_with_blocks_in(order, ours, theirs, names=WEIGHTS):
    """Copy Keras's weights, those that are named with their blocks in another order."""
    ours.set_weights(
        [
            with_blocks_in(order, weight) if name in names else weight
            for name, weight in zip(WEIGHTS, theirs.get_weights(), strict=True)
        ]
    )


@pytest.fixture
def layers_and_data(floatx, rng):
    """Two LSTM layers with the same weights, an input, and initial states."""
    ours, theirs = both_layers(lambda L: L.LSTM(U, return_sequences=True, return_state=True))
    ours.build((B, T, D))
    theirs.build((B, T, D))
    share_random_weights(ours, theirs, rng)
    return ours, theirs, random(rng, B, T, D), [random(rng, B, U), random(rng, B, U)]


def test_right_order_passes(layers_and_data):
    ours, theirs, x, states = layers_and_data
    copy_with_blocks_in(IDENTITY, ours, theirs)
    assert_same_outputs(ours, theirs, x, initial_state=states)


def test_there_are_23_wrong_orders():
    assert len(set(WRONG_ORDERS)) == 23


@pytest.mark.parametrize("order", WRONG_ORDERS, ids=order_id)
@pytest.mark.parametrize("names", [WEIGHTS, *([name] for name in WEIGHTS)], ids="-".join)
def test_wrong_order_fails(names, order, layers_and_data):
    ours, theirs, x, states = layers_and_data
    copy_with_blocks_in(order, ours, theirs, names)
    with pytest.raises(AssertionError, match="output"):
        assert_same_outputs(ours, theirs, x, initial_state=states)


@pytest.mark.parametrize("order", WRONG_ORDERS, ids=order_id)
def test_wrong_order_of_gradients_fails(order, float64, rng, monkeypatch):
    """Right weights, and gradients whose blocks come back in a wrong order."""
    ours, theirs = shared_models(lambda L: [L.Input((T, D)), L.LSTM(U)], rng)
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    x, y = random(rng, B, T, D), random(rng, B, U)
    assert_same_loss_and_gradients(ours, theirs, x, y)

    right = ours.loss_and_gradients

    def wrong(*data):
        loss, gradients = right(*data)
        return loss, {path: with_blocks_in(order, g) for path, g in gradients.items()}

    monkeypatch.setattr(ours, "loss_and_gradients", wrong)
    with pytest.raises(AssertionError, match="gradient of"):
        assert_same_loss_and_gradients(ours, theirs, x, y)

"""The dropout of an LSTM beside Keras's, with the same masks on both sides.

Keras draws its masks from another generator, so both sides are handed some: Keras's cell where it
asks for a new mask, our layer in the place of its generator.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import npylstm

from .oracle import B, D, K, T, U, assert_close, both_models, random, share_random_weights

BACKENDS = ("numpy", "numba")
X_RATE, H_RATE = 0.25, 0.5
CASES = {
    "input": {"dropout": X_RATE},
    "state": {"recurrent_dropout": H_RATE, "go_backwards": True},
    "both": {"dropout": X_RATE, "recurrent_dropout": H_RATE},
    "input, for each gate": {"dropout": X_RATE, "implementation": 1},
}


class Drawn:
    """A generator whose numbers lie above any rate where a mask is True, and below elsewhere."""

    def __init__(self, masks):
        self._masks, self._next = masks, 0

    def random(self, shape):
        mask = self._masks[self._next % len(self._masks)]
        self._next += 1
        assert mask.shape == tuple(shape)
        return mask.astype(float)


@pytest.mark.parametrize("with_mask", [False, True], ids=["all steps", "masked steps"])
@pytest.mark.parametrize("name", CASES)
def test_masks_injected(name, with_mask, floatx, rng):
    options = CASES[name]

    def build(L):
        own = {"use_cudnn": False} if L is keras.layers and "implementation" in options else {}
        lstm = L.LSTM(U, return_sequences=True, **options, **own)
        return [L.Input((T, D)), L.Masking(), L.Dense(D), lstm, L.Dense(K)]

    ours, theirs = both_models(build)
    share_random_weights(ours, theirs, rng)
    lstm, cell = ours.layers[2], theirs.layers[2].cell
    each_gate = cell.implementation == 1
    masks = []
    if "dropout" in options:
        kept = rng.random((4, B, D)) >= X_RATE
        masks.append(kept if each_gate else kept[0])
        scaled = (masks[0] / (1 - X_RATE)).astype(floatx)
        cell.get_dropout_mask = lambda x: list(scaled) if each_gate else scaled
    if "recurrent_dropout" in options:
        masks.append(rng.random((4, B, U)) >= H_RATE)
        scaled_h = (masks[-1] / (1 - H_RATE)).astype(floatx)
        cell.get_recurrent_dropout_mask = lambda h: list(scaled_h)
    lstm._generator = Drawn(masks)

    x, y = random(rng, B, T, D), random(rng, B, T, K)
    if with_mask:
        x[0, 2:] = x[1, 0] = x[2, 1] = 0
    for model in (ours, theirs):
        model.compile("sgd", "mse")
    with tf.GradientTape() as tape:
        expected = theirs(x, training=True)
        expected_loss = theirs.compute_loss(x, y, expected)
    expected_gradients = tape.gradient(expected_loss, theirs.trainable_weights)
    weights = theirs.get_weights()
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            ours.set_weights(weights)
            assert_close(ours(x, training=True), np.asarray(expected), "output in training")
            assert_close(ours(x), np.asarray(theirs(x)), "output otherwise")
            before = [w.copy() for w in ours.get_weights()]
            loss = ours.train_on_batch(x, y)  # plain descent by 0.01 times the gradients
            assert_close(np.asarray(loss, floatx), np.asarray(expected_loss), "loss")
            for old, new, gradient in zip(
                before, ours.get_weights(), expected_gradients, strict=True
            ):
                step = floatx_of(0.01, floatx) * np.asarray(gradient)
                assert_close(new, old - step, "weights after a step")
                assert np.abs(step).max() > 1e-5


def floatx_of(number, floatx):
    return np.dtype(floatx).type(number)


def test_rates_and_errors():
    with pytest.raises(ValueError, match="recurrent_dropout"):
        npylstm.layers.LSTM(U, recurrent_dropout=1.5)

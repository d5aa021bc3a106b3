"""`model.trace` beside Keras, wherever Keras can be made to show a number.

Keras shows a sequence of h, the last c, and the gradients of what a tape has watched.  To see every
step, a layer is taken apart into T layers with equal weights, each of which takes one step: their
states are those of every step, a tape has the gradients of those, and the gradient of the weights
of the layer that takes step t is that timestep's share.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import npylstm

from .oracle import B, D, K, T, U, assert_close, one_hot, precision, random, shared_models

V = U + 2
SHARES = ("dkernel", "drecurrent_kernel", "dbias")


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with npylstm.using_backend(request.param):
        yield request.param


def build(L):
    return [
        L.Input((T, D)),
        L.Masking(0.0),
        L.LSTM(U, return_sequences=True),
        L.LSTM(V, activation="softsign", go_backwards=True),
        L.Dense(K, activation="softmax"),
    ]


def samples(rng):
    x = random(rng, B, T, D)
    x[1, T - 1] = x[2, :2] = 0  # masked
    return x, one_hot(rng, B)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_step_and_gradient(dtype, rng):
    with precision(dtype):
        ours, theirs = shared_models(build, rng)
        x, y = samples(rng)
        ours.compile("adam", "categorical_crossentropy")
        trace = ours.trace(x, y)
        expected = Unrolled(theirs, x, y)
    assert trace.loss == pytest.approx(expected.loss, rel=1e-6 if dtype == "float32" else 1e-12)
    assert_close(trace.outputs[0], expected.outputs, "outputs")
    for path, one in zip(trace.lstms, expected.layers, strict=True):
        lstm = trace[path]
        dc_prev = one.pop("dc_prev")
        kept = np.where(lstm.mask[..., None], lstm.f, lstm.f.dtype.type(1))
        assert_close((lstm.dc * kept)[:, 1:], dc_prev, f"{path} dc by way of the next step")
        for name, array in one.items():
            assert_close(getattr(lstm, name), array, f"{path} {name}")
    for path, gradient in zip(trace.gradients, expected.gradients, strict=True):
        assert_close(trace.gradients[path], gradient, path)


class Unrolled:
    """A Keras model whose LSTM layers are T layers each, run on a batch and back."""

    def __init__(self, model, x, y):
        _, first, second, dense = model.layers
        mask = (x != 0).any(axis=-1)
        x = [tf.constant(x[:, t]) for t in range(T)]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            steps = self.run(first, x, mask)
            h = [tf.identity(h) for h in steps["h"]]  # whose gradient is this way's alone
            runs = [steps, self.run(second, h[::-1], mask[:, ::-1])]
            outputs = dense(runs[1]["h"][-1])
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(y, outputs))
        self.loss, self.outputs = float(loss), outputs.numpy()
        self.layers = [self.arrays(tape, loss, run) for run in runs]
        shares = [layer[name].sum(axis=0) for layer in self.layers for name in SHARES]
        self.gradients = [*shares, *tape.gradient(loss, dense.trainable_variables)]

    def run(self, layer, x, mask):
        """Return the states of all steps, before and after each, and the layers that took them."""
        states = [tf.zeros((B, layer.units), x[0].dtype) for _ in range(2)]
        run = {"x": x, "h": [], "c": [], "h_prev": [], "c_prev": [], "layers": []}
        for t in range(T):
            config = {"units": layer.units, "activation": layer.activation, "return_state": True}
            step = keras.layers.LSTM(**config)
            step.build((B, 1, x[0].shape[-1]))
            step.set_weights(layer.get_weights())
            run["h_prev"].append(states[0]), run["c_prev"].append(states[1])
            _, *states = step(x[t][:, None], initial_state=states, mask=mask[:, t, None])
            run["h"].append(states[0]), run["c"].append(states[1])
            run["layers"].append(step)
        return run

    def arrays(self, tape, loss, run):
        """Return what a trace calls by the same names."""
        arrays = {name: np.stack(run[name], axis=1) for name in ("x", "h", "c", "h_prev", "c_prev")}
        for name in ("x", "h", "c"):
            gradients = tape.gradient(loss, run[name])
            if name == "c":
                # The c that a step gives out is read by the next step alone: its own h is made
                # inside, of the c before the mask.
                assert gradients.pop() is None
                name = "c_prev"
            arrays[f"d{name}"] = np.stack(gradients, axis=1)
        for k, name in enumerate(SHARES):
            variables = [step.trainable_variables[k] for step in run["layers"]]
            arrays[name] = np.stack(tape.gradient(loss, variables))
        return arrays


def test_sequences_states_and_inputs(rng):
    with precision("float64"):
        ours, theirs = shared_models(lambda L: [L.Input((T, D)), L.LSTM(U), L.Dense(1)], rng)
        layer = keras.layers.LSTM(U, return_sequences=True, return_state=True)
        layer.build((B, T, D))
        layer.set_weights(theirs.layers[0].get_weights())
        x, y = random(rng, B, T, D), random(rng, B, 1)
        ours.compile("adam", "mse")
        trace = ours.trace(x, y)["lstm"]
        sequence, h, c = layer(x)
        with tf.GradientTape() as tape:
            watched = tf.constant(x)
            tape.watch(watched)
            loss = tf.reduce_mean((theirs(watched) - y) ** 2)
    assert_close(trace.h, sequence, "h")
    assert_close(trace.h[:, -1], h, "last h")
    assert_close(trace.c[:, -1], c, "last c")
    assert_close(trace.dx, tape.gradient(loss, watched), "dx")


def test_gates_of_a_step_by_keras_own_activations(rng):
    with precision("float64"):
        ours, theirs = shared_models(lambda L: [L.Input((T, D)), L.LSTM(U)], rng)
        x = random(rng, B, T, D)
        trace = ours.trace(x)["lstm"]
    kernel, recurrent_kernel, bias = theirs.get_weights()
    t = 2
    z = keras.ops.matmul(x[:, t], kernel) + keras.ops.matmul(trace.h[:, t - 1], recurrent_kernel)
    z_i, z_f, z_g, z_o = keras.ops.split(z + bias, 4, axis=-1)  # as keras/layers/rnn/lstm.py does
    assert_close(trace.i[:, t], keras.activations.sigmoid(z_i), "i")
    assert_close(trace.f[:, t], keras.activations.sigmoid(z_f), "f")
    assert_close(trace.g[:, t], keras.activations.tanh(z_g), "g")
    assert_close(trace.o[:, t], keras.activations.sigmoid(z_o), "o")

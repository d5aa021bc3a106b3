"""Three small networks, what they learn, and 200 steps of Adam: the same for any library.

A library is `npylstm` or `keras`, with whatever backend that runs on: TensorFlow is not imported.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STEPS, BATCH, BATCHES = 200, 8, 40  # five epochs of 40 batches, in the same order every time
SEEDS = range(5)  # of runs that differ in their weights and data
LEARNING_RATE = 0.01
N, T, D, K = BATCH * BATCHES, 7, 4, 3


class Network(NamedTuple):
    """Layers from a `layers` module, the loss, and targets from x (N, T, D)."""

    layers: Callable
    loss: str
    targets: Callable


def _first_of_last_steps(x):
    """Say which of K features was the largest, three timesteps before the end: one-hot (N, K)."""
    return np.eye(K)[x[:, -3, :K].argmax(axis=1)]


def _fading_means(x):
    """Mix the features at every timestep, and fade what was before: (N, T, K)."""
    mixed = x @ (np.arange(D * K).reshape(D, K) % 5 - 2.0) / 4
    y = np.zeros((N, T, K))
    for t in range(T):
        y[:, t] = 0.7 * (y[:, t - 1] if t else 0) + 0.3 * mixed[:, t]
    return y


def _both_ends(x):
    """Say whether the first and the last timestep together are above zero: (N, 1)."""
    return (x[:, 0, :1] + x[:, -1, :1] > 0).astype(float)


NETWORKS = {
    "LSTM + Dense softmax": Network(
        lambda L: [L.LSTM(10), L.Dense(K, activation="softmax")],
        "categorical_crossentropy",
        _first_of_last_steps,
    ),
    "LSTM + LSTM + TimeDistributed Dense": Network(
        lambda L: [
            L.LSTM(9, return_sequences=True),
            L.LSTM(6, return_sequences=True),
            L.TimeDistributed(L.Dense(K)),
        ],
        "mean_squared_error",
        _fading_means,
    ),
    "Bidirectional LSTM + Dense": Network(
        lambda L: [L.Bidirectional(L.LSTM(8)), L.Dense(1, activation="sigmoid")],
        "binary_crossentropy",
        _both_ends,
    ),
}


def data(network, dtype, seed=0):
    """Return x (N, T, D) and y of a network; its numbers in float64 are those in float32."""
    x = np.random.default_rng([seed, 1]).normal(size=(N, T, D)).astype("float32")
    return x.astype(dtype), network.targets(x.astype("float64")).astype("float32").astype(dtype)


def build(library, network, dtype, **options):
    """Return a model, compiled with more options than those that all have."""
    model = library.Sequential([library.layers.Input((T, D)), *network.layers(library.layers)])
    # A Python float is rounded to float32 by Keras on its way, even beside float64 weights.
    exact = np.float64 if dtype == "float64" else float
    adam = library.optimizers.Adam(
        learning_rate=exact(LEARNING_RATE), beta_1=exact(0.9), beta_2=exact(0.999)
    )
    model.compile(optimizer=adam, loss=network.loss, **options)
    return model


def start(model, dtype, seed=0):
    """Give a model small random weights, the same in every library and precision."""
    rng = np.random.default_rng([seed, 2])
    draws = [rng.normal(scale=0.2, size=w.shape).astype("float32") for w in model.get_weights()]
    model.set_weights([w.astype(dtype) for w in draws])


def start_again(keras_model, dtype, seed):
    """Start a Keras model as if it were new, without compiling it once more."""
    optimizer = keras_model.optimizer
    optimizer.build(keras_model.trainable_variables)
    start(keras_model, dtype, seed)
    for variable in optimizer.variables:
        if variable is not optimizer._learning_rate:
            variable.assign(np.zeros(variable.shape, variable.dtype))


def train(model, x, y):
    """Train for all the steps at once; return the losses of the epochs."""
    epochs = STEPS // BATCHES
    history = model.fit(x, y, epochs=epochs, batch_size=BATCH, shuffle=False, verbose=0)
    return history.history["loss"]


def weights_of_every_step(model, x, y):
    """Train batch by batch; return the weights after 0, 1, … STEPS steps, each as a list."""
    weights = [model.get_weights()]
    for step in range(STEPS):
        batch = slice(step % BATCHES * BATCH, (step % BATCHES + 1) * BATCH)
        model.train_on_batch(x[batch], y[batch])
        weights.append([w.copy() for w in model.get_weights()])
    return weights


def distance(ours, theirs):
    """Return the largest difference between two lists of weights.

    That of each kernel or bias counts in units of its own largest entry.
    """
    return max(
        float(np.abs(one - other).max() / np.abs(other).max())
        for one, other in zip(ours, theirs, strict=True)
    )

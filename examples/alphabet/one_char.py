"""Experiment 1: one letter in, the next letter out."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed, to_categorical

from .data import ALPHABET, windows


def run(report, seed, epochs=500, verbose=0):
    """Train and question the network; return its accuracy and its `History`."""
    set_random_seed(seed)

    # Data: 25 pairs, from A -> B to Y -> Z.
    patterns, targets = windows(length=1)
    report.pairs(patterns, targets)

    # Shape: an LSTM reads (samples, timesteps, features).  A letter is one timestep, one feature.
    x = np.reshape(patterns, (25, 1, 1)) / len(ALPHABET)
    y = to_categorical(targets)  # (25, 26): targets run from 1 to 25, which makes 26 classes
    report.shape(x, samples="a_pair", timesteps="one_step", features="a_number")

    # Model: 32 numbers of state, then one probability for each letter.
    model = Sequential([Input((1, 1)), LSTM(32), Dense(26, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit: with one sample a batch, an epoch is 25 updates.
    report.training(len(x), epochs, batch_size=1)
    history = model.fit(x, y, epochs=epochs, batch_size=1, verbose=verbose)

    # Evaluate.
    accuracy = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    report.accuracy(accuracy)

    # Predict: the most probable letter is the answer.
    answers = model.predict(x, verbose=0).argmax(axis=-1)
    report.answers("answers", patterns, answers)

    report.why(1, model, x, y)
    report.curves(1, history)
    return accuracy, history

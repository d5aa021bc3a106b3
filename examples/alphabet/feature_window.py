"""Experiment 2: three letters at once, as three features of one timestep."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed, to_categorical

from .data import ALPHABET, windows


def run(report, seed, epochs=500, verbose=0):
    """Train and question the network; return its accuracy and its `History`."""
    set_random_seed(seed)

    # Data: 23 pairs, from ABC -> D to WXY -> Z.
    patterns, targets = windows(length=3)
    report.pairs(patterns, targets)

    # Shape: the window lies along the last axis, so the LSTM takes a single step.
    x = np.reshape(patterns, (23, 1, 3)) / len(ALPHABET)
    y = to_categorical(targets)  # (23, 26)
    report.shape(x, samples="a_pair", timesteps="one_step", features="three_numbers")

    # Model: as before; only the shape of the input differs.
    model = Sequential([Input((1, 3)), LSTM(32), Dense(26, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit.
    report.training(len(x), epochs, batch_size=1)
    history = model.fit(x, y, epochs=epochs, batch_size=1, verbose=verbose)

    # Evaluate.
    accuracy = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    report.accuracy(accuracy)

    # Predict.
    answers = model.predict(x, verbose=0).argmax(axis=-1)
    report.answers("answers", patterns, answers)

    report.why(2, model, x, y)
    report.curves(2, history)
    return accuracy, history

"""Experiment 3: the same three letters one after another, as three timesteps."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed, to_categorical

from .data import ALPHABET, windows


def run(report, seed, epochs=500, verbose=0):
    """Train and question the network; return its accuracy and its `History`."""
    set_random_seed(seed)

    # Data: the 23 pairs of experiment 2.
    patterns, targets = windows(length=3)
    report.pairs(patterns, targets)

    # Shape: the window lies along the middle axis, so the LSTM takes three steps.
    x = np.reshape(patterns, (23, 3, 1)) / len(ALPHABET)
    y = to_categorical(targets)  # (23, 26)
    report.shape(x, samples="a_pair", timesteps="three_steps", features="a_number")

    # Model.
    model = Sequential([Input((3, 1)), LSTM(32), Dense(26, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit.
    report.training(len(x), epochs, batch_size=1)
    history = model.fit(x, y, epochs=epochs, batch_size=1, verbose=verbose)

    # Evaluate.
    accuracy = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    report.accuracy(accuracy)

    # Predict: a question has the shape of the training data, here (1, 3, 1) for a single one.
    answers = []
    for pattern in patterns:
        question = np.reshape(pattern, (1, 3, 1)) / len(ALPHABET)
        answers.append(model.predict(question, verbose=0).argmax())
    report.answers("answers", patterns, answers)

    report.why(3, model, x, y)
    report.curves(3, history)
    return accuracy, history

"""Experiment 4: the whole alphabet in one batch, in its order."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import pad_sequences, set_random_seed, to_categorical

from .data import ALPHABET, windows


def run(report, seed, epochs=5000, verbose=0):
    """Train and question the network; return its accuracy and its `History`."""
    set_random_seed(seed)

    # Data: the 25 pairs of experiment 1.
    patterns, targets = windows(length=1)
    report.pairs(patterns, targets)

    # Shape.
    x = pad_sequences(patterns, maxlen=1, dtype="float32")  # (25, 1): all of length 1 already
    x = np.reshape(x, (25, 1, 1)) / len(ALPHABET)
    y = to_categorical(targets)  # (25, 26)
    report.shape(x, samples="a_pair", timesteps="one_step", features="a_number")

    # Model: 16 units are enough.
    model = Sequential([Input((1, 1)), LSTM(16), Dense(26, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit: the batch holds every sample, so an epoch is one update, with the exact gradient.
    report.training(len(x), epochs, batch_size=25)
    history = model.fit(x, y, epochs=epochs, batch_size=25, shuffle=False, verbose=verbose)

    # Evaluate.
    accuracy = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    report.accuracy(accuracy)

    # Predict, first in the order of the alphabet and then 20 letters at random: the answers
    # agree, because the rows of a batch do not see each other's state.
    answers = model.predict(x, verbose=0).argmax(axis=-1)
    report.answers("answers", patterns, answers)
    chosen = np.random.default_rng(seed).integers(25, size=20)
    answers = [model.predict(x[[c]], verbose=0).argmax() for c in chosen]
    report.answers("random_answers", [patterns[c] for c in chosen], answers)

    report.why(4, model, x, y)
    report.curves(4, history)
    return accuracy, history

"""Experiment 6: pieces of the alphabet of different lengths, filled up to five timesteps."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import pad_sequences, set_random_seed, to_categorical

from .data import ALPHABET, pieces


def run(report, seed, epochs=500, verbose=0):
    """Train and question the network; return its accuracy and its `History`."""
    set_random_seed(seed)
    rng = np.random.default_rng(seed)

    # Data: 1000 random pieces, such as T -> U or BCDE -> F.
    patterns, targets = pieces(count=1000, longest=5, rng=rng)
    report.pairs(patterns, targets, first=12)

    # Shape: zeros are put in front of the short ones, so that all have five timesteps.
    x = pad_sequences(patterns, maxlen=5, dtype="float32")  # (1000, 5)
    x = np.reshape(x, (1000, 5, 1)) / len(ALPHABET)
    y = to_categorical(targets)  # (1000, 26)
    report.shape(x, samples="a_piece", timesteps="padded_steps", features="a_number")

    # Model.
    model = Sequential([Input((5, 1)), LSTM(32), Dense(26, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit: half a million updates.
    report.training(len(x), epochs, batch_size=1)
    history = model.fit(x, y, epochs=epochs, batch_size=1, verbose=verbose)

    # Evaluate.
    accuracy = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    report.accuracy(accuracy)

    # Predict: a question is filled up like the training data.
    chosen = [patterns[c] for c in rng.integers(1000, size=20)]
    answers = []
    for pattern in chosen:
        question = pad_sequences([pattern], maxlen=5, dtype="float32")  # (1, 5)
        question = np.reshape(question, (1, 5, 1)) / len(ALPHABET)
        answers.append(model.predict(question, verbose=0).argmax())
    report.answers("random_answers", chosen, answers)

    # Each different piece once, by its last letter and its length.
    _, once = np.unique([[p[-1], len(p)] for p in patterns], axis=0, return_index=True)
    report.why(6, model, x[once], y[once])
    report.curves(6, history)
    return accuracy, history

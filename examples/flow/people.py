"""Whose signal is it?  A network answers [1, 0] for person 1 and [0, 1] for person 2."""

import numpy as np

from npylstm import Sequential, plots
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed, to_categorical

from . import pictures
from .data import walks


def run(console, seed, epochs=30, verbose=0):
    """Train on the signals of two people and return the accuracy on new signals."""
    set_random_seed(seed)
    rng = np.random.default_rng(seed)
    console.title("people")
    console.say("about_people")

    # Data: 200 signals to learn from, 500 that are kept back for the test.
    x, person = walks(200, rng)
    x_test, person_test = walks(500, rng)
    y, y_test = to_categorical(person, 2), to_categorical(person_test, 2)
    console.say("people_data", shape=x.shape, test_shape=x_test.shape)

    # Model: two probabilities come out.
    model = Sequential([Input((10, 2)), LSTM(32), Dense(2, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    # Fit: the test signals are only watched, never learned from.
    history = model.fit(
        x, y, epochs=epochs, batch_size=16, verbose=verbose, validation_data=(x_test, y_test)
    )

    # Evaluate.
    known = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    new = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    console.say("people_accuracy", known=100 * known, new=100 * new)

    # Predict: how often was whose signal taken for whose?
    answers = model.predict(x_test, verbose=0)  # (500, 2)
    taken_for = answers.argmax(axis=-1)
    rows = []
    for who in (0, 1):
        counts = [np.sum((person_test == who) & (taken_for == guess)) for guess in (0, 1)]
        rows.append([console.text("person", number=who + 1), *map(str, counts)])
    console.table("confusion_heads", rows)
    first, second = answers[0]
    console.say(
        "one_signal", first=first, second=second, said=taken_for[0] + 1, real=person_test[0] + 1
    )

    # Ten of the new signals on a page, every number of their way through the network.
    console.page(model, x_test[:10], y_test[:10], "people_page")
    console.picture("flow_people_signals", pictures.signals, x, person)
    title = "Two people: training signals and, dashed, test signals"
    console.picture("flow_people_history", plots.history, history, title=title)
    return new

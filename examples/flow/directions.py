"""Does it help to read the signal in both directions?  Ten seeds answer, not one."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Bidirectional, Dense, Input
from npylstm.utils import set_random_seed, to_categorical

from . import pictures
from .data import walks

# Bidirectional doubles the outputs; with 16 units it has as many as LSTM(32).
LAYERS = {
    "LSTM(32)": lambda: LSTM(32),
    "Bidirectional(LSTM(32))": lambda: Bidirectional(LSTM(32)),
    "Bidirectional(LSTM(16))": lambda: Bidirectional(LSTM(16)),
}
SEEDS = 10
# A mean of ten differences this many standard errors from zero is more than chance: Student's t
# with 9 degrees of freedom, 95 % confidence for the two comparisons together.
STANDARD_ERRORS = 2.69


def run(console, seed, epochs=30, verbose=0):
    """Train every network with ten seeds; return name -> test accuracies in %, shape (10,)."""
    console.title("directions")
    console.say("about_directions")
    accuracies, rows = {}, []
    for name, layer in LAYERS.items():
        seeds = [(seed + offset) % 2**32 for offset in range(SEEDS)]
        runs = [train(layer, one, epochs, verbose) for one in seeds]
        accuracies[name] = values = np.array([accuracy for accuracy, _ in runs])
        spread = f"{values.mean():.1f} ± {values.std(ddof=1):.1f}"
        rows.append([name, str(runs[0][1]), spread, f"{values.min():.1f}"])
    console.table("direction_heads", rows)

    # The same seed means the same signals, so the networks are compared seed by seed.
    console.say("paired")
    for name in list(LAYERS)[1:]:
        gain = accuracies[name] - accuracies["LSTM(32)"]
        error = gain.std(ddof=1) / np.sqrt(SEEDS)
        verdict = "no_difference"
        if abs(gain.mean()) > STANDARD_ERRORS * error:
            verdict = "helps" if gain.mean() > 0 else "harms"
        console.say(verdict, name=name, gain=gain.mean(), error=error)
    console.picture("flow_directions", pictures.compare, accuracies)
    return accuracies


def train(layer, seed, epochs, verbose):
    """Train one network with one seed; return its test accuracy in % and its weight count."""
    set_random_seed(seed)
    rng = np.random.default_rng(seed)
    x, person = walks(200, rng)
    x_test, person_test = walks(500, rng)
    model = Sequential([Input((10, 2)), layer(), Dense(2, activation="softmax")])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, to_categorical(person, 2), epochs=epochs, batch_size=16, verbose=verbose)
    answers = model.predict(x_test, verbose=0).argmax(axis=-1)
    return 100 * np.mean(answers == person_test), model.count_params()

"""A window slides over 1, 2, ... 100; the trained network is asked what follows 100."""

import numpy as np

from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed

from . import pictures
from .data import counting_windows


def run(console, seed, epochs=300, verbose=0):
    """Train on the windows up to 100 and return the prediction for 101."""
    set_random_seed(seed)
    console.title("counting")

    # Data: 1 2 3 4 5 -> 6 and so on.  Divided by 100 the numbers suit the gates.
    windows, following = counting_windows()
    for row in (0, 1, 94):
        print(f"  {' '.join(map(str, windows[row]))} -> {following[row]}")
    x = windows.reshape(95, 5, 1) / 100
    y = following.reshape(95, 1) / 100
    console.say("windows", shape=x.shape)

    # How often the weights change: once a batch, and a batch is batch_size samples.
    console.say("updates", samples=len(x), epochs=epochs)
    rows = []
    for batch_size in (1, 8, 32, 95):
        updates = -(-len(x) // batch_size)  # rounded up: the last batch may be smaller
        last = len(x) - (updates - 1) * batch_size
        rows.append([str(n) for n in (batch_size, updates, last, updates * epochs)])
    console.table("update_heads", rows)

    # Model: a number comes out, so Dense has one unit and no softmax.
    model = Sequential([Input((5, 1)), LSTM(32), Dense(1)])
    model.compile(optimizer="adam", loss="mse")

    # Fit.
    console.say("counting_fit", epochs=epochs)
    history = model.fit(x, y, epochs=epochs, batch_size=8, verbose=verbose)

    # Evaluate: how far off are the answers to what it was trained on?
    known = 100 * model.predict(x, verbose=0)[:, 0]
    console.say("known_errors", worst=np.abs(known - following).max())

    # Predict: 101 is larger than every target it has seen.
    question = np.reshape([96, 97, 98, 99, 100], (1, 5, 1)) / 100
    answer = 100 * float(model.predict(question, verbose=0)[0, 0])
    console.say("answer_101", answer=answer, error=answer - 101)

    console.picture("flow_counting", pictures.counting, history, following, known, answer)
    return answer

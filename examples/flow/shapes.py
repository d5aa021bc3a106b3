"""Three tensors and what becomes of their shapes on the way through LSTM(32) and Dense(1)."""

import numpy as np

from npylstm import Sequential, plots
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed

from .data import FALLING, RISING


def run(console, seed):
    """Follow the three tensors."""
    set_random_seed(seed)

    # One sensor, read ten times: ten numbers become one sample of ten timesteps, one feature.
    follow(console, "one_sensor", RISING.reshape(1, 10, 1))

    # Two sensors, read together: every timestep is a vector of two features.
    pairs = np.column_stack([RISING, FALLING])  # (10, 2)
    follow(console, "two_sensors", pairs.reshape(1, 10, 2))

    # Two people, five seconds each: the same twenty numbers, cut into two samples.
    follow(console, "two_people", pairs.reshape(2, 5, 2))


def follow(console, name, x):
    """Print and draw how `x` passes through the layers."""
    samples, timesteps, features = x.shape
    console.title(name)
    console.say("tensor", shape=x.shape)
    console.say("first_step", values=vector(x[0, 0]))

    model = Sequential([Input((timesteps, features)), LSTM(32), Dense(1)])
    answer = model.predict(x, verbose=0)  # (samples, 1)

    # A second LSTM with the same weights, which keeps the state of every timestep.
    keeper = Sequential([Input((timesteps, features)), LSTM(32, return_sequences=True)])
    keeper.set_weights(model.layers[0].get_weights())
    h = keeper.predict(x, verbose=0)  # (samples, timesteps, 32)

    lstm_weights, dense_weights = (layer.count_params() for layer in model.layers)
    rows = [
        ("Input", str(x.shape), "0"),
        (console.text("every_step"), str(h.shape), str(lstm_weights)),
        (console.text("last_step"), str(h[:, -1].shape), console.text("same")),
        ("Dense(1)", str(answer.shape), str(dense_weights)),
    ]
    console.table("layer_heads", rows)

    console.say("one_vector_a_time", features=features)
    rows = [(str(t), vector(x[0, t]), vector(h[0, t, :3], "+.3f")) for t in range(timesteps)]
    console.table("step_heads", rows)
    console.say("dense_answer", last=timesteps, answer=answer[0, 0])

    title = f"{name.replace('_', ' ').capitalize()}: {x.shape}"
    console.picture(f"flow_{name}_tensor", plots.tensor, x, title=title)
    title = f"Sample 0 on its way through LSTM(32): {timesteps} vectors of {features}"
    console.picture(f"flow_{name}_steps", plots.flow, x[0], h[0], title=title, output=answer[0, 0])


def vector(numbers, form="g"):
    """Write a vector, such as ``[0.1 1]``."""
    return "[" + " ".join(format(number, form) for number in numbers) + "]"

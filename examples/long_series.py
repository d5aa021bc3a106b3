"""One series too long to train on at once: ``python -m examples.long_series``.

Water flows into a leaking tank, and the level is to be told from the inflow.  What came a hundred
timesteps ago is still in it, but a window has 20, and gradients are not carried further
(truncated backpropagation through time).  A stateful LSTM gets the windows in order, so that its
state reaches from each into the next; a stateless one starts each from zero.
"""

import numpy as np

import npylstm
from npylstm import Sequential, plots
from npylstm.callbacks import Callback
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed

from .command import read_options, run
from .console import Console

SEED, EPOCHS, UNITS = 7, 150, 16
WINDOW, TRAINED, UNSEEN = 20, 6000, 2000  # timesteps: of a window, to train on, to test on
KEPT = 0.98  # of the water from one timestep to the next

TEXTS = {
    "help": (
        """usage: python -m examples.long_series [options]

One long series, cut into windows: an LSTM that carries its state on, and one that does not.
""",
        """사용법: python -m examples.long_series [선택 사항]

긴 시계열 하나를 구간으로 자릅니다. 상태를 이어 가는 LSTM과 그렇지 않은 LSTM을 비교합니다.
""",
    ),
    "welcome": (
        "The level of a leaking tank, told from the inflow. Seed {seed}, backend {backend}.",
        "유입량으로 알아내는 새는 물탱크의 수위. 시드 {seed}, 백엔드 {backend}.",
    ),
    "windows": (
        "{steps} timesteps to train on, as {count} windows {shape}, batch after batch in order",
        "학습할 타임스텝 {steps}개, 순서대로 이어지는 구간 {count}개, 구간마다 {shape}",
    ),
    "stateful": (
        "stateful: state carried from window to window",
        "stateful: 구간마다 상태를 이어 감",
    ),
    "stateless": ("stateless: each window from zero", "stateless: 구간마다 0에서 시작"),
    "mean": ("always the mean level", "언제나 평균 수위"),
    "heads": ("|trained on|unseen", "|학습한 부분|처음 보는 부분"),
    "errors": ("Root mean squared error of the level:", "수위의 평균 제곱근 오차:"),
    "ratio": (
        "On unseen timesteps the stateful network errs by {percent:.0f} % of the stateless one.",
        "처음 보는 부분에서 stateful 신경망의 오차는 stateless의 {percent:.0f} %입니다.",
    ),
}


class StartFromZero(Callback):
    """Empty the state at the start of every epoch, where the series begins anew."""

    def on_epoch_begin(self, epoch, logs=None):
        """Reset the state."""
        self.model.reset_states()


def tank(steps, rng):
    """Return the inflow (steps,), which comes in showers, and the level (steps,) of the tank."""
    inflow = rng.random(steps) * (rng.random(steps) < 0.1)
    level, levels = 0.0, []
    for amount in inflow:
        level = KEPT * level + 0.2 * amount
        levels.append(level)
    return inflow, np.array(levels)


def windows(series):
    """Cut a series into windows that follow one another: (count, WINDOW, 1)."""
    return series.reshape(-1, WINDOW, 1)


def train(stateful, x, y, seed, epochs, verbose):
    """Return a network that is trained on the windows of a series, batches of one."""
    set_random_seed(seed)  # the same weights for both
    model = Sequential(
        [
            Input(batch_shape=(1, WINDOW, 1)),
            LSTM(UNITS, return_sequences=True, stateful=stateful),
            Dense(1),
        ]
    )
    model.compile(optimizer=npylstm.optimizers.Adam(0.005), loss="mse")
    # In order, because the state after one window is the state before the next.
    model.fit(
        *(x, y),
        batch_size=1,
        epochs=epochs,
        shuffle=not stateful,
        callbacks=[StartFromZero()],
        verbose=verbose,
    )
    return model


def levels(model, x):
    """Return what a network says of a whole series, from its start to its end."""
    model.reset_states()
    return model.predict(x, batch_size=1, verbose=0).ravel()


def error(answers, wanted):
    """Return the root mean squared error."""
    return np.sqrt(np.mean((answers - wanted) ** 2))


def picture(wanted, answers, names):
    """Draw the true level and what both networks say, over the unseen timesteps."""
    ax = plots.figure(9, 4).add_subplot()
    ax.plot(wanted, color="0.2", lw=2.5, label="the level")
    for key, colour in (("stateless", "#D55E00"), ("stateful", "#0072B2")):
        ax.plot(answers[key], color=colour, lw=1, label=names[key])
    ax.set(xlabel="timestep", ylabel="level of the tank", title="Unseen timesteps")
    ax.legend(frameon=False)
    return ax


def main(argv=None):
    """Train both networks, compare and print; `argv` as in the other examples.  Return 0."""
    options = read_options("long_series", TEXTS, argv, SEED)
    console = Console(TEXTS, options.lang, options.plot)
    console.say("welcome", seed=options.seed, backend=npylstm.get_backend())
    inflow, level = tank(TRAINED + UNSEEN, np.random.default_rng(options.seed))
    mean = level[:TRAINED].mean()
    x, y = windows(inflow), windows(level)
    known = TRAINED // WINDOW
    console.say("windows", steps=TRAINED, count=known, shape=(1, WINDOW, 1))

    answers, rows, errors = {"mean": np.full_like(level, mean)}, [], {}
    for key in ("stateful", "stateless"):
        epochs = options.epochs or EPOCHS
        stateful = key == "stateful"
        model = train(stateful, x[:known], y[:known], options.seed, epochs, options.verbose)
        answers[key] = levels(model, x)
    for key, answer in answers.items():
        both = error(answer[:TRAINED], level[:TRAINED]), error(answer[TRAINED:], level[TRAINED:])
        errors[key] = both[1]
        rows.append([console.text(key), *(f"{one:.4f}" for one in both)])
    console.say("errors")
    console.table("heads", rows)
    console.say("ratio", percent=100 * errors["stateful"] / errors["stateless"])
    unseen = {key: answer[TRAINED:] for key, answer in answers.items()}
    names = {key: TEXTS[key][0] for key in unseen}
    console.picture("long_series", picture, level[TRAINED:], unseen, names)
    return 0


if __name__ == "__main__":
    run(main)

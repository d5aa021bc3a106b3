"""What an LSTM has learnt, seen from inside: ``python -m examples.see_inside --plot pictures``.

Numbers go by, and at one timestep, another in each sample, a flag is up: the number of that moment
is to be given back at the end.  After training the pictures show how: the input gate opens with the
flag, and the forget gate keeps what came in.
"""

import numpy as np

import npylstm
from npylstm import Sequential, plots
from npylstm.layers import LSTM, Dense, Input
from npylstm.utils import set_random_seed

from .command import read_options, run
from .console import Console

SEED, EPOCHS, UNITS = 5, 200, 2
SAMPLES, TIMESTEPS = 2000, 16

TEXTS = {
    "help": (
        """usage: python -m examples.see_inside [options]

A number to be remembered while others go by, and the gates that do it.
""",
        """사용법: python -m examples.see_inside [선택 사항]

다른 숫자들이 지나가는 동안 숫자 하나를 기억하는 게이트를 들여다봅니다.
""",
    ),
    "welcome": (
        "A number to be remembered, among {steps}. Seed {seed}, backend {backend}.",
        "숫자 {steps}개 가운데 하나를 기억합니다. 시드 {seed}, 백엔드 {backend}.",
    ),
    "score": (
        "Mean squared error on new samples: {error:.5f}; of always answering 0: {zero:.5f}.",
        "처음 보는 표본의 평균 제곱 오차: {error:.5f}. 언제나 0이라고 답하면: {zero:.5f}.",
    ),
    "gates": (
        "Sample {sample}: flag at timestep {flag}; the mean f of each unit after it: {kept}",
        "표본 {sample}: 깃발은 타임스텝 {flag}. 그 뒤 유닛마다 f의 평균: {kept}",
    ),
}


def flagged(samples, rng):
    """Return numbers and flags (samples, TIMESTEPS, 2), the numbers to remember, and when."""
    x = np.zeros((samples, TIMESTEPS, 2))
    x[:, :, 0] = rng.uniform(-1, 1, size=x.shape[:2])
    when = rng.integers(TIMESTEPS - 2, size=samples)
    x[np.arange(samples), when, 1] = 1
    return x, x[np.arange(samples), when, :1], when


def main(argv=None):
    """Train, print and draw; `argv` as in the other examples.  Return 0."""
    options = read_options("see_inside", TEXTS, argv, SEED)
    console = Console(TEXTS, options.lang, options.plot)
    console.say("welcome", seed=options.seed, backend=npylstm.get_backend(), steps=TIMESTEPS)
    set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    (x, y, _), (x_new, y_new, when) = flagged(SAMPLES, rng), flagged(200, rng)
    model = Sequential([Input((TIMESTEPS, 2)), LSTM(UNITS), Dense(1)])
    model.compile(npylstm.optimizers.Adam(0.01), "mse")
    epochs = options.epochs or EPOCHS
    model.fit(x, y, batch_size=20, epochs=epochs, verbose=options.verbose)
    error = model.evaluate(x_new, y_new, verbose=0)
    console.say("score", error=error, zero=np.mean(y_new**2))

    trace = model.trace(x_new, y_new)
    sample = int(np.abs(when - 3).argmin())  # with some steps before the flag, and more after it
    flag = int(when[sample])
    kept = trace["lstm"].f[sample, flag + 1 :].mean(axis=0)
    values = ", ".join(f"{f:.2f}" for f in kept)
    console.say("gates", sample=sample, flag=flag, kept=values)
    console.picture("see_inside_gates", plots.gates, trace, sample)
    console.picture("see_inside_states", plots.states, trace, sample)
    unit = int(kept.argmax())
    console.picture("see_inside_cell", plots.cell, trace, flag, sample, unit)
    console.picture("see_inside_gradients", plots.gradient_flow, trace)
    console.picture("see_inside_shapes", plots.shapes, model, x_new)
    return 0


if __name__ == "__main__":
    run(main)

"""``python -m benchmarks.trace_cost``: what a trace costs beside a forward and backward alone.

All in one process and in turns, at the size "mid", on each backend.  A trace itself takes down what
the run leaves; gates, gradients and shares are computed when they are asked for.
"""

import argparse
import statistics
import time

import numpy as np

import npylstm
from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input

from .workloads import ALL

SHARES = ("dkernel", "drecurrent_kernel", "dbias")


def ways(model, x, y):
    """Return what is timed, by name: a forward and backward, and traces of it."""

    def trace(wanted):
        lstm = model.trace(x, y)["lstm"]
        for name in lstm.names:
            if wanted(name):
                getattr(lstm, name)

    return {
        "forward and backward": lambda: model.loss_and_gradients(x, y),
        "trace": lambda: trace(lambda name: False),
        "trace, gates and gradients": lambda: trace(lambda name: name not in SHARES),
        "trace, all with shares": lambda: trace(lambda name: True),
    }


def measure(backend, workload, rounds, rest=0.05):
    """Return the median seconds of each way, taken in turns.

    A rest before each lets the threads of NumPy's products fall asleep: for some milliseconds
    after a product they wait for the next one, on the cores that the next turn needs.
    """
    B, T, D, U = workload
    rng = np.random.default_rng(0)
    with npylstm.using_backend(backend):
        model = Sequential([Input((T, D)), LSTM(U), Dense(1)])
        model.compile("adam", "mse")
        x, y = rng.normal(size=(B, T, D)).astype("float32"), rng.normal(size=(B, 1))
        seconds = {name: [] for name in ways(model, x, y)}
        for run in ways(model, x, y).values():
            run()
        for _ in range(rounds):
            for name, run in ways(model, x, y).items():
                time.sleep(rest)
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def main(argv=None):
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trace_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args(argv)
    mid = ALL["mid"]
    workload = mid.B, mid.T, mid.D, mid.U
    print(f"(B, T, D, U) = {workload}, float32, median of {options.rounds} rounds")
    for backend in ("numba", "numpy"):
        seconds = measure(backend, workload, options.rounds)
        plain = seconds["forward and backward"]
        for name, median in seconds.items():
            print(f"{backend:6} {name:28} {1e3 * median:8.1f} ms  {median / plain:5.2f}x")


if __name__ == "__main__":
    main()

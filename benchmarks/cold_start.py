"""One cold start, in its own process: ``python -m benchmarks.cold_start npylstm|keras [epoch]``.

Prints as JSON the seconds for the import and, with "epoch", for the first epoch after it.
"""

import json
import sys
import time

T, U, K, BATCHES = 5, 32, 26, 25  # the sixth alphabet experiment, an epoch of it


def main(library, *what):
    seconds = {}
    start = time.perf_counter()
    if library == "npylstm":
        from npylstm import Sequential, layers
    else:
        from keras import Sequential, layers
    seconds["import"] = time.perf_counter() - start
    if "epoch" in what:
        import numpy as np  # here, for it is part of what either library imports

        start = time.perf_counter()
        rng = np.random.default_rng(3)
        x = rng.random((BATCHES, T, 1), "float32")
        y = np.eye(K, dtype="float32")[rng.integers(K, size=BATCHES)]
        model = Sequential(
            [layers.Input((T, 1)), layers.LSTM(U), layers.Dense(K, activation="softmax")]
        )
        model.compile(optimizer="adam", loss="categorical_crossentropy")
        model.fit(x, y, batch_size=1, epochs=1, verbose=0)
        seconds["first epoch"] = time.perf_counter() - start
    print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

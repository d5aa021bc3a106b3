"""What fit, evaluate and predict can be fed with, and every call of a callback, beside Keras."""

import itertools
import re
import warnings

import keras
import numpy as np
import pytest

import npylstm

from .oracle import B, D, K, T, U, assert_close, assert_same_numbers, random, shared_models

N = 11  # batches of B, B and 1
CLASS_WEIGHT = {0: 2.5, 1: 0.25}


def recorder(library, name, calls, stop=None):
    """Return a callback that writes every call of itself down; `stop` is (hook, number, what)."""

    def record(hook):
        def write(self, *arguments, logs=None):
            number, logs = arguments if len(arguments) == 2 else (*arguments, logs)[:2]
            if hook in ("train_begin", "train_end", "test_begin", "test_end", "predict_begin",
                        "predict_end"):  # fmt: skip
                number, logs = None, arguments[0] if arguments else logs
            calls.append((name, hook, number, dict(logs)))
            if stop and (hook, number) == stop[:2]:
                setattr(self.model, f"stop_{stop[2]}", True)

        return write

    moments = [f"{what}_{when}" for what in ("train", "test", "predict", "epoch", "train_batch",
               "test_batch", "predict_batch") for when in ("begin", "end")]  # fmt: skip
    hooks = {f"on_{hook}": record(hook) for hook in moments}
    return type("Recorder", (library.callbacks.Callback,), hooks)()


def assert_same_calls(ours, theirs):
    assert [call[:3] for call in ours] == [call[:3] for call in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert list(one[3]) == list(other[3]), one
        for key, value in other[3].items():
            assert_close(np.array(one[3][key]), np.array(value), f"{one[:3]} {key}")


def dataset(library, batches, turning=False):
    """Return a PyDataset of a library, of these batches; one may put them in another order."""

    class Given(library.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.batches = list(batches)

        def __len__(self):
            return len(self.batches)

        def __getitem__(self, i):
            return self.batches[i]

        def on_epoch_end(self):
            if turning:
                self.batches = self.batches[1:] + self.batches[:1]

    return Given()


class Data:
    """Arrays, and batches whose sizes and numbers of timesteps differ."""

    def __init__(self, rng):
        self.x, self.y = random(rng, N, T, D), random(rng, N, K)
        self.weight = np.abs(random(rng, N))
        self.batches = [
            (random(rng, size, steps, D), random(rng, size, K), np.abs(random(rng, size)))
            for size, steps in ((4, 3), (5, 2), (1, 6), (3, 4), (2, 1), (4, 5))
        ]
        self.pairs = [batch[:2] for batch in self.batches]


def both_models(rng):
    ours, theirs = shared_models(
        lambda L: [L.Input((None, D)), L.LSTM(U), L.Dense(K, activation="sigmoid")], rng
    )
    for model in (ours, theirs):
        model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    return ours, theirs


def run_both(rng, call, n_callbacks=1, stop=None):
    """Run ``call(model, library, callbacks)`` in Keras and in both backends; compare everything.

    Compared are the result, the calls of callbacks, the weights, and how often data ran out.
    """
    ours, theirs = both_models(rng)
    start = ours.get_weights()
    runs = []
    for model, library, backend in (
        (theirs, keras, "numba"),
        (ours, npylstm, "numba"),
        (ours, npylstm, "numpy"),
    ):
        model.set_weights(start)
        calls = []
        some = [recorder(library, str(i), calls, stop) for i in range(n_callbacks)]
        with npylstm.using_backend(backend), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call(model, library, some)
        ran_out = sum("ran out" in str(warning.message) for warning in caught)
        assert len(caught) == ran_out, [str(warning.message) for warning in caught]
        runs.append((result, calls, model.get_weights(), ran_out, some[0].params))
    (expected, expected_calls, weights, expected_warnings, params), *others = runs
    for result, calls, our_weights, ran_out, our_params in others:
        assert_same_calls(calls, expected_calls)
        assert_close(our_weights, weights)
        assert ran_out == expected_warnings
        assert our_params == params
        if isinstance(expected, keras.callbacks.History):
            assert list(result.history) == list(expected.history)
            for name, values in expected.history.items():
                assert_close(np.array(result.history[name]), np.array(values), name)
            assert (result.epoch, result.params) == (expected.epoch, expected.params)
        elif isinstance(expected, np.ndarray):
            assert_close(result, expected)
        else:
            assert_same_numbers(result, expected)
    return expected_calls, expected_warnings


# ------------------------------------------------------------------------------------------- fit
FITS = {
    "arrays": lambda d, lib: {"x": d.x, "y": d.y, "batch_size": B, "epochs": 2},
    "lists": lambda d, lib: {"x": d.x.tolist(), "y": d.y.tolist()} if lib is npylstm else
             {"x": d.x, "y": d.y},
    "validation": lambda d, lib: {
        "x": d.x[:7], "y": d.y[:7], "validation_data": (d.x, d.y, d.weight), "epochs": 4,
        "validation_freq": 2, "initial_epoch": 1,
    },
    "fewer-steps": lambda d, lib: {
        "x": d.x, "y": d.y, "sample_weight": d.weight, "batch_size": 4, "steps_per_epoch": 2,
        "epochs": 4,
    },
    "more-steps": lambda d, lib: {
        "x": d.x, "y": d.y, "batch_size": B, "steps_per_epoch": 5, "epochs": 2,
    },
    "as-many-steps": lambda d, lib: {
        "x": d.x, "y": d.y, "batch_size": 3, "steps_per_epoch": 2, "epochs": 3,
    },
    "steps-without-batch_size": lambda d, lib: {
        "x": d.x, "y": d.y, "steps_per_epoch": 3, "epochs": 2,
        "validation_data": (d.x, d.y), "validation_steps": 4,
    },
    "validation_steps": lambda d, lib: {
        "x": d.x, "y": d.y, "epochs": 2, "validation_data": [d.x, d.y], "validation_steps": 2,
        "validation_batch_size": 3,
    },
    "no-epoch": lambda d, lib: {"x": d.x, "y": d.y, "epochs": 2, "initial_epoch": 2},
    "generator": lambda d, lib: {
        "x": (batch for batch in d.batches), "epochs": 3, "steps_per_epoch": 2,
        "validation_data": (d.x, d.y), "batch_size": 4,
    },
    "generator-for-validation": lambda d, lib: {
        "x": d.x, "y": d.y, "validation_data": (batch for batch in d.pairs),
        "validation_steps": 3,
    },
    "dataset": lambda d, lib: {
        "x": dataset(lib, d.batches), "epochs": 2, "validation_data": dataset(lib, d.pairs[:4]),
    },
    "dataset-that-turns": lambda d, lib: {
        "x": dataset(lib, d.batches, turning=True), "epochs": 3,
        "validation_data": dataset(lib, d.pairs, turning=True), "validation_steps": 2,
    },
    "dataset-with-fewer-steps": lambda d, lib: {
        "x": dataset(lib, d.batches), "epochs": 3, "steps_per_epoch": 4,
    },
    "dataset-with-more-steps": lambda d, lib: {
        "x": dataset(lib, d.batches), "epochs": 2, "steps_per_epoch": 8,
    },
    "dataset-with-class_weight": lambda d, lib: {
        "x": dataset(lib, [list(batch) for batch in d.pairs]), "class_weight": CLASS_WEIGHT,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_fit(name, float64, rng):
    data = Data(rng)

    def fit(model, library, some):
        options = FITS[name](data, library)
        return model.fit(**options, shuffle=False, verbose=0, callbacks=some)

    calls, ran_out = run_both(rng, fit)
    assert calls[0][1] == "train_begin" and calls[-1][1] == "train_end"
    assert ran_out == {"fewer-steps": 2, "more-steps": 2, "dataset-with-fewer-steps": 1,
                       "dataset-with-more-steps": 2}.get(name, 0)  # fmt: skip


def test_one_pass_of_a_generator_in_float32(rng):
    """Without a number of steps, Keras says that data ran out, as it does whenever they end.

    It also begins a batch that does not come, so calls are not compared.
    """
    data = Data(rng)
    ours, theirs = both_models(rng)
    with pytest.warns(UserWarning, match="ran out"):
        expected = theirs.fit((b for b in data.batches), shuffle=False, verbose=0)
    history = ours.fit((b for b in data.batches), shuffle=False, verbose=0)
    assert_same_numbers(history.history["loss"], expected.history["loss"])
    assert history.params == expected.params and history.params["steps"] is None
    assert_close(ours.get_weights(), theirs.get_weights())
    with pytest.warns(UserWarning, match="ran out"):
        expected = theirs.evaluate((b for b in data.batches), verbose=0)
    assert_same_numbers(ours.evaluate((b for b in data.batches), verbose=0), expected)
    with pytest.warns(UserWarning, match="ran out"):
        expected = theirs.predict((b for b in data.batches), verbose=0)
    assert_close(ours.predict((b for b in data.batches), verbose=0), expected)


def test_several_callbacks_and_the_verbosity_that_they_see(float64, rng):
    data = Data(rng)

    def fit(model, library, some):
        outer = library.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: some[0].on_epoch_begin(10 * epoch, logs),
            on_train_batch_begin=lambda batch, logs: some[0].on_test_batch_begin(batch, logs=logs),
        )
        some = [some[0], [outer, some[1]]]
        return model.fit(data.x, data.y, shuffle=False, verbose=2, callbacks=some)

    run_both(rng, fit, n_callbacks=2)


@pytest.mark.parametrize(
    "stop",
    [
        ("train_batch_end", 1, "training"),
        ("epoch_begin", 0, "training"),
        ("train_begin", None, "training"),
        ("epoch_end", 1, "training"),
        ("test_batch_end", 0, "evaluating"),
        ("test_begin", None, "evaluating"),
    ],
    ids=lambda stop: f"{stop[2]}-{stop[0]}",
)
def test_stopped_by_a_callback(stop, float64, rng):
    data = Data(rng)
    options = {"batch_size": B, "epochs": 3, "shuffle": False, "verbose": 0}

    def fit(model, library, some):
        validation = data.x, data.y
        return model.fit(data.x, data.y, **options, validation_data=validation, callbacks=some)

    calls, _ = run_both(rng, fit, stop=stop)
    whole = 2 + 3 * (2 + 2 * 3 + 2 + 2 * 3)
    assert len(calls) < whole


# -------------------------------------------------------------------------- evaluate and predict
EVALUATIONS = {
    "arrays": lambda d, lib: {"x": d.x, "y": d.y, "batch_size": B, "sample_weight": d.weight},
    "steps": lambda d, lib: {"x": d.x, "y": d.y, "batch_size": 3, "steps": 2},
    "steps-without-batch_size": lambda d, lib: {"x": d.x, "y": d.y, "steps": 4},
    "more-steps": lambda d, lib: {"x": d.x, "y": d.y, "batch_size": 4, "steps": 7},
    "generator": lambda d, lib: {"x": (batch for batch in d.batches), "steps": 5},
    "dataset": lambda d, lib: {"x": dataset(lib, d.batches, turning=True), "steps": 4},
}


@pytest.mark.parametrize("name", EVALUATIONS)
def test_evaluate(name, float64, rng):
    data = Data(rng)

    def evaluate(model, library, some):
        options = EVALUATIONS[name](data, library)
        return model.evaluate(**options, verbose=0, callbacks=some)

    run_both(rng, evaluate)


PREDICTIONS = {
    "arrays": lambda d, lib: {"x": d.x, "batch_size": B},
    "steps": lambda d, lib: {"x": d.x, "batch_size": 3, "steps": 2},
    "more-steps": lambda d, lib: {"x": d.x, "batch_size": 4, "steps": 7},
    "generator": lambda d, lib: {"x": ((batch[0],) for batch in d.batches), "steps": 5},
    "generator-of-pairs": lambda d, lib: {"x": (batch for batch in d.pairs), "steps": 2},
    "dataset": lambda d, lib: {"x": dataset(lib, d.batches, turning=True)},
    "dataset-of-arrays": lambda d, lib: {"x": dataset(lib, [batch[0] for batch in d.pairs])},
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predict(name, float64, rng):
    data = Data(rng)

    def predict(model, library, some):
        options = PREDICTIONS[name](data, library)
        return model.predict(**options, verbose=0, callbacks=some)

    run_both(rng, predict)


def test_prediction_stopped_by_a_callback(float64, rng):
    data = Data(rng)

    def predict(model, library, some):
        return model.predict(data.x, batch_size=3, verbose=0, callbacks=some)

    calls, _ = run_both(rng, predict, stop=("predict_batch_end", 1, "predicting"))
    assert len(calls) == 6


def test_lines_without_a_number_of_steps(float64, rng, capsys):
    """A generator's epoch ends in the number of batches that there were."""
    data = Data(rng)
    ours, theirs = both_models(rng)
    lines = []
    for model in (theirs, ours):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Your input ran out")
            capsys.readouterr()
            model.fit((b for b in data.batches), shuffle=False, verbose=2)
            model.evaluate((b for b in data.pairs[:4]), verbose=2)
            model.predict((b for b in data.pairs[:3]), verbose=2)
        lines.append(re.sub(r" - \d+s - \d+(s|ms|us)/step", "", capsys.readouterr().out))
    assert lines[0] == lines[1]
    assert [line.split(" ")[0] for line in lines[0].splitlines()] == ["6/6", "4/4", "3/3"]


# ---------------------------------------------------------------------------- weights of timesteps
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_weights_of_timesteps(reduction, float64, rng):
    ours, theirs = shared_models(
        lambda L: [
            L.Input((None, D)),
            L.LSTM(U, return_sequences=True),
            L.Dense(K, activation="softmax"),
        ],
        rng,
    )
    for model, library in ((ours, npylstm), (theirs, keras)):
        loss = library.losses.SparseCategoricalCrossentropy(reduction=reduction)
        model.compile("sgd", loss, metrics=["accuracy"], run_eagerly=True)
    x, y = random(rng, N, T, D), rng.integers(K, size=(N, T))
    weight = np.abs(random(rng, N, T))
    options = {"batch_size": B, "shuffle": False, "verbose": 0}
    given = weight[..., None] if reduction == "sum" else weight
    options |= {"sample_weight": given, "validation_data": (x[:2], y[:2], given[:2])}
    expected = theirs.fit(x, y, **options).history
    history = ours.fit(x, y, **options).history
    assert list(history) == list(expected)
    for name in expected:
        assert_same_numbers(history[name], expected[name])
    assert_close(ours.get_weights(), theirs.get_weights())
    # A class for every timestep: Keras takes no weights by class, in whichever form y is.
    for model in (ours, theirs):
        with pytest.raises(Exception, match="class_weight is for|Incompatible shapes"):
            model.train_on_batch(x, y, class_weight=CLASS_WEIGHT)


# ---------------------------------------------------------------------- running means of weights
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_ema_weights(swap_on_epoch, float64, rng):
    """Up to rounding: Keras swaps by adding and subtracting."""
    data = Data(rng)
    seen = []

    def fit(model, library, some):
        swap = library.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
        look = library.callbacks.LambdaCallback(
            on_test_batch_end=lambda batch, logs: weights.append(model.get_weights()),
            on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()),
            on_train_batch_end=lambda batch, logs: weights.append(model.get_weights()),
        )
        weights = []
        seen.append(weights)
        model.compile(
            library.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.75),
            "mse", metrics=["mae"], run_eagerly=True,
        )  # fmt: skip
        options = {"batch_size": B, "epochs": 2, "shuffle": False, "verbose": 0}
        validation = data.x[:4], data.y[:4]
        return model.fit(
            data.x, data.y, **options, validation_data=validation, callbacks=[swap, look, *some]
        )

    run_both(rng, fit)
    theirs, *ours = seen
    assert len(theirs) == 2 * (3 + 1 + 1)
    for weights in ours:
        assert_close(list(itertools.chain(*weights)), list(itertools.chain(*theirs)))
    one, other = (theirs[3][0], theirs[4][0])  # in validation, and after it
    assert (np.abs(one - other).max() < 1e-12) == swap_on_epoch

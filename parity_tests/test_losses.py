"""Losses, metrics and what is recorded and printed about them, beside Keras's.

Every value goes through the public face of a model; gradients through `loss_and_gradients` against
the tape.  The models are small and Keras runs them eagerly, which saves compiling each of them.
"""

import contextlib
import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import npylstm
from npylstm import reference

from .oracle import (
    B,
    D,
    K,
    U,
    adam,
    assert_close,
    assert_same_loss_and_gradients,
    assert_same_numbers,
    one_hot,
    random,
    shared_models,
)

T = 2  # the shortest sequence, and another size than all others


# ---------------------------------------------------------------------------- values and gradients
TARGETS = {
    "real": lambda rng, *shape: random(rng, *shape, K),
    "one_hot": lambda rng, *shape: one_hot(rng, *shape),
    "distribution": lambda rng, *shape: rng.dirichlet(np.ones(K), shape).astype(
        keras.config.floatx()
    ),
    "fractions": lambda rng, *shape: rng.random((*shape, K)).astype(keras.config.floatx()),
    "bits": lambda rng, *shape: rng.integers(2, size=(*shape, K)).astype(keras.config.floatx()),
    "labels": lambda rng, *shape: rng.integers(K, size=shape),
    "labels-column": lambda rng, *shape: rng.integers(K, size=(*shape, 1)),
}

# The loss, its options, the activation of the last layer, the targets.
LOSSES = [
    ("MeanSquaredError", {}, "linear", "real"),
    ("MeanSquaredError", {}, "softmax", "one_hot"),
    ("MeanAbsoluteError", {}, "linear", "real"),
    ("MeanAbsoluteError", {}, "sigmoid", "fractions"),
    # from the logits, which Keras remembers beside the probabilities
    ("CategoricalCrossentropy", {}, "softmax", "one_hot"),
    ("CategoricalCrossentropy", {}, "softmax", "distribution"),
    ("CategoricalCrossentropy", {}, "softmax", "fractions"),  # that do not add up to 1
    ("SparseCategoricalCrossentropy", {}, "softmax", "labels"),
    ("SparseCategoricalCrossentropy", {}, "softmax", "labels-column"),
    ("BinaryCrossentropy", {}, "sigmoid", "bits"),
    ("BinaryCrossentropy", {}, "sigmoid", "fractions"),
    ("CategoricalCrossentropy", {"from_logits": True}, "linear", "one_hot"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "linear", "labels"),
    ("BinaryCrossentropy", {"from_logits": True}, "linear", "bits"),
    ("CategoricalCrossentropy", {"from_logits": True}, "tanh", "distribution"),
    # said to be logits, but are not: Keras warns, and takes the logits
    ("CategoricalCrossentropy", {"from_logits": True}, "softmax", "one_hot"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "softmax", "labels"),
    ("BinaryCrossentropy", {"from_logits": True}, "sigmoid", "bits"),
    # the other activation: Keras remembers its logits too, and takes them for its own
    ("CategoricalCrossentropy", {}, "sigmoid", "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "sigmoid", "labels"),
    ("BinaryCrossentropy", {}, "softmax", "bits"),
    ("MeanAbsolutePercentageError", {}, "linear", "real"),
    ("MeanSquaredLogarithmicError", {}, "softplus", "fractions"),
    ("MeanSquaredLogarithmicError", {}, "linear", "real"),  # below 0 as well
    ("Huber", {}, "linear", "real"),
    ("Huber", {"delta": 0.3}, "linear", "real"),
    ("LogCosh", {}, "linear", "real"),
    ("Poisson", {}, "softplus", "fractions"),
    ("KLDivergence", {}, "softmax", "distribution"),
    ("KLDivergence", {}, "softplus", "fractions"),
    ("CosineSimilarity", {}, "linear", "real"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, "softmax", "one_hot"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, "softplus", "one_hot"),
    ("BinaryCrossentropy", {"label_smoothing": 0.3}, "sigmoid", "bits"),
    ("CategoricalFocalCrossentropy", {}, "softmax", "one_hot"),
    ("CategoricalFocalCrossentropy", {"alpha": 0.6, "gamma": 1.3}, "softmax", "distribution"),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, "linear", "one_hot"),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1}, "softplus", "one_hot"),
    ("BinaryFocalCrossentropy", {}, "sigmoid", "bits"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, "linear", "fractions"),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.1},
        "sigmoid",
        "bits",
    ),
    # reductions; they matter with weights
    ("MeanSquaredError", {"reduction": "sum"}, "linear", "real"),
    ("MeanSquaredError", {"reduction": "mean"}, "linear", "real"),
    ("MeanSquaredError", {"reduction": "mean_with_sample_weight"}, "linear", "real"),
    ("CategoricalCrossentropy", {"reduction": "sum"}, "softmax", "one_hot"),
    (
        "SparseCategoricalCrossentropy",
        {"reduction": "mean_with_sample_weight"},
        "softmax",
        "labels",
    ),
    # probabilities, or what is taken for them, out of range too
    ("CategoricalCrossentropy", {}, "softplus", "one_hot"),
    ("CategoricalCrossentropy", {}, "exponential", "distribution"),
    ("SparseCategoricalCrossentropy", {}, "softplus", "labels"),
    ("SparseCategoricalCrossentropy", {}, "hard_sigmoid", "labels"),
]
# Not in float32: what is divided by, 1 - p, has few digits there when p is close to 1.
FLOAT64_LOSSES = [
    ("BinaryCrossentropy", {}, "hard_sigmoid", "bits"),
    ("BinaryCrossentropy", {}, "softplus", "fractions"),
    ("BinaryFocalCrossentropy", {}, "hard_sigmoid", "fractions"),
]


def loss_id(case):
    name, options, activation, targets = case
    settings = [str(value) if key == "reduction" else key for key, value in options.items()]
    return "-".join([name, *settings, activation, targets])


def lstm_models(sequences, activation, rng, scale=0.5):
    return shared_models(
        lambda L: [
            L.Input((T, D)),
            L.LSTM(U, return_sequences=sequences),
            L.Dense(K, activation=activation),
        ],
        rng,
        scale,
    )


def compile_both(ours, theirs, loss, **options):
    for model, library in ((ours, npylstm), (theirs, keras)):
        model.compile(optimizer="sgd", loss=getattr(library.losses, loss)(**options))
    theirs.run_eagerly = True


@contextlib.contextmanager
def keras_may_warn():
    """Let pass what Keras says of `from_logits` with outputs that are not logits."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*received `from_logits=True`.*", UserWarning)
        yield


def check_loss(case, sequences, weight, rng):
    name, options, activation, targets = case
    ours, theirs = lstm_models(sequences, activation, rng)
    compile_both(ours, theirs, name, **options)
    x, y = random(rng, B, T, D), TARGETS[targets](rng, *((B, T) if sequences else (B,)))
    with keras_may_warn():
        assert_same_loss_and_gradients(ours, theirs, x, y, weight)
        expected = theirs.test_on_batch(x, y, weight)
    assert_same_numbers(ours.test_on_batch(x, y, weight), expected)


@pytest.mark.parametrize("sequences", [False, True], ids=["vectors", "sequences"])
@pytest.mark.parametrize("case", LOSSES, ids=loss_id)
def test_loss_and_gradients(case, sequences, floatx, rng):
    check_loss(case, sequences, None, rng)


@pytest.mark.parametrize(
    ("sequences", "shape"),
    [
        pytest.param(False, (B,), id="sample"),
        pytest.param(False, (B, 1), id="sample-column"),
        pytest.param(True, (B, 1), id="sample-of-sequences"),
        pytest.param(True, (B, T), id="timestep"),
    ],
)
@pytest.mark.parametrize("case", LOSSES + FLOAT64_LOSSES, ids=loss_id)
def test_weighted_loss_and_gradients(case, sequences, shape, float64, rng):
    check_loss(case, sequences, np.abs(random(rng, *shape)), rng)


def test_weights_of_samples_hold_for_each_of_their_timesteps(floatx, rng):
    """Weights (B,) of sequences are documented by Keras, but it takes them as a column only.

    Otherwise Keras 3.15 raises or, if there are as many timesteps as samples, weighs timesteps.
    """
    ours, theirs = lstm_models(True, "softmax", rng)
    compile_both(ours, theirs, "CategoricalCrossentropy")
    x, y, weight = random(rng, B, T, D), one_hot(rng, B, T), np.abs(random(rng, B))
    expected = theirs.test_on_batch(x, y, weight[:, None])
    assert_same_numbers(ours.test_on_batch(x, y, weight), expected)
    assert_same_numbers(ours.test_on_batch(x, y, weight[:, None]), expected)


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("CategoricalCrossentropy", "softmax"),
        ("SparseCategoricalCrossentropy", "softmax"),
        ("BinaryCrossentropy", "sigmoid"),
    ],
)
def test_loss_of_a_hopeless_prediction_comes_from_the_logits(loss, activation, floatx, rng):
    """A probability below 1e-7 would be clipped, and no loss be over 17."""
    ours, theirs = lstm_models(False, activation, rng, scale=100)
    compile_both(ours, theirs, loss)
    x = random(rng, B, T, D)
    y = TARGETS["labels" if loss.startswith("Sparse") else "one_hot"](rng, B)
    # The logits are in the hundreds, and float32 rounds their differences in the fifth digit.
    tolerance = {"rtol": 5e-4} if floatx == "float32" else {}
    value = assert_same_loss_and_gradients(ours, theirs, x, y, **tolerance)
    assert value > 17


def test_time_distributed_probabilities_come_without_their_logits(floatx, rng):
    """Keras does not find them behind the wrapper, and clips."""
    ours, theirs = shared_models(
        lambda L: [L.Input((T, D)), L.TimeDistributed(L.Dense(K, activation="softmax"))],
        rng,
        scale=100,
    )
    compile_both(ours, theirs, "CategoricalCrossentropy")
    x, y = random(rng, B, T, D), one_hot(rng, B, T)
    expected = theirs.test_on_batch(x, y)
    assert_same_numbers(ours.test_on_batch(x, y), expected)
    assert 1 < expected < -np.log(1e-7)


# Probabilities as no activation gives them: exactly 0 and 1, at the limits of clipping, beyond 1.
def extreme_probabilities(rng):
    p = rng.dirichlet(np.ones(K), 8)
    p[0] = np.eye(K)[2]
    p[1] = np.eye(K)[3]
    p[2, :2] = 1e-7
    p[3, :2] = 1 - 1e-7
    p[4, :2] = 1e-9, 1 - 1e-9
    p[5, :2] = 1.5, 3
    p[6] = 1
    return p.astype(keras.config.floatx())


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("CategoricalCrossentropy", "one_hot"),
        ("CategoricalCrossentropy", "distribution"),
        ("SparseCategoricalCrossentropy", "labels"),
        ("BinaryCrossentropy", "bits"),
        ("BinaryCrossentropy", "fractions"),
    ],
)
def test_clipping_of_probabilities(name, targets, floatx, rng):
    p, y = extreme_probabilities(rng), TARGETS[targets](rng, 8)
    y[0] = 2 if targets == "labels" else p[0]  # right, and sure of it
    weight = np.abs(random(rng, 8))
    loss = getattr(keras.losses, name)()
    with tf.GradientTape() as tape:
        probabilities = tf.constant(p)
        tape.watch(probabilities)
        expected = loss(y, probabilities, weight)
    dp = tape.gradient(expected, probabilities)

    value = getattr(npylstm.losses, name)()(y, p, weight)
    assert_close(p.dtype.type(value), expected)
    forward, backward = reference.losses.BY_NAME[loss.name]
    values, cache = forward(y, p)
    gradient = backward((weight / 8).astype(values.dtype), cache)
    assert_close(values, getattr(keras.losses, loss.name)(y, p), "values")
    # Up to 1e7: p close to 0 is divided by.  The relative part of the tolerance covers that.
    assert_close(gradient, dp, "gradient of the probabilities")


@pytest.mark.parametrize("name", ["MeanSquaredError", "MeanAbsoluteError"])
def test_errors_of_exactly_zero(name, floatx, rng):
    y, p = random(rng, B, K), random(rng, B, K)
    p[:, :2] = y[:, :2]
    loss = getattr(keras.losses, name)()
    with tf.GradientTape() as tape:
        prediction = tf.constant(p)
        tape.watch(prediction)
        expected = loss(y, prediction)
    forward, backward = reference.losses.BY_NAME[loss.name]
    values, cache = forward(y, p)
    gradient = backward(np.full_like(values, 1 / B), cache)
    assert_close(values.mean(), expected)
    assert_close(gradient, tape.gradient(expected, prediction))
    assert (gradient[:, :2] == 0).all()


# -------------------------------------------------------------------------------- batch by batch
def seven_classes(rng, n):
    return one_hot(rng, n)


# The loss, the last layer's size and activation, the metrics, the targets.
METRICS = {
    "binary": (
        "binary_crossentropy",
        (1, "sigmoid"),
        ["accuracy", "mse", "mae", "binary_accuracy"],
        lambda rng, n: rng.integers(2, size=(n, 1)),
    ),
    "binary-flat-targets": (
        "binary_crossentropy",
        (1, "sigmoid"),
        ["accuracy"],
        lambda rng, n: rng.integers(2, size=n),
    ),
    "several-bits": (
        "binary_crossentropy",
        (K, "sigmoid"),
        ["accuracy", "binary_accuracy"],
        lambda rng, n: rng.integers(2, size=(n, K)),
    ),
    "categorical": (
        "categorical_crossentropy",
        (K, "softmax"),
        ["accuracy", "mse", "categorical_accuracy"],
        seven_classes,
    ),
    "categorical-acc": ("categorical_crossentropy", (K, "softmax"), ["acc"], seven_classes),
    "sparse": (
        "sparse_categorical_crossentropy",
        (K, "softmax"),
        ["accuracy", "sparse_categorical_accuracy"],
        lambda rng, n: rng.integers(K, size=n),
    ),
    "sparse-column": (
        "sparse_categorical_crossentropy",
        (K, "softmax"),
        ["accuracy"],
        lambda rng, n: rng.integers(K, size=(n, 1)),
    ),
    "regression": (
        "mse",
        (K, "linear"),
        ["mse", "mae", "mean_squared_error", "mean_absolute_error"],
        lambda rng, n: random(rng, n, K),
    ),
    "regression-flat-targets": ("mae", (1, "linear"), ["mse"], lambda rng, n: random(rng, n)),
    "no-metrics": ("mse", (K, "linear"), None, lambda rng, n: random(rng, n, K)),
}
SEQUENCE_METRICS = {
    "categorical": (
        "categorical_crossentropy",
        (K, "softmax"),
        ["accuracy", "mae"],
        lambda rng, n: one_hot(rng, n, T),
    ),
    "sparse": (
        "sparse_categorical_crossentropy",
        (K, "softmax"),
        ["accuracy"],
        lambda rng, n: rng.integers(K, size=(n, T)),
    ),
    "binary": (
        "binary_crossentropy",
        (1, "sigmoid"),
        ["accuracy"],
        lambda rng, n: rng.integers(2, size=(n, T, 1)),
    ),
}
ALL_METRICS = [
    *(pytest.param(case, False, id=name) for name, case in METRICS.items()),
    *(pytest.param(case, True, id=f"{name}-sequences") for name, case in SEQUENCE_METRICS.items()),
]
N = 2 * B + 2  # the last of three batches is not full
WITH_CLASSES = ["binary", "binary-flat-targets", "categorical", "sparse", "sparse-column"]


def compiled_models(case, sequences, rng, optimizer=None):
    """Return two models and data for them; without an LSTM, which Keras is slow to run eagerly."""
    loss, (size, activation), metrics, targets = case
    shape = (T, D) if sequences else (D,)
    ours, theirs = shared_models(
        lambda L: [
            L.Input(shape),
            L.Dense(U, activation="tanh"),
            L.Dense(size, activation=activation),
        ],
        rng,
    )
    for model, library in ((ours, npylstm), (theirs, keras)):
        made = "sgd" if optimizer is None else optimizer(library.optimizers)
        model.compile(optimizer=made, loss=loss, metrics=metrics)
    theirs.run_eagerly = True
    return ours, theirs, random(rng, N, *shape), targets(rng, N)


def sample_weight(rng, n, sequences):
    return np.abs(random(rng, n, T) if sequences else random(rng, n))


@pytest.mark.parametrize(("case", "sequences"), ALL_METRICS)
def test_evaluate_with_a_partial_last_batch(case, sequences, floatx, rng):
    ours, theirs, x, y = compiled_models(case, sequences, rng)
    weight = sample_weight(rng, N, sequences)
    for options in ({}, {"sample_weight": weight}, {"return_dict": True}):
        options |= {"batch_size": B, "verbose": 0}
        expected = theirs.evaluate(x, y, **options)
        assert_same_numbers(ours.evaluate(x, y, **options), expected)


@pytest.mark.parametrize(("case", "sequences"), ALL_METRICS)
def test_test_on_batch(case, sequences, floatx, rng):
    ours, theirs, x, y = compiled_models(case, sequences, rng)
    weight = sample_weight(rng, N, sequences)
    for options in ({}, {"sample_weight": weight}, {"return_dict": True}):
        expected = theirs.test_on_batch(x, y, **options)
        assert_same_numbers(ours.test_on_batch(x, y, **options), expected)


@pytest.mark.parametrize(("case", "sequences"), ALL_METRICS)
def test_train_on_batch(case, sequences, float64, rng):
    """Each value is that before the step, and of that batch alone."""
    ours, theirs, x, y = compiled_models(case, sequences, rng)
    weight = sample_weight(rng, B, sequences)
    for start, options in ((0, {}), (3, {"sample_weight": weight}), (7, {"return_dict": True})):
        batch = x[start : start + B], y[start : start + B]
        expected = theirs.train_on_batch(*batch, **options)
        assert_same_numbers(ours.train_on_batch(*batch, **options), expected)
        assert_close(ours.get_weights(), theirs.get_weights())


@pytest.mark.parametrize("name", WITH_CLASSES)
def test_class_weight(name, float64, rng):
    ours, theirs, x, y = compiled_models(METRICS[name], False, rng)
    class_weight = {0: 2.5, 1: 0.25}  # classes that are not named weigh 1
    expected = theirs.train_on_batch(x, y, class_weight=class_weight)
    assert_same_numbers(ours.train_on_batch(x, y, class_weight=class_weight), expected)
    options = {"class_weight": class_weight, "batch_size": B, "shuffle": False, "verbose": 0}
    expected = theirs.fit(x, y, **options).history
    assert_same_histories(ours.fit(x, y, **options).history, expected)
    assert_close(ours.get_weights(), theirs.get_weights())


# ---------------------------------------------------------------------- what fit records and prints
def assert_same_histories(ours, theirs):
    assert list(ours) == list(theirs)  # the names and their order
    for name, values in theirs.items():
        assert_close(np.array(ours[name]), np.array(values, "float64"), name)


FITS = {
    "plain": lambda data: {},
    "validation_split": lambda data: {"validation_split": 0.3},
    "validation_split-weighted": lambda data: {
        "validation_split": 0.3,
        "sample_weight": data.weight,
    },
    "validation_data": lambda data: {"validation_data": (data.x[:7], data.y[:7])},
    "validation_data-weighted": lambda data: {
        "validation_data": (data.x[:7], data.y[:7], data.weight[:7])
    },
    "validation_data-before-split": lambda data: {
        "validation_data": (data.x[:7], data.y[:7]),
        "validation_split": 0.3,
    },
    "validation_batch_size": lambda data: {
        "validation_data": (data.x[:7], data.y[:7]),
        "validation_batch_size": 2,
    },
    "validation_freq": lambda data: {"validation_split": 0.3, "validation_freq": 2},
    "validation_freq-list": lambda data: {"validation_split": 0.3, "validation_freq": [1, 3]},
    "sample_weight": lambda data: {"sample_weight": data.weight},
    "initial_epoch": lambda data: {"initial_epoch": 1},
    "one-batch": lambda data: {"batch_size": N},
    "default-batch_size": lambda data: {"batch_size": None},
}


class Data:
    def __init__(self, x, y, rng):
        self.x, self.y, self.weight = x, y, np.abs(random(rng, len(x)))


@pytest.mark.parametrize(
    ("name", "make_options"),
    [
        *(pytest.param("categorical", fit, id=f"categorical-{name}") for name, fit in FITS.items()),
        *(
            pytest.param(name, FITS["validation_split"], id=f"{name}-validation_split")
            for name in ("binary", "sparse", "regression", "no-metrics")
        ),
    ],
)
def test_history(name, make_options, float64, rng):
    ours, theirs, x, y = compiled_models(METRICS[name], False, rng, optimizer=adam)
    options = {"batch_size": B, "epochs": 3, "shuffle": False, "verbose": 0}
    options |= make_options(Data(x, y, rng))
    expected = theirs.fit(x, y, **options)
    history = ours.fit(x, y, **options)
    assert_same_histories(history.history, expected.history)
    assert history.epoch == expected.epoch
    assert history.params == expected.params
    assert_close(ours.get_weights(), theirs.get_weights())


def test_a_second_fit_goes_on(float64, rng):
    """With the optimizer's memory of the first, and a new record."""
    ours, theirs, x, y = compiled_models(METRICS["categorical"], False, rng, optimizer=adam)
    options = {"batch_size": B, "epochs": 2, "shuffle": False, "verbose": 0}
    for _ in range(2):
        expected = theirs.fit(x, y, **options).history
        assert_same_histories(ours.fit(x, y, **options).history, expected)


def printed(capsys, run):
    """Return the lines that `run` prints, with the times taken out."""
    capsys.readouterr()
    run()
    times = re.compile(r" - \d+s - \d+(s|ms|us)/step")
    return [times.sub(" - TIME", line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("name", ["categorical-acc", "regression", "no-metrics"])
def test_printed_lines(name, epochs, float64, rng, capsys):
    """verbose=2: the same lines to the last digit; only the times differ."""
    ours, theirs, x, y = compiled_models(METRICS[name], False, rng, optimizer=adam)
    options = {"batch_size": B, "verbose": 2}
    fit_options = options | {"epochs": epochs, "shuffle": False, "validation_split": 0.3}
    calls = [
        lambda model: model.fit(x, y, **fit_options),
        lambda model: model.evaluate(x, y, **options),
        lambda model: model.predict(x, **options),
    ]
    for call in calls:
        expected = printed(capsys, lambda call=call: call(theirs))
        assert printed(capsys, lambda call=call: call(ours)) == expected
        assert any("TIME" in line for line in expected)


def test_small_numbers_are_printed_alike(float64, rng, capsys):
    ours, theirs, x, _ = compiled_models(METRICS["regression"], False, rng)
    y = theirs.predict(x, verbose=0) + 1e-3
    options = {"batch_size": B, "verbose": 2}
    expected = printed(capsys, lambda: theirs.evaluate(x, y, **options))
    assert printed(capsys, lambda: ours.evaluate(x, y, **options)) == expected
    assert re.search(r"loss: \d\.\d{4}e-0\d", expected[0])


@pytest.mark.parametrize("model_number", [0, 1], ids=["npylstm", "keras"])
def test_verbose_0_prints_nothing(model_number, float64, rng, capsys):
    *models, x, y = compiled_models(METRICS["categorical"], False, rng)
    model = models[model_number]
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""

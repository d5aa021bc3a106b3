"""The compiled backend against the NumPy one, through the public API; see `agreement`."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import npylstm
from npylstm import Sequential, losses, optimizers
from npylstm.layers import LSTM, Bidirectional, Dense, Dropout, Input, RepeatVector, TimeDistributed
from npylstm.optimizers import schedules

from .agreement import (
    BOUND,
    assert_close,
    assert_same_gradients,
    fitted,
    on_each,
    randomized,
    small_model,
)

# --------------------------------------------------------------------------- random architectures
# A pair of activations makes three kernels of its own, and so do a dtype and batches of one: each
# takes a second to compile, so there are only a few.  `test_every_activation_of_an_lstm` has all.
PAIRS = {
    "float32": (("tanh", "sigmoid"), ("relu", "hard_sigmoid")),
    "float64": (("tanh", "sigmoid"), ("softsign", "silu")),
}
UNITS = (1, 3, 13, 19, 33)
DENSE_ACTIVATIONS = ("linear", "softmax", "elu")


@st.composite
def architectures(draw):
    """Draw a dtype, an input shape, layers as (kind, settings) pairs, and a loss."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    shape = tuple(draw(st.sampled_from(sizes)) for sizes in ((1, 2, 3, 5, 7, 13), (1, 2, 3, 6)))
    shape = (*shape, draw(st.sampled_from([1, 2, 5, 17])))
    units = st.sampled_from(UNITS)

    def recurrent(sequences):
        pairs = PAIRS[dtype] if shape[0] > 1 else PAIRS[dtype][:1]
        activation, recurrent_activation = draw(st.sampled_from(pairs))
        options = dict(
            units=draw(units),
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=draw(st.booleans()),
            go_backwards=draw(st.booleans()),
            return_sequences=sequences,
        )
        if draw(st.booleans()):
            return "lstm", options
        other = None
        merge_mode = draw(st.sampled_from(["concat", "sum", "mul", "ave"]))
        if draw(st.booleans()):  # two directions that differ
            other = options | {"go_backwards": not options["go_backwards"]}
            other["use_bias"] = not options["use_bias"]
            if merge_mode == "concat":
                other["units"] = draw(units)
        return "bidirectional", {"layer": options, "merge_mode": merge_mode, "other": other}

    def dense(kind):
        activation = draw(st.sampled_from(DENSE_ACTIVATIONS))
        units = draw(st.sampled_from([3, 13, 19]))
        return kind, dict(units=units, activation=activation, use_bias=draw(st.booleans()))

    layers = []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["recurrent", "recurrent", "time_distributed", "dropout"]))
        if kind == "recurrent":
            layers.append(recurrent(True))
        elif kind == "dropout":
            layers.append(("dropout", {"rate": 0.3}))
        else:
            layers.append(dense("time_distributed"))
    sequences = draw(st.booleans())
    layers.append(recurrent(sequences))
    if not sequences and draw(st.booleans()):
        layers.append(("repeat", {"n": draw(st.integers(1, 3))}))
        layers.append(recurrent(False))
    if draw(st.booleans()):
        layers.append(dense("dense"))
    softmax = layers[-1][0] == "dense" and layers[-1][1]["activation"] == "softmax"
    loss = draw(st.sampled_from(["mse"] + ["categorical_crossentropy"] * softmax))
    return dtype, shape, layers, loss, draw(st.integers(0, 10**6))


def built(dtype, shape, layers, rng):
    def lstm(options):
        return LSTM(dtype=dtype, **options)

    def bidirectional(options):
        other = options["other"] and lstm(options["other"])
        return Bidirectional(lstm(options["layer"]), options["merge_mode"], backward_layer=other)

    make = {
        "lstm": lstm,
        "bidirectional": bidirectional,
        "time_distributed": lambda options: TimeDistributed(Dense(dtype=dtype, **options)),
        "dense": lambda options: Dense(dtype=dtype, **options),
        "dropout": lambda options: Dropout(dtype=dtype, **options),
        "repeat": lambda options: RepeatVector(dtype=dtype, **options),
    }
    model = Sequential([Input(shape[1:]), *(make[kind](options) for kind, options in layers)])
    weights = []
    for weight in model.get_weights():
        scale = 0.7 / np.sqrt(weight.shape[0]) if weight.ndim > 1 else 0.3
        weights.append(rng.normal(scale=scale, size=weight.shape))
    model.set_weights(weights)
    return model


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(architectures())
def test_random_architectures(architecture):
    dtype, shape, layers, loss, seed = architecture
    rng = np.random.default_rng(seed)
    model = built(dtype, shape, layers, rng)
    model.compile("sgd", loss)
    x = rng.normal(size=shape)
    y = rng.normal(size=(shape[0], *model.output_shape[1:]))
    if loss != "mse":
        y = rng.dirichlet(np.ones(y.shape[-1]), y.shape[:-1])
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, dtype)
    if dtype == "float64":  # without a backward, forward is compiled once more
        expected, actual = on_each(lambda: model.predict_on_batch(x))
        assert_close(actual, expected, dtype)


ACTIVATIONS = (
    *("linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "softplus", "softsign", "exponential"),
    *("elu", "selu", "silu", "gelu", "leaky_relu", "legacy_hard_sigmoid"),
)


@pytest.mark.parametrize("place", range(len(ACTIVATIONS)))
def test_every_activation_of_an_lstm(rng, place):
    """Each once as the activation and once as the gates', with kept gates and with kept z."""
    activation, recurrent_activation = ACTIVATIONS[place], ACTIVATIONS[place - 4]
    dtype = ("float32", "float64")[place % 2]
    options = dict(activation=activation, recurrent_activation=recurrent_activation)
    model = Sequential([Input((3, 4)), LSTM(5, dtype=dtype, **options)])
    model.compile("sgd", "mse")
    # Small weights: some of these activations have no upper end, and the gates multiply.
    randomized(model, rng, 0.3)
    B = 1 if place % 3 == 0 else 3
    x, y = rng.normal(size=(B, 3, 4)), rng.normal(size=(B, 5))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, dtype)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "softmax"])
def test_every_activation_of_a_dense(rng, activation):
    layers = [Dense(19, activation, dtype="float64"), Dense(3, activation, dtype="float64")]
    model = randomized(Sequential([Input((5,)), *layers]), rng, 0.3)
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(6, 5)), rng.normal(size=(6, 3))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, "float64")


@pytest.mark.parametrize("B", [1, 3])
def test_an_lstm_at_each_timestep_of_a_longer_sequence(rng, B):
    """Four axes: rows that move axes, and an LSTM whose batch is samples times timesteps."""
    inner = TimeDistributed(LSTM(3, return_sequences=True, dtype="float64"))
    layers = [inner, TimeDistributed(LSTM(5, dtype="float64")), LSTM(4, dtype="float64")]
    model = randomized(Sequential([Input((2, 3, 4)), *layers]), rng)
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(B, 2, 3, 4)), rng.normal(size=(B, 4))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, "float64")
    assert_close(*reversed(on_each(lambda: model.predict(x, batch_size=2, verbose=0))))


@pytest.mark.parametrize("U", [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65])
@pytest.mark.parametrize("B", [1, 5])
def test_sizes_around_whole_vectors(rng, U, B):
    layers = [LSTM(U, return_sequences=True), LSTM(U, use_bias=False), Dense(U, use_bias=False)]
    model = randomized(Sequential([Input((3, U)), *layers]), rng, 0.7 / np.sqrt(U))
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(B, 3, U)), rng.normal(size=(B, U))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("D, U", [(70, 450), (500, 20)])
def test_weights_that_are_taken_in_chunks(rng, D, U, dtype):
    """More lines of weights than stay in the cache, and more samples than pass at a time."""
    model = Sequential([Input((3, D)), LSTM(U, dtype=dtype), Dense(2, dtype=dtype)])
    randomized(model, rng, 0.7 / np.sqrt(D + U))
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(29, 3, D)), rng.normal(size=(29, 2))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, dtype, factor=4)  # sums of hundreds of terms
    expected, actual = on_each(lambda: model.predict_on_batch(x))
    assert_close(actual, expected, dtype)


@pytest.mark.parametrize("D, U", [(3, 5), (260, 5), (3, 260)])
def test_long_sequences_in_parts(rng, D, U):
    """The weights' gradients are summed over several blocks of timesteps and samples.

    Where rows lie 2 KiB apart, columns of them are copied first: of x, of h, of x backwards.
    """
    model = Sequential([Input((150, D)), LSTM(U, return_sequences=True, dtype="float64")])
    model.add(LSTM(4, return_sequences=True, go_backwards=True, dtype="float64"))
    model.add(TimeDistributed(Dense(2, dtype="float64")))
    randomized(model, rng, 0.8 / np.sqrt(D + U))
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(7, 150, D)), rng.normal(size=(7, 150, 2))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, "float64", factor=10)  # sums of a thousand terms


def surrounded(array, filler):
    """Return a copy of an array, with `filler` on both sides of it in memory, and all of that."""
    room = np.full(array.size + 128, filler, array.dtype)
    room[64:-64] = array.ravel()
    return room[64:-64].reshape(array.shape), room


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("B", [1, 3])
def test_what_lies_beside_the_arrays_does_not_matter(rng, B, use_bias):
    """Vectors reach over the end of odd sizes; what is there is not theirs to use or to change."""
    x, y = rng.normal(size=(B, 3, 2)).astype("float32"), rng.normal(size=(B, 3)).astype("float32")
    results, rooms = [], []
    for filler in (0.0, np.nan):
        model = Sequential([Input((3, 2)), LSTM(5, use_bias=use_bias, return_sequences=True)])
        model.add(LSTM(3, use_bias=use_bias))
        model.compile("sgd", "mse")
        randomized(model, np.random.default_rng(0))
        for name in ("parameters", "gradients"):
            inside, room = surrounded(getattr(model.memory, name), filler)
            setattr(model.memory, name, inside)
            rooms.append((room, filler))
        x_inside, y_inside = surrounded(x, filler)[0], surrounded(y, filler)[0]
        with npylstm.using_backend("numba"):
            loss, gradients = model.loss_and_gradients(x_inside, y_inside)
            model.fit(x_inside, y_inside, batch_size=B, shuffle=False, verbose=0)
            outputs = model.predict(x_inside, verbose=0)
        results.append([loss, *gradients.values(), outputs, *model.get_weights()])
    for zeros, nans in zip(*results, strict=True):
        assert np.isfinite(nans).all()
        np.testing.assert_array_equal(zeros, nans)
    for room, filler in rooms:
        np.testing.assert_array_equal(room[:64], filler)
        np.testing.assert_array_equal(room[-64:], filler)


# ---------------------------------------------------------------- losses, metrics, weights of these
def targets_for(loss, shape, rng):
    if "sparse" in loss:
        return rng.integers(0, shape[-1], shape[:-1])
    if loss.startswith("categorical") or loss == "kl_divergence":
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    if loss.startswith("binary"):
        return rng.integers(0, 2, shape).astype(float)
    return rng.normal(size=shape)


CASES = [  # every LossOp: of outputs, of logits, and fused with the activation before
    ("mse", "tanh", {}),
    ("mae", "tanh", {}),
    ("categorical_crossentropy", "softplus", {}),
    ("categorical_crossentropy", "softmax", {}),
    ("categorical_crossentropy", "linear", {"from_logits": True}),
    ("sparse_categorical_crossentropy", "sigmoid", {}),
    ("sparse_categorical_crossentropy", "softplus", {}),
    ("sparse_categorical_crossentropy", "softmax", {}),
    ("sparse_categorical_crossentropy", "linear", {"from_logits": True}),
    ("binary_crossentropy", "hard_sigmoid", {}),
    ("binary_crossentropy", "sigmoid", {}),
    ("binary_crossentropy", "linear", {"from_logits": True}),
    ("mape", "linear", {}),
    ("msle", "softplus", {}),
    ("huber", "linear", {}),
    ("huber", "linear", {"delta": 0.2}),
    ("log_cosh", "linear", {}),
    ("poisson", "softplus", {}),
    ("kl_divergence", "softmax", {}),
    ("cosine_similarity", "linear", {}),
    ("binary_crossentropy", "sigmoid", {"label_smoothing": 0.2}),
    ("categorical_crossentropy", "softmax", {"label_smoothing": 0.2}),
    ("categorical_crossentropy", "softplus", {"label_smoothing": 0.2}),
    ("binary_focal_crossentropy", "hard_sigmoid", {}),
    ("binary_focal_crossentropy", "sigmoid", {}),
    ("binary_focal_crossentropy", "sigmoid", {"apply_class_balancing": True, "gamma": 1.5}),
    ("categorical_focal_crossentropy", "softmax", {}),
    ("categorical_focal_crossentropy", "softplus", {"alpha": 0.7, "gamma": 1.3}),
    ("categorical_focal_crossentropy", "linear", {"from_logits": True}),
    ("mse", "linear", {"reduction": "sum"}),
    ("mse", "linear", {"reduction": "mean_with_sample_weight"}),
    ("sparse_categorical_crossentropy", "softmax", {"reduction": "mean_with_sample_weight"}),
]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("name, activation, options", CASES)
def test_every_loss(rng, name, activation, options, sequences):
    dtype = "float32" if options else "float64"
    dense = Dense(5, activation, dtype=dtype)
    lstm = LSTM(4, dtype=dtype, return_sequences=sequences)
    model = Sequential([Input((3, 2)), lstm, TimeDistributed(dense) if sequences else dense])
    loss = losses.get(name)
    if options:
        loss = type(loss)(**options)
    metrics = {"sparse": ["accuracy"], "binary": ["mse", "binary_accuracy"]}
    model.compile("sgd", loss, metrics=metrics.get(name.split("_")[0], ["mae", "accuracy"]))
    randomized(model, rng)
    x = rng.normal(size=(6, 3, 2))
    y = targets_for(name, (6, *model.output_shape[1:]), rng)
    weights = [None, rng.uniform(0.2, 3, 6)] + [rng.uniform(0.2, 3, (6, 3))] * sequences
    for weight in weights:
        expected, actual = on_each(lambda: model.loss_and_gradients(x, y, weight))  # noqa: B023
        assert_same_gradients(actual, expected, dtype)
        expected, actual = on_each(
            lambda: model.evaluate(x, y, batch_size=4, verbose=0, sample_weight=weight)  # noqa: B023
        )
        np.testing.assert_allclose(actual, expected, rtol=BOUND[dtype])


@pytest.mark.parametrize("four_axes", [False, True])
def test_weights_of_samples_and_timesteps(rng, four_axes):
    shape = (5, 3, 4, 2) if four_axes else (5, 3, 2)
    inner = LSTM(3, return_sequences=True, dtype="float64")
    model = Sequential([Input(shape[1:]), TimeDistributed(inner) if four_axes else inner])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = rng.normal(size=shape), rng.normal(size=(*shape[:-1], 3))
    seen = []
    for weight in (None, [2, 0, 1, 0.5, 3], [[2], [0], [1], [0.5], [3]], rng.random((5, 3))):
        expected, actual = on_each(lambda: model.loss_and_gradients(x, y, weight))  # noqa: B023
        assert_same_gradients(actual, expected, "float64")
        seen.append(actual[0])
    assert seen[1] == seen[2] and len(set(seen)) == 3


def test_class_weights(rng):
    x, labels = rng.normal(size=(11, 4, 5)), rng.integers(0, 3, 11)
    for loss, y in (
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", np.eye(3)[labels]),
    ):
        results = []
        for class_weight in (None, {0: 0.2, 2: 5.0}):

            def train(loss=loss, y=y, class_weight=class_weight):
                model = small_model(last=Dense(3, "softmax", dtype="float64"))
                model.compile("sgd", loss)
                return fitted(model, x, y, batch_size=4, class_weight=class_weight)

            (expected, history), (actual, our_history) = on_each(train)
            for ours, theirs in zip(actual, expected, strict=True):
                assert_close(ours, theirs, factor=10)
            np.testing.assert_allclose(our_history["loss"], history["loss"], rtol=1e-12)
            results.append(actual[0])
        assert not np.allclose(*results)


METRICS = ["accuracy", "binary_accuracy", "categorical_accuracy", "mse", "mae"]


@pytest.mark.parametrize("sequences", [False, True])
def test_every_metric(rng, sequences):
    shape = (9, 4, 3) if sequences else (9, 3)
    lstm = LSTM(3, dtype="float64", return_sequences=sequences)
    model = randomized(Sequential([Input((4, 5)), lstm]), rng, 2.0)  # for outputs above a half
    x, y = rng.normal(size=(9, 4, 5)), rng.integers(0, 2, shape)
    model.compile("sgd", "mse", metrics=METRICS)
    expected, actual = on_each(lambda: model.evaluate(x, y, 4, verbose=0, return_dict=True))
    assert actual == pytest.approx(expected, rel=1e-13)
    assert len(set(actual.values())) > 3  # or else nothing was told apart
    model.compile("sgd", "mse", metrics=METRICS)
    expected, actual = on_each(lambda: model.test_on_batch(x, y, return_dict=True))
    assert actual == pytest.approx(expected, rel=1e-13)
    labels = rng.integers(0, 3, shape[:-1])
    metrics = ["acc", "sparse_categorical_accuracy"]
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=metrics)
    expected, actual = on_each(lambda: model.evaluate(x, labels, 4, verbose=0, return_dict=True))
    assert actual == pytest.approx(expected, rel=1e-13, nan_ok=True)
    assert 0 < actual["acc"] < 1


def test_accuracy_of_one_output(rng):
    model = small_model(last=Dense(1, "sigmoid", dtype="float64"))
    model.compile("sgd", "binary_crossentropy", metrics=["acc"])
    x, y = rng.normal(size=(9, 4, 5)), rng.integers(0, 2, 9)
    expected, actual = on_each(lambda: model.evaluate(x, y, 4, verbose=0))
    np.testing.assert_allclose(actual, expected, rtol=1e-13)
    assert 0 < actual[1] < 1


# -------------------------------------------------------------------------------------- optimizers
OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.8, nesterov=True),
    "decayed sgd": lambda: optimizers.SGD(0.1, weight_decay=0.02),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop momentum": lambda: optimizers.RMSprop(0.01, rho=0.8, momentum=0.9),
    "rmsprop centered": lambda: optimizers.RMSprop(0.01, centered=True, epsilon=1e-5),
    "rmsprop all": lambda: optimizers.RMSprop(
        0.01, centered=True, momentum=0.5, epsilon=1e-4, weight_decay=0.01
    ),
    "adam": lambda: optimizers.Adam(0.01),
    "adam settings": lambda: optimizers.Adam(0.02, beta_1=0.7, beta_2=0.95, epsilon=1e-3),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.3),
    "amsgrad": lambda: optimizers.Adam(0.02, beta_2=0.6, amsgrad=True),
    "adamax": lambda: optimizers.Adamax(0.02, beta_2=0.8),
    "nadam": lambda: optimizers.Nadam(0.01, weight_decay=0.1),
    "lion": lambda: optimizers.Lion(0.01, beta_2=0.9),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adadelta": lambda: optimizers.Adadelta(10.0, rho=0.8),
    "ftrl": lambda: optimizers.Ftrl(0.1),
    "accumulation": lambda: optimizers.Adam(0.02, gradient_accumulation_steps=4, clipnorm=0.1),
    "average": lambda: optimizers.SGD(
        0.1, momentum=0.9, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4
    ),
    "average of accumulated": lambda: optimizers.RMSprop(
        0.02, use_ema=True, gradient_accumulation_steps=2, weight_decay=0.1
    ),
    "ftrl all": lambda: optimizers.Ftrl(0.1, -0.3, 0.2, 0.01, 0.2, 0.1, 0.5),
    "clipvalue": lambda: optimizers.SGD(0.5, clipvalue=0.01),
    "clipnorm": lambda: optimizers.SGD(0.5, clipnorm=0.05),
    "global_clipnorm": lambda: optimizers.SGD(0.5, global_clipnorm=0.05),
    "clipping that never bites": lambda: optimizers.SGD(0.5, global_clipnorm=1e6),
    "adam clipped": lambda: optimizers.Adam(0.01, clipnorm=0.01),
    "schedule": lambda: optimizers.SGD(schedules.ExponentialDecay(0.5, 3, 0.5)),
    "adam schedule": lambda: optimizers.Adam(
        schedules.ExponentialDecay(0.05, 2, 0.7, staircase=True), weight_decay=0.1
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(rng, name):
    x, y = rng.normal(size=(10, 4, 5)), rng.normal(size=(10, 3))

    def train():
        model = small_model()
        model.compile(OPTIMIZERS[name](), "mse", metrics=["mae"])
        model.fit(x, y, batch_size=4, epochs=3, verbose=0)  # the last batch has two samples
        weights, history = fitted(model, x, y, batch_size=4, initial_epoch=3, epochs=5)
        assert model.optimizer.batches == 15
        return weights, history, model.optimizer.slots

    (expected, history, slots), (actual, our_history, our_slots) = on_each(train)
    start = small_model().get_weights()
    for ours, theirs, before in zip(actual, expected, start, strict=True):
        # Roundings add up over 15 steps, and Adam divides by what may be small.
        assert_close(ours, theirs, factor=100)
        assert np.abs(theirs - before).max() > 1e-4
    for metric in ("loss", "mae"):
        np.testing.assert_allclose(our_history[metric], history[metric], rtol=1e-11)
    assert our_slots.keys() == slots.keys()
    for slot, theirs in slots.items():
        assert_close(our_slots[slot], theirs, factor=1000)


@pytest.mark.parametrize("name", ["momentum", "rmsprop all", "adam", "adamw", "global_clipnorm"])
def test_optimizers_in_float32(rng, name):
    x, y = rng.normal(size=(10, 4, 5)), rng.normal(size=(10, 3))

    def train():
        model = small_model("float32")
        model.compile(OPTIMIZERS[name](), "mse")
        return fitted(model, x, y, batch_size=4, epochs=2)[0]

    expected, actual = on_each(train)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_close(ours, theirs, factor=5)


def test_ftrl_moves_a_weight_without_gradient(rng):
    """It makes every weight anew from what it remembers, be it nothing."""
    x, y = rng.normal(size=(8, 1, 5)), rng.normal(size=(8, 3))

    def train():
        model = Sequential([Input((None, 5)), LSTM(7, dtype="float64"), Dense(3, dtype="float64")])
        model.compile(optimizers.Ftrl(0.1, 0.0, initial_accumulator_value=0.0), "mse")
        randomized(model, np.random.default_rng(5), 0.4)
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()[1]

    expected, actual = on_each(train)
    np.testing.assert_array_equal(expected, 0)
    np.testing.assert_array_equal(actual, 0)


def test_clipping_many_parameters(rng):
    """More of them than are summed at a time; the norms are those that the optimizer promises."""
    model = Sequential([Input((70,)), Dense(90, dtype="float64"), Dense(3, dtype="float64")])
    x, y = rng.normal(size=(5, 70)), rng.normal(size=(5, 3))
    start = [rng.normal(size=w.shape) for w in model.get_weights()]
    for option in ("clipnorm", "global_clipnorm"):

        def train(option=option):
            model.compile(optimizers.SGD(1.0, **{option: 0.3}), "mse")
            model.set_weights(start)
            model.train_on_batch(x, y)
            return [a - b for a, b in zip(model.get_weights(), start, strict=True)]

        expected, actual = on_each(train)
        for ours, theirs in zip(actual, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)
        norms = [np.linalg.norm(step) for step in actual]
        total = np.linalg.norm(norms)
        assert (max(norms) if option == "clipnorm" else total) == pytest.approx(0.3, rel=1e-10)


def test_a_recurrent_kernel_that_was_never_of_use(rng):
    """One timestep from a zero state leaves it no gradient; what Adam remembers still moves it."""
    batches = [(rng.normal(size=(8, T, 5)), rng.normal(size=(8, 3))) for T in (1, 1, 3, 1)]
    for weight_decay in (None, 0.1):

        def train(weight_decay=weight_decay):
            model = Sequential(
                [Input((None, 5)), LSTM(7, dtype="float64"), Dense(3, dtype="float64")]
            )
            model.compile(optimizers.AdamW(0.01, weight_decay=weight_decay or 0.0), "mse")
            randomized(model, np.random.default_rng(5), 0.4)
            weights = []
            for x, y in batches:
                model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
                weights.append(model.get_weights()[1])
            return weights

        expected, actual = on_each(train)
        for ours, theirs in zip(actual, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
        moved = [not np.array_equal(a, b) for a, b in zip(actual, actual[1:], strict=False)]
        assert moved == [weight_decay is not None, True, True]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_many_batches_a_call_and_one(rng, steps):
    """Callbacks that want to see each batch make it one batch a call: the same numbers."""

    class EachBatch(npylstm.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    x, y = rng.normal(size=(4 * steps, 4, 5)), rng.normal(size=(4 * steps, 3))
    results = []
    for callbacks in ([], [EachBatch()]):
        seen = []
        npylstm.utils.set_random_seed(4)
        model = small_model(last=Dropout(0.4, dtype="float64"))
        model.add(Dense(3, dtype="float64"))
        model.compile("adam", "mse")
        with npylstm.using_backend("numba"):
            model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=callbacks)
        results.append(model.get_weights())
    assert len(seen) == 3 * steps
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------------------------- states and masks
@pytest.mark.parametrize("B", [1, 3])
def test_stateful_over_several_batches(rng, B):
    x, y = rng.normal(size=(4 * B, 4, 5)), rng.normal(size=(4 * B, 2))

    def use():
        layers = [
            LSTM(7, stateful=True, return_sequences=True, dtype="float64"),
            Bidirectional(LSTM(3, stateful=True, dtype="float64")),
        ]
        model = Sequential([Input(batch_shape=(B, 4, 5)), *layers, Dense(2, dtype="float64")])
        randomized(model, np.random.default_rng(1), 0.3)
        model.compile("sgd", "mse")
        states = []

        def note(*results):
            states.append([*results, model.memory.states.copy()])

        note(model.predict(x, batch_size=B, verbose=0))
        note(model.evaluate(x, y, batch_size=B, verbose=0))
        model.fit(x, y, batch_size=B, epochs=2, shuffle=False, verbose=0)
        note(*model.get_weights())
        loss, gradients = model.loss_and_gradients(x[:B], y[:B])
        note(loss, *gradients.values())
        model.predict_on_batch(x[:B])
        note(model.train_on_batch(x[:B], y[:B]))
        model.reset_states()
        note()
        return states

    expected, actual = on_each(use)
    assert not actual[-1][-1].any() and actual[0][-1].all()
    np.testing.assert_array_equal(actual[2][-1], actual[3][-1])  # gradients carry nothing
    for ours, theirs in zip(actual, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert_close(one, other, "float64", factor=10)


@pytest.mark.parametrize("B", [1, 4])
@pytest.mark.parametrize("merge_mode", ["layer", "concat", None])
def test_return_state_and_initial_state(rng, B, merge_mode):
    lstm = LSTM(5, return_state=True, return_sequences=True, dtype="float64")
    layer = lstm if merge_mode == "layer" else Bidirectional(lstm, merge_mode=merge_mode)
    x = rng.normal(size=(B, 3, 2))
    states = [rng.normal(size=(B, 5)) for _ in range(2 if layer is lstm else 4)]
    layer(x)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    for initial_state in (None, states):
        expected, actual = on_each(lambda: layer(x, initial_state=initial_state))  # noqa: B023
        assert len(actual) == 1 + len(states) + (merge_mode is None)
        for ours, theirs in zip(actual, expected, strict=True):
            assert_close(ours, theirs)
    given, none = layer(x, initial_state=states)[0], layer(x)[0]
    assert (given[:, 0] != none[:, 0]).any()


@pytest.mark.parametrize("merge_mode", ["layer", "concat", None])
def test_predicting_several_outputs_in_batches(rng, merge_mode):
    lstm = LSTM(5, return_state=True, return_sequences=True, dtype="float64")
    layer = lstm if merge_mode == "layer" else Bidirectional(lstm, merge_mode=merge_mode)
    model = randomized(Sequential([Input((3, 2)), layer]), rng)
    x = rng.normal(size=(7, 3, 2))
    expected, actual = on_each(lambda: model.predict(x, batch_size=3, verbose=0))
    whole = model.predict_on_batch(x)
    for ours, theirs, at_once in zip(actual, expected, whole, strict=True):
        assert_close(ours, theirs)
        assert_close(ours, at_once)


def test_dropout_drops_the_same(rng):
    x = rng.normal(size=(11, 4, 5))
    dropout = Dropout(0.5, dtype="float64")
    expected, actual = on_each(lambda: [dropout(x, training=True) for _ in range(3)])
    np.testing.assert_array_equal(actual, expected)
    assert 0 < (actual[0] == 0).mean() < 1 and (actual[0] != actual[1]).any()

    def train(seed=None):
        options = {"dtype": "float64", "seed": seed}
        layers = [Dropout(0.3, **options), LSTM(7, return_sequences=True, dtype="float64")]
        layers += [TimeDistributed(Dropout(0.2, dtype="float64")), LSTM(3, dtype="float64")]
        model = Sequential([Input((4, 5)), *layers, Dropout(0.4, **options)])
        randomized(model, np.random.default_rng(2))
        model.compile("adam", "mse")
        weights, history = fitted(model, x, x[:, 0, :3], batch_size=4, epochs=4)
        return [*weights, model(x[:3], training=True), np.array(history["loss"])]

    for seed in (None, 12):
        expected, actual = on_each(lambda: train(seed))  # noqa: B023
        for ours, theirs in zip(actual, expected, strict=True):
            assert_close(ours, theirs, factor=100)


# ----------------------------------------------------------------------------------- extreme values
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [1e4, -1e4, 0.0])
def test_extreme_inputs(rng, dtype, value):
    model = small_model(dtype, Dense(3, "softmax", dtype=dtype))
    model.compile("sgd", "categorical_crossentropy")
    x, y = np.full((3, 4, 5), value), np.eye(3)
    x[1] *= rng.normal(size=(4, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    # What goes into the gates is 1e4 times a weight: its rounding is 1e4 times as large.
    assert_same_gradients(actual, expected, dtype, factor=10)
    assert_close(*reversed(on_each(lambda: model.predict_on_batch(x))), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_of_everything(rng, dtype):
    model = Sequential([Input((1, 1)), LSTM(1, dtype=dtype), Dense(1, dtype=dtype)])
    randomized(model, rng)
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(1, 1, 1)), rng.normal(size=(1, 1))
    expected, actual = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(actual, expected, dtype)


WEIGHTS = ["lstm/kernel", "lstm/recurrent_kernel", "lstm/bias", "dense/kernel", "dense/bias"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("B", [1, 3])
def test_what_is_not_finite_is_seen(rng, bad, B):
    for path in WEIGHTS:
        for last, loss in ((None, "mse"), ("softmax", "categorical_crossentropy")):
            model = small_model("float32", Dense(3, last))
            model.compile(optimizers.SGD(0.1, global_clipnorm=1.0), loss)
            weight = model.named_weights()[path]
            x, y = rng.normal(size=(B, 4, 5)), np.eye(3)[np.arange(B) % 3]
            # A gate that is inf is only saturated; of the candidate's block it is 1 or -1, too.
            saturates = bad == np.inf and path.startswith("lstm")
            if saturates and path == "lstm/recurrent_kernel":
                continue  # 0 * inf in the first timestep: NaN in NumPy, skipped in machine code
            weight.flat[0] = bad
            results = on_each(
                lambda: (
                    model.predict_on_batch(x),  # noqa: B023
                    model.loss_and_gradients(x, y),  # noqa: B023
                )
            )
            (expected, (expected_loss, expected_gradients)), (outputs, (loss, gradients)) = results
            if not saturates:
                assert not np.isfinite(outputs).all() and not np.isfinite(loss)
                assert any(not np.isfinite(g).all() for g in gradients.values())
            np.testing.assert_array_equal(np.isfinite(outputs), np.isfinite(expected))
            assert np.isfinite(loss) == np.isfinite(expected_loss)
            for name, gradient in expected_gradients.items():
                np.testing.assert_array_equal(
                    np.isfinite(gradients[name]), np.isfinite(gradient), err_msg=f"{path} {name}"
                )
            with npylstm.using_backend("numba"):
                logged = model.train_on_batch(x, y)
            assert saturates or not np.isfinite(logged)
            assert saturates or any(np.isnan(w).any() for w in model.get_weights())

"""Metrics beside Keras's: alone, and in the logs of fit, evaluate and the calls for one batch.

Keras keeps its sums in the current precision, we keep them in float64: after a few batches its
float32 sums are off by a few times 6e-8, which is well within what `oracle` allows.
"""

import keras
import numpy as np
import pytest

import npylstm

from .oracle import B, D, T, assert_close, assert_same_numbers, precision, random, shared_models

K = 4
SIZES = (5, 2, 3)  # of batches: a mean of means would be seen


# ------------------------------------------------------------------------------------------- alone
def bits(rng, *shape):
    return rng.integers(2, size=(*shape, K)).astype(keras.config.floatx())


def labels(rng, *shape):
    return rng.integers(K, size=shape)


def one_of_k(rng, *shape):
    return np.eye(K, dtype=keras.config.floatx())[labels(rng, *shape)]


def numbers(rng, *shape):
    return random(rng, *shape, K)


def shares(rng, *shape):
    return rng.dirichlet(np.ones(K), shape).astype(keras.config.floatx())


def probabilities(rng, *shape):
    """Some exactly on a threshold, some 0, 1 and beyond."""
    p = rng.uniform(size=(*shape, K)).astype(keras.config.floatx())
    p[..., 0] = np.round(p[..., 0] * 8) / 8
    p.flat[:2] = -0.1, 1.2
    return p


def few(rng, *shape):
    """Numbers that are often equal."""
    return rng.integers(3, size=(*shape, K)).astype(keras.config.floatx())


ALONE = {
    "accuracy": (lambda m: m.Accuracy(), few, few),
    "binary_accuracy": (lambda m: m.BinaryAccuracy(), bits, probabilities),
    "binary_accuracy-threshold": (lambda m: m.BinaryAccuracy(threshold=0.3), bits, probabilities),
    "categorical_accuracy": (lambda m: m.CategoricalAccuracy(), numbers, few),
    "sparse_categorical_accuracy": (lambda m: m.SparseCategoricalAccuracy(), labels, few),
    "top_k": (lambda m: m.TopKCategoricalAccuracy(2), one_of_k, few),
    "sparse_top_k": (lambda m: m.SparseTopKCategoricalAccuracy(k=2), labels, few),
    "precision": (lambda m: m.Precision(), bits, probabilities),
    "precision-thresholds": (lambda m: m.Precision([0.7, 0.125, 0.9]), bits, probabilities),
    "precision-even": (lambda m: m.Precision([0.0, 0.5, 1.0]), bits, probabilities),
    "precision-top_k": (lambda m: m.Precision(top_k=2), bits, few),
    "precision-all": (lambda m: m.Precision(0.3, top_k=3, class_id=2), bits, probabilities),
    "recall": (lambda m: m.Recall(), bits, probabilities),
    "recall-even": (lambda m: m.Recall(thresholds=[0, 0.25, 0.5, 0.75, 1]), bits, probabilities),
    "recall-class": (lambda m: m.Recall(0.4, class_id=1), bits, probabilities),
    "true-positives": (lambda m: m.TruePositives([0.3, 0.8]), bits, probabilities),
    "false-negatives": (lambda m: m.FalseNegatives(), bits, probabilities),
    "sensitivity": (lambda m: m.SensitivityAtSpecificity(0.4, 7), bits, probabilities),
    "specificity": (lambda m: m.SpecificityAtSensitivity(0.6, 2), bits, probabilities),
    "precision-at": (lambda m: m.PrecisionAtRecall(0.5, class_id=1), bits, probabilities),
    "recall-at": (lambda m: m.RecallAtPrecision(0.45, 20), bits, probabilities),
    "auc": (lambda m: m.AUC(), bits, probabilities),
    "auc-few": (lambda m: m.AUC(5, summation_method="minoring"), bits, probabilities),
    "auc-majoring": (lambda m: m.AUC(9, "ROC", "majoring"), bits, probabilities),
    "auc-named": (lambda m: m.AUC(thresholds=[0.9, 0.2, 0.25]), bits, probabilities),
    "auc-named-evenly": (lambda m: m.AUC(thresholds=[0.75, 0.5, 0.25]), bits, probabilities),
    "auc-logits": (lambda m: m.AUC(from_logits=True), bits, numbers),
    "auc-pr": (lambda m: m.AUC(curve="PR"), bits, probabilities),
    "auc-pr-minoring": (lambda m: m.AUC(7, "PR", "minoring"), bits, probabilities),
    "mse": (lambda m: m.MeanSquaredError(), numbers, numbers),
    "rmse": (lambda m: m.RootMeanSquaredError(), numbers, numbers),
    "mae": (lambda m: m.MeanAbsoluteError(), numbers, numbers),
    "mape": (lambda m: m.MeanAbsolutePercentageError(), numbers, numbers),
    "msle": (lambda m: m.MeanSquaredLogarithmicError(), probabilities, probabilities),
    "logcosh": (lambda m: m.LogCoshError(), numbers, numbers),
    "cosine": (lambda m: m.CosineSimilarity(), numbers, numbers),
    "kl": (lambda m: m.KLDivergence(), shares, shares),
    "poisson": (lambda m: m.Poisson(), few, shares),
    "bce": (lambda m: m.BinaryCrossentropy(), bits, shares),
    "bce-logits": (lambda m: m.BinaryCrossentropy(from_logits=True), bits, numbers),
    "bce-smooth": (lambda m: m.BinaryCrossentropy(label_smoothing=0.2), bits, shares),
    "cce": (lambda m: m.CategoricalCrossentropy(), one_of_k, shares),
    "cce-logits": (
        lambda m: m.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        *(one_of_k, numbers),
    ),
    "scce": (lambda m: m.SparseCategoricalCrossentropy(), labels, shares),
    "scce-logits": (lambda m: m.SparseCategoricalCrossentropy(from_logits=True), labels, numbers),
}
# TensorFlow counts the k largest of float32 only; Keras gives it float64, too, and fails.
FLOAT32_ONLY = ("top_k", "sparse_top_k")
# Keras takes these metrics' weights as (B, 1) of (B, K), or (B, T, 1) of (B, T, K), only.
WEIGHT_OF_EACH_STEP_ONLY = (
    "precision",
    "recall",
    "auc",
    "true",
    "false",
    "sensitivity",
    "specificity",
)


def weightings(name, n, sequences, rng):
    yield None
    if not sequences or not name.startswith(WEIGHT_OF_EACH_STEP_ONLY):
        yield rng.uniform(0.2, 2, n)
    if sequences:
        yield rng.uniform(0.2, 2, (n, T))


@pytest.mark.parametrize(
    ("name", "sequences", "dtype"),
    [
        *((name, False, "float32") for name in ALONE),
        *((name, True, "float32" if name in FLOAT32_ONLY else "float64") for name in ALONE),
    ],
)
def test_alone(name, sequences, dtype, rng):
    """Over several batches, weighted and not, and after a reset."""
    with precision(dtype):
        compare_alone(name, sequences, rng)


def compare_alone(name, sequences, rng):
    make, targets, outputs = ALONE[name]
    ours, theirs = make(npylstm.metrics), make(keras.metrics)
    seen = []
    for _ in range(2):
        for n in SIZES:
            for weight in weightings(name, n, sequences, rng):
                shape = (n, T) if sequences else (n,)
                batch = targets(rng, *shape), outputs(rng, *shape), weight
                ours.update_state(*batch)
                theirs.update_state(*batch)
            value = np.asarray(theirs.result())
            assert_close(np.asarray(ours.result(), value.dtype), value, name)
            seen.append(value.sum())
        ours.reset_state()
        theirs.reset_state()
        assert np.all(ours.result() == np.asarray(theirs.result()))  # of nothing
    assert len(set(seen)) > 3, "the batches tell nothing apart"


def test_a_threshold_is_rounded_to_float32(float64):
    for threshold, expected in ((0.3, 0.0), (np.float64(0.3), 1.0)):
        for m in (npylstm.metrics, keras.metrics):
            metric = m.BinaryAccuracy(threshold=threshold)
            assert float(metric([[1.0]], np.array([[0.3 + 5e-9]]))) == expected


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_of_values(name, floatx, rng):
    ours, theirs = getattr(npylstm.metrics, name)(), getattr(keras.metrics, name)()
    for values, weight in (
        (random(rng, B), None),
        (random(rng, 3), rng.uniform(size=3)),
        (random(rng, 3, T), None),
        (random(rng, B, T), rng.uniform(size=B)),
        (random(rng, 2, T), rng.uniform(size=(2, T))),
        (np.asarray(1.5, floatx), None),
    ):
        ours.update_state(values, weight)
        theirs.update_state(values, weight)
        assert_close(np.asarray(ours.result(), floatx), np.asarray(theirs.result()))


def test_of_a_function(floatx, rng):
    def make(m, ops):
        return m.MeanMetricWrapper(lambda y, p, power: ops.mean((y - p) ** power, -1), power=4)

    ours, theirs = make(npylstm.metrics, np), make(keras.metrics, keras.ops)
    for n in SIZES:
        for weight in (None, rng.uniform(size=n), rng.uniform(size=(n, T))):
            batch = random(rng, n, T, K), random(rng, n, T, K), weight
            ours.update_state(*batch)
            theirs.update_state(*batch)
            assert_close(np.asarray(ours.result(), floatx), np.asarray(theirs.result()))


NAMES = [
    *(
        "AUC",
        "auc",
        "Precision",
        "mse",
        "MSE",
        "mape",
        "bce",
        "cosine_similarity",
        "log_cosh_error",
    ),
    *("KLDivergence", "kl_divergence", "sparse_top_k_categorical_accuracy", "mean"),
]


@pytest.mark.parametrize("name", NAMES)
def test_by_name(name):
    ours, theirs = npylstm.metrics.get(name), keras.metrics.get(name)
    assert type(ours).__name__ == type(theirs).__name__


def test_names_of_instances():
    """The second of a kind is precision_1; others have one name."""
    keras.backend.clear_session()
    npylstm.metrics.base._made.clear()
    for name in ("Precision", "Precision", "Recall", "AUC", "AUC", "LogCoshError", "Poisson"):
        ours, theirs = (getattr(m, name)() for m in (npylstm.metrics, keras.metrics))
        assert ours.name == theirs.name


# ----------------------------------------------------------------------------------- in the logs
def largest_gap(ops):
    def largestGap(y_true, y_pred):  # Keras writes its name as largest_gap
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    return largestGap


def one_number(ops):
    def one_number(y_true, y_pred):
        return ops.max(y_pred) + 0 * ops.sum(y_true)

    return one_number


# Last layer, loss, targets, metrics, weighted metrics.
MODELS = {
    "bits": (
        (K, "sigmoid", "binary_crossentropy", bits),
        lambda m, ops: [
            *("accuracy", m.BinaryAccuracy(threshold=0.4, name="b"), m.Precision(name="p")),
            *(m.AUC(name="auc"), m.AUC(name="pr", curve="PR", thresholds=[0.4, 0.55])),
            *("mse", "RootMeanSquaredError", "bce", "cosine_similarity", largest_gap(ops)),
        ],
        lambda m, ops: [
            *("mse", m.Recall([0.4, 0.5, 0.55], name="r"), m.AUC(name="auc"), "accuracy"),
            m.Precision(top_k=2, class_id=1, name="top"),
        ],
    ),
    "classes": (
        (K, "softmax", "categorical_crossentropy", one_of_k),
        lambda m, ops: ["acc", "categorical_crossentropy", one_number(ops)],
        lambda m, ops: ["categorical_accuracy", "categorical_crossentropy", largest_gap(ops)],
    ),
    "labels": (
        (K, "softmax", "sparse_categorical_crossentropy", labels),
        lambda m, ops: ["accuracy", m.SparseCategoricalCrossentropy(name="s")],
        lambda m, ops: ["accuracy", m.SparseCategoricalCrossentropy],
    ),
}


def compiled(name, sequences, rng, optimizer="sgd", **options):
    """Return two models and data; without an LSTM, which Keras is slow to run eagerly."""
    (size, activation, loss, targets), metrics, weighted = MODELS[name]
    shape = (T, D) if sequences else (D,)
    ours, theirs = shared_models(
        lambda L: [L.Input(shape), L.Dense(size, activation=activation)], rng
    )
    for model, m, ops in ((ours, npylstm.metrics, np), (theirs, keras.metrics, keras.ops)):
        lists = {"metrics": metrics(m, ops), "weighted_metrics": weighted(m, ops)} | options
        model.compile(optimizer, loss, **lists)
    theirs.run_eagerly = True
    n = 2 * B + 2  # the last of three batches is not full
    weight = rng.uniform(0.2, 2, (n, T) if sequences else n)
    return ours, theirs, random(rng, n, *shape), targets(rng, n, *shape[:-1]), weight


def assert_same_logs(ours, theirs):
    """In a dict the order counts, too; results for several thresholds are arrays."""
    assert list(ours) == list(theirs)
    dtype = keras.config.floatx()
    for name, value in theirs.items():
        assert_close(np.asarray(ours[name], dtype), np.asarray(value, dtype), name)


def on_both_backends(ours):
    """Yield each backend's model, with the same weights, in that backend."""
    weights = ours.get_weights()
    for backend in ("numpy", "numba"):
        ours.set_weights(weights)
        with npylstm.using_backend(backend):
            yield ours


@pytest.mark.parametrize(
    ("name", "sequences", "dtype"),
    [
        *(("bits", False, "float32"), ("bits", True, "float64")),
        *(("classes", False, "float64"), ("classes", True, "float32")),
        *(("labels", False, "float32"), ("labels", True, "float64")),
    ],
)
def test_logs(name, sequences, dtype, rng):
    """Of fit, evaluate, train_on_batch and test_on_batch, with weights and without."""
    with precision(dtype):
        ours, theirs, x, y, weight = compiled(name, sequences, rng)
        options = {"batch_size": B, "verbose": 0}
        first = (x[:B], y[:B], weight[:B])
        calls = [
            lambda model: model.evaluate(x, y, sample_weight=weight, return_dict=True, **options),
            lambda model: model.test_on_batch(*first[:2], return_dict=True),
            lambda model: model.train_on_batch(*first, return_dict=True),
            lambda model: (
                model.fit(
                    *(x, y), sample_weight=weight, shuffle=False, validation_split=0.4, **options
                ).history
            ),
        ]
        expected = [call(theirs) for call in calls]
        for model in on_both_backends(ours):
            for call, logs in zip(calls, expected, strict=True):
                assert_same_logs(call(model), logs)
            metrics = zip(model.metrics[1:], theirs.metrics[1].metrics, strict=True)
            for metric, other in metrics:
                assert metric.name == other.name  # and what is left in them:
                assert_close(np.asarray(metric.result(), dtype), np.asarray(other.result()))


@pytest.mark.parametrize(
    ("metrics", "weighted"),
    [
        (["mse"], ["mae"]),
        (["mse", "mse", "mae"], ["mse", "mse", "Precision", "mse"]),
        (None, ["mse", "mse"]),
        (["MSE", "mean_squared_error", "precision"], None),
    ],
)
def test_names_in_logs(metrics, weighted, rng):
    with precision("float32"), npylstm.using_backend("numpy"):
        ours, theirs, x, y, weight = compiled(
            "bits", False, rng, metrics=metrics, weighted_metrics=weighted
        )
        options = {"sample_weight": weight, "verbose": 0}
        expected = theirs.evaluate(x, y, return_dict=True, **options)
        assert_same_numbers(ours.evaluate(x, y, return_dict=True, **options), expected)
        if len(set(map(str, (metrics or []) + (weighted or [])))) == len(expected) - 1:
            expected = theirs.evaluate(x, y, **options)  # it repeats values of equal names
            assert_same_numbers(ours.evaluate(x, y, **options), expected)


def test_class_weights_reach_weighted_metrics(rng):
    with precision("float64"), npylstm.using_backend("numpy"):
        ours, theirs, x, y, _ = compiled("classes", False, rng)
        options = {"class_weight": {0: 3.0, 2: 0.2}, "return_dict": True}
        assert_same_logs(
            ours.train_on_batch(x, y, **options), theirs.train_on_batch(x, y, **options)
        )


# ----------------------------------------------------------------------------------- custom losses
def custom_pair(ops, values_of):
    """Return a value and a derivative; Keras finds the second by itself."""

    def value(y_true, y_pred):
        return values_of(ops, (y_pred - y_true) ** 4 + 0.5 * y_pred)

    def derivative(y_true, y_pred):
        slopes = 4 * (y_pred - y_true) ** 3 + 0.5
        n = slopes.size if value(y_true, y_pred).ndim == 0 else K
        return slopes / n

    return value, derivative


VALUES = {
    "rows": lambda ops, terms: ops.mean(terms, axis=-1),
    "outputs": lambda ops, terms: terms / K,
    "one number": lambda ops, terms: ops.mean(terms),
}


@pytest.mark.parametrize(
    ("kind", "sequences", "dtype"),
    [
        *(("rows", False, "float64"), ("rows", True, "float32")),
        *(("outputs", True, "float64"), ("one number", False, "float32")),
    ],
)
def test_custom_loss(kind, sequences, dtype, rng):
    with precision(dtype):
        ours, theirs, x, y, weight = compiled(
            "bits", sequences, rng, metrics=["mse"], weighted_metrics=[]
        )
        loss = npylstm.losses.CustomLoss(*custom_pair(np, VALUES[kind]))
        ours.compile("sgd", loss, metrics=["mse"])
        theirs.compile("sgd", custom_pair(keras.ops, VALUES[kind])[0], metrics=["mse"])
        theirs.run_eagerly = True
        options = {"sample_weight": weight if kind == "rows" else None, "batch_size": B}
        calls = [
            lambda model: {"loss": model.evaluate(x, y, verbose=0, **options)[0]},
            lambda model: model.fit(x, y, shuffle=False, epochs=2, verbose=0, **options).history,
        ]
        expected = [call(theirs) for call in calls]
        for model in on_both_backends(ours):
            for call, logs in zip(calls, expected, strict=True):
                assert_same_logs(call(model), logs)
            assert_close(model.get_weights(), theirs.get_weights())

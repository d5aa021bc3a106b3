"""Metric objects, alone and in a model; what they compute is compared in parity_tests."""

import copy

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, metrics
from npylstm.layers import Dense, Input

from .agreement import on_each, randomized


def make(units=3, activation="sigmoid", loss="mse", **lists):
    model = Sequential([Input((4,)), Dense(units, activation, dtype="float64")])
    model.compile("sgd", loss, **lists)
    return randomized(model, np.random.default_rng(5))


def data(rng, n=7, units=3):
    return rng.normal(size=(n, 4)), rng.integers(0, 2, (n, units)).astype(float)


# ------------------------------------------------------------------------------------------- alone
def test_state_grows_and_is_forgotten():
    metric = metrics.Precision()
    assert metric.result() == 0.0
    metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
    assert metric.result() == pytest.approx(2 / 3)
    metric.update_state([[0.0], [1.0]], [[0.9], [0.8]], sample_weight=[2, 0])
    assert metric.result() == pytest.approx(2 / 5)
    assert (metric.true_positives, metric.false_positives) == (2, 3)
    assert (metric.true_negatives, metric.false_negatives) == (0, 1)
    metric.reset_state()
    assert metric.result() == 0.0 and metric([1], [0.7]) == 1.0


def test_nan_is_above_no_threshold(rng):
    y, p = np.ones((3, 2)), np.array([[np.nan, 0.9], [0.2, np.nan], [1.0, 0.0]])
    for thresholds in (None, [0.0, 0.5, 1.0]):  # named, and even
        metric = metrics.Recall(thresholds)
        metric.update_state(y, p)
        assert metric.true_positives.max() in (2, 3) and metric.false_negatives.min() in (3, 4)
    auc = metrics.AUC()
    auc.update_state(y, p)
    assert auc.true_positives[0] == 4 and (auc.true_positives + auc.false_negatives == 6).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.get("precison"), ValueError, "did you mean 'precision'"),
        (lambda: metrics.get(dict), TypeError, "a metric must be a name"),
        (lambda: metrics.Precision(1.5), ValueError, r"thresholds must be in \[0, 1\], got 1.5"),
        (lambda: metrics.Precision(top_k=0), ValueError, "top_k must be at least 1"),
        (lambda: metrics.Recall(class_id=-1), ValueError, "class_id must be an integer"),
        (lambda: metrics.AUC(1), ValueError, "num_thresholds must be at least 2"),
        (lambda: metrics.AUC(curve="PRG"), ValueError, "one of 'ROC', 'PR', got 'PRG'"),
        (lambda: metrics.AUC(**{"multi_label": True}), TypeError, "no argument 'multi_label'"),
        (lambda: metrics.BinaryAccuracy(threshold="a"), TypeError, "must be a number"),
        (lambda: metrics.MeanMetricWrapper(3), TypeError, "fn must be a function"),
        (lambda: metrics.Mean(name=3), TypeError, "name must be a string"),
        (lambda: metrics.Precision(top_k=3)([[1, 0]], [[0.2, 0.3]]), ValueError, "there are 2"),
        (lambda: metrics.Recall(class_id=2)([[1, 0]], [[0.2, 0.3]]), ValueError, "from 0 to 1"),
        (lambda: metrics.AUC()([[1, 0]], [[0.2, 0.3], [1, 1]]), ValueError, "unequal numbers"),
        (lambda: metrics.Mean()([1, 2], [[1, 2], [3, 4]]), ValueError, "do not go with"),
        (lambda: metrics.Mean()([1, 2], [1, 2, 3]), ValueError, "has the shape"),
        (
            lambda: metrics.MeanMetricWrapper(lambda y, p: p[:1], name="f")([[1], [1]], [[1], [1]]),
            *(ValueError, "metric 'f' returned an array of shape"),
        ),
    ],
)
def test_what_does_not_fit(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_failing_update_adds_nothing(rng):
    metric = metrics.AUC()
    metric.update_state([0, 1], [0.3, 0.6])
    before = metric.true_positives
    with pytest.raises(ValueError, match="sample_weight"):
        metric.update_state([0, 1], [0.3, 0.6], sample_weight=[1, 2, 3])
    np.testing.assert_array_equal(metric.true_positives, before)


# -------------------------------------------------------------------------------------- in a model
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"metrics": {"dense": ["mse"]}}, TypeError, "metrics must be a list"),
        ({"weighted_metrics": [3]}, TypeError, "a metric must be a name"),
        ({"metrics": [metrics.Mean]}, TypeError, "takes values"),
        ({"metrics": [lambda y, p: 0.0] * 2, "weighted_metrics": ["lambda_1"]}, ValueError, "unkn"),
        ({"metrics": [metrics.Mean(name="loss")]}, ValueError, "would be called 'loss'"),
        ({"metrics": ["SparseCategoricalAccuracy"]}, ValueError, "cannot be taken of targets"),
        ({"metrics": [metrics.Precision(top_k=4)]}, ValueError, "there are 3 only"),
    ],
)
def test_wrong_metrics(settings, error, message, rng):
    x, y = data(rng)
    model = make()
    weights = model.get_weights()
    with pytest.raises(error, match=message):
        model.compile("sgd", "mse", **settings)
        model.fit(x, y, verbose=0)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_too_many_metrics(rng):
    model = make(metrics=["mse"] * 17)
    with npylstm.using_backend("numba"), pytest.raises(ValueError, match="16 metrics at most"):
        model.fit(*data(rng), verbose=0)


def test_labels_and_one_hot_rows_do_not_mix(rng):
    model = make(activation="softmax", loss="sparse_categorical_crossentropy", metrics=["AUC"])
    with pytest.raises(ValueError, match="metric 'AUC' cannot be taken of integer labels"):
        model.fit(rng.normal(size=(3, 4)), [0, 2, 1], verbose=0)


def test_accuracy_of_labels_of_one_class(rng):
    model = make(1, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x = rng.normal(size=(64, 4))
    expected = (model.predict(x, verbose=0) <= 0.5).mean()
    for seen in on_each(lambda: model.evaluate(x, np.zeros(64), verbose=0)[1]):
        assert seen == pytest.approx(expected, rel=1e-12)


class Largest(metrics.Metric):
    """A metric with a state of its own."""

    def __init__(self):
        super().__init__("largest")
        self.value = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        weight = 1 if sample_weight is None else sample_weight[:, None]
        self.value = max(self.value, float((y_pred * weight).max()))

    def result(self):
        return self.value

    def reset_state(self):
        self.value = 0.0


class Gap(metrics.Mean):
    """A mean of the user's own values."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(np.abs(y_true - y_pred).max(axis=-1), sample_weight)


class Flipped(metrics.Precision):
    """Precision of what is not."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(1 - y_true, 1 - y_pred, sample_weight)


class Percent(metrics.BinaryAccuracy):
    """The same in percent, still in machine code."""

    def result(self):
        return 100 * super().result()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_metrics_of_the_user(backend, rng, capsys):
    """On either backend they see each batch, and are forgotten between epochs and calls."""
    x, y = data(rng)
    weight = rng.uniform(0.2, 2, 7)
    seen = []

    def spy(y_true, y_pred):
        seen.append((y_true, y_pred))
        return y_pred[:, 0]

    lists = {"metrics": [spy, Flipped(name="flipped"), Percent(name="percent")]}
    lists["weighted_metrics"] = [Largest(), Gap(name="gap")]
    with npylstm.using_backend(backend):
        npylstm.backends.numba_backend._said.clear()
        model = make(**lists)
        p = model.predict(x, verbose=0)
        for _ in range(2):
            logs = model.evaluate(
                x, y, batch_size=3, verbose=0, sample_weight=weight, return_dict=True
            )
        error = capsys.readouterr().err
    assert error.count("one batch runs at a time") == (backend == "numba")
    assert [len(batch) for batch, _ in seen] == 2 * [3, 3, 1]
    np.testing.assert_allclose(np.concatenate([batch for _, batch in seen[:3]]), p, rtol=1e-12)
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in seen[:3]]), y)
    gaps, wrong = np.abs(y - p).max(axis=1), (p < 0.5)
    expected = {
        "spy": p[:, 0].mean(),
        "flipped": (1 - y)[wrong].mean(),
        "percent": 100 * (y == (p > 0.5)).mean(),
        "largest": (p * weight[:, None]).max(),
        "gap": (gaps * weight).sum() / weight.sum(),
    }
    assert {name: logs[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert model.metrics_names == ["loss", *expected]
    assert model.metrics[1].result() == logs["spy"]
    model.reset_metrics()
    assert all(metric.result() == 0 for metric in model.metrics)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_metric_that_raises(backend, rng):
    """What was trained before it stays, and is counted."""

    def fails(y_true, y_pred):
        if len(calls) == 2:
            raise ZeroDivisionError("mine")
        calls.append(1)
        return 0.0

    calls = []
    with npylstm.using_backend(backend):
        model = make(metrics=[fails])
        with pytest.raises(ZeroDivisionError, match="mine"):
            model.fit(*data(rng), batch_size=2, verbose=0)
    assert model.optimizer.batches == 3


def test_several_results_of_one_metric(rng, capsys):
    x, y = data(rng)
    model = make(metrics=[metrics.Recall([0.2, 0.6], name="r")])
    with npylstm.using_backend("numpy"):
        history = model.fit(x, y, epochs=2, verbose=2).history
        model.fit(x, y, verbose=1)
    assert np.shape(history["r"]) == (2, 2)
    line = next(line for line in capsys.readouterr().out.splitlines() if " - r: " in line)
    assert f"r: {np.mean(history['r'][0]):.4f}" in line  # Keras shows their mean, too


def test_a_copied_model_has_metrics_of_its_own(rng):
    x, y = data(rng)
    with npylstm.using_backend("numpy"):
        model = make(metrics=["mse"])
        before = model.evaluate(x, y, verbose=0)[1]
        twin = copy.deepcopy(model)
        twin.evaluate(x, 2 * y, verbose=0)
    assert model.metrics[1].result() == before != twin.metrics[1].result()


def test_both_backends_at_edges(rng):
    """NaN, infinities, numbers on thresholds and equal ones, in all kinds of counts."""
    model = Sequential([Input((4,)), Dense(4, "linear", dtype="float64")])
    model.set_weights([np.eye(4), np.zeros(4)])
    x = rng.integers(-1, 6, (30, 4)) / 4
    y = rng.integers(0, 2, (30, 4))
    lists = [
        *(metrics.AUC(5, name="a"), metrics.AUC(thresholds=[0.25, 0.3], name="b")),
        *(metrics.Precision([0, 0.5, 1], name="c"), metrics.Recall(0.25, top_k=2, name="d")),
        *(metrics.Precision([0, 0.5, 1], top_k=1, name="e"), metrics.Recall(class_id=3, name="f")),
        *(metrics.AUC(from_logits=True, name="g"), metrics.TopKCategoricalAccuracy(2), "Accuracy"),
    ]
    model.compile("sgd", "mse", metrics=lists)
    for scale in (1, 1e308):  # of the second some are infinite, and some NaN
        model.set_weights([scale * np.eye(4), np.zeros(4)])
        expected, actual = on_each(lambda: model.evaluate(8 * x if scale > 1 else x, y, 8, 0))  # noqa: B023
        for name, ours, theirs in zip(model.metrics_names, actual, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, err_msg=name)

"""Penalties and constraints in a model: both backends, many threads, functions of the user's."""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, constraints, regularizers
from npylstm.backends import _numba_calls
from npylstm.layers import LSTM, Bidirectional, Dense, Input, TimeDistributed

from .agreement import BACKENDS, assert_close, assert_same_gradients, on_each, randomized

T, D, K = 4, 3, 5


def ruled(dtype="float64", units=6, steps=T):
    """Return a model with a rule of each kind, softmax and its penalty last."""
    npylstm.config.set_floatx(dtype)
    model = Sequential(
        [
            Input((steps, D)),
            LSTM(
                units,
                return_sequences=True,
                kernel_regularizer=regularizers.OrthogonalRegularizer(0.3, "columns"),
                recurrent_regularizer="l1",
                activity_regularizer=regularizers.L2(0.2),
                recurrent_constraint=constraints.MaxNorm(0.6, axis=1),
                bias_constraint=constraints.UnitNorm(),
            ),
            LSTM(4, recurrent_regularizer="l2", activity_regularizer="orthogonal_regularizer"),
            Dense(
                K,
                "softmax",
                kernel_regularizer=regularizers.OrthogonalRegularizer(0.3),
                bias_regularizer="l2",
                activity_regularizer=regularizers.L1L2(0.1, 0.2),
                kernel_constraint=constraints.MinMaxNorm(0.1, 0.5, 0.8),
                bias_constraint="non_neg",
            ),
        ]
    )
    npylstm.config.set_floatx("float32")
    model.compile("sgd", "categorical_crossentropy")
    return randomized(model, np.random.default_rng(8))


def data(n=13, steps=T):
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, steps, D)), np.eye(K)[rng.integers(0, K, n)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [T, 1])
def test_both_backends_agree(dtype, steps):
    model, (x, y) = ruled(dtype, steps=steps), data(steps=steps)
    start = model.get_weights()
    npy, nb = on_each(lambda: model.loss_and_gradients(x, y))
    assert_same_gradients(nb, npy, dtype)

    def train():
        model.set_weights(start)
        logs = model.fit(x, y, batch_size=5, epochs=2, verbose=0).history["loss"]
        return model.get_weights(), logs, model.evaluate(x, y, batch_size=5, verbose=0)

    (expected, *expected_logs), (actual, *logs) = on_each(train)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, factor=5)
    np.testing.assert_allclose(np.hstack(logs), np.hstack(expected_logs), rtol=2e-5)
    assert actual[-1].min() >= 0 > start[-1].min()
    longest, allowed = np.linalg.norm(actual[1], axis=1).max(), 0.6 * (1 + 1e-6)
    assert longest <= allowed < np.linalg.norm(start[1], axis=1).max()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_loss_is_what_it_is_without_them_and_the_penalties(backend):
    model, (x, y) = ruled(), data()
    with npylstm.using_backend(backend):
        loss, _ = model.loss_and_gradients(x, y)
        first, second, last = model.layers
        h = first(x)
        y_pred = model.predict(x, verbose=0)
        plain = -np.mean(np.log(y_pred[y > 0]))
        penalties = [
            first.kernel_regularizer(first.kernel),
            first.recurrent_regularizer(first.recurrent_kernel),
            first.activity_regularizer(h) / len(x),
            second.recurrent_regularizer(second.recurrent_kernel),
            second.activity_regularizer(second(h)) / len(x),
            last.kernel_regularizer(last.weight("kernel")),
            last.bias_regularizer(last.weight("bias")),
            last.activity_regularizer(y_pred) / len(x),
        ]
    assert all(penalty > 1e-5 for penalty in penalties)
    assert loss == pytest.approx(plain + sum(penalties), rel=1e-12)


def test_any_number_of_threads_gives_the_same_to_the_bit(monkeypatch):
    monkeypatch.setattr(_numba_calls, "THREADED_BATCH", 0)
    monkeypatch.setattr(_numba_calls, "THREADED_CALL", 0)
    monkeypatch.setattr(npylstm.threads, "_chosen", None)
    results = []
    x, y = data()
    for n in (1, 3):
        npylstm.threads.set_num_threads(n)
        model = ruled("float32", units=50)  # more numbers than a piece of a penalty
        with npylstm.using_backend("numba"):
            history = model.fit(x, y, batch_size=5, shuffle=False, verbose=0).history
            results.append([*model.get_weights(), history["loss"], model.evaluate(x, y, verbose=0)])
    assert model.layers[0].recurrent_kernel.size > 2 * 4096
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_not_finite_is_seen(backend):
    model, (x, y) = ruled(), data()
    model.layers[0].kernel[0, 0] = np.nan
    with npylstm.using_backend(backend):
        assert np.isnan(model.evaluate(x, y, verbose=0))
    model = Sequential([Input((T, D)), LSTM(2), Dense(1, bias_regularizer="l2")])
    model.compile("sgd", "mse")
    model.layers[1].weight("bias")[...] = np.inf
    with npylstm.using_backend(backend):
        assert np.isinf(model.evaluate(x, y[:, :1], verbose=0))


def test_they_cost_nothing_in_predictions():
    model, (x, _) = ruled(), data()
    plan = model.make_plan(x.shape)
    without = [row for row in plan.rows_for(None)]
    assert len(plan.rows) == len(without) + 5 + 3 + 4 and len(without) == 4
    text = plan.describe()
    assert "WEIGHT_PENALTY  w=0  B=3  U=24  mode=orthogonal_columns" in text
    assert "ACTIVITY_PENALTY" in text and "mode=min_max_norm" in text


# ------------------------------------------------------------------------- functions of the user's
class Cubes(regularizers.Regularizer):
    """The sum of the absolute cubes."""

    def __call__(self, x):
        return np.sum(np.abs(x) ** 3)

    def gradient(self, x):
        return 3 * x * np.abs(x)


def test_functions_of_the_user_run_on_the_numpy_backend(capsys):
    def halved(w):
        return w / 2

    model = Sequential(
        [
            Input((T, D)),
            LSTM(4, kernel_constraint=halved, activity_regularizer=Cubes()),
            Dense(K, kernel_regularizer=Cubes()),
        ]
    )
    model.compile("sgd", "mse")
    x, y = data()
    with npylstm.using_backend("numba"):
        model.predict(x, verbose=0)
        assert "NumPy backend" not in capsys.readouterr().err  # nothing of it runs there
        loss, gradients = model.loss_and_gradients(x, y)
        assert "'Cubes', 'Cubes', 'halved' is a Python function" in capsys.readouterr().err
        h, kernel = model.layers[0](x), model.layers[1].weight("kernel")
        plain = np.mean((model.predict(x, verbose=0) - y) ** 2)
        assert loss == pytest.approx(plain + Cubes()(h) / len(x) + Cubes()(kernel), rel=1e-6)
        before = model.layers[0].kernel.copy()
        model.train_on_batch(x, y)
        expected = (before - np.float32(0.01) * gradients["lstm/kernel"]) / 2
    np.testing.assert_allclose(model.layers[0].kernel, expected, rtol=1e-5)


def test_a_constraint_must_keep_the_shape():
    model = Sequential([Input((T, D)), LSTM(4, bias_constraint=lambda w: w[:2]), Dense(K)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"of shape \(2,\) of a weight of shape \(16,\)"):
        model.fit(*data(), verbose=0)


# -------------------------------------------------------------------------------------- wrong turns
@pytest.mark.parametrize(
    "layers, text",
    [
        (
            [LSTM(4, return_sequences=True, activity_regularizer="orthogonal_regularizer")],
            "the output of layer 'lstm' has 3",
        ),
        (
            [
                Input((2, T, D)),
                TimeDistributed(
                    Bidirectional(LSTM(4, activity_regularizer="orthogonal_regularizer"))
                ),
            ],
            "the output of layer 'forward_lstm' has 3",
        ),
    ],
)
def test_what_cannot_be_penalized(layers, text):
    model = Sequential(layers if isinstance(layers[0], Input) else [Input((T, D)), *layers])
    model.compile("sgd", "mse")
    x = np.zeros((3, *model.input_shape[1:]))
    shape = model.output_shape
    with pytest.raises(ValueError, match=text):
        model.fit(x, np.zeros((3, *shape[1:])), verbose=0)

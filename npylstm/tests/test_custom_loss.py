"""Losses of two Python functions: beside ready-made ones, and what is said when they do not fit."""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, losses, optimizers
from npylstm.layers import LSTM, Dense, Dropout, Input
from npylstm.losses import CustomLoss, check_derivative

from .agreement import randomized


def square(y_true, y_pred):
    return ((y_pred - y_true) ** 2).mean(axis=-1)


def square_slope(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_pred.shape[-1]


def sequence_model(loss, **options):
    """Return a stateful model with dropout that gives sequences (2, 3, 4)."""
    model = Sequential(
        [
            Input(batch_shape=(2, 3, 5)),
            LSTM(4, return_sequences=True, stateful=True, dtype="float64"),
            Dropout(0.3, dtype="float64"),
        ]
    )
    model.compile(optimizers.Adam(0.01, clipnorm=0.01, **options), loss, metrics=["mae"])
    return randomized(model, np.random.default_rng(5))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight"])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_like_a_ready_made_one(backend, reduction, rng):
    """With states, dropout, weights, clipping, accumulated gradients: all but the loss is alike."""
    x, y = rng.normal(size=(8, 3, 5)), rng.normal(size=(8, 3, 4))
    weight = rng.uniform(0.2, 2, (8, 3))
    results = []
    for loss in (
        losses.MeanSquaredError(reduction),
        CustomLoss(square, square_slope, reduction=reduction),
    ):
        with npylstm.using_backend(backend):
            npylstm.utils.set_random_seed(2)
            model = sequence_model(loss, gradient_accumulation_steps=2)
            options = {"sample_weight": weight, "verbose": 0, "batch_size": 2}
            history = model.fit(x, y, epochs=3, **options).history
            score = model.evaluate(x, y, **options)
            value, gradients = model.loss_and_gradients(x[:2], y[:2], weight[:2])
            states = model.layers[0].memory.states.copy()
        numbers = [*history.values(), score, value, *gradients.values(), states]
        results.append([*numbers, *model.get_weights()])
    for ours, theirs in zip(*results, strict=True):
        # The loss is summed up in another order, which training carries on.
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_labels(rng):
    y, p = rng.integers(0, 4, 6), rng.dirichlet(np.ones(4), 6)

    def value(labels, p):
        return -np.log(p[np.arange(len(p)), labels])

    def slope(labels, p):
        return -np.eye(4)[labels] / p

    loss = CustomLoss(value, slope, sparse=True)
    assert loss.name == "value" and loss(y, p) == pytest.approx(value(y, p).mean())
    assert check_derivative(value, slope, y, p) < 1e-7
    model = randomized(Sequential([Input((3,)), Dense(4, "softmax", dtype="float64")]), rng)
    x, seen = rng.normal(size=(6, 3)), []
    for each in (loss, "sparse_categorical_crossentropy"):
        model.compile("sgd", each, metrics=["accuracy"])
        with npylstm.using_backend("numpy"):
            seen.append((*model.test_on_batch(x, y), *model.loss_and_gradients(x, y)[1].values()))
    for ours, theirs in zip(*seen, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)  # the other loss clips


def test_check_derivative(rng):
    y, p = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    assert check_derivative(square, square_slope, y, p) < 1e-8
    one_number = (lambda y, p: square(y, p).mean(), lambda y, p: square_slope(y, p) / 6)
    assert check_derivative(*one_number, y, p) < 1e-8
    with pytest.raises(ValueError, match=r"the derivative of 'square' is .* at index \("):
        check_derivative(square, lambda y, p: 1.01 * square_slope(y, p), y, p)
    with pytest.raises(ValueError, match="nan"):
        check_derivative(square, lambda y, p: np.nan * p, y, p)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_bare_function_evaluates_only(backend, rng, capsys):
    x, y = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 4))
    model = sequence_model(square)
    weights = model.get_weights()
    with npylstm.using_backend(backend):
        npylstm.backends.numba_backend._said.clear()
        p = model.predict(x, verbose=0)
        model.reset_states()
        for _ in range(2):
            loss, _ = model.evaluate(x, y, verbose=0)
            model.reset_states()
        assert loss == pytest.approx(square(y, p).mean(), rel=1e-12)
        assert capsys.readouterr().err.count("'square' is a Python") == (backend == "numba")
        for call in (model.train_on_batch, model.fit, model.loss_and_gradients):
            with pytest.raises(ValueError, match=r"'square' has no derivative.*CustomLoss\(value"):
                call(x, y)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    ("value", "slope", "message"),
    [
        (lambda y, p: p[:, :2, 0], square_slope, r"returned the shape \(2, 2\) for outputs"),
        (square, lambda y, p: p[..., 0], r"derivative of loss .* has the shape \(2, 3\)"),
        (lambda y, p: "much", square_slope, "the value of loss '.*' must be real numbers"),
        (lambda y, p: square(y, p).mean(), square_slope, "one number for the batch"),
    ],
)
def test_functions_that_do_not_fit(value, slope, message, backend, rng):
    """Nothing is left of the batch: no state is carried on, no update made."""
    model = sequence_model(CustomLoss(value, slope))
    model.memory.states[...] = rng.normal(size=model.memory.states.shape)
    before = [model.memory.states.copy(), *model.get_weights()]
    x, y = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 4))
    with npylstm.using_backend(backend), pytest.raises((ValueError, TypeError), match=message):
        model.train_on_batch(x, y, sample_weight=np.ones((2, 3)))
    assert model.optimizer.batches == 0
    for one, other in zip(before, [model.memory.states, *model.get_weights()], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_no_function():
    for arguments in ((3,), (square, 3)):
        with pytest.raises(TypeError, match="must be a function of y_true and y_pred, got 3"):
            CustomLoss(*arguments)
    with pytest.raises(TypeError, match="a loss must be a name, a Loss or a function"):
        losses.get(dict)
    with pytest.raises(ValueError, match="a model is trained by one"):
        sequence_model(CustomLoss(square, square_slope, reduction="none")).evaluate(
            np.zeros((2, 3, 5)), np.zeros((2, 3, 4)), verbose=0
        )

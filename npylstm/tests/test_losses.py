"""Losses called on arrays: as functions, with numbers for weights; their configurations."""

import numpy as np
import pytest

from npylstm import Sequential, losses
from npylstm.layers import Dense, Input

B, K = 4, 3


@pytest.fixture
def y(rng):
    return rng.dirichlet(np.ones(K), size=(2, B))


def test_a_function_gives_the_value_of_each_row(y):
    y_true, y_pred = y
    expected = ((y_true - y_pred) ** 2).mean(-1)
    np.testing.assert_allclose(losses.mean_squared_error(y_true, y_pred), expected, rtol=1e-14)
    column = losses.mse([4, 8, 12], [[3], [0], [1]])
    np.testing.assert_array_equal(column, [1, 64, 121])
    expected = -(y_true * np.log(y_pred)).sum(-1)
    np.testing.assert_allclose(losses.categorical_crossentropy(y_true, y_pred), expected)
    smoothed = losses.binary_crossentropy(y_true, y_pred, label_smoothing=0.2)
    assert smoothed.shape == (B,) and (smoothed != losses.binary_crossentropy(y_true, y_pred)).all()
    np.testing.assert_array_equal(losses.huber([[9.0]], [[0.0]], 2.0), [2 * 9 - 2])


@pytest.mark.parametrize("loss", [loss for loss in losses._CLASSES if not loss.sparse])
def test_every_loss_has_its_function(loss, y):
    function = getattr(losses, loss._op.name.lower())
    np.testing.assert_array_equal(function(*y), loss(reduction=None)(*y))
    assert type(losses.get(function)) is loss and function.__doc__


def test_a_function_trains(y):
    model = Sequential([Input((K,)), Dense(K)])
    model.compile("sgd", losses.mean_absolute_error, metrics=[losses.mean_squared_error])
    history = model.fit(*y, verbose=0).history
    assert type(model.loss) is losses.MeanAbsoluteError and "mean_squared_error" in history


def test_a_number_is_the_weight_of_all(y):
    loss = losses.MeanSquaredError()
    assert loss(*y, sample_weight=2.5) == pytest.approx(2.5 * loss(*y), rel=1e-14)
    each = losses.MeanSquaredError(reduction=None)
    np.testing.assert_allclose(each(*y, sample_weight=2.5), 2.5 * each(*y), rtol=1e-14)


def test_configurations():
    focal = losses.BinaryFocalCrossentropy(gamma=1.5, label_smoothing=0.1, reduction="sum")
    config = focal.get_config()
    assert config["gamma"] == 1.5 and config["reduction"] == "sum"
    again = losses.BinaryFocalCrossentropy.from_config(config)
    assert again.get_config() == config and again.numbers() == focal.numbers()
    assert losses.Huber(delta=2.0).get_config()["delta"] == 2.0

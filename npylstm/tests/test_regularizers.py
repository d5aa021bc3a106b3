"""Regularizers by hand, their gradients against central differences, and wrong turns."""

import numpy as np
import pytest

from npylstm import regularizers
from npylstm.layers import LSTM, Bidirectional, Dense
from npylstm.regularizers import L1, L1L2, L2, OrthogonalRegularizer

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


def rounded(number):
    return float(np.float32(number))  # as Keras takes factors


def test_values_by_hand():
    assert L1(0.1)(X) == pytest.approx(rounded(0.1) * 7.75, rel=1e-15)
    assert L2(0.1)(X) == pytest.approx(rounded(0.1) * 15.3125, rel=1e-15)
    both = rounded(0.1) * 7.75 + rounded(0.3) * 15.3125
    assert L1L2(0.1, 0.3)(X) == pytest.approx(both, rel=1e-15)
    assert L1L2()(X) == 0 and np.array_equal(L1L2().gradient(X), np.zeros_like(X))
    cosine = X[0] @ X[1] / np.sqrt((X[0] @ X[0]) * (X[1] @ X[1]))
    value = OrthogonalRegularizer(0.1)(X)
    assert value == pytest.approx(rounded(0.1) * abs(cosine), rel=1e-14)
    assert OrthogonalRegularizer(0.1, "columns")(X.T) == pytest.approx(value, rel=1e-14)
    assert L2()(X.astype("float32")).dtype == np.float32
    assert L1(1)([1, -2]) == 3


@pytest.mark.parametrize(
    "regularizer",
    [
        *(L1(0.3), L2(0.2), L1L2(0.1, 0.2), L1L2(l2=0.2)),
        *(OrthogonalRegularizer(0.5), OrthogonalRegularizer(0.5, mode="columns")),
    ],
    ids=repr,
)
def test_gradients_are_central_differences(regularizer, rng):
    x = rng.normal(size=(4, 3))
    expected = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        expected[index] = (regularizer(x + step) - regularizer(x - step)) / 2e-6
    np.testing.assert_allclose(regularizer.gradient(x), expected, atol=1e-8)


def test_vectors_that_have_no_direction_and_single_ones():
    x = np.vstack([X, np.zeros(3)])
    gradient = OrthogonalRegularizer().gradient(x)
    assert np.isfinite(gradient).all() and gradient[:2].any()
    assert OrthogonalRegularizer()(X[:1]) == 0
    assert not OrthogonalRegularizer().gradient(X[:1]).any()


def test_names():
    for name, cls in {
        **{"l1": L1, "L1": L1, "l2": L2, "L2": L2, "l1_l2": L1L2, "l1l2": L1L2, "L1L2": L1L2},
        "orthogonal_regularizer": OrthogonalRegularizer,
        "OrthogonalRegularizer": OrthogonalRegularizer,
    }.items():
        assert type(regularizers.get(name)) is cls
    assert regularizers.get(None) is None
    assert type(regularizers.get(L2)) is L2
    one = L2(0.3)
    assert regularizers.get(one) is one
    assert (regularizers.l1, regularizers.l2, regularizers.l1_l2) == (L1, L2, L1L2)


def test_configurations():
    for one in (L1(0.2), L2(0.3), L1L2(0.1, 0.2), OrthogonalRegularizer(0.2, "columns")):
        again = type(one).from_config(one.get_config())
        assert again.get_config() == one.get_config() and repr(again) == repr(one)
    assert repr(L1L2(0.1)) == "L1L2(l1=0.1, l2=0.0)"
    assert L1(None).l1 == L2(None).l2 == 0.01


def test_layers_keep_them():
    lstm = LSTM(3, kernel_regularizer="l2", activity_regularizer=L1(0.5), bias_constraint="non_neg")
    config = Bidirectional(lstm, activity_regularizer="l1").get_config()
    assert type(config["activity_regularizer"]) is L1
    inner = Bidirectional.from_config(config).backward_layer
    assert inner.activity_regularizer.l1 == 0.5 and inner.kernel_regularizer.l2 == 0.01
    assert type(inner.bias_constraint).__name__ == "NonNeg"
    assert Dense(2).get_config()["activity_regularizer"] is None


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: L2(-1), ValueError, "l2 must be a finite number of at least 0, got -1"),
        (lambda: L1(np.nan), ValueError, "l1 must be a finite number of at least 0, got nan"),
        (lambda: OrthogonalRegularizer(mode="row"), ValueError, "mode must be 'rows' or 'columns'"),
        (lambda: OrthogonalRegularizer()(np.ones(3)), ValueError, "the array has 1"),
        (lambda: Dense(2, kernel_regularizer="l3"), ValueError, "regularizer 'l3'.*l1, l1_l2"),
        (lambda: Dense(2, kernel_regularizer=0.1), TypeError, "must be a name or a Regularizer"),
        (
            lambda: Dense(2, kernel_regularizer=lambda w: w.sum()),
            TypeError,
            r"derive a class from npylstm.regularizers.Regularizer that defines __call__\(x\) and",
        ),
        (
            lambda: LSTM(2, bias_regularizer=OrthogonalRegularizer()),
            ValueError,
            "compares the vectors of a matrix.*a bias has 1; use L1, L2 or L1L2",
        ),
        (lambda: regularizers.Regularizer()(X), NotImplementedError, "must define __call__"),
        (lambda: regularizers.Regularizer().gradient(X), NotImplementedError, "define gradient"),
    ],
)
def test_wrong_turns(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_a_dict_stands_for_a_regularizer():
    config = {
        "class_name": "L1L2",
        "config": {"l1": 0.5, "l2": 0.25},
        "module": "keras.regularizers",
    }
    assert regularizers.get(config).get_config() == {"l1": 0.5, "l2": 0.25}
    assert isinstance(regularizers.get({"class_name": "l2"}), regularizers.L2)
    with pytest.raises(ValueError, match="unknown regularizer 'l3'"):
        regularizers.get({"class_name": "l3", "config": {}})
    with pytest.raises(TypeError, match="must be a name or a Regularizer"):
        regularizers.get({"name": "l2"})

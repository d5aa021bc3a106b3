"""Constraints by hand, and wrong turns."""

import numpy as np
import pytest

from npylstm import constraints
from npylstm.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from npylstm.layers import LSTM, Dense

W = np.array([[3.0, 0.1, -1.0], [-4.0, 0.2, 0.0]])


def norms(w, axis=0):
    return np.sqrt((w * w).sum(axis=axis))


def test_what_becomes_of_weights():
    np.testing.assert_allclose(norms(MaxNorm(2)(W)), [2, norms(W)[1], 1], rtol=1e-6)
    np.testing.assert_allclose(norms(UnitNorm()(W)), 1, rtol=1e-6)
    np.testing.assert_allclose(norms(UnitNorm(axis=1)(W), 1), 1, rtol=1e-6)
    np.testing.assert_allclose(norms(UnitNorm(axis=None)(W), None), 1, rtol=1e-6)
    np.testing.assert_allclose(norms(UnitNorm(axis=[0, 1])(W), None), 1, rtol=1e-6)
    np.testing.assert_allclose(norms(MinMaxNorm(0.5, 2)(W)), [2, 0.5, 1], rtol=1e-6)
    np.testing.assert_allclose(norms(MinMaxNorm(0, 1, rate=0.25)(W))[0], 4, rtol=1e-6)
    np.testing.assert_array_equal(NonNeg()(W), [[3, 0.1, 0], [0, 0.2, 0]])
    np.testing.assert_array_equal(UnitNorm()(np.zeros((2, 2))), 0)
    assert MaxNorm()(W.astype("float32")).dtype == np.float32
    assert np.array_equal(constraints.Constraint()(W), W)


def test_names_and_configurations():
    for name, cls in {
        **{"max_norm": MaxNorm, "MaxNorm": MaxNorm, "non_neg": NonNeg, "NonNeg": NonNeg},
        **{"unit_norm": UnitNorm, "UnitNorm": UnitNorm},
        **{"min_max_norm": MinMaxNorm, "MinMaxNorm": MinMaxNorm},
    }.items():
        assert type(constraints.get(name)) is type(constraints.get(cls)) is cls
    assert constraints.get(None) is None and constraints.get(np.abs) is np.abs
    for one in (MaxNorm(3, 1), NonNeg(), UnitNorm((0, 1)), MinMaxNorm(0.1, 0.2, 0.3, None)):
        again = type(one).from_config(one.get_config())
        assert again.get_config() == one.get_config() and repr(again) == repr(one)
    assert MaxNorm().get_config() == {"max_value": 2, "axis": 0}


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: MaxNorm(-1), ValueError, "max_value must be a number of at least 0, got -1"),
        (lambda: MinMaxNorm(2, 1), ValueError, "min_value must not be above max_value"),
        (lambda: MinMaxNorm(rate=2), ValueError, r"rate must be a number in \[0, 1\], got 2"),
        (lambda: UnitNorm("rows"), TypeError, "axis must be an integer"),
        (
            lambda: LSTM(2, bias_constraint=UnitNorm(axis=1)),
            ValueError,
            r"UnitNorm\(axis=1\) takes norms along axis 1, but the weight has 1 axis; use axis=0",
        ),
        (lambda: UnitNorm(axis=(0, 2))(W), ValueError, "along axis 2, but the weight has 2 axes"),
        (lambda: Dense(2, kernel_constraint="max_nrom"), ValueError, "did you mean 'max_norm'"),
        (lambda: Dense(2, kernel_constraint=2.0), TypeError, "or a function of the weight, got"),
    ],
)
def test_wrong_turns(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_a_dict_stands_for_a_constraint():
    config = {"class_name": "MaxNorm", "config": {"max_value": 0.5, "axis": 1}}
    assert constraints.get(config).get_config() == {"max_value": 0.5, "axis": 1}
    with pytest.raises(ValueError, match="unknown constraint 'MaxNor'"):
        constraints.get({"class_name": "MaxNor"})

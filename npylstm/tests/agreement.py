"""Comparing the compiled backend with the NumPy one, for the tests that do.

Both run the same plan.  They differ in how they round: the compiled one sums in another order,
fuses multiplications with additions and has an exponential of its own that errs by up to 2 units in
the last place.  So results are compared within a bound that counts such roundings, relative to the
largest entry of an array: an entry where large terms cancel keeps the rounding of those.
"""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input

BACKENDS = ("numpy", "numba")
# Some sums of up to a hundred terms, one after the other: about 100 roundings of 1.1e-16 or 6e-8.
# What was seen is a tenth of it at most.
BOUND = {"float32": 2e-5, "float64": 1e-13}
# Beside it, what cancels within an array: a share of the largest gradient of all.
FLOOR = {"float32": 2e-6, "float64": 1e-14}


# ------------------------------------------------------------------------------------ the harness
def on_each(function):
    """Return what a function of no arguments gives on the NumPy backend, and on the compiled."""
    results = []
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            npylstm.utils.set_random_seed(3)
            results.append(function())
    return results


def assert_close(actual, expected, dtype=None, factor=1.0, floor=0.0):
    """Compare arrays relative to the largest entry of the expected one."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    bound = factor * BOUND[dtype or expected.dtype.name]
    np.testing.assert_allclose(
        actual, expected, rtol=0, atol=bound * np.abs(expected).max(initial=0) + floor
    )


def assert_same_gradients(actual, expected, dtype, factor=1.0):
    (loss, gradients), (expected_loss, expected_gradients) = actual, expected
    assert loss == pytest.approx(expected_loss, rel=factor * BOUND[dtype], abs=0)
    assert gradients.keys() == expected_gradients.keys()
    largest = max(np.abs(gradient).max() for gradient in expected_gradients.values())
    for path, gradient in expected_gradients.items():
        assert np.isfinite(gradient).all(), path
        floor = factor * FLOOR[dtype] * largest
        assert_close(gradients[path], gradient, dtype, factor, floor)


def randomized(model, rng, scale=0.5):
    """Return the model with random weights, biases included."""
    model.set_weights([rng.normal(scale=scale, size=w.shape) for w in model.get_weights()])
    return model


def small_model(dtype="float64", last=None, **options):
    """Return an LSTM and a Dense of odd sizes, with random weights."""
    last = last or Dense(3, dtype=dtype)
    model = Sequential([Input((4, 5)), LSTM(7, dtype=dtype, **options), last])
    return randomized(model, np.random.default_rng(5), 0.4)


def fitted(model, x, y, **arguments):
    """Return the weights after training, and the history."""
    history = model.fit(x, y, verbose=0, **arguments).history
    return model.get_weights(), history

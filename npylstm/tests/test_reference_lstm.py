"""The reference LSTM against its equations written out number by number, and at its extremes."""

import math

import numpy as np
import pytest

from npylstm import reference
from npylstm.reference import activations


def scalar_lstm(x, h, c, kernel, recurrent_kernel, bias):
    """One sample, step by step, in Python floats: no arrays, no shared code."""
    T, D = x.shape
    U = len(h)
    for t in range(T):
        z = [
            sum(x[t, d] * kernel[d, k] for d in range(D))
            + sum(h[u] * recurrent_kernel[u, k] for u in range(U))
            + bias[k]
            for k in range(4 * U)
        ]
        new_h, new_c = [], []
        for u in range(U):
            i, f, o = (1 / (1 + math.exp(-z[block * U + u])) for block in (0, 1, 3))
            g = math.tanh(z[2 * U + u])
            new_c.append(f * c[u] + i * g)
            new_h.append(o * math.tanh(new_c[u]))
        h, c = new_h, new_c
    return h, c


def weights(rng, D, U):
    return (
        rng.normal(size=(D, 4 * U)),
        rng.normal(size=(U, 4 * U)),
        rng.normal(size=4 * U),
    )


def test_forward_is_the_equations(rng):
    T, B, D, U = 4, 3, 2, 5
    x, h0, c0 = rng.normal(size=(T, B, D)), rng.normal(size=(B, U)), rng.normal(size=(B, U))
    w = weights(rng, D, U)
    (h, c), cache = reference.lstm_forward(x, h0, c0, *w)
    assert h.shape == c.shape == (T + 1, B, U) and len(cache.steps) == T
    np.testing.assert_array_equal(h[0], h0)
    np.testing.assert_array_equal(c[0], c0)
    for b in range(B):
        for t in range(1, T + 1):
            expected = scalar_lstm(x[:t, b], h0[b], c0[b], *w)
            np.testing.assert_allclose([h[t, b], c[t, b]], expected, rtol=1e-13, atol=1e-15)


def test_states_not_given_are_zeros(rng):
    x, w, zeros = rng.normal(size=(3, 2, 1)), weights(rng, 1, 4), np.zeros((2, 4))
    (h, _), _ = reference.lstm_forward(x, None, None, *w)
    (expected, _), _ = reference.lstm_forward(x, zeros, zeros, *w)
    np.testing.assert_array_equal(h, expected)


def test_sequence_backward_is_the_steps_chained(rng):
    T, B, D, U = 4, 3, 2, 5
    x, h0, c0 = rng.normal(size=(T, B, D)), rng.normal(size=(B, U)), rng.normal(size=(B, U))
    dh, dc_last = rng.normal(size=(T, B, U)), rng.normal(size=(B, U))
    _, cache = reference.lstm_forward(x, h0, c0, *weights(rng, D, U))
    whole = reference.lstm_backward(dh, dc_last, cache)
    dh_next, dc, sums = np.zeros((B, U)), dc_last, [0, 0, 0]
    for t in reversed(range(T)):
        step = reference.lstm_cell_backward(dh[t] + dh_next, dc, cache.steps[t])
        for name in ("dx", "dz", "dh"):
            ours, expected = getattr(whole, name)[t], getattr(step, name)
            np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-14, err_msg=name)
        dh_next, dc = step.dh0, step.dc0
        sums = [total + part for total, part in zip(sums, step[3:6], strict=True)]
    for got, expected in zip(whole[1:6], [dh_next, dc, *sums], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays(rng, dtype):
    x = rng.normal(size=(3, 2, 1)).astype(dtype)
    w = [a.astype(dtype) for a in weights(rng, 1, 4)]
    (h, c), cache = reference.lstm_forward(x, None, None, *w)
    gradients = reference.lstm_backward(h[1:], None, cache)
    assert {a.dtype for a in (h, c, *cache.steps[0][6:14], *gradients)} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_inputs_saturate_and_do_not_warn(dtype):
    x = np.array([[[1e4]], [[-1e4]]], dtype)
    w = [np.full(shape, 1.0, dtype) for shape in ((1, 8), (2, 8), (8,))]
    (h, c), cache = reference.lstm_forward(x, None, None, *w)
    gradients = reference.lstm_backward(np.ones_like(h[1:]), None, cache)
    assert np.isfinite(h).all() and np.isfinite(c).all()
    np.testing.assert_allclose(c[1], 1, rtol=1e-6)  # i = g = 1
    np.testing.assert_array_equal(h[2], 0)  # f = o = 0
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_and_softmax_at_their_extremes(dtype):
    ends = activations.sigmoid(np.array([-1e4, -1e30, 0, 1e4, 1e30], dtype))
    np.testing.assert_array_equal(ends, [0, 0, 0.5, 1, 1])
    huge = activations.softmax(np.array([[1e30, 0, -1e30], [-1e30, -1e30, -1e30]], dtype))
    np.testing.assert_allclose(huge, [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    largest = np.finfo(dtype).max
    np.testing.assert_array_equal(activations.softmax(np.array([largest, -largest], dtype)), [1, 0])


def test_sigmoid_is_accurate_where_it_is_small():
    z = np.linspace(-80, -5, 50)
    np.testing.assert_allclose(activations.sigmoid(z), np.exp(z) / (1 + np.exp(z)), rtol=4e-16)


def test_crossentropy_of_huge_logits_is_finite():
    y = np.array([[0, 1, 0]], "f")
    logits = np.array([[3e38, -3e38, 0]], "f")
    values, cache = reference.losses.softmax_crossentropy_forward(y, logits)
    gradient = reference.losses.softmax_crossentropy_backward(np.ones(1, "f"), cache)
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(gradient, [[1, -1, 0]])

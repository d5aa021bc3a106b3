"""Masks, embeddings and the dropout of an LSTM: the compiled backend against NumPy, and errors.

Whether they are right is for the parity tests and for the reference's central differences.
"""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential
from npylstm.layers import LSTM, Bidirectional, Dense, Embedding, Input, Masking, TimeDistributed
from npylstm.tests.test_reference_gradients import check_gradient

from .agreement import assert_close, assert_same_gradients, fitted, on_each, randomized

T, D = 5, 3


def padded(rng, B, T=T, D=D):
    x = rng.normal(size=(B, T, D))
    lengths = rng.integers(0, T + 1, size=B)
    x[np.arange(T) >= lengths[:, None]] = 0
    x[rng.random((B, T)) < 0.2] = 0
    return x


# -------------------------------------------------------------------------------- the reference
def lstm_gradients(mask=None, x_dropout=None, h_dropout=None):
    """Compare lstm_backward with central differences of a sum of what lstm_forward gives."""
    rng = np.random.default_rng(1)
    T, B, D, U = 4, 3, 2, 5
    shapes = [(T, B, D), (B, U), (B, U), (D, 4 * U), (U, 4 * U), (4 * U,)]
    inputs = [rng.normal(size=shape) for shape in shapes]
    dh, dc = rng.normal(size=(T, B, U)), rng.normal(size=(B, U))
    options = {"mask": mask, "x_dropout": x_dropout, "h_dropout": h_dropout}

    def total(*inputs):
        (h, c), _ = npylstm.reference.lstm_forward(*inputs, **options)
        return (h[1:] * dh).sum() + (c[-1] * dc).sum()

    _, cache = npylstm.reference.lstm_forward(*inputs, **options)
    check_gradient(total, inputs, npylstm.reference.lstm_backward(dh, dc, cache)[: len(inputs)])


def test_gradients_past_masked_steps():
    mask = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 1], [0, 0, 1]], float)  # (T, B)
    lstm_gradients(mask)


def test_gradients_with_dropout():
    rng = np.random.default_rng(2)
    x_dropout, h_dropout = ((rng.random((4, 3, n)) > 0.4) / 0.6 for n in (2, 5))
    lstm_gradients(None, x_dropout, h_dropout)


def test_gradients_of_outputs_given_out_again():
    rng = np.random.default_rng(3)
    mask = np.array([[0, 1], [1, 0], [0, 0], [1, 1], [0, 1]], float)
    weight = rng.normal(size=(5, 2, 3))
    for zeros in (False, True):
        x = rng.normal(size=(5, 2, 3))
        dx = npylstm.reference.shaping.hold_backward(weight, mask, zeros)
        x[mask == 0] = 7  # is never read
        y = npylstm.reference.shaping.hold_forward(x, mask, zeros)
        assert not (y == 7).any()
        assert (y * weight).sum() == pytest.approx((x * dx).sum())  # it is linear


# ------------------------------------------------------------------------------------ the kernels
LAYERS = {
    "lstm": lambda: [LSTM(13, return_sequences=True), LSTM(4), Dense(2)],
    "sequences": lambda: [
        LSTM(13, return_sequences=True, zero_output_for_mask=True, go_backwards=True),
        TimeDistributed(Dense(2)),
    ],
    "both directions": lambda: [Bidirectional(LSTM(9, return_sequences=True)), Dense(2)],
    "dropout": lambda: [LSTM(13, dropout=0.4), Dense(2)],
    "recurrent dropout": lambda: [
        LSTM(18, dropout=0.3, recurrent_dropout=0.4, return_sequences=True, go_backwards=True),
        LSTM(5, recurrent_dropout=0.2, use_bias=False),
        Dense(2),
    ],
}


@pytest.mark.parametrize("B", [1, 7])
@pytest.mark.parametrize("name", LAYERS)
def test_backends_agree(name, B, rng):
    x = padded(rng, 7)
    model = randomized(Sequential([Input((T, D)), Masking(), *LAYERS[name]()]), rng)
    y = rng.normal(size=model.predict(x, verbose=0).shape).astype("float32")
    weights = model.get_weights()

    def results():
        model.set_weights(weights)
        model.compile("adam", "mse", metrics=["mae"])
        gradients = model.loss_and_gradients(x[:B], y[:B])
        outputs = model(x[:B])
        trained, history = fitted(model, x, y, batch_size=B, epochs=2)
        return gradients, outputs, trained, history, model.evaluate(x, y, B, verbose=0)

    expected, actual = on_each(results)
    assert_same_gradients(actual[0], expected[0], "float32")
    assert_close(actual[1], expected[1])
    for one, other in zip(actual[2], expected[2], strict=True):
        assert_close(one, other, factor=10)  # Adam divides by roots of small numbers
    for name, values in expected[3].items():
        np.testing.assert_allclose(actual[3][name], values, rtol=1e-4)
    np.testing.assert_allclose(actual[4], expected[4], rtol=1e-4)


def test_any_number_of_threads_gives_the_same(rng):
    """Also where threads share out the units: weights above 1 MiB, in a batch below 32."""
    x = padded(rng, 20, 3, 30).astype("float32")
    y = rng.normal(size=(20, 2)).astype("float32")
    model = Sequential([Input((3, 30)), Masking(), LSTM(256), Dense(2)])
    weights = randomized(model, rng, 0.1).get_weights()

    def trained():
        model.set_weights(weights)
        model.compile("adam", "mse")
        gradients = model.loss_and_gradients(x, y)
        return gradients, fitted(model, x, y, batch_size=20, epochs=3, shuffle=False)[0]

    before = npylstm.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            npylstm.set_num_threads(threads)
            results.append(trained())
    finally:
        npylstm.set_num_threads(before)
    for one, other in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(one, other)
    with npylstm.using_backend("numpy"):
        assert_same_gradients(results[0][0], model_gradients(model, weights, x, y), "float32")


def model_gradients(model, weights, x, y):
    model.set_weights(weights)
    return model.loss_and_gradients(x, y)


# ---------------------------------------------------------------------------------------- dropout
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_dropout_is_the_same_at_every_step_and_new_in_every_batch(backend):
    """With kernels of ones and no state a linear LSTM shows what is left of each input."""
    B, T, D = 40, 3, 25
    with npylstm.using_backend(backend):
        lstm = LSTM(
            D, "linear", "hard_sigmoid", dropout=0.3, return_sequences=True, seed=1,
            kernel_initializer="zeros", recurrent_initializer="zeros",
            bias_initializer="zeros", unit_forget_bias=False,
        )  # fmt: skip
        lstm.build((None, T, D))
        lstm.kernel[:, 2 * D : 3 * D] = np.eye(D)  # the candidate is x
        lstm.bias[[*range(D), *range(3 * D, 4 * D)]] = 9  # both gates are open
        lstm.bias[D : 2 * D] = -9  # and nothing is kept
        x = np.ones((B, T, D), "float32")
        first, second = lstm(x, training=True), lstm(x, training=True)
        np.testing.assert_array_equal(lstm(x), x)
    assert set(np.unique(first)) <= {np.float32(0), np.float32(1 / 0.7)}
    np.testing.assert_array_equal(first[:, 0], first[:, 1])
    np.testing.assert_array_equal(first[:, 0], first[:, 2])
    assert (first != second).any()
    # 1,000 draws: the share of those dropped has a standard deviation of 0.0145.
    assert abs((first[:, 0] == 0).mean() - 0.3) < 0.06
    dropped = (first[:, 0] == 0).mean(axis=0)
    assert dropped.std() > 0  # not the same for all samples


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_recurrent_dropout_is_drawn_for_each_gate(backend):
    """One step from h = 1, with eyes for kernels, shows what is left of h in each gate's z."""
    B, U = 60, 20
    with npylstm.using_backend(backend):
        lstm = LSTM(
            U, "linear", "linear", recurrent_dropout=0.4, return_state=True, seed=2,
            kernel_initializer="zeros", bias_initializer="zeros", unit_forget_bias=False,
        )  # fmt: skip
        lstm.build((None, 1, 1))
        lstm.recurrent_kernel[...] = 0
        for gate, value in ((0, 1), (2, 1), (3, 1)):
            lstm.recurrent_kernel[:, gate * U : (gate + 1) * U] = value * np.eye(U)
        states = [np.ones((B, U), "float32"), np.zeros((B, U), "float32")]
        _, h, c = lstm(np.zeros((B, 1, 1), "float32"), initial_state=states, training=True)
    # c = i g and h = o c, each factor 0 or 1 / 0.6: drawn for i and g on their own, c is left
    # with a chance of 0.36; one draw for both would leave 0.6.  1,200 draws: deviations of 0.014.
    assert abs((c != 0).mean() - 0.36) < 0.06
    assert abs((h != 0).mean() - 0.216) < 0.05
    np.testing.assert_allclose(c[c != 0], 1 / 0.36, rtol=1e-5)


# ----------------------------------------------------------------------------------------- errors
def test_errors(rng):
    x = rng.normal(size=(4, T, D))
    lstm = LSTM(3)
    with pytest.raises(ValueError, match=r"mask of layer 'lstm' has the shape \(4, 2\), expected"):
        lstm(x, mask=np.ones((4, 2), bool))
    with pytest.raises(TypeError, match="mask must be an array of booleans"):
        lstm(x, mask=np.full((4, T), "a"))
    with pytest.raises(ValueError, match="expected none for vectors"):
        Dense(2)(x[:, 0], mask=np.ones((4, T), bool))
    with pytest.raises(TypeError, match="mask_value must be a finite number, got 'pad'"):
        Masking("pad")
    with pytest.raises(ValueError, match="cannot tell such integers apart"):
        Embedding(2**24 + 2, 1)
    with pytest.raises(ValueError, match="implementation must be 1 or 2"):
        LSTM(3, implementation=3)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_embedding_takes_integers_that_it_knows(backend):
    with npylstm.using_backend(backend):
        model = Sequential([Embedding(5, 2), LSTM(3)])
        for wrong in (5, -1, 1.5):
            x = np.array([[0, 1], [4, wrong]])
            with pytest.raises(ValueError, match=f"integers from 0 to 4, got {wrong:g}"):
                model.fit(x, np.zeros((2, 3))) if model.optimizer else model.build((None, None))
                model.predict(x, verbose=0)
        right = np.array([[0, 1], [4, 2]], "float32")
        model.predict_on_batch(right)
        quick = model.predict_on_batch(right)
        assert quick.shape == (2, 3)
        with pytest.raises(ValueError, match="got 5"):
            model.predict_on_batch(right + 1)  # past the checks, but not past the kernel's
        assert model.predict(np.zeros((2, 7)), verbose=0).shape == (2, 3)  # of another length
        with pytest.raises(ValueError, match=r"take it away: x\[..., 0\]"):
            model.predict(np.zeros((2, 7, 1)), verbose=0)


def test_layers_without_a_mask_of_their_own_pass_it_on():
    model = Sequential([Input((T, D)), Masking(), Dense(4), LSTM(3, return_sequences=True)])
    plan = model.make_plan((2, T, D))
    assert plan.output_mask is not None and plan.output_mask.shape == (T, 2)
    model.add(LSTM(3))
    assert model.make_plan((2, T, D)).output_mask is None
    assert "MASKING" in plan.describe() and "mask=" in plan.describe()
    assert LSTM(3).compute_mask(None, "mask") is None
    assert Masking(2.0).compute_mask([[[2.0, 2.0], [2.0, 1.0]]]).tolist() == [[False, True]]
    assert Embedding(3, 1, mask_zero=True).compute_mask([[0, 2]]).tolist() == [[False, True]]

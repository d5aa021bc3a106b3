"""Every backward of the reference against central differences of its forward, in float64."""

import numpy as np
import pytest

from npylstm import reference
from npylstm.reference import activations, losses, shaping

T, B, D, U, K = 4, 3, 2, 5, 6  # all different, so that no two axes can be mixed up unseen

# (f(x + s) - f(x - s)) / 2s is off by s^2 f''' / 6, from the curvature, and by about 1e-16 f / s,
# from rounding.  With s = 1e-5 both are near 1e-10 of a gradient that is of the size of f.
STEP = 1e-5
RELATIVE_ERROR = 1e-7

ACTIVATIONS = sorted(
    {value for value in vars(activations).values() if isinstance(value, activations.Activation)},
    key=lambda activation: activation.name,
)


def check_gradient(function, inputs, gradients):
    """Demand that gradients are those of a function, each up to 1e-7 of its norm.

    Parameters
    ----------
    function : callable
        From arrays to a number.
    inputs : list of ndarray
        Where the gradients are taken; each of its numbers is moved a step up and a step down.
    gradients : list of ndarray
        One for each input, in its shape.
    """
    for number, (array, gradient) in enumerate(zip(inputs, gradients, strict=True)):
        assert gradient.shape == array.shape
        expected = np.empty_like(array)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + STEP
            up = function(*inputs)
            array[index] = value - STEP
            down = function(*inputs)
            array[index] = value
            expected[index] = (up - down) / (2 * STEP)
        error = np.linalg.norm(gradient - expected) / np.linalg.norm(expected)
        assert error < RELATIVE_ERROR, f"input {number}: off by {error:.1e} of its norm"


def by_name(values):
    return [pytest.param(value, id=value.name) for value in values]


# ------------------------------------------------------------------------------------------- LSTM
# An LSTM's activations work element by element.
ELEMENTWISE = [one for one in ACTIVATIONS if one is not activations.softmax]


def lstm_inputs(rng, *x_shape):
    """Return x, h0, c0, kernel, recurrent_kernel, bias."""
    # Small weights keep the states of size 1 with any activation, exponential ones too.
    weights = [0.3 * rng.normal(size=shape) for shape in ((D, 4 * U), (U, 4 * U), (4 * U,))]
    return [rng.normal(size=x_shape), 0.3 * rng.normal(size=(B, U)), rng.random((B, U)), *weights]


@pytest.mark.parametrize("recurrent_activation", by_name(ELEMENTWISE))
def test_lstm_recurrent_activation(recurrent_activation, rng):
    check_lstm(rng, activations.tanh, recurrent_activation)


@pytest.mark.parametrize("activation", by_name(ELEMENTWISE))
def test_lstm_activation(activation, rng):
    check_lstm(rng, activation, activations.sigmoid)


def check_lstm(rng, *functions):
    inputs = lstm_inputs(rng, T, B, D)
    dh, dc = rng.normal(size=(T, B, U)), rng.normal(size=(B, U))

    def scalar(*inputs):
        (h, c), _ = reference.lstm_forward(*inputs, *functions)
        return np.sum(h[1:] * dh) + np.sum(c[-1] * dc)

    _, cache = reference.lstm_forward(*inputs, *functions)
    check_gradient(scalar, inputs, reference.lstm_backward(dh, dc, cache)[: len(inputs)])


@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no-bias"])
def test_lstm_without_the_last_cell_state(use_bias, rng):
    inputs = lstm_inputs(rng, T, B, D)[: 6 if use_bias else 5]
    dh = rng.normal(size=(T, B, U))
    _, cache = reference.lstm_forward(*inputs)
    gradients = reference.lstm_backward(dh, None, cache)
    assert use_bias or gradients.dbias is None
    check_gradient(
        lambda *inputs: np.sum(reference.lstm_forward(*inputs)[0][0][1:] * dh),
        inputs,
        gradients[: len(inputs)],
    )


@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no-bias"])
def test_lstm_cell(use_bias, rng):
    inputs = lstm_inputs(rng, B, D)[: 6 if use_bias else 5]
    dh, dc = rng.normal(size=(2, B, U))

    def scalar(*inputs):
        (h, c), _ = reference.lstm_cell_forward(*inputs)
        return np.sum(h * dh) + np.sum(c * dc)

    _, cache = reference.lstm_cell_forward(*inputs)
    check_gradient(scalar, inputs, reference.lstm_cell_backward(dh, dc, cache)[: len(inputs)])


def test_gates(rng):
    inputs = list(rng.normal(size=(5, B, U)))  # z_i, z_f, z_g, z_o, c_prev
    dh, dc = rng.normal(size=(2, B, U))

    def scalar(*inputs):
        h, c, *_ = reference.gates_forward(*inputs)
        return np.sum(h * dh) + np.sum(c * dc)

    _, c, i, f, g, o, tanh_c = reference.gates_forward(*inputs)
    slopes = reference.gates_slopes(*inputs, c, i, f, g, o, tanh_c)
    gradients = reference.gates_backward(dh, dc, *slopes, f)
    check_gradient(scalar, inputs, gradients)


# ------------------------------------------------------------------------------ dense and its head
def dense_inputs(rng, *x_shape):
    return [rng.normal(size=shape) for shape in (x_shape, (D, K), (K,))]


@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("x_shape", [(B, D), (T, B, D)], ids=["vectors", "sequences"])
@pytest.mark.parametrize("name", ["dense", "dense_softmax"])
def test_dense(name, x_shape, use_bias, rng):
    forward = getattr(reference, f"{name}_forward")
    backward = getattr(reference, f"{name}_backward")
    inputs = dense_inputs(rng, *x_shape)[: 3 if use_bias else 2]
    dy = rng.normal(size=(*x_shape[:-1], K))
    _, cache = forward(*inputs)
    gradients = backward(dy, cache)
    assert use_bias or gradients.dbias is None
    check_gradient(
        lambda *inputs: np.sum(forward(*inputs)[0] * dy), inputs, gradients[: len(inputs)]
    )


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("shape", [(B,), (T, B)], ids=["vectors", "sequences"])
def test_head_with_its_loss(shape, weighted, rng):
    inputs = dense_inputs(rng, *shape, D)
    rest = [rng.dirichlet(np.ones(K), shape), rng.random(B) if weighted else None]
    _, cache = reference.dense_softmax_crossentropy_forward(*inputs, *rest)
    check_gradient(
        lambda *inputs: reference.dense_softmax_crossentropy_forward(*inputs, *rest)[0],
        inputs,
        reference.dense_softmax_crossentropy_backward(cache),
    )


# ---------------------------------------------------------------------------- losses, activations
LOSS_NUMBERS = {
    "huber": (0.7,),
    "binary_focal_crossentropy": (1.7, 0.3, 0.7),
    "sigmoid_focal_crossentropy": (2.0, 1.0, 1.0),
    "categorical_focal_crossentropy": (0.25, 2.0),
    "softmax_focal_crossentropy": (0.6, 1.4),
}


def loss_data(name, rng):
    """Return targets and predictions of a loss, away from where its gradient jumps."""
    y_true, y_pred = rng.normal(size=(2, T, B, K))
    if name in ("mean_squared_logarithmic_error", "poisson", "kl_divergence"):
        y_true, y_pred = 0.1 + 0.8 * rng.random((2, T, B, K))
    if "crossentropy" in name:
        y_true = rng.dirichlet(np.ones(K), (T, B))
    if "categorical" in name or "binary" in name:
        y_pred = 0.1 + 0.8 * rng.random((T, B, K))  # not normalized, and not clipped
    if "sparse" in name:
        y_true = rng.integers(K, size=(T, B))
    return y_true, y_pred


@pytest.mark.parametrize("name", losses.BY_NAME)
def test_loss(name, rng):
    forward, backward = losses.BY_NAME[name]
    y_true, y_pred = loss_data(name, rng)
    dvalues, numbers = rng.normal(size=(T, B)), LOSS_NUMBERS.get(name, ())
    _, cache = forward(y_true, y_pred, *numbers)
    check_gradient(
        lambda y_pred: np.sum(forward(y_true, y_pred, *numbers)[0] * dvalues),
        [y_pred],
        [backward(dvalues, cache)],
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_by_weight"])
@pytest.mark.parametrize("weight_shape", [None, (B,), (T, B)], ids=["none", "sample", "timestep"])
def test_weighted_mean(weight_shape, reduction, rng):
    values = rng.normal(size=(T, B))
    weight = None if weight_shape is None else rng.random(weight_shape)
    _, cache = losses.weighted_mean_forward(values, weight, reduction)
    check_gradient(
        lambda values: losses.weighted_mean_forward(values, weight, reduction)[0],
        [values],
        [losses.weighted_mean_backward(cache)],
    )


@pytest.mark.parametrize("activation", by_name(ACTIVATIONS))
def test_activation(activation, rng):
    z, dy = 2 * rng.normal(size=(B, K)), rng.normal(size=(B, K))
    gradient = activation.backward(dy, z, activation.forward(z))
    check_gradient(lambda z: np.sum(activation.forward(z) * dy), [z], [gradient])


# ---------------------------------------------------------------------------------- normalization
@pytest.mark.parametrize("weights", [2, 1, 0], ids=["gamma-beta", "gamma", "none"])
@pytest.mark.parametrize("shape", [(B, U), (T, B, U)], ids=["vectors", "sequences"])
def test_layer_normalization(shape, weights, rng):
    inputs = [rng.normal(size=shape), *rng.normal(size=(2, U))][: 1 + weights]
    dy = rng.normal(size=shape)
    _, cache = reference.layer_normalization_forward(*inputs, epsilon=0.01)
    gradients = reference.layer_normalization_backward(dy, cache)
    assert [g is None for g in gradients] == [False, weights < 1, weights < 2]
    check_gradient(
        lambda *inputs: np.sum(
            reference.layer_normalization_forward(*inputs, epsilon=0.01)[0] * dy
        ),
        inputs,
        gradients[: len(inputs)],
    )


def test_layer_normalization_gives_mean_0_and_variance_1(rng):
    x = 3 + 2 * rng.normal(size=(T, B, U))
    y, _ = reference.layer_normalization_forward(x, epsilon=1e-12)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-10)


# ------------------------------------------------------------------------------- between layers
@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave"])
def test_merge(mode, rng):
    ahead, back = rng.normal(size=(2, T, B, U))
    dy = rng.normal(size=shaping.merge_forward(ahead, back, mode).shape)
    check_gradient(
        lambda ahead, back: np.sum(shaping.merge_forward(ahead, back, mode) * dy),
        [ahead, back],
        shaping.merge_backward(dy, ahead, back, mode),
    )


def test_concat_of_two_widths(rng):
    ahead, back = rng.normal(size=(T, B, U)), rng.normal(size=(T, B, D))
    dy = rng.normal(size=(T, B, U + D))
    check_gradient(
        lambda ahead, back: np.sum(shaping.merge_forward(ahead, back, "concat") * dy),
        [ahead, back],
        shaping.merge_backward(dy, ahead, back, "concat"),
    )


def test_dropout(rng):
    x, dy, keep = rng.normal(size=(B, U)), rng.normal(size=(B, U)), rng.random((B, U)) > 0.4
    _, scale = shaping.dropout_forward(x, keep, 0.4)
    check_gradient(
        lambda x: np.sum(shaping.dropout_forward(x, keep, 0.4)[0] * dy),
        [x],
        [shaping.dropout_backward(dy, scale)],
    )


def test_repeat(rng):
    x, dy = rng.normal(size=(B, U)), rng.normal(size=(T, B, U))
    check_gradient(
        lambda x: np.sum(shaping.repeat_forward(x, T) * dy), [x], [shaping.repeat_backward(dy)]
    )


# --------------------------------------------------------------------------------- the check itself
def test_check_gradient_notices(rng):
    """A gradient that is zero, scaled, transposed, or wrong in one number."""
    x, w = rng.normal(size=(U, U)), rng.normal(size=(U, U))

    def scalar(x):
        return np.sum(w * x**3)

    right = 3 * w * x**2
    check_gradient(scalar, [x], [right])
    one_wrong = right.copy()
    one_wrong[2, 3] *= 1 + 1e-4
    for wrong in (np.zeros_like(right), right * (1 + 1e-6), right.T, one_wrong):
        with pytest.raises(AssertionError, match="off by"):
            check_gradient(scalar, [x], [wrong])

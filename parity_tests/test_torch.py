"""PyTorch's nn.LSTM beside ours: outputs, last states, and the gradient of every input and weight.

Its answers are kept in torch_golden.npz; where torch can be imported, it is asked anew as well.
"""

import importlib.util

import numpy as np
import pytest

import npylstm
from npylstm import layers, reference

from .by_hand import forward_and_back
from .make_torch_golden import CASES, GOLDEN, B, D, T, U, draw, run_torch, weight_shapes
from .oracle import assert_close

DTYPES = ["float32", "float64"]
PADDED = {name: case for name, case in CASES.items() if not case.lengths}
PACKED = {name: case for name, case in CASES.items() if case.lengths}


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(params=["golden", "live"])
def answers(request, golden):
    """Return a function: a case's name and dtype to what went in and what torch made of it."""
    if request.param == "live" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed; its answers of another day are compared")

    def ask(name, dtype):
        if request.param == "live":
            given = draw(CASES[name], np.random.default_rng(999))
            return as_dtype(given, dtype), run_torch(CASES[name], given, dtype)
        given, expected = (
            {
                key.split("/")[-1]: value
                for key, value in golden.items()
                if key.startswith(f"{name}/{part}/")
            }
            for part in ("given", dtype)
        )
        return as_dtype(given, dtype), expected

    return ask


def as_dtype(arrays, dtype):
    return {name: array.astype(dtype) for name, array in arrays.items()}


def batch_major(case, sequence):
    return sequence if case.batch_first else sequence.swapaxes(0, 1)


def our_weights(case, torchs):
    """Return torch's weights as ours: gates i, f, g, o are Keras's order; matrices transposed.

    torch has two biases where one would do; ours is their sum.
    """
    ours = []
    for name in weight_shapes(case):
        if name.startswith("weight"):
            ours.append(torchs[name].T)
        elif name.startswith("bias_ih"):
            ours.append(torchs[name] + torchs[name.replace("_ih", "_hh")])
    return ours


def assert_same_weight_gradients(case, dweights, expected):
    """Compare each; both of torch's biases have the gradient of our one."""
    ours = iter(dweights)
    for name in weight_shapes(case):
        if "bias_hh" not in name:
            gradient = next(ours)
        other = expected[f"d{name}"]
        assert_close(gradient, other.T if name.startswith("weight") else other, f"d{name}")
    assert next(ours, None) is None


def build(case, dtype, weights):
    """Return a Sequential model that is an nn.LSTM."""
    model = npylstm.Sequential([layers.Input((None, D))])
    for _ in range(case.num_layers):
        layer = layers.LSTM(
            *(U,),
            return_sequences=True,
            use_bias=case.bias,
            dtype=dtype,
            zero_output_for_mask=True,  # as a packed sequence is padded again
        )
        model.add(layers.Bidirectional(layer) if case.bidirectional else layer)
    model.set_weights(weights)
    return model


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", PADDED)
def test_layers(name, backend, dtype, answers):
    case = CASES[name]
    given, expected = answers(name, dtype)
    assert not np.array_equal(given["h0"], given["c0"])
    model = build(case, dtype, our_weights(case, given))
    x, d_output = (batch_major(case, given[key]) for key in ("x", "d_output"))
    with npylstm.using_backend(backend):
        ours = forward_and_back(
            model, x, given["h0"], given["c0"], d_output, given["dh"], given["dc"]
        )
    assert_close(ours.output, batch_major(case, expected["output"]), "output")
    assert_close(ours.dx, batch_major(case, expected["dx"]), "dx")
    for key in ("h", "c", "dh0", "dc0"):
        assert_close(getattr(ours, key), expected[key], key)
    assert_same_weight_gradients(case, ours.dweights, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["one-layer", "no-bias"])
def test_reference(name, dtype, answers):
    case = CASES[name]
    given, expected = answers(name, dtype)
    kernel, recurrent_kernel, *bias = our_weights(case, given)
    time_major = (lambda a: a.swapaxes(0, 1)) if case.batch_first else (lambda a: a)
    (h, c), cache = reference.lstm_forward(
        time_major(given["x"]), given["h0"][0], given["c0"][0], kernel, recurrent_kernel, *bias
    )
    assert_close(h[1:], time_major(expected["output"]), "output")
    assert_close([h[-1], c[-1]], [expected["h"][0], expected["c"][0]], "h, c")
    dh = time_major(given["d_output"]).copy()
    dh[-1] += given["dh"][0]
    gradients = reference.lstm_backward(dh, given["dc"][0], cache)
    assert_close(gradients.dx, time_major(expected["dx"]), "dx")
    assert_close([gradients.dh0, gradients.dc0], [expected["dh0"][0], expected["dc0"][0]], "states")
    assert_same_weight_gradients(case, [g for g in gradients[3:6] if g is not None], expected)


# A packed sequence is what a mask of leading ones says.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", PACKED)
def test_packed_sequences(name, backend, dtype, answers):
    case = CASES[name]
    given, expected = answers(name, dtype)
    model = build(case, dtype, our_weights(case, given))
    x, d_output = (batch_major(case, given[key]) for key in ("x", "d_output"))
    mask = np.arange(T) < np.array(case.lengths)[:, None]
    with npylstm.using_backend(backend):
        ours = forward_and_back(
            model, x, given["h0"], given["c0"], d_output, given["dh"], given["dc"], mask
        )
    assert_close(ours.output, batch_major(case, expected["output"]), "output")
    assert_close(ours.dx, batch_major(case, expected["dx"]), "dx")
    for key in ("h", "c", "dh0", "dc0"):
        assert_close(getattr(ours, key), expected[key], key)
    assert_same_weight_gradients(case, ours.dweights, expected)


# And each sample alone, cut to its length, is what it is in the batch.
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PACKED)
def test_packed_sequences_sample_by_sample(name, dtype, answers):
    case = CASES[name]
    given, expected = answers(name, dtype)
    model = build(case, dtype, our_weights(case, given))
    x, d_output = (batch_major(case, given[key]) for key in ("x", "d_output"))
    output, dx = (batch_major(case, expected[key]) for key in ("output", "dx"))
    assert max(case.lengths) == T and min(case.lengths) < T
    sums = [np.zeros_like(weight) for weight in model.get_weights()]
    for b, length in enumerate(case.lengths):
        one = slice(b, b + 1)
        states = (given[key][:, one] for key in ("h0", "c0"))
        gradients = (given[key][:, one] for key in ("dh", "dc"))
        with npylstm.using_backend("numpy"):
            ours = forward_and_back(
                model, x[one, :length], *states, d_output[one, :length], *gradients
            )
        assert_close(ours.output, output[one, :length], f"output of sample {b}")
        assert_close(ours.dx, dx[one, :length], f"dx of sample {b}")
        for key in ("h", "c", "dh0", "dc0"):
            assert_close(getattr(ours, key), expected[key][:, one], f"{key} of sample {b}")
        assert not output[b, length:].any() and not dx[b, length:].any()
        for total, gradient in zip(sums, ours.dweights, strict=True):
            total += gradient
    assert_same_weight_gradients(case, sums, expected)


def test_the_file_has_every_case(golden):
    """All sizes differ, and what is kept was made by a real torch, from the cases as they are."""
    assert len({B, T, D, U}) == 4
    assert str(golden["torch_version"])[0].isdigit()
    for number, (name, case) in enumerate(CASES.items()):
        given = draw(case, np.random.default_rng(number))
        for key, value in given.items():
            np.testing.assert_array_equal(golden[f"{name}/given/{key}"], value)

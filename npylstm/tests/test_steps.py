"""An LSTM equation by equation: what is yielded is what the layer computes, line for line."""

import re
from pathlib import Path

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, reference
from npylstm.activations import Activation
from npylstm.layers import LSTM, RNN, Bidirectional, Input, LSTMCell

B, T, D, U = 2, 5, 3, 4
SOURCE = Path(reference.lstm.__file__).read_text(encoding="utf-8").splitlines()
bent = Activation("bent", lambda z: (np.sqrt(z**2 + 1) - 1) / 2 + z)


def made(rng, layer, shape=(None, T, D)):
    layer.build(shape)
    layer.set_weights([rng.normal(size=w.shape) * 0.7 for w in layer.get_weights()])
    return layer


def last(steps, name):
    """Return the last result of that name at each t, (T, …)."""
    results = {step.t: step.result for step in steps if step.name == name}
    return np.array([results[t] for t in range(len(results))])


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_end_where_the_layer_does(rng, backend, dtype):
    lstm = made(rng, LSTM(U, return_sequences=True, return_state=True, dtype=dtype))
    x = rng.normal(size=(B, T, D)).astype(dtype)
    tolerance = {"rtol": 0, "atol": 0} if backend == "numpy" else {"rtol": 1e-5, "atol": 1e-6}
    with npylstm.using_backend(backend):
        y, h, c = lstm(x)
        steps = list(lstm.steps(x))
    np.testing.assert_allclose(last(steps, "h").swapaxes(0, 1), y, **tolerance)
    np.testing.assert_allclose(last(steps, "c")[-1], c, **tolerance)
    assert {step.result.dtype for step in steps} == {np.dtype(dtype)}
    with npylstm.using_backend("numpy"):
        one = list(lstm.steps(x[1]))
        np.testing.assert_array_equal(last(one, "h"), lstm(x[1:])[0][0])
    assert {step.name: step.result.shape for step in one} == {"z": (4 * U,)} | dict.fromkeys(
        ["z_i", "z_f", "z_g", "z_o", "i", "f", "g", "o", "c", "tanh_c", "h"], (U,)
    )


def test_each_step_is_a_line_of_the_source(rng):
    lstm = made(rng, LSTM(U, activation=bent, recurrent_activation="hard_sigmoid"))
    x = rng.normal(size=(T, D)).astype("float32")
    names = "z z z_i z_f z_g z_o i f g o c tanh_c h".split()
    steps = list(lstm.steps(x))
    assert [(step.t, step.name) for step in steps] == [(t, n) for t in range(T) for n in names]
    for step in steps:
        file, line, layer, t = step.where
        code, _, comment = SOURCE[line - 1].partition("#")
        assert step.formula == code.strip() and Path(file) == Path(reference.lstm.__file__)
        assert step.meaning == comment.strip() or not comment and step.meaning
        assert (layer, t) == ("lstm", step.t)
        # The operands, put into the very line, give the result.
        scope = dict(step.operands)
        scope |= {"activation": bent, "recurrent_activation": npylstm.activations.hard_sigmoid}
        scope |= {"split_gates": reference.lstm.split_gates}
        exec(step.formula, scope)
        np.testing.assert_allclose(scope[step.name], step.result, rtol=1e-6, atol=1e-7)
    assert str(steps[7].where) == f"{reference.lstm.__file__}:40, layer 'lstm', t=0"
    c = next(step for step in steps if step.t == 2 and step.name == "c")
    before = next(step for step in steps if step.t == 1 and step.name == "c")
    np.testing.assert_array_equal(c.operands["c_prev"], before.result)


def test_numbers_stand_in_the_formulas(rng, capsys):
    lstm = made(rng, LSTM(U))
    for step in lstm.steps(rng.normal(size=(B, T, D)), mask=rng.random((B, T)) > 0.5):
        step.show(unit=2, sample=1)
        for line in capsys.readouterr().out.splitlines():
            *_, numbers, result = line.partition("   (")[0].split(" = ")
            if "split_gates" not in line:
                numbers = numbers.replace(" [4 products]", "")
                scope = vars(npylstm.activations) | {"np": np}
                assert eval(numbers, scope) == pytest.approx(float(result), rel=5e-3, abs=2e-3)
            column = "ifgo".index(line.partition("   (")[2][0]) * U if step.name == "z" else 0
            assert float(result) == pytest.approx(step.result[1, column + 2], rel=1e-3)


def test_what_is_printed(rng):
    lstm = made(rng, LSTM(U))
    f = next(step for step in lstm.steps(np.ones((T, D))) if step.name == "f" and step.t == 3)
    z_f, value = f.operands["z_f"][0], f.result[0]
    first, *others = str(f).splitlines()
    assert first == f"t=3  f = sigmoid(z_f) = sigmoid({z_f:.4g}) = {value:.4g}   (unit 0 of 4)"
    assert len(others) == 3
    assert repr(f).startswith("<Step f = recurrent_activation(z_f) at ")
    large = next(made(rng, LSTM(9), (None, T, 2)).steps(np.ones((B, T, 2))))
    assert re.search(r"= 1 \* \S+ \+ 1 \* \S+ \+ 0 \[9 products\] = ", large.text(unit=-1))
    assert "(g, unit 8 of 9, sample 0 of 2)" in large.text(unit=-1)
    for arguments in ((9,), (0, 2), (-10,)):
        with pytest.raises(IndexError, match="must be an integer from 0 to"):
            large.show(*arguments)
    with pytest.raises(TypeError, match="unit must be an integer, got 'f'"):
        large.show("f")


@pytest.mark.parametrize("backwards", [False, True])
def test_masks_and_initial_states(rng, backwards):
    lstm = made(rng, LSTM(U, return_state=True, go_backwards=backwards, dtype="float64"))
    x, mask = rng.normal(size=(B, T, D)), rng.random((B, T)) > 0.4
    states = [rng.normal(size=(B, U)) for _ in range(2)]
    with npylstm.using_backend("numpy"):
        _, h, c = lstm(x, states, mask)
    steps = list(lstm.steps(x, states, mask))
    np.testing.assert_array_equal(last(steps, "h")[-1], h)
    np.testing.assert_array_equal(last(steps, "c")[-1], c)
    order = range(T)[:: -1 if backwards else 1]
    assert [step.timestep for step in steps if step.name == "f"] == list(order)
    for step in steps:
        if "x" in step.operands:
            np.testing.assert_array_equal(step.operands["x"], x[:, step.timestep])
        if "counts" in step.operands:
            np.testing.assert_array_equal(step.operands["counts"][:, 0], mask[:, step.timestep])
    one = list(lstm.steps(x[0], [state[0] for state in states], mask[0]))
    np.testing.assert_allclose(last(one, "h")[-1], h[0], rtol=1e-14)


def test_a_stateful_layer_starts_from_what_it_carries_and_keeps_it(rng):
    lstm = made(rng, LSTM(U, stateful=True, use_bias=False), (B, T, D))
    x = rng.normal(size=(B, T, D)).astype("float32")
    lstm.set_states([rng.normal(size=(B, U)) for _ in range(2)])
    before = lstm.states
    steps = lstm.steps(x)
    first = next(steps)
    np.testing.assert_array_equal(first.operands["h_prev"], before[0])
    lstm.set_weights([w * 0 for w in lstm.get_weights()])  # too late for these steps
    end = last(steps, "h")[-1]
    for state, carried in zip(lstm.states, before, strict=True):
        np.testing.assert_array_equal(state, carried)
    assert np.ptp(end) > 0
    given = next(lstm.steps(x, [state * 0 for state in before]))
    assert not given.operands["h_prev"].any()
    np.testing.assert_array_equal(lstm.states[0], before[0])
    with pytest.raises(ValueError, match="carries the states of 2 samples, got a batch of 1"):
        lstm.steps(x[0])


def test_inner_layers_and_cells(rng):
    x = rng.normal(size=(B, T, D)).astype("float32")
    both = Bidirectional(LSTM(U, return_sequences=True))
    Sequential([Input((T, D)), both])
    with npylstm.using_backend("numpy"):
        y = both(x)
        steps = list(both.backward_layer.steps(x))
        np.testing.assert_array_equal(last(steps, "h")[::-1].swapaxes(0, 1), y[..., U:])
        assert steps[0].where.layer == "bidirectional/backward_lstm"
        rnn = made(rng, RNN(LSTMCell(U)))
        np.testing.assert_array_equal(last(rnn.steps(x), "h")[-1], rnn(x))
    with pytest.raises(ValueError, match="runs 2 cells, and steps goes through one"):
        RNN([LSTMCell(2), LSTMCell(3)]).steps(x)


def test_what_does_not_fit_is_said_at_once_and_builds_nothing():
    lstm = LSTM(U)
    x = np.zeros((B, T, D))
    for arguments, message in [
        ((x[0, 0],), r"takes one sample \(timesteps, features\).*got shape \(3,\)"),
        ((x, [np.zeros(U)] * 2), r"two arrays of shape \(2, 4\), for x has 2 samples"),
        ((x[0], [np.zeros((1, U))] * 2), r"shape \(4,\), for x has no samples axis"),
        ((x, None, np.ones((B, T + 1))), r"expected \(samples, timesteps\) = \(2, 5\)"),
        ((x[:, :0],), "no timesteps"),
    ]:
        with pytest.raises(ValueError, match=message):
            lstm.steps(*arguments)
    with pytest.raises(TypeError, match="must hold real numbers"):
        lstm.steps([["a"]])
    assert not lstm.built

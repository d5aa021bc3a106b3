from types import SimpleNamespace

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, diagnostics
from npylstm.layers import LSTM, Bidirectional, Dense, Input

from .agreement import randomized


def by_hand(mask=None, timesteps=None, activation="tanh", **arrays):
    """Return the trace of an LSTM with these arrays (B, T, U), all others 0.5."""
    like = np.asarray(next(iter(arrays.values())), float)
    arrays = {name: np.full(like.shape, 0.5) for name in "ifgohc"} | {
        name: np.asarray(array, float) for name, array in arrays.items()
    }
    return SimpleNamespace(
        path="lstm",
        kind="LSTM",
        activation=activation,
        recurrent_activation="sigmoid",
        mask=None if mask is None else np.array(mask, bool),
        timesteps=np.arange(like.shape[1]) if timesteps is None else np.array(timesteps),
        **arrays,
    )


def column(*values):
    """Return one sample of one unit (1, T, 1)."""
    return np.array(values, float)[None, :, None]


# -------------------------------------------------------------------------------------- saturation
def test_gate_saturation_counts_steps_at_either_end():
    f = [[[0.05, 0.5], [0.95, 0.5], [0.99, 0.2], [0.91, 0.85]]]
    g = [[[-0.81, 0.0], [0.81, 0.79], [-0.79, 0.79], [-0.9, 0.0]]]
    found = diagnostics.gate_saturation(by_hand(f=f, g=g))
    np.testing.assert_array_equal(found.left["f"], [0.25, 0])
    np.testing.assert_array_equal(found.right["f"], [0.75, 0])
    np.testing.assert_array_equal(found.left["g"], [0.5, 0])
    np.testing.assert_array_equal(found.right["g"], [0.25, 0])
    assert not found.left["i"].any() and not found.right["o"].any()
    assert (found.low, found.high, found.steps) == (0.1, 0.9, 4)
    assert str(found) == found.words
    assert "of 4 steps" in found.words
    assert "f near 0 at 12 %, near 1 at 38 %" in found.words
    assert found.words.endswith("most of all f of unit 0, near 1 at 75 %")


def test_gate_saturation_leaves_masked_steps_out_and_takes_other_bounds():
    f = column(0.05, 0.3, 0.99)
    found = diagnostics.gate_saturation(by_hand(f=f, mask=[[1, 1, 0]]))
    assert (found.left["f"][0], found.right["f"][0], found.steps) == (0.5, 0, 2)
    found = diagnostics.gate_saturation(by_hand(f=f), low=0.01, high=0.2)
    assert (found.left["f"][0], found.right["f"][0]) == (0, pytest.approx(2 / 3))


def test_gate_saturation_of_gates_that_are_all_half_open():
    found = diagnostics.gate_saturation(by_hand(f=column(0.5, 0.5)))
    assert str(found) == "lstm: no gate is near an end at any of 2 steps"


def test_gate_saturation_of_an_activation_without_ends():
    found = diagnostics.gate_saturation(by_hand(g=column(0, 5), activation="relu"))
    assert np.isnan(found.left["g"]).all() and np.isnan(found.right["g"]).all()
    assert "g has no two ends (relu)" in found.words


@pytest.mark.parametrize("low, high", [(0.9, 0.1), (0.5, 0.5), (-0.1, 0.9), (0.1, 1.1)])
def test_gate_saturation_wants_bounds_that_make_sense(low, high):
    with pytest.raises(ValueError, match="low|high"):
        diagnostics.gate_saturation(by_hand(f=column(0.5)), low, high)


# ------------------------------------------------------------------------------------------- units
def test_dead_units():
    h = np.zeros((2, 3, 4))
    h[..., 0] = [[0.1, 0.2, -0.3], [0, 0, 0]]  # moves
    h[..., 1] = 0.004 * np.array([[1, -1, 1], [-1, 1, -1]])  # silent
    h[..., 2] = 0.7 + 0.001 * np.arange(6).reshape(2, 3)  # stuck
    h[0, 1, 3] = 0.5  # moves once
    found = diagnostics.dead_units(by_hand(h=h))
    np.testing.assert_array_equal(found.silent, [False, True, False, False])
    np.testing.assert_array_equal(found.constant, [False, True, True, False])
    np.testing.assert_allclose(found.low, [-0.3, -0.004, 0.7, 0])
    np.testing.assert_allclose(found.high, [0.2, 0.004, 0.705, 0.5])
    assert str(found) == (
        "lstm, 4 units over 6 steps: h of unit 1 stays near 0; h of unit 2 hardly moves"
    )
    assert not diagnostics.dead_units(by_hand(h=h), tolerance=1e-4).constant.any()
    mask = [[1, 0, 1], [1, 1, 1]]  # without the only step at which unit 3 spoke
    found = diagnostics.dead_units(by_hand(h=h, mask=mask))
    assert found.silent[3] and found.steps == 5
    assert "h of units 1 and 3 stays near 0" in found.words


def test_dead_units_of_the_living_and_of_a_single_step():
    assert str(diagnostics.dead_units(by_hand(h=column(0.1, 0.9)))) == "lstm: h moves over 2 steps"
    found = diagnostics.dead_units(by_hand(h=column(0.5)))
    assert not found.constant.any()
    assert str(found) == "lstm, 1 unit over 1 step: one step says nothing about who moves"
    with pytest.raises(ValueError, match="tolerance must be"):
        diagnostics.dead_units(by_hand(h=column(0.5)), tolerance=-1)


def test_many_units_are_not_all_named():
    words = diagnostics.dead_units(by_hand(h=np.zeros((1, 2, 9)))).words
    assert "units 0, 1, 2, 3, 4 and 4 more stays near 0" in words


# ------------------------------------------------------------------------------------------ memory
def test_half_life_is_that_of_the_product_of_f():
    f = np.full((1, 4, 4), 0.5)
    f[..., 1] = [0.25, 1, 0.25, 1]  # a half a step, on the whole
    f[..., 2] = 1
    f[..., 3] = 0.5 ** (1 / 10)
    found = diagnostics.memory_half_life(by_hand(f=f))
    np.testing.assert_allclose(found.half_life, [1, 1, np.inf, 10])
    np.testing.assert_allclose(found.per_sample, [[1, 1, np.inf, 10]])
    assert found.steps == 4
    assert str(found) == (
        "lstm: half of c is forgotten after 1 step in the median unit, after 1 step in unit 0, "
        "never in unit 2; 2 of 4 units outlast the 4 steps of a sequence"
    )


def test_half_life_by_sample_and_without_masked_steps():
    f = np.array([[0.5, 0.5, 0.01], [0.25, 0.01, 0.01], [0.3, 0.3, 0.3]])[..., None]
    mask = [[1, 1, 0], [1, 0, 0], [0, 0, 0]]
    found = diagnostics.memory_half_life(by_hand(f=f, mask=mask))
    np.testing.assert_allclose(found.per_sample, [[1], [0.5], [np.nan]])
    # Three steps of ln 0.5, ln 0.5 and 2 ln 0.5.
    np.testing.assert_allclose(found.half_life, [0.75])
    assert found.steps == 2
    assert str(found) == "lstm: half of c is forgotten after 0.75 steps"


def test_half_life_of_gates_that_shut_at_once_or_let_more_out_than_in():
    found = diagnostics.memory_half_life(by_hand(f=[[[0.0, 1.5, -0.5]]]))
    np.testing.assert_allclose(found.half_life, [0, np.inf, 1])
    words = diagnostics.memory_half_life(by_hand(f=column(1.0))).words
    assert words == "lstm: half of c is forgotten never"


# --------------------------------------------------------------------------------------- gradients
def test_gradient_norm_of_a_steady_decay():
    dh = np.zeros((2, 5, 2))
    dh[0] = np.outer(0.1 ** np.arange(4, -1, -1), [3, 4])  # norms 5e-4 … 5
    dh[1] = dh[0] / 5
    found = diagnostics.gradient_norm(by_hand(dh=dh, dc=np.ones((2, 5, 2))))
    np.testing.assert_allclose(found.dh.norm[0], 5 * 0.1 ** np.arange(4, -1, -1))
    np.testing.assert_allclose(found.dh.mean, 3 * 0.1 ** np.arange(4, -1, -1))
    assert found.dh.rate == pytest.approx(0.1)
    assert found.dh.factor == pytest.approx(1e-4)
    assert (found.dh.trend, found.dh.vanishes_at, found.dh.explodes_at) == ("vanishing", 0, None)
    assert (found.dc.trend, found.dc.vanishes_at) == ("steady", None)
    assert str(found) == (
        "lstm: dh is vanishing: times 0.1 at each step back, 0.0001 from the last step to the "
        "first, below 0.001 of it from timestep 0 on; dc is steady: times 1 at each step back, 1 "
        "from the last step to the first"
    )
    found = diagnostics.gradient_norm(by_hand(dh=dh, dc=dh), vanished=0.05)
    assert found.dh.vanishes_at == 2


def test_gradient_norm_says_at_which_timestep_of_a_reversed_layer():
    dh = column(1e6, 1e4, 1e2, 1)
    found = diagnostics.gradient_norm(by_hand(dh=dh, dc=dh / dh, timesteps=[3, 2, 1, 0]))
    assert (found.dh.trend, found.dh.explodes_at) == ("exploding", 2)
    assert found.dh.rate == pytest.approx(100)


def test_gradient_norm_between_the_bounds():
    found = diagnostics.gradient_norm(by_hand(dh=column(0.81, 0.9, 1), dc=column(1.21, 1.1, 1)))
    assert (found.dh.trend, found.dc.trend) == ("shrinking", "growing")
    found = diagnostics.gradient_norm(
        by_hand(dh=column(0.81, 0.9, 1), dc=column(1.21, 1.1, 1)), steady=0.2
    )
    assert (found.dh.trend, found.dc.trend) == ("steady", "steady")


def test_gradient_norm_begins_where_there_is_a_gradient():
    found = diagnostics.gradient_norm(by_hand(dh=column(0.25, 0.5, 0), dc=column(0, 0, 0)))
    assert found.dh.rate == pytest.approx(0.5)
    assert np.isnan(found.dc.rate) and found.dc.trend == "none"
    assert "dc is 0 at all steps" in found.words
    found = diagnostics.gradient_norm(by_hand(dh=column(1), dc=column(1)))
    assert np.isnan(found.dh.rate) and "dh has no step to go back to" in found.words


@pytest.mark.parametrize(
    "bounds", [{"vanished": 2, "exploded": 1}, {"vanished": 0}, {"steady": -1}]
)
def test_gradient_norm_wants_bounds_that_make_sense(bounds):
    with pytest.raises(ValueError, match="vanished|steady"):
        diagnostics.gradient_norm(by_hand(dh=column(1), dc=column(1)), **bounds)


# --------------------------------------------------------------------------------- what it is given
QUESTIONS = (
    diagnostics.gate_saturation,
    diagnostics.dead_units,
    diagnostics.memory_half_life,
    diagnostics.gradient_norm,
)


@pytest.mark.parametrize("backend, dtype", [("numpy", "float64"), ("numba", "float32")])
def test_a_real_trace(backend, dtype, rng):
    model = Sequential([Input((4, 5)), LSTM(7, dtype=dtype), Dense(3, dtype=dtype)])
    model.compile("adam", "mse")
    randomized(model, rng, 0.4)
    x, y = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 3))
    with npylstm.using_backend(backend):
        trace = model.trace(x, y)
        saturation, dead, memory, gradient = (ask(trace) for ask in QUESTIONS)
    lstm = trace["lstm"]
    o, f, dc = (array.astype("float64") for array in (lstm.o, lstm.f, lstm.dc))
    np.testing.assert_array_equal(saturation.right["o"], (o > 0.9).mean(axis=(0, 1)))
    np.testing.assert_array_equal(dead.high, lstm.h.max(axis=(0, 1)))
    np.testing.assert_allclose(np.exp(memory.half_life * np.log(f).mean(axis=(0, 1))), 0.5)
    np.testing.assert_allclose(gradient.dc.norm**2, (dc**2).sum(axis=-1))
    for one in (saturation, dead, memory, gradient):
        assert str(one) == one.words and one.words.startswith("lstm") and "\n" not in one.words


def test_which_lstm_is_meant(rng):
    model = Sequential([Input((4, 5)), Bidirectional(LSTM(2)), Dense(1)])
    x = rng.normal(size=(3, 4, 5))
    with npylstm.using_backend("numpy"):
        trace = model.trace(x)
        alone = LSTM(2).trace(x)
        dense = Sequential([Input((5,)), Dense(1)]).trace(x[:, 0])
    diagnostics.dead_units(trace["bidirectional/backward_lstm"])
    diagnostics.dead_units(alone)
    with pytest.raises(ValueError, match=r"2 LSTMs .*trace\['bidirectional/forward_lstm'\]"):
        diagnostics.dead_units(trace)
    with pytest.raises(ValueError, match="no LSTM in this trace, only dense"):
        diagnostics.dead_units(dense)
    with pytest.raises(TypeError, match="'dense' .Dense., which has no gates"):
        diagnostics.dead_units(trace["dense"])
    with pytest.raises(TypeError, match="got ndarray, which has no gates"):
        diagnostics.dead_units(x)
    with pytest.raises(ValueError, match=r"'lstm' has no gradients: .*model.trace\(x, y\)"):
        diagnostics.gradient_norm(alone)


@pytest.mark.parametrize("ask", QUESTIONS[:3])
def test_nothing_to_look_at(ask):
    arrays = {"f": np.ones((1, 2, 1)), "h": np.ones((1, 2, 1))}
    with pytest.raises(ValueError, match="all steps of 'lstm' are masked"):
        ask(by_hand(mask=[[0, 0]], **arrays))


@pytest.mark.parametrize("ask, name", [*zip(QUESTIONS, ("g", "h", "f", "dc"), strict=True)])
def test_numbers_that_are_none(ask, name):
    arrays = {key: np.ones((2, 3, 2)) for key in ("dh", "dc", "g", "h", "f")}
    arrays[name][1, 2, 0] = np.nan
    with pytest.raises(ValueError, match=f"{name} of 'lstm' is NaN .* step 2 of sample 1"):
        ask(by_hand(**arrays))

"""Pictures of a trace: what is drawn is what the arrays hold."""

import io

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, plots
from npylstm.layers import LSTM, RNN, Bidirectional, Dense, Embedding, Input, LSTMCell

pytest.importorskip("matplotlib")
NAMES = "xifgoch"


def traced(x, *layers, y=True, mask=None):
    """Return the trace of layers with biases that are not zero."""
    rng = np.random.default_rng(8)
    with npylstm.using_backend("numpy"):
        model = Sequential([Input(x.shape[1:]), *layers])
        model.compile("sgd", "mse")
        model.set_weights([rng.normal(scale=0.7, size=w.shape) for w in model.get_weights()])
        y = rng.normal(size=model.predict(x, verbose=0).shape) if y else None
        return model.trace(x, y, mask=mask)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(2).normal(size=(3, 6, 2))


@pytest.fixture(scope="module")
def trace(x):
    return traced(x, LSTM(4), Dense(1))


@pytest.fixture(scope="module")
def masked(x):
    mask = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1], [1] * 6], bool)
    return traced(x, LSTM(4), mask=mask, y=False)


@pytest.fixture(scope="module")
def wide(x):
    return traced(np.tile(x, (1, 7, 9)), LSTM(30), Dense(1))


def drawn(ax):
    """Draw a figure for real, as some errors come only then; return its texts."""
    (ax[0] if isinstance(ax, list) else ax).figure.savefig(io.BytesIO(), format="png")
    return [] if isinstance(ax, list) else [text.get_text() for text in ax.texts]


# ------------------------------------------------------------------------------------------- gates
def test_gates_are_the_arrays(trace):
    axes = plots.gates(trace, sample=1)
    assert len(axes) == 7
    for ax, name in zip(axes, NAMES, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), getattr(trace["lstm"], name)[1].T)
        assert f"{{{name}}}" in ax.get_ylabel()
    limits = [ax.images[0].get_clim() for ax in axes]
    assert limits[1] == limits[2] == limits[4] == (0, 1)
    assert limits[3] == limits[6] == (-1, 1)
    for low, high in (limits[0], limits[5]):
        assert low == -high
    assert limits[0][1] == np.abs(trace["lstm"].x[1]).max()
    assert axes[-1].get_xlabel() == "timestep"
    assert "4 units, sample 1" in axes[0].figure.get_suptitle()
    written = {text.get_text() for text in axes[1].texts}
    assert written == {f"{value:.2f}" for value in trace["lstm"].i[1].ravel()}
    drawn(axes)


def test_gates_hatch_masked_steps(masked):
    for ax in plots.gates(masked["lstm"], sample=1):
        spans = [(patch.get_x(), patch.get_width()) for patch in ax.patches]
        assert spans == [(-0.5, 1), (2.5, 1)]
        assert all(patch.get_hatch() for patch in ax.patches)
    assert not plots.gates(masked["lstm"], sample=2)[0].patches


def test_gates_of_many_units_and_steps(wide):
    axes = plots.gates(wide, title="Many")
    assert not any(ax.texts for ax in axes)  # there is no room for numbers
    assert len(axes[1].get_yticks()) <= 8 and len(axes[-1].get_xticks()) <= 16
    assert axes[0].figure.get_suptitle() == "Many"
    drawn(axes)


def test_gates_of_other_activations(x):
    layer = LSTM(2, activation="relu", recurrent_activation="relu")
    axes = plots.gates(traced(3 * x, layer, y=False))
    for ax, name in zip(axes, NAMES, strict=True):
        low, high = ax.images[0].get_clim()
        values = ax.images[0].get_array()
        assert low <= values.min() and values.max() <= high, name


def test_time_is_that_of_a_layer_that_reads_from_the_end(x):
    lstm = traced(x, Bidirectional(LSTM(2)), y=False)["bidirectional/backward_lstm"]
    ax = plots.gates(lstm)[-1]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list("543210")
    assert ax.get_xlabel() == "timestep, read from the end"
    assert "at step 1 (timestep 4)" in plots.cell(lstm, t=1).get_title()
    assert any(text.startswith("x[4] = ") for text in drawn(plots.cell(lstm, t=1)))


def test_diverged_numbers_are_drawn_too(x):
    with npylstm.using_backend("numpy"):
        layer = LSTM(2)
        layer.build(x.shape)
        diverged = np.resize([np.inf, np.nan], 8)  # of units 0 and 1
        layer.kernel[...] = diverged
        trace = layer.trace(np.abs(x))
    assert np.isposinf(trace["lstm"].z_i[0, 0, 0]) and np.isnan(trace["lstm"].c[0, 0, 1])
    drawn(plots.cell(trace, t=0, unit=0))
    for draw in (plots.gates, plots.states, plots.cell):
        drawn(draw(trace))


# ------------------------------------------------------------------------------------------ states
@pytest.mark.parametrize("which", ["c", "h"])
def test_states_begin_with_the_initial_state(x, which):
    with npylstm.using_backend("numpy"):
        rng = np.random.default_rng(3)
        lstm = LSTM(9).trace(x, initial_state=list(rng.normal(size=(2, 3, 9))))["lstm"]
    ax = plots.states(lstm, sample=2, which=which)
    lines = {line.get_label(): line for line in ax.lines}
    named = [name for name in lines if name.startswith("unit")]
    all_steps = np.concatenate([getattr(lstm, f"{which}0")[2][None], getattr(lstm, which)[2]])
    moves = all_steps.max(axis=0) - all_steps.min(axis=0)
    assert {int(name.split()[1]) for name in named} == set(np.argsort(-moves)[:5])
    for name in named:
        steps, values = lines[name].get_data()
        np.testing.assert_array_equal(values, all_steps[:, int(name.split()[1])])
        np.testing.assert_array_equal(steps, np.arange(7) - 1)
    assert len(ax.lines) == 1 + 9  # all units, and the zero
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["start", *"012345"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    ends = [all_steps[-1, int(name.split()[1])] for name in legend[:-1]]
    assert ends == sorted(ends, reverse=True) and legend[-1] == "4 others"
    drawn(ax)


def test_states_of_chosen_units(masked):
    ax = plots.states(masked, units=[3, 1], title="Two")
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    assert legend == {"unit 1", "unit 3", "2 others"} and ax.get_title() == "Two"
    assert [patch.get_x() for patch in ax.patches] == [3.5, 4.5]  # masked
    given = plots.figure().add_subplot()
    assert plots.states(masked, units=0, ax=given) is given
    with pytest.raises(IndexError, match="unit must be an integer from 0 to 3, got 4"):
        plots.states(masked, units=[0, 4])
    with pytest.raises(ValueError, match="name one unit to 6 units, got 0"):
        plots.states(masked, units=[])
    with pytest.raises(ValueError, match="which must be 'c' or 'h', got 'f'"):
        plots.states(masked, which="f")


# --------------------------------------------------------------------------------------- gradients
def test_gradient_flow_is_the_norms(trace):
    ax = plots.gradient_flow(trace)
    lstm = trace["lstm"]
    dz = np.concatenate([lstm.dz_i, lstm.dz_f, lstm.dz_g, lstm.dz_o], axis=-1)
    for line, gradient in zip(ax.lines, (lstm.dh, lstm.dc, dz), strict=True):
        norm = np.linalg.norm(gradient.astype("float64"), axis=-1).mean(axis=0)
        np.testing.assert_allclose(line.get_ydata(), norm, rtol=1e-5)
    assert ax.get_yscale() == "log" and len(ax.collections) == 2
    rate = npylstm.diagnostics.gradient_norm(trace).dh.rate
    assert f"× {rate:.3g} a step back" in ax.lines[0].get_label()
    assert "mean of 3 samples" in ax.get_title()
    drawn(ax)


def test_gradient_flow_of_one_step_and_of_no_gradient(x, trace):
    one = traced(x[:1, :1], LSTM(2), Dense(1))
    assert [line.get_label() for line in plots.gradient_flow(one).lines] == ["dh", "dc", "dz"]
    with npylstm.using_backend("numpy"):
        model = Sequential([Input(x.shape[1:]), LSTM(2)])
        model.compile("sgd", "mse")
        flat = model.trace(x, model.predict(x, verbose=0))
    ax = plots.gradient_flow(flat)  # nothing but zeros has no place on a logarithmic axis
    assert ax.get_yscale() == "linear"
    drawn(ax)
    with pytest.raises(ValueError, match="no gradients"):
        plots.gradient_flow(traced(x, LSTM(2), y=False))


# ------------------------------------------------------------------------------------------- cells
def test_cell_of_a_unit_has_its_numbers_and_equations(trace):
    lstm, at = trace["lstm"], (2, 3, 1)
    ax = plots.cell(trace, t=3, sample=2, unit=1)
    texts = drawn(ax)
    written = dict(text.split(" = ") for text in texts if text.count(" = ") == 1)
    for name in "f i g o c h z_f z_i z_g z_o c_prev".split():
        value = getattr(lstm, name)[at]
        assert float(written[name]) == pytest.approx(value, rel=0.005), name
    assert float(written["i × g"]) == pytest.approx(lstm.i[at] * lstm.g[at], rel=0.005)
    assert float(written["f × c_prev"]) == pytest.approx(lstm.f[at] * lstm.c_prev[at], rel=0.005)
    (equation,) = (text for text in texts if text.startswith("c = f × c_prev + i × g"))
    numbers = equation.split("  =  ")[1].replace("+", "×").split("×")
    shown = [float(number.strip(" ()")) for number in numbers]
    f, c_prev, i, g = shown
    assert f * c_prev + i * g == pytest.approx(float(equation.split("  =  ")[2]), rel=0.02)
    assert texts.count("×") == 3 and texts.count("+") == 1
    assert ax.get_title() == "lstm: unit 1 of sample 2 at step 3"
    assert ax.figure.get_size_inches()[0] * ax.figure.dpi == 1200


def test_cell_of_all_units_has_strips(trace, wide):
    lstm = wide["lstm"]
    ax = plots.cell(wide, sample=1)
    texts = drawn(ax)
    assert f"f, mean {lstm.f[1, -1].mean():.3g}" in texts
    assert "h_prev: 30 values" in texts and "x[41]: 18 values" in texts
    assert len(ax.images) == 14 + 2
    from matplotlib import colormaps

    strips = [image.get_array()[0] for image in ax.images]
    colours = colormaps["viridis"](lstm.f[1, -1])
    assert sum(len(strip) == 30 and np.allclose(strip, colours) for strip in strips) == 1
    assert "all 30 units" in ax.get_title()


def test_cell_of_the_only_unit_and_of_a_masked_step(x, masked):
    lone = traced(x, RNN(LSTMCell(1, activation="softsign")), y=False)
    texts = drawn(plots.cell(lone))
    assert any(text.startswith("f = ") for text in texts) and "softsign" in texts
    assert not any("tanh" in text for text in texts)
    (shown,) = (text for text in texts if text.startswith("softsign(c) = "))
    (equation,) = (text for text in texts if text.startswith("h = o × softsign(c)  =  "))
    assert equation.split(" × ")[2].split("  =  ")[0].strip("()") == shown.split(" = ")[1]
    texts = drawn(plots.cell(masked, t=4, unit=0))
    assert "This step is masked, and passed over:" in texts


@pytest.mark.parametrize(
    "draw, arguments, error",
    [
        (plots.cell, {"t": 6}, "t must be an integer from 0 to 5, got 6"),
        (plots.cell, {"unit": 4}, "unit must be an integer from 0 to 3, got 4"),
        (plots.cell, {"sample": 3}, "sample must be an integer from 0 to 2, got 3"),
        (plots.gates, {"sample": -4}, "sample must be an integer from 0 to 2, got -4"),
        (plots.states, {"units": -5}, "unit must be an integer from 0 to 3, got -5"),
        (plots.cell, {"t": 1.0}, "t must be an integer, got 1.0"),
        (plots.gates, {"sample": True}, "sample must be an integer, got True"),
        (plots.states, {"units": "ab"}, "unit must be an integer, got 'a'"),
        (plots.states, {"units": 0.5}, "unit must be an integer, got 0.5"),
    ],
)
def test_no_such_place(draw, arguments, error, trace):
    with pytest.raises(IndexError if " from " in error else TypeError, match=error):
        draw(trace, **arguments)


def test_pictures_are_of_one_lstm(x):
    both = traced(x, Bidirectional(LSTM(2)), Dense(1))
    for draw in (plots.gates, plots.states, plots.gradient_flow, plots.cell):
        with pytest.raises(ValueError, match="2 LSTMs"):
            draw(both)
        with pytest.raises(TypeError, match="no gates"):
            draw(both["dense"])


# ------------------------------------------------------------------------------------------ shapes
def test_shapes_shows_what_leaves_each_layer(x):
    layers = LSTM(5, return_sequences=True), LSTM(4, stateful=True), Dense(2)
    model = Sequential([Input(batch_shape=(3, 6, 2)), *layers])
    model.layers[1].set_states([np.full((3, 4), 0.5)] * 2)
    before = model.layers[1].states
    ax = plots.shapes(model, x, title="Shapes")
    texts = drawn(ax)
    assert {"3 × 6 × 2", "3 × 6 × 5", "3 × 4", "3 × 2"} <= set(texts)
    assert {"lstm", "lstm_1", "dense", "LSTM", "Dense"} <= set(texts)
    with npylstm.using_backend("numpy"):
        expected = model.trace(x)
    assert f"{expected.outputs[0][0, 1]:.3g}" in texts and f"{x[0, 5, 1]:.3g}" in texts
    assert ax.get_title() == "Shapes"
    np.testing.assert_array_equal(model.layers[1].states, before)


def test_shapes_of_integers_and_long_axes():
    model = Sequential([Input((40,)), Embedding(30, 9), LSTM(50), Dense(1)])
    numbers = np.arange(80).reshape(2, 40) % 30
    texts = drawn(plots.shapes(model, numbers))
    assert {"2 × 40", "samples × timesteps", "2 × 40 × 9", "2 × 50", "…"} <= set(texts)
    assert {"0", "1", "9"} <= set(texts)
    with pytest.raises(ValueError, match="no layers"):
        plots.shapes(Sequential(), numbers)
    with pytest.raises(TypeError, match="shapes takes a npylstm.Sequential, got LSTM"):
        plots.shapes(model.layers[1], numbers)
    with pytest.raises(ValueError, match="takes arrays of shape"):
        plots.shapes(model, numbers[:, :7])

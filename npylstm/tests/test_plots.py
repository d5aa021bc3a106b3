import builtins
import io
import subprocess
import sys

import numpy as np
import pytest

from npylstm import plots

pytest.importorskip("matplotlib")

CURVES = {"loss": [3.0, 2.0, 1.5], "accuracy": [0.1, 0.5, 0.9]}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def png(ax):
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, format="png")
    return buffer.getvalue()


def test_history_has_loss_left_accuracy_right_and_one_legend():
    ax = plots.history(CURVES, title="Run")
    left, right = ax.figure.axes
    assert left is ax
    assert left.get_title() == "Run"
    assert (left.get_xlabel(), left.get_ylabel()) == ("epoch", "loss (mean over samples)")
    assert right.get_ylabel() == "accuracy (%)"
    np.testing.assert_array_equal(left.lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(left.lines[0].get_ydata(), CURVES["loss"])
    np.testing.assert_allclose(right.lines[0].get_ydata(), [10, 50, 90])
    assert right.get_legend() is None
    assert [t.get_text() for t in left.get_legend().get_texts()] == ["loss", "accuracy"]
    assert left.lines[0].get_color() != right.lines[0].get_color()
    assert png(ax).startswith(b"\x89PNG")


def test_history_draws_validation_dashed():
    ax = plots.history(CURVES | {"val_loss": [3, 3, 3], "val_accuracy": [0, 0, 0]})
    left, right = ax.figure.axes
    assert [line.get_linestyle() for line in left.lines] == ["-", "--"]
    assert [line.get_linestyle() for line in right.lines] == ["-", "--"]


def test_history_takes_what_fit_returns_and_a_loss_alone():
    class History:
        history = {"loss": [1.0]}

    ax = plots.history(History())
    assert len(ax.figure.axes) == 1
    assert ax.lines[0].get_marker() == "o"  # one epoch would be invisible as a line


def test_history_draws_into_given_axes():
    given = plots.figure().add_subplot()
    assert plots.history(CURVES, ax=given) is given


def test_history_without_loss():
    with pytest.raises(ValueError, match="no 'loss', only .'accuracy'"):
        plots.history({"accuracy": [1.0]})


def test_histories_share_one_figure():
    axes = plots.histories({name: CURVES for name in "abcd"})
    assert [ax.get_title() for ax in axes] == list("abcd")
    assert len({id(ax.figure) for ax in axes}) == 1
    with pytest.raises(ValueError, match="empty"):
        plots.histories({})


def test_tensor_shows_every_number_and_axis():
    x = np.arange(2 * 5 * 3).reshape(2, 5, 3) / 10
    shown = texts(plots.tensor(x, title="Two people"))
    assert {f"{v:.3g}" for v in x.ravel()} <= set(shown)
    assert {"samples = 2", "timesteps = 5", "features = 3"} <= set(shown)
    assert {"sample 0", "sample 1", "t=0", "t=4"} <= set(shown)


def test_tensor_shortens_long_axes():
    shown = texts(plots.tensor(np.zeros((50, 40, 30))))
    assert {"samples = 50", "timesteps = 40", "features = 30"} <= set(shown)
    assert {"sample 0", "sample 49", "t=39", "…", "· · ·"} <= set(shown)
    assert len(shown) < 250


def test_tensor_keeps_numbers_inside_their_boxes():
    x = np.array([-1.23456e-9, 0.000194, -123456.0, 7e22, 0.1 + 0.2]).reshape(1, 5, 1)
    numbers = texts(plots.tensor(x))[:5]
    assert max(map(len, numbers)) <= 7
    np.testing.assert_allclose([float(n) for n in numbers], x.ravel(), rtol=0.05)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (0, 2, 1), (1, 2, 3, 4)])
def test_tensor_wants_three_axes(shape):
    with pytest.raises(ValueError, match="samples, timesteps, features"):
        plots.tensor(np.zeros(shape))


def test_flow_shows_vectors_states_and_answer():
    x, h = np.arange(10).reshape(5, 2), np.linspace(-1, 1, 5 * 32).reshape(5, 32)
    ax = plots.flow(x, h, output=0.25)
    shown = texts(ax)
    assert {f"x[{t}]" for t in range(5)} | {f"h[{t + 1}]" for t in range(5)} <= set(shown)
    assert shown.count("LSTM") == 5
    assert "Dense\n0.25" in shown
    assert len(ax.images) == 5
    np.testing.assert_array_equal(ax.images[2].get_array()[:, 0], h[2])
    assert png(ax).startswith(b"\x89PNG")


def test_flow_without_answer_and_with_zero_states():
    assert not any(
        "Dense" in text for text in texts(plots.flow(np.ones((20, 9)), np.zeros((20, 4))))
    )


@pytest.mark.parametrize("x, h", [((5, 2), (4, 32)), ((5,), (5, 32)), ((1, 5, 2), (5, 32))])
def test_flow_wants_matching_timesteps(x, h):
    with pytest.raises(ValueError, match="timesteps"):
        plots.flow(np.zeros(x), np.zeros(h))


def test_missing_matplotlib_says_what_to_install(monkeypatch):
    real_import = builtins.__import__

    def no_matplotlib(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    for draw in (lambda: plots.history(CURVES), lambda: plots.tensor(np.ones((1, 1, 1)))):
        with pytest.raises(ImportError, match=r"pip install 'npylstm\[plot\]'"):
            draw()


def test_importing_plots_imports_no_matplotlib_and_drawing_no_pyplot():
    program = """
import sys
from npylstm import plots
assert "matplotlib" not in sys.modules
plots.history({"loss": [1.0, 0.5]})
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)

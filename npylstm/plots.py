"""Pictures of training and of tensors, drawn with matplotlib.

Every function draws one figure and returns its `Axes`; ``ax.figure.savefig("loss.png")`` writes it.
The figures are made without pyplot, so they need no screen and leave nothing open behind them.
"""

import math

import numpy as np

from . import _boxes
from ._boxes import BLUE, INCHES, ORANGE, WIDE


def figure(width=6.4, height=4.2):
    """Make an empty figure that needs no screen.

    Parameters
    ----------
    width, height : float
        Size in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'npylstm[plot]'") from error
    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def history(history, ax=None, title=None):
    """Draw the curves of a training run: loss on the left axis, accuracy on the right.

    Parameters
    ----------
    history : History or dict
        What `fit` returns, or its `history`: name -> one value an epoch.  Drawn are `loss`,
        `accuracy` and, dashed, `val_loss` and `val_accuracy`, as far as they were recorded.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes
        The left axis, with the legend of both.

    Raises
    ------
    ValueError
        If no loss was recorded.
    ImportError
        If matplotlib is not installed.
    """
    curves = getattr(history, "history", history)
    if "loss" not in curves:
        raise ValueError(f"history holds no 'loss', only {sorted(curves)}")
    ax = figure().add_subplot() if ax is None else ax
    lines = _curves(ax, curves, "loss", BLUE, scale=1)
    ax.set(xlabel="epoch", ylabel="loss (mean over samples)", title=title)
    ax.set_ylim(bottom=0)
    ax.yaxis.label.set_color(BLUE)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if "accuracy" in curves:
        right = ax.twinx()
        lines += _curves(right, curves, "accuracy", ORANGE, scale=100)
        right.set(ylabel="accuracy (%)", ylim=(0, 104))
        right.yaxis.label.set_color(ORANGE)
    # Below the axes: inside them any corner may hide a curve.
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False}
    ax.legend(handles=lines, ncols=len(lines), **below)
    return ax


def histories(histories):
    """Draw several training runs side by side, each as `history` draws it.

    Parameters
    ----------
    histories : dict
        Title -> History or dict, in the order to draw them.

    Returns
    -------
    list of matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `histories` is empty or one of them holds no loss.
    ImportError
        If matplotlib is not installed.
    """
    if not histories:
        raise ValueError("histories is empty")
    columns = min(3, len(histories))
    rows = math.ceil(len(histories) / columns)
    panels = figure(5.0 * columns, 3.9 * rows)
    return [
        history(one, panels.add_subplot(rows, columns, place), title)
        for place, (title, one) in enumerate(histories.items(), start=1)
    ]


def tensor(x, ax=None, title=None):
    """Draw a tensor as boxes with the numbers in them: one sheet a sample.

    Timesteps run downwards, features to the right and samples to the back.  Of a long axis the
    first entries and the last one are drawn.

    Parameters
    ----------
    x : array_like, shape (samples, timesteps, features)
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `x` has not three axes, or one of them is empty.
    ImportError
        If matplotlib is not installed.
    """
    x = np.asarray(x)
    if x.ndim != 3 or not x.size:
        raise ValueError(f"x must be (samples, timesteps, features), none empty, got {x.shape}")
    samples, steps, features = map(_boxes.shown, x.shape, (4, 10, 6))
    across, behind = WIDE * len(features) + 1.7, len(samples) - 1
    right, top = across * (behind + 1), len(steps) + 0.7 * behind + 2.2
    left, right = -3.2, max(right, 5.5)
    ax = _figure_of(right - left, top + 2.4) if ax is None else ax
    _boxes.tensor(x, samples, steps, features, ax)
    return _boxes.finish(ax, left, right, -2.4, top, title)


def flow(x, h, ax=None, title=None, output=None):
    """Draw how one sample passes through an LSTM: x[t] goes in, h[t+1] comes out, step by step.

    Parameters
    ----------
    x : array_like, shape (timesteps, features)
        One sample.
    h : array_like, shape (timesteps, units)
        The states that `LSTM(units, return_sequences=True)` answers with: a coloured strip each.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional
    output : float, optional
        What a Dense(1) layer makes of the last state; drawn at the end of the chain.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `x` or `h` has not two axes, or they differ in timesteps.
    ImportError
        If matplotlib is not installed.
    """
    x, h = np.asarray(x), np.asarray(h)
    if x.ndim != 2 or h.ndim != 2 or len(x) != len(h) or not x.size * h.size:
        raise ValueError(
            f"x must be (timesteps, features) and h (timesteps, units), got {x.shape} and {h.shape}"
        )
    steps, features = _boxes.shown(len(x), 10), _boxes.shown(x.shape[1], 6)
    right, bottom = 3.2 * len(steps) + (-1 if output is None else 2.2), -len(features) - 1.2
    ax = _figure_of(right + 7, 10.2 - bottom) if ax is None else ax
    _boxes.flow(x, h, steps, features, output, ax)
    return _boxes.finish(ax, -4.2, right, bottom, 10.2, title)


def _figure_of(across, down):
    """Make axes for boxes, so large that a number fits into its box."""
    return figure(INCHES * across, INCHES * down + 0.4).add_subplot()


def _curves(ax, curves, name, color, scale):
    """Draw `name` and its validation curve against the epoch, counted from 1."""
    lines = []
    for key, style in ((name, "-"), (f"val_{name}", "--")):
        if key in curves:
            values = scale * np.asarray(curves[key])
            epochs = np.arange(1, len(values) + 1)
            marker = "o" if len(values) == 1 else None  # one point alone makes no line
            lines += ax.plot(epochs, values, style, color=color, lw=1.4, marker=marker, label=key)
    return lines

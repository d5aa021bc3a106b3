"""The curves of training runs."""

import math

import numpy as np

from .boxes import BLUE, ORANGE
from .figures import figure


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

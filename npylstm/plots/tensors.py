"""Tensors as boxes with the numbers in them."""

import numpy as np

from ..backends import using_backend
from ..layers import Embedding
from ..models import Sequential
from . import boxes
from .boxes import INCHES, WIDE
from .figures import figure


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
    samples, steps, features = map(boxes.shown, x.shape, (4, 10, 6))
    across, behind = WIDE * len(features) + 1.7, len(samples) - 1
    right, top = across * (behind + 1), len(steps) + 0.7 * behind + 2.2
    left, right = -3.2, max(right, 5.5)
    ax = _figure_of(right - left, top + 2.4) if ax is None else ax
    boxes.tensor(x, samples, steps, features, ax)
    return boxes.finish(ax, left, right, -2.4, top, title)


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
    steps, features = boxes.shown(len(x), 10), boxes.shown(x.shape[1], 6)
    right, bottom = 3.2 * len(steps) + (-1 if output is None else 2.2), -len(features) - 1.2
    ax = _figure_of(right + 7, 10.2 - bottom) if ax is None else ax
    boxes.flow(x, h, steps, features, output, ax)
    return boxes.finish(ax, -4.2, right, bottom, 10.2, title)


def _figure_of(across, down):
    """Make axes for boxes, so large that a number fits into its box."""
    return figure(INCHES * across, INCHES * down + 0.4).add_subplot()


def shapes(model, x, ax=None, title=None):
    """Draw what goes into a model and what leaves each layer: boxes in a row, with the numbers.

    Each box is the first sample; timesteps run downwards, features to the right, as far as there is
    room, and the other samples stand behind it.  Its shape stands below.  Nothing is changed in the
    model: states that it carries are put back.

    Parameters
    ----------
    model : Sequential
    x : array (B, T, D), (B, F), or of integers for an Embedding (B, T)
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If it is no model, has no layers, or x does not fit.
    ImportError
        If matplotlib is not installed.
    """
    stages = _stages(model, x)
    sizes = [boxes.stage_size(values, axis) for _, _, values, axis in stages]
    # Between two boxes, for an arrow and the layer's name, however long it is.
    room = 1.4 + max(3.0, *(0.28 * len(name) for name, *_ in stages[1:]))
    across = sum(wide for wide, _ in sizes) + room * (len(sizes) - 1) + 2.5
    tall = max(high for _, high in sizes)
    ax = _figure_of(across + 1, tall + 4) if ax is None else ax
    left = 0.0
    for (name, kind, values, axis), (wide, high) in zip(stages, sizes, strict=True):
        if name:
            boxes.arrow(ax, (left - room + 0.3, 0), (left - 0.4, 0))
            ax.text(left - room / 2, 0.25, name, ha="center", va="bottom")
            ax.text(left - room / 2, -0.25, kind, ha="center", va="top", color="0.35")
        boxes.stage(ax, values, left, -high / 2, axis)
        left += wide + room
    return boxes.finish(ax, -1, across - 1, -tall / 2 - 2.4, tall / 2 + 1.2, title or model.name)


def _stages(model, x):
    """Return (name, kind, values, axes) of what goes in, and of what leaves each layer."""
    if not isinstance(model, Sequential):
        raise TypeError(f"shapes takes a npylstm.Sequential, got {type(model).__name__}")
    if not model.layers:
        raise ValueError(f"model {model.name!r} has no layers; add some first")
    with using_backend("numpy"):  # nothing is compiled for a picture
        trace = model.trace(x)
    steps_of_numbers = isinstance(model.layers[0], Embedding) and trace.x.ndim == 2
    stages = [(None, None, trace.x, "timesteps" if steps_of_numbers else None)]
    for layer in model.layers:
        stages.append((layer.name, type(layer).__name__, trace[layer.path].y, None))
    return stages

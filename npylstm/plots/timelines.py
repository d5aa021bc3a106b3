"""What stateful layers carry from batch to batch."""

import textwrap

import numpy as np

from ..diagnostics import Timeline
from ..errors import positive_integer
from .figures import figure
from .traces import LINES


def state_timeline(timeline, layer=None, last=200, ax=None, title=None):
    """Draw the states of one layer over the batches: their norms, and where they were reset.

    A line goes on where states were carried over.  It breaks where they were reset (a dashed line,
    orange) or changed by something else (dotted).  Ticks below are the batches with which epochs
    begin; evaluation has a grey ground.

    Parameters
    ----------
    timeline : Timeline or StateTimeline
    layer : str, optional
        The path; may be left out if there is only one.
    last : int or None
        How many batches to draw: the last ones, or all.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If it is no timeline.
    ValueError
        If there is no such layer, several and none was chosen, or no batch has run.
    ImportError
        If matplotlib is not installed.
    """
    timeline = getattr(timeline, "timeline", timeline)
    if not isinstance(timeline, Timeline):
        raise TypeError(
            "pass a StateTimeline, or what diagnostics.state_timeline returns, got "
            f"{type(timeline).__name__}"
        )
    paths = list(timeline.layers)
    if not paths:
        raise ValueError("the timeline is empty: run batches with it first")
    if layer is None and len(paths) > 1 or layer is not None and layer not in paths:
        given = "pass one of them" if layer is None else f"got {layer!r}"
        raise ValueError(f"layer: there are {', '.join(paths)}; {given}")
    path = paths[0] if layer is None else layer
    record, N = timeline.layers[path], len(timeline.batch)
    start = 0 if last is None else max(0, N - positive_integer("last", last))
    kinds, ends = record.begin[start:], np.arange(start, N) + 1
    ax = figure(8.5, 4).add_subplot() if ax is None else ax
    dots = "o" if N - start <= 60 else None
    norms = {"c": (record.c_begin, record.c_end), "h": (record.h_begin, record.h_end)}
    for (name, (begin, end)), color in zip(norms.items(), LINES, strict=False):
        at, values = _unbroken(kinds, begin[start:], end[start:], start)
        ax.plot(at, values, color=color, lw=1.4, label=f"norm of {name}")
        ax.plot(ends, end[start:], ls="", marker=dots, ms=4, color=color)
    for number, unit in enumerate(timeline.units[:2]):
        values, color = record.unit_h[start:, number], LINES[2 + number]
        at, values = _unbroken(kinds, np.full(len(values), np.nan), values, start)
        label = f"h of unit {unit}, sample {timeline.sample}"
        ax.plot(at, values, color=color, lw=1, marker=dots, ms=2.5, label=label)
    for kind, style, color in (("reset", "--", LINES[5]), ("set", ":", LINES[4])):
        label = {"reset": "reset", "set": "changed by something else"}[kind]
        for place in np.flatnonzero(kinds == kind):
            ax.axvline(start + place, ls=style, color=color, lw=1.1, label=label, zorder=0)
            label = None
    _evaluation(ax, timeline.mode, start)
    _epochs(ax, timeline, start)
    ax.set(xlim=(start, N), ylabel="state (norm over the units)")
    words = textwrap.wrap(timeline.words, 110)
    if start or len(paths) > 1:
        words.insert(0, f"{path}, the last {last} of {N} batches" if start else path)
    ax.set_title(title or "\n".join(words), fontsize=9)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False}
    ax.legend(ncols=5, fontsize=8.5, **below)
    return ax


def _unbroken(kinds, begin, end, start):
    """Return the points of a line that runs through carried states and breaks at others."""
    at, values = [], []
    for n, kind in enumerate(kinds):
        if kind != "carried" or not n:
            at += [start + n, start + n]
            values += [np.nan, begin[n]]
        at.append(start + n + 1)
        values.append(end[n])
    return at, values


def _evaluation(ax, mode, start):
    """Shade what is not training, if there is training too."""
    if "train" not in mode:
        return
    there = np.concatenate([[0], mode[start:] != "train", [0]]).astype(int)
    label = "evaluation"
    for left, right in np.flatnonzero(np.diff(there)).reshape(-1, 2) + start:
        ax.axvspan(left, right, color="0.93", zorder=-1, lw=0, label=label)
        label = None


def _epochs(ax, timeline, start):
    """Mark the batches with which runs and epochs begin."""
    places = np.stack([timeline.run, timeline.epoch], axis=1)
    begins = [0, *(np.flatnonzero((np.diff(places, axis=0) != 0).any(axis=1)) + 1).tolist()]
    numbered = [(place, number) for number, place in enumerate(begins) if place >= start]
    if len(begins) == 1 or not numbered:
        ax.set_xlabel("batches")
        return
    at, numbers = zip(*numbered[:: -(-len(numbered) // 12)], strict=True)
    ax.set_xticks(at, numbers)
    ax.set_xlabel("epochs, each where it begins")

"""What stateful layers carry from batch to batch."""

import numpy as np

from .figures import figure
from .traces import LINES


def state_timeline(timeline, layer=None, ax=None, title=None):
    """Draw the states of one layer over the batches: their norms, and where they were reset.

    A line goes on where states were carried over.  It breaks where they were reset (a dashed line,
    orange) or changed by something else (dotted).  Ticks below are the batches with which epochs
    begin; evaluation has a grey ground.

    Parameters
    ----------
    timeline : Timeline or StateTimeline
    layer : str, optional
        The path; may be left out if there is only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no such layer, several and none was chosen, or no batch has run.
    ImportError
        If matplotlib is not installed.
    """
    timeline = getattr(timeline, "timeline", timeline)
    paths = list(timeline.layers)
    if not paths:
        raise ValueError("the timeline is empty: run batches with it first")
    if layer is None and len(paths) > 1 or layer is not None and layer not in paths:
        given = "pass one of them" if layer is None else f"got {layer!r}"
        raise ValueError(f"layer: there are {', '.join(paths)}; {given}")
    path = paths[0] if layer is None else layer
    record = timeline.layers[path]
    ax = figure(8.5, 4).add_subplot() if ax is None else ax
    N = len(record.begin)
    dots = "o" if N <= 60 else None
    lines = {"norm of c": (record.c_begin, record.c_end), "norm of h": (record.h_begin, record.h_end)}
    for (label, (begin, end)), color in zip(lines.items(), LINES, strict=False):
        at, values = _unbroken(record.begin, begin, end)
        ax.plot(at, values, color=color, lw=1.4, label=label)
        ax.plot(np.arange(N) + 1, end, ls="", marker=dots, ms=4, color=color)
    for number, unit in enumerate(timeline.units[: len(LINES) - 3]):
        label = f"h of unit {unit}, sample {timeline.sample}"
        ends = np.arange(N) + 1
        ax.plot(ends, record.unit_h[:, number], color=LINES[number + 3], lw=1, label=label)
    many = N > 400  # then they would be a wall
    for kind, style in (("reset", "--"), ("set", ":")):
        where = np.flatnonzero(record.begin == kind)
        count = f"{kind} ({len(where)} time{'s' * (len(where) != 1)})"
        for place in where[:: max(1, len(where) // 60)]:
            thin = {"color": LINES[4 if kind == "set" else 5], "lw": 0.5 if many else 1.0}
            ax.axvline(place, ls=style, label=count, zorder=0, **thin)
            count = None
    _evaluation(ax, timeline.mode)
    _epochs(ax, timeline)
    ax.set(xlim=(0, N), ylabel="state (norm over the units)")
    ax.set_title(title or timeline.words if len(timeline.words) < 90 else title or path, fontsize=10)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False}
    ax.legend(ncols=4, **below)
    return ax


def _unbroken(kinds, begin, end):
    """Return the points of a line that runs through carried states and breaks at others."""
    at, values = [], []
    for n, kind in enumerate(kinds):
        if kind != "carried":
            at += [n, n]
            values += [np.nan, begin[n]]
        at.append(n + 1)
        values.append(end[n])
    return at, values


def _evaluation(ax, mode):
    """Shade what is not training, if there is training too."""
    if "train" not in mode:
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mode != "train", [0]]).astype(int)))
    label = "evaluation"
    for left, right in edges.reshape(-1, 2):
        ax.axvspan(left, right, color="0.93", zorder=-1, lw=0, label=label)
        label = None


def _epochs(ax, timeline):
    """Mark the batches with which runs and epochs begin."""
    places = np.stack([timeline.run, timeline.epoch], axis=1)
    new = np.flatnonzero((np.diff(places, axis=0) != 0).any(axis=1)) + 1
    starts = [0, *new.tolist()]
    if len(starts) == 1:
        ax.set_xlabel("batches")
        return
    every = -(-len(starts) // 12)
    ax.set_xticks(starts[::every], range(0, len(starts), every))
    ax.set_xlabel("epochs: where each begins" + (", at batch 0" if every == 1 else ""))

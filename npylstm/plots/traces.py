"""What happens inside an LSTM over time, from its trace."""

import numpy as np

from ..diagnostics import gradient_norm
from ..diagnostics.choose import one_lstm
from ..errors import index
from .boxes import number
from .figures import figure

# The palette of Okabe and Ito 2008, which colour-blind readers can tell apart, without its yellow.
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
FAINT = "0.82"
GATES, SIGNED = "viridis", "RdBu_r"  # perceptually even; diverging around 0
MEANINGS = {
    "x": "input",
    "i": "input gate",
    "f": "forget gate",
    "g": "candidate",
    "o": "output gate",
    "c": "cell state",
    "h": "hidden state",
}


def gates(trace, sample=0, title=None):
    """Draw the gates and states of one sample as heatmaps, the input above: units by time.

    Colours mean the same in every picture: the gates i, f, o from 0 to 1; g, c and h from -1 to 1,
    or further if c, or another activation, goes further; x as far as it goes, with 0 in the middle.
    Steps that were passed over are hatched.  Small heatmaps have their numbers in them.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
    sample : int
    title : str, optional

    Returns
    -------
    list of matplotlib.axes.Axes
        Of x, i, f, g, o, c, h, from top to bottom.

    Raises
    ------
    TypeError, ValueError, IndexError
        If it is not the trace of an LSTM, or there is no such sample.
    ImportError
        If matplotlib is not installed.
    """
    trace = one_lstm(trace)
    sample = index("sample", sample, len(trace.h))
    arrays = {name: getattr(trace, name)[sample].T for name in MEANINGS}  # (D or U, T)
    (D, T), U = arrays["x"].shape, len(arrays["f"])
    heights = [min(max(0.2 * rows, 0.55), 1.5) for rows in (D, *[U] * 6)]
    wide = min(max(3.2 + 0.55 * T, 5.0), 11.0)
    fig = figure(wide, sum(heights) + 0.12 * 7 + 1.0)
    axes = fig.subplots(7, sharex=True, squeeze=False, height_ratios=heights)[:, 0].tolist()
    for ax, (name, values) in zip(axes, arrays.items(), strict=True):
        limits = _limits(name, values)
        image = ax.imshow(
            values,
            aspect="auto",
            interpolation="nearest",
            cmap=GATES if name in "ifo" else SIGNED,
            vmin=limits[0],
            vmax=limits[1],
        )
        bar = fig.colorbar(image, ax=ax, pad=0.015, aspect=8, fraction=0.06)
        bar.set_ticks([limits[0], sum(limits) / 2, limits[1]])
        bar.ax.set_yticklabels([number(tick) for tick in bar.get_ticks()], fontsize=7)
        ax.set_ylabel(f"$\\bf{{{name}}}$\n{MEANINGS[name]}", rotation=0, ha="right", va="center")
        ax.yaxis.set_label_coords(-0.34 / (wide - 2.4), 0.5)
        _rows(ax, len(values))
        if T <= 10 and len(values) <= 8:
            _numbers(ax, image, values, None if trace.mask is None else trace.mask[sample])
        hatch_masked(ax, trace, sample)
    time_axis(axes[-1], trace)
    fig.suptitle(title or f"{trace.path}: the gates of {U} unit{'s' * (U > 1)}, sample {sample}")
    return axes


def _limits(name, values):
    """Return between which values the colours of an array run."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0
    if name in "ifo" and values.min(initial=0) >= 0 and largest <= 1:
        return 0.0, 1.0
    largest = largest if name == "x" else max(1.0, largest)
    return -largest, largest


def _rows(ax, rows):
    """Label the rows of a heatmap with numbers, not closer than can be read."""
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 10**9) if rows / step <= 7)
    ax.set_yticks(range(0, rows, every), range(0, rows, every), fontsize=7)


def _numbers(ax, image, values, mask):
    """Write each value into its field, dark on light and light on dark."""
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            dark = dark and (mask is None or mask[column])  # masked fields are made lighter
            color = "white" if dark else "black"
            text = f"{value:.2f}".replace("-0.00", "0.00") if abs(value) < 10 else number(value)
            ax.text(column, row, text, ha="center", va="center", fontsize=6.5, color=color)


def hatch_masked(ax, trace, sample, **style):
    """Hatch the steps that were passed over."""
    if trace.mask is None:
        return
    style = {"facecolor": (1, 1, 1, 0.6), "edgecolor": "0.6", "hatch": "///", "lw": 0} | style
    for step in np.flatnonzero(~np.asarray(trace.mask[sample], bool)):
        ax.axvspan(step - 0.5, step + 0.5, **style)


def time_axis(ax, trace):
    """Label the axis of steps with the timesteps that they read."""
    T = len(trace.timesteps)
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if T / step <= 16)
    steps = [step for step in range(T) if trace.timesteps[step] % every == 0]
    ax.set_xticks(steps, [int(trace.timesteps[step]) for step in steps])
    ax.set_xlabel("timestep" + (", read from the end" if trace.reverse else ""))


def states(trace, sample=0, units=None, which="c", ax=None, title=None):
    """Draw how states move through time, from the initial state on.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
    sample : int
    units : int or sequence of int, optional
        Whose lines have a colour and a name, six at most; those that move most, unless given.
        The others are drawn faintly.
    which : {"c", "h"}
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError, IndexError
        If it is not the trace of an LSTM, or there is no such state, unit or sample.
    ImportError
        If matplotlib is not installed.
    """
    trace = one_lstm(trace)
    sample = index("sample", sample, len(trace.h))
    if which not in ("c", "h"):
        raise ValueError(f"which must be 'c' or 'h', got {which!r}")
    start = trace.c0 if which == "c" else trace.h0
    lines = np.concatenate([start[sample][None], getattr(trace, which)[sample]])  # (T+1, U)
    named = _named_units(units, lines)
    ax = figure(7.5, 4).add_subplot() if ax is None else ax
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    steps, dots = np.arange(len(lines)) - 1, "o" if len(lines) <= 12 else None
    for unit in range(lines.shape[1]):
        if unit not in named:
            ax.plot(steps, lines[:, unit], color=FAINT, lw=0.8, zorder=1)
    for unit, color in zip(named, LINES, strict=False):
        ax.plot(steps, lines[:, unit], color=color, lw=1.8, marker=dots, ms=4, label=f"unit {unit}")
    hatch_masked(ax, trace, sample, facecolor="none", edgecolor="0.8", zorder=0)
    time_axis(ax, trace)
    ticks = [tick for tick in ax.get_xticks() if tick > 0 or len(lines) < 14]
    labels = [str(int(trace.timesteps[int(tick)])) for tick in ticks]
    ax.set_xticks([-1, *ticks], ["start", *labels])
    ax.set_ylabel(f"{MEANINGS[which]} {which}")
    ax.set_title(title or f"{trace.path}: the {MEANINGS[which]} {which} of sample {sample}")
    # In the order of the lines' ends, beside them.
    handles, labels = ax.get_legend_handles_labels()
    order = np.argsort(-lines[-1, named], kind="stable")
    handles, labels = [handles[n] for n in order], [labels[n] for n in order]
    others = lines.shape[1] - len(named)
    if others:
        handles.append(ax.lines[1])
        labels.append(f"{others} other{'s' * (others > 1)}")
    beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False}
    ax.legend(handles, labels, **beside)
    return ax


def _named_units(units, lines):
    """Return the units to name: those asked for, or the six at most that move most."""
    U = lines.shape[1]
    if units is None:
        moves = lines.max(axis=0) - lines.min(axis=0)
        return np.argsort(-moves, kind="stable")[: len(LINES) if len(LINES) >= U else 5].tolist()
    units = list(units) if np.iterable(units) else [units]
    if not 0 < len(units) <= len(LINES):
        raise ValueError(f"name one unit to {len(LINES)} units, got {len(units)}")
    return [index("unit", unit, U) for unit in units]


def gradient_flow(trace, ax=None, title=None):
    """Draw how large the gradients of h, c and z are at each step, on their way back from the last.

    The lines are the means over the samples of the norms over the units; within the bands of dh and
    dc lie eight samples of ten.  The axis is logarithmic: a straight line loses, or gains, the
    same factor at each step.  What is 0 cannot be on it.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
        Made with targets.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If it is not the trace of an LSTM, or has no gradients.
    ImportError
        If matplotlib is not installed.
    """
    trace = one_lstm(trace, gradients=True)
    flow = gradient_norm(trace)
    dz = np.concatenate([getattr(trace, f"dz_{gate}") for gate in "ifgo"], axis=-1)
    norms = {"dh": flow.dh.norm, "dc": flow.dc.norm, "dz": np.linalg.norm(dz, axis=-1)}
    ax = figure(7.5, 4.2).add_subplot() if ax is None else ax
    steps = np.arange(len(flow.timesteps))
    for (name, norm), color, style in zip(norms.items(), LINES, ("-", "-", ":"), strict=False):
        # 0 has no place on a logarithmic axis; NaN leaves a gap.
        mean, (low, high) = norm.mean(axis=0), np.percentile(norm, (10, 90), axis=0)
        mean, low, high = (np.where(line > 0, line, np.nan) for line in (mean, low, high))
        marker = "o" if len(steps) <= 12 else None
        change = getattr(flow, name, None)
        label = name if change is None or change.trend == "none" else (
            f"{name}: {change.trend}, × {number(change.rate)} a step back"
        )  # fmt: skip
        ax.plot(steps, mean, style, color=color, lw=1.8, marker=marker, ms=4, label=label)
        if len(norm) > 1 and name != "dz":
            ax.fill_between(steps, low, high, color=color, alpha=0.13, lw=0)
    if any(norm.any() for norm in norms.values()):
        ax.set_yscale("log")
    time_axis(ax, trace)
    ax.set_xlabel(f"{ax.get_xlabel()}    ◂  gradients flow from right to left")
    ax.set_ylabel("norm of the loss's gradient")
    B = len(flow.dh.norm)
    many = f", mean of {B} samples" if B > 1 else ""
    ax.set_title(title or f"{trace.path}: gradients on their way back{many}")
    ax.grid(axis="y", color="0.9", lw=0.6)
    # Below the axes: inside them any corner may hide a curve.
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "frameon": False}
    ax.legend(ncols=3, fontsize=9, **below)
    return ax

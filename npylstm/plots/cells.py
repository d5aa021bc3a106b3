"""One LSTM cell as the well-known diagram, with the values of one step on its wires.

The arrangement is that of Olah 2015, "Understanding LSTM Networks": the cell state runs along the
top, the four gates stand on the line that brings h and x.  Lengths are in units of a twentieth of
the picture's width.
"""

import numpy as np

from ..diagnostics.choose import one_lstm
from ..errors import index
from .boxes import LAYER, number
from .figures import figure
from .traces import GATES, SIGNED

TOP, BOTTOM = 10.4, 2.6  # the line of c; the line of h and x
GATE, MIDDLE, LOW = 5.0, 7.6, 6.3  # the gates; where i meets g; where o meets c
F, I, G, O, OUT = 5.0, 7.5, 10.0, 12.5, 15.3  # noqa: E741 - the gates, and where h begins
TANH, UP = 9.15, 17.1  # the tanh of c; where h goes on upwards
BODY = {"facecolor": "#F2F6F3", "edgecolor": "#7BA48B", "linewidth": 1.4}
POINT = {"facecolor": "#EADFF0", "edgecolor": "#7E5A94", "linewidth": 1.2}
WIRE = "0.25"


def cell(trace, t=-1, sample=0, unit=None, ax=None, title=None):
    """Draw one LSTM cell at work: gates, states and all that is between, at one step.

    With a unit, each wire has the number that is on it, and the equations stand below with their
    numbers put in.  Without, it has a strip with a field for each unit, and their mean.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM
    t : int
        Which step, in the order in which the layer takes them; -1 is the last.
    sample : int
    unit : int, optional
        An LSTM of one unit needs none.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure, 1200 pixels wide, if None.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError, IndexError
        If it is not the trace of an LSTM, or there is no such step, sample or unit.
    ImportError
        If matplotlib is not installed.
    """
    trace = one_lstm(trace)
    B, T, U = trace.h.shape
    sample, t = index("sample", sample, B), index("t", t, T)
    unit = 0 if U == 1 and unit is None else unit
    unit = None if unit is None else index("unit", unit, U)
    names = "z_i z_f z_g z_o i f g o c h tanh_c c_prev h_prev x".split()
    values = {name: getattr(trace, name)[sample, t] for name in names}
    inside = {"f * c_prev": values["f"] * values["c_prev"], "i * g": values["i"] * values["g"]}
    masked = trace.mask is not None and not trace.mask[sample, t]

    ax = figure(10, 6.7).add_subplot() if ax is None else ax
    _cell(ax, trace)
    of_unit = (lambda name, v: v) if unit is None else (lambda name, v: v[unit : unit + 1])
    activated = f"{trace.activation}(c)"
    for name, (x, y) in _PLACES.items():
        vector = values.get(name, inside.get(name))
        label = activated if name == "tanh_c" else name.replace("*", "×")
        _value(ax, x, y, name, label, of_unit(name, vector), unit is None)
    _vector(ax, 1.6, BOTTOM, "h_prev", values["h_prev"])
    _vector(ax, 3.9, 0.45, f"x[{int(trace.timesteps[t])}]", values["x"])
    _below(ax, values, activated, unit, masked)
    which = f"all {U} units" if unit is None else f"unit {unit}"
    where = f"step {t}" + (f" (timestep {int(trace.timesteps[t])})" if trace.reverse else "")
    ax.set(xlim=(-0.2, 21.2), ylim=(-0.3, 12.8), aspect="equal")
    ax.set_title(title or f"{trace.path}: {which} of sample {sample} at {where}", fontsize=13)
    ax.set_axis_off()
    return ax


# What is on each wire, and where it is written.
_PLACES = {
    "c_prev": (1.6, TOP),
    "f": (F, LOW + 0.2),
    "f * c_prev": (7.5, TOP),
    "i": (I, LOW + 0.2),
    "g": (G, LOW + 0.2),
    "i * g": (G, 9.05),
    "o": (O, LOW),
    "tanh_c": (OUT, 7.85),
    "c": (19.2, TOP),
    "h": (19.2, BOTTOM),
    "z_f": (F, 3.65),
    "z_i": (I, 3.65),
    "z_g": (G, 3.65),
    "z_o": (O, 3.65),
}


def _cell(ax, trace):
    """Draw what is the same at every step: the body, the wires, the gates, the points."""
    from matplotlib.patches import Circle, Ellipse, FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch((3.2, 1.8), 14.5, 9.7, boxstyle="round,pad=0,rounding_size=0.7", **BODY)
    )
    outer = "σ" if trace.recurrent_activation == "sigmoid" else trace.recurrent_activation
    inner = trace.activation
    for wire in (
        [(0, TOP), (F - 0.4, TOP)],
        [(F + 0.4, TOP), (G - 0.4, TOP)],
        [(G + 0.4, TOP), (21, TOP)],
        [(0, BOTTOM), (O, BOTTOM), (O, GATE - 0.5)],
        [(F, BOTTOM), (F, GATE - 0.5)],
        [(I, BOTTOM), (I, GATE - 0.5)],
        [(G, BOTTOM), (G, GATE - 0.5)],
        [(F, GATE + 0.5), (F, TOP - 0.4)],
        [(I, GATE + 0.5), (I, MIDDLE), (G - 0.4, MIDDLE)],
        [(G, GATE + 0.5), (G, MIDDLE - 0.4)],
        [(G, MIDDLE + 0.4), (G, TOP - 0.4)],
        [(O, GATE + 0.5), (O, LOW), (OUT - 0.4, LOW)],
        [(OUT, TOP), (OUT, TANH + 0.35)],
        [(OUT, TANH - 0.35), (OUT, LOW + 0.4)],
        [(OUT, LOW - 0.4), (OUT, BOTTOM), (21, BOTTOM)],
        [(UP, BOTTOM), (UP, TOP - 0.25)],
        [(UP, TOP + 0.25), (UP, 12.6)],
        [(3.9, 0.9), (3.9, BOTTOM)],
    ):
        _wire(ax, wire, head=wire[-1] not in ((UP, TOP - 0.25), (3.9, BOTTOM)))
    ax.text(UP + 0.25, 12.3, "h", fontsize=11, va="center", color=WIRE)
    for x, name, activation in ((F, "f", outer), (I, "i", outer), (G, "g", inner), (O, "o", outer)):
        round_box = f"round,pad=0,rounding_size={0.18}"
        box = FancyBboxPatch((x - 0.95, GATE - 0.5), 1.9, 1.0, boxstyle=round_box, **LAYER)
        ax.add_patch(box).set_zorder(3)
        text = f"$\\bf{{{name}}}$   {activation}" if len(activation) < 6 else activation
        ax.text(x, GATE, text, ha="center", va="center", fontsize=12 - len(text) // 24, zorder=4)
    for x, y, sign in ((F, TOP, "×"), (G, TOP, "+"), (G, MIDDLE, "×"), (OUT, LOW, "×")):
        ax.add_patch(Circle((x, y), 0.4, **POINT)).set_zorder(3)
        ax.text(x, y - 0.03, sign, ha="center", va="center", fontsize=17, zorder=4)
    ax.add_patch(Ellipse((OUT, TANH), 1.9, 0.7, **POINT)).set_zorder(3)
    ax.text(OUT, TANH, inner, ha="center", va="center", fontsize=10, zorder=4)


def _wire(ax, points, head=True):
    """Draw a line through points, with an arrow's head at its end."""
    x, y = zip(*(points[:-1] if head else points), strict=True)
    ax.plot(x, y, color=WIRE, lw=1.5, zorder=2, solid_capstyle="round", solid_joinstyle="round")
    if head:
        line = {"arrowstyle": "-|>", "color": WIRE, "lw": 1.5, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", points[-1], points[-2], arrowprops=line, zorder=2)


def _colors(name, values):
    """Return the colour of each value: of a gate from 0 to 1, of all others around 0."""
    from matplotlib import colormaps

    if name in "ifo" and values.min() >= 0 and values.max() <= 1:
        return colormaps[GATES](values)
    largest = max(1.0, float(np.abs(values[np.isfinite(values)]).max(initial=0)))
    return colormaps[SIGNED](0.5 + values / largest / 2)


def _value(ax, x, y, name, label, values, as_strip):
    """Write a number onto a wire, or lay a strip of all units over it."""
    if not as_strip:
        color = 0.55 + 0.45 * _colors(name, values)[0]  # so light that black can be read on it
        style = {"boxstyle": "round,pad=0.28", "facecolor": color, "edgecolor": "0.4", "lw": 0.7}
        text = f"{label} = {number(values[0])}"
        ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=style, zorder=5)
        return
    _strip(ax, x, y, 2.1, name, values)
    mean = number(values.mean())
    low = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 6}
    style = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    ax.text(x, y - 0.46, f"{label}, mean {mean}", bbox=style, **low)


def _strip(ax, x, y, wide, name, values):
    """Lay a strip with a field for each value over a point."""
    ax.imshow(
        _colors(name, values)[None],
        extent=(x - wide / 2, x + wide / 2, y - 0.22, y + 0.22),
        interpolation="nearest",
        aspect="auto",
        zorder=5,
    )
    edge = {"color": "0.4", "lw": 0.7, "zorder": 5.5}
    left, right, low, high = x - wide / 2, x + wide / 2, y - 0.22, y + 0.22
    ax.plot([left, right, right, left, left], [low, low, high, high, low], **edge)


def _vector(ax, x, y, name, values):
    """Show all of a vector that enters: as numbers if they are few, else as a strip."""
    if len(values) <= (2 if name == "h_prev" else 3):
        text = f"{name} = " + ", ".join(map(number, values))
        style = {"boxstyle": "round,pad=0.28", "facecolor": "white", "edgecolor": "0.4", "lw": 0.7}
        turned = 8 if len(values) > 1 and name == "h_prev" else 9
        ax.text(x, y, text, ha="center", va="center", fontsize=turned, bbox=style, zorder=5)
        return
    _strip(ax, x, y, 2.1, "signed", values)
    text = f"{name}: {len(values)} values"
    style = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    ax.text(x, y - 0.46, text, ha="center", va="center", fontsize=8, bbox=style, zorder=6)


def _below(ax, values, activated, unit, masked):
    """Write the two equations below the cell, with their numbers if there is one unit."""
    v = values if unit is None else {k: n[unit] for k, n in values.items() if k != "x"}
    lines = ["c = f × c_prev + i × g", f"h = o × {activated}"]
    if masked:
        lines = ["This step is masked, and passed over:", "c = c_prev and h = h_prev."]
    elif unit is not None:
        n = {name: number(value) for name, value in v.items()}
        n |= {name: f"({text})" for name, text in n.items() if text.startswith("-")}
        lines[0] += f"  =  {n['f']} × {n['c_prev']} + {n['i']} × {n['g']}  =  {number(v['c'])}"
        lines[1] += f"  =  {n['o']} × {n['tanh_c']}  =  {number(v['h'])}"
    if unit is None:
        key = "colours: gates from 0, violet, to 1, yellow; all else blue below 0 and red above"
        ax.text(0, 12.3, key, fontsize=8, va="center", color="0.35")
    color = "#D55E00" if masked else "black"
    for y, line in zip((0.95, 0.2), lines, strict=True):
        ax.text(7.0, y, line, fontsize=11.5, va="center", color=color)

"""The boxes and arrows that pictures of tensors are drawn with.

Lengths are in units of one row of numbers; a box that holds a number is `WIDE` by 1.
"""

import math

# Two colours of the Okabe-Ito palette, which colour-blind readers can tell apart.
BLUE, ORANGE = "#0072B2", "#D55E00"
WIDE = 1.8
NUMBER = {"facecolor": "#E8F1F8", "edgecolor": BLUE, "linewidth": 0.8}
SIDE = {"facecolor": "#C5DCEC", "edgecolor": BLUE, "linewidth": 0.8}
LAYER = {"facecolor": "#FBE9DD", "edgecolor": ORANGE, "linewidth": 1.2}
INCHES = 0.42


def shown(count, limit):
    """Return the indices to draw of a long axis: the first ones, None for the gap, the last."""
    return list(range(count)) if count <= limit else [*range(limit - 2), None, count - 1]


def number(value):
    """Write a number in at most seven characters, so that it fits into its box."""
    text = f"{value:.3g}"
    return text if len(text) <= 7 else f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")


def box(ax, left, bottom, width, height, text, style):
    """Draw a rectangle with a text in its middle."""
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((left, bottom), width, height, **style))
    ax.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=9)


def arrow(ax, start, end):
    """Draw an arrow from one point to another."""
    line = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=line)


def sheet(ax, x, steps, features, left, bottom):
    """Draw one sample as a box: a row a timestep, a column a feature, with a top and a side."""
    from matplotlib.patches import Polygon

    depth = 0.35
    right, top = left + WIDE * len(features), bottom + len(steps)
    over = [(left, top), (left + depth, top + depth), (right + depth, top + depth), (right, top)]
    side = [(right, top), (right + depth, top + depth), (right + depth, bottom + depth)]
    ax.add_patch(Polygon(over, **SIDE))
    ax.add_patch(Polygon([*side, (right, bottom)], **SIDE))
    for row, step in enumerate(steps):
        for column, feature in enumerate(features):
            text = "…" if None in (step, feature) else number(x[step, feature])
            box(ax, left + WIDE * column, top - 1 - row, WIDE, 1, text, NUMBER)


def tensor(x, samples, steps, features, ax):
    """Draw the sheets of the samples behind each other, and an arrow for each axis."""
    across, down = WIDE * len(features), len(steps)
    for place, sample in enumerate(samples):
        left, bottom = place * (across + 1.7), place * 0.7
        if sample is None:
            ax.text(left + across / 2, bottom + down / 2, "· · ·", ha="center", fontsize=16)
            continue
        sheet(ax, x[sample], steps, features, left, bottom)
        ax.text(left + across / 2, bottom - 0.25, f"sample {sample}", ha="center", va="top")
    for row, step in enumerate(steps):
        if step is not None:
            ax.text(-0.25, down - 0.5 - row, f"t={step}", ha="right", va="center", color="0.35")

    arrow(ax, (-2, down), (-2, 0))
    ax.text(-2.2, down / 2, f"timesteps = {x.shape[1]}", rotation=90, ha="right", va="center")
    arrow(ax, (0, -1.4), (max(across, WIDE), -1.4))
    ax.text(across / 2, -1.6, f"features = {x.shape[2]}", ha="center", va="top")
    # The samples' arrow climbs as the sheets do; a single sheet has only its own depth to show.
    run = max((across + 1.7) * (len(samples) - 1), WIDE)
    rise = run * 0.7 / (across + 1.7)
    arrow(ax, (0.35, down + 0.8), (0.35 + run, down + 0.8 + rise))
    ax.text(
        0.35 + run / 2,
        down + 1 + rise / 2,
        f"samples = {x.shape[0]}",
        rotation=math.degrees(math.atan2(rise, run)),
        ha="center",
        va="bottom",
    )


def flow(x, h, steps, features, output, ax):
    """Draw, from the bottom up, x[t], the LSTM and h[t+1], and from left to right the time."""
    limit = float(abs(h).max()) or 1.0
    ax.text(-1.6, 2.5, "h[0] = 0\nc[0] = 0", ha="right", va="center")
    for place, step in enumerate(steps):
        left, middle = 3.2 * place, 3.2 * place + WIDE / 2
        arrow(ax, (left - 1.4, 2.5), (left, 2.5))
        if place:
            ax.text(left - 0.75, 2.65, "h, c", ha="center", va="bottom", fontsize=8, color="0.35")
        if step is None:
            ax.text(middle, 2.5, "· · ·", ha="center", va="center", fontsize=16)
            continue
        for row, feature in enumerate(features):
            text = "…" if feature is None else number(x[step, feature])
            box(ax, left, -1 - row, WIDE, 1, text, NUMBER)
        ax.text(middle, -len(features) - 0.25, f"x[{step}]", ha="center", va="top")
        arrow(ax, (middle, 0), (middle, 1.5))
        box(ax, left, 1.5, WIDE, 2, "LSTM", LAYER)
        arrow(ax, (middle, 3.5), (middle, 5))
        strip = ax.imshow(
            h[step][:, None],
            extent=(middle - 0.5, middle + 0.5, 5, 9),
            vmin=-limit,
            vmax=limit,
            cmap="RdBu_r",
        )
        ax.text(middle, 9.2, f"h[{step + 1}]", ha="center", va="bottom")
    if output is not None:
        end = 3.2 * len(steps)
        arrow(ax, (end - 1.7, 7), (end, 7))
        box(ax, end, 6, WIDE, 2, f"Dense\n{number(output)}", LAYER)
    bar = ax.figure.colorbar(strip, ax=ax, shrink=0.6, pad=0.02)
    bar.set_label(f"values of the {h.shape[1]} units of h")


def finish(ax, left, right, bottom, top, title):
    """Show the given stretch undistorted, without the frame of a graph."""
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", title=title)
    ax.set_axis_off()
    return ax


def stage_size(values, axis=None):
    """Return how wide and how high `stage` draws a tensor."""
    samples, steps, features = _drawn(values, axis)
    return WIDE * len(features) + 0.35 * samples, len(steps) + 0.35 * samples


def stage(ax, values, left, bottom, axis=None):
    """Draw the first sample of a tensor as a box, others behind it, its shape below.

    `axis` is the name of the second axis of two, unless these are features.
    """
    samples, steps, features = _drawn(values, axis)
    for behind in range(samples - 1, 0, -1):
        blank(ax, len(steps), len(features), left + 0.35 * behind, bottom + 0.35 * behind)
    first = values[0][:, None] if axis else values[0].reshape(-1, values.shape[-1])
    sheet(ax, first, steps, features, left, bottom)
    axes = {2: ("samples", axis or "features"), 3: ("samples", "timesteps", "features")}
    middle = left + WIDE * len(features) / 2
    shape = " × ".join(map(str, values.shape))
    ax.text(middle, bottom - 0.35, shape, ha="center", va="top", fontweight="bold")
    words = " × ".join(axes.get(values.ndim, ()))
    ax.text(middle, bottom - 1.05, words, ha="center", va="top", fontsize=7.5, color="0.35")


def blank(ax, rows, columns, left, bottom):
    """Draw a sheet without numbers."""
    from matplotlib.patches import Polygon, Rectangle

    depth, right, top = 0.35, left + WIDE * columns, bottom + rows
    over = [(left, top), (left + depth, top + depth), (right + depth, top + depth), (right, top)]
    side = [(right, top), (right + depth, top + depth), (right + depth, bottom + depth)]
    ax.add_patch(Rectangle((left, bottom), right - left, rows, **NUMBER))
    ax.add_patch(Polygon(over, **SIDE))
    ax.add_patch(Polygon([*side, (right, bottom)], **SIDE))


def _drawn(values, axis):
    """Return how many sheets are drawn of a tensor, and which rows and columns of them."""
    rows, columns = math.prod(values.shape[1:-1]), values.shape[-1]  # 1 row for vectors
    rows, columns = (columns, 1) if axis else (rows, columns)
    return min(len(values), 4), shown(rows, 6), shown(columns, 3)

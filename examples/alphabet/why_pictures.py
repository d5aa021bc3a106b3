"""Three pictures of what `why` finds: memory, states, answers."""

import numpy as np

from npylstm import plots

from .data import ALPHABET

BLUE, ORANGE = "#0072B2", "#D55E00"  # of the Okabe-Ito palette, for colour-blind readers


def memory(findings, title):
    """Draw when the cell state behind each answer was written: how many steps ago."""
    from matplotlib import colormaps

    order = np.argsort(findings.targets, kind="stable")
    written = findings.written[order]
    ages = written.shape[1]
    shown = min(ages, 6)
    parts = [written[:, age] for age in range(shown - 1)] + [written[:, shown - 1 :].sum(axis=1)]
    axes = plots.figure(7.5, 4).add_subplot()
    colors = colormaps["viridis"](np.linspace(0.95, 0.1, shown))
    bottom = np.zeros(len(order))
    for age, (part, color) in enumerate(zip(parts, colors, strict=True)):
        label = ("at the last step", "1 step before")[age] if age < 2 else f"{age} steps before"
        label += " or more" if age == shown - 1 and ages > shown else ""
        part = 100 * part
        axes.bar(np.arange(len(order)), part, 1.0, bottom, color=color, label=label, lw=0)
        bottom += part
    _letters(axes, findings.targets[order])
    axes.set(ylim=(0, 100), title=title, ylabel="share of the cell state (%),\nmean over units")
    axes.legend(title="written", loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return axes


def states(findings, title):
    """Draw the states that are answered from along the two directions that they vary most in."""
    directions, shares = findings.directions
    mean = findings.h.mean(axis=0)
    points = (findings.h - mean) @ directions[:2].T
    letters, centers = findings.centers
    centers = (centers - mean) @ directions[:2].T
    axes = plots.figure(6.4, 5.2).add_subplot()
    if len(findings.h) > len(letters):
        axes.plot(*points.T, ".", color="0.75", ms=3, zorder=0)
    axes.plot(*centers.T, "-", color="0.8", lw=1, zorder=1)
    wrong = set(findings.targets[findings.wrong])
    for letter, place in zip(letters, centers, strict=True):
        color = ORANGE if letter in wrong else BLUE
        axes.text(*place, ALPHABET[letter], color=color, ha="center", va="center", weight="bold")
    axes.set_title(title)
    axes.set_xlabel(f"first direction ({100 * shares[0]:.1f} % of the variance of h)")
    axes.set_ylabel(f"second direction ({100 * shares[1]:.1f} %)")
    axes.set_aspect("equal", "datalim")
    axes.margins(0.08)
    return axes


def answers(findings, title):
    """Draw the probability of the right letter at each answer beside that of the best wrong one."""
    order = np.argsort(findings.targets, kind="stable")
    right, runner_up = 100 * findings.right[order], 100 * findings.runner_up[order]
    places, few = np.arange(len(order)), len(order) < 100
    axes = plots.figure(7.5, 4).add_subplot()
    if few:
        axes.vlines(places, runner_up, right, color="0.8", lw=3, zorder=0)
    size = 5 if few else 2
    axes.plot(places, right, "o", color=BLUE, ms=size, label="of the right letter")
    axes.plot(places, runner_up, "v", color=ORANGE, ms=size, label="of the best wrong letter")
    for place in np.flatnonzero(right <= runner_up):
        axes.axvspan(place - 0.5, place + 0.5, color=ORANGE, alpha=0.15, lw=0)
    _letters(axes, findings.targets[order])
    axes.set(ylim=(0, 105), title=title, ylabel="probability (%)")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return axes


def _letters(axes, targets):
    """Write the right letters along the horizontal axis, each under the middle of its answers."""
    letters = np.unique(targets)
    places = [np.flatnonzero(targets == letter).mean() for letter in letters]
    axes.set_xticks(places, [ALPHABET[letter] for letter in letters], fontsize=8)
    axes.set(xlabel="the right letter", xlim=(-0.5, len(targets) - 0.5))
    axes.tick_params(axis="x", length=0)

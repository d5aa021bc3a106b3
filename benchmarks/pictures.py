"""The pictures of a recorded run, in colours that all eyes tell apart (Okabe & Ito 2008)."""

import math

from matplotlib.figure import Figure

from .peers import INFERENCE, OURS, PEERS, TRAINING
from .record import of
from .workloads import MAIN

INK, GREY = "#222222", "#888888"
COLOURS = {
    "npylstm": "#000000",
    "keras": "#E69F00",
    "keras-jit": "#D55E00",
    "keras-jax": "#F0E442",
    "torch": "#0072B2",
    "jax": "#009E73",
    "onnxruntime": "#CC79A7",
}
MARKERS = {
    "npylstm": "o",
    "keras": "s",
    "keras-jit": "D",
    "keras-jax": "P",
    "torch": "^",
    "jax": "v",
    "onnxruntime": "X",
}


def all_of(run):
    """Return {file name: Figure} of everything that the run has figures for."""
    figures = {}
    if any(of(run, question) for question in ("fit", "training_step", "inference")):
        figures["ratios.png"] = ratios(run)
        figures["roofline.png"] = roofline(run)
    if of(run, "scaling"):
        figures["scaling.png"] = scaling(run)
    return figures


def best_of(run, actions):
    """Return {(workload, peer): row}, the fastest of each library's ways."""
    rows = [
        row
        for question in ("fit", "training_step", "inference")
        for row in of(run, question)
        if row["action"] in actions
    ]
    best = {}
    for row in rows:
        key = row["workload"], row["peer"]
        if key not in best or row["seconds"] < best[key]["seconds"]:
            best[key] = row
    return best


def _figure(width, height):
    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def _title(peer):
    return PEERS[peer].title


def ratios(run):
    """Bars: how many times longer than npylstm each library takes, each by its fastest way."""
    halves = {"training": best_of(run, TRAINING), "inference": best_of(run, INFERENCE)}
    halves = {what: best for what, best in halves.items() if best}
    names = [list(dict.fromkeys(workload for workload, _ in best)) for best in halves.values()]
    peers = [name for name in PEERS if any((w, name) in b for b in halves.values() for w, _ in b)]
    peers.remove(OURS)
    bars = max(len(workloads) for workloads in names) * (len(peers) + 1)
    figure = _figure(10, 1.6 + 0.17 * bars)
    axes = figure.subplots(1, len(halves), squeeze=False)[0]
    for ax, (what, best), workloads in zip(axes, halves.items(), names, strict=True):
        _ratio_bars(ax, best, workloads, peers)
        ax.set_title(f"{what}: each library by its fastest way", fontsize=10)
    handles = [
        axes[0].barh([0], [0], color=COLOURS[name], edgecolor=INK, linewidth=0.5) for name in peers
    ]
    titles = [_title(name) for name in peers]
    figure.legend(handles, titles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _ratio_bars(ax, best, workloads, peers):
    top, places = 0, []
    largest = 1
    for workload in workloads:
        start = top
        for peer in peers:
            if (workload, peer) in best:
                ratio = best[workload, peer]["seconds"] / best[workload, OURS]["seconds"]
                ax.barh(
                    top, ratio - 1, left=1, height=0.8, color=COLOURS[peer], edgecolor=INK, lw=0.5
                )
                ax.annotate(
                    f"{ratio:.3g}",
                    (max(ratio, 1), top),
                    xytext=(3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=7,
                    color=INK,
                )
                largest = max(largest, ratio)
                top += 1
        places.append((start + top - 1) / 2)
        top += 1
    ax.set(xscale="log", xlabel="time of the library / time of npylstm")
    ax.set_xlim(right=largest * 2.5)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.axvline(1, color=INK, linewidth=1)
    ax.set_yticks(places, workloads)
    ax.set_ylim(top - 0.5, -1)
    ax.grid(axis="x", color=GREY, alpha=0.3)
    ax.set_axisbelow(True)


def roofline(run):
    """Achieved GFLOP/s by the work of one batch, below the measured peak of the machine.

    The dotted line is what all threads reach in a product that is fed from the L1 cache.
    """
    peak, threads = run["card"]["peak"], run["card"]["threads"]
    figure = _figure(10, 5)
    axes = figure.subplots(1, 2, sharey=True)
    shown = {}
    for ax, what, actions in zip(
        axes, ("training", "inference"), (TRAINING, INFERENCE), strict=True
    ):
        best = best_of(run, actions)
        best = {key: row for key, row in best.items() if key[0] in MAIN}
        for peer in PEERS:
            rows = [row for (_, name), row in best.items() if name == peer]
            rows = sorted((row["gflops"] * row["seconds"], row["gflops"]) for row in rows)
            if rows:
                (shown[peer],) = ax.plot(*zip(*rows, strict=True), **_line(peer))
        for count, name in {1: "one", threads: "all"}.items():
            ax.axhline(peak[name], color=INK, linestyle="--" if count == 1 else "-", linewidth=1)
            ax.annotate(
                f"FMA peak, {count} thread{'s' if count > 1 else ''}: {peak[name]:.0f}",
                (0.02, peak[name]),
                xycoords=("axes fraction", "data"),
                xytext=(0, -10 if count == 1 and threads > 1 else 3),
                textcoords="offset points",
                fontsize=8,
            )
        ax.axhline(peak["cache"], color=INK, linestyle=":", linewidth=1)
        _operations(ax, best, what)
    axes[0].set_ylabel("GFLOP/s, float32")
    _legend(figure, shown)
    return figure


def _operations(ax, best, what):
    ax.set(xscale="log", yscale="log", title=what, xlabel="operations of one batch (GFLOP)")
    ax.grid(color=GREY, alpha=0.3)
    # Room for the names of the workloads, below all points.
    lowest = min((row["gflops"] for row in best.values()), default=1) / 12
    ax.set_ylim(bottom=min(lowest, ax.get_ylim()[0]))  # the other picture shares it
    for (workload, peer), row in best.items():
        if peer == OURS:
            work = row["gflops"] * row["seconds"]
            ax.annotate(
                workload,
                (work, 0.01),
                xycoords=("data", "axes fraction"),
                rotation=90,
                ha="center",
                va="bottom",
                fontsize=7,
                color=INK,
            )


def scaling(run):
    """Times along T, B and U, on logarithmic axes."""
    rows = of(run, "scaling")
    figure = _figure(10, 6.5)
    axes = figure.subplots(2, 3, sharex="col", sharey="row")
    names = {"T": "timesteps T", "B": "samples a batch B", "U": "units U"}
    shown = {}
    actions = {"train_step": "training", "infer": "inference"}
    for line, (action, what) in zip(axes, actions.items(), strict=True):
        for ax, axis in zip(line, names, strict=True):
            points = [row for row in rows if row["axis"] == axis and row["action"] == action]
            for peer in PEERS:
                curve = sorted((r["size"], r["seconds"] * 1e3) for r in points if r["peer"] == peer)
                if curve:
                    (shown[peer],) = ax.plot(*zip(*curve, strict=True), **_line(peer))
            ax.set(xscale="log", yscale="log")
            sizes = sorted({row["size"] for row in points})
            ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
            ax.minorticks_off()
            ax.grid(color=GREY, alpha=0.3)
        line[0].set_ylabel(f"{what}: one batch (ms)")
    for top, bottom, (axis, name) in zip(*axes, names.items(), strict=True):
        shape = next((row["shape"] for row in rows if row["axis"] == axis), None)
        top.set_title(f"{name}; {_fixed(shape, axis)}" if shape else name, fontsize=10)
        bottom.set_xlabel(name)
    _legend(figure, shown)
    return figure


def _fixed(shape, axis):
    return ", ".join(f"{name}={shape[name]}" for name in "BTDU" if name != axis)


def _line(peer):
    ours = peer == OURS
    return {
        "color": COLOURS[peer],
        "marker": MARKERS[peer],
        "linewidth": 2.4 if ours else 1.4,
        "markersize": 6,
        "markeredgecolor": INK,
        "markeredgewidth": 0.5,
        "zorder": 3 if ours else 2,
    }


def _legend(figure, shown):
    titles = [_title(peer) for peer in shown]
    columns = math.ceil(len(shown) / 2) if len(shown) > 3 else max(1, len(shown))
    figure.legend(shown.values(), titles, loc="outside lower center", ncols=columns, frameon=False)

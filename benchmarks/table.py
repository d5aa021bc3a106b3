"""Rows as tables: plain text for a terminal, Markdown for a page."""

from . import peak
from .peers import OURS, PEERS
from .record import of

TERMINAL = 110  # characters
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))

STEADY = {
    "fit": "Training: `fit`, one batch of an epoch",
    "training_step": "Training: one batch a call",
    "inference": "Inference: one batch",
}

SHARES = ("share of the FMA peak", "… of a product fed from L1")  # as `peak.LOOPS`


def duration(seconds):
    """Return a time with three digits and its unit."""
    unit, name = next((pair for pair in UNITS if seconds >= pair[0]), UNITS[-1])
    value = seconds / unit
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {name}"


def times(ratio):
    """Return a ratio with as many digits as it is worth."""
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 2 else f"{ratio:.2f}×"


def steady(run, question):
    """Return (heads, lines) of a question: workload by peer, times and, in brackets, ratios.

    A ratio is how many times longer than ours, of the same kind of call, that peer takes.
    """
    rows = of(run, question)
    columns = list(dict.fromkeys((row["peer"], row["action"]) for row in rows))
    columns.sort(key=lambda column: list(PEERS).index(column[0]))
    heads = ["(B, T, D, U)", *(_head(*column) for column in columns), *SHARES]
    lines = []
    for name in dict.fromkeys(row["workload"] for row in rows):
        found = {(row["peer"], row["action"]): row for row in rows if row["workload"] == name}
        ours = [row for (peer, _), row in found.items() if peer == OURS]
        best = max(ours, key=lambda row: row["gflops"])
        lines.append(
            [
                label(ours[0]),
                *(cell(found.get(column)) for column in columns),
                *(share_of_limit(best, loop) for loop in peak.LOOPS),
            ]
        )
    return heads, lines


def _head(peer, action):
    return f"{PEERS[peer].title}: {PEERS[peer].actions[action]}"


def label(row):
    """Return a workload's name with its sizes."""
    return f"{row['workload']} ({', '.join(str(row['shape'][axis]) for axis in 'BTDU')})"


def cell(row):
    """Return a time and, of others than npylstm, the ratio; a dash if there is none."""
    if row is None:
        return "–"
    if row["peer"] == OURS:
        return duration(row["seconds"])
    return f"{duration(row['seconds'])} ({times(row['ratio'])})"


def share_of_limit(row, loop):
    """Return a row's share of a limit in the same rounds; a vector holds half as many float64."""
    limit = row["limits"][loop] / (2 if row["dtype"] == "float64" else 1)
    return f"{100 * row['gflops'] / limit:.0f} %"


def first_calls(run):
    """Return (heads, lines) of what was kept out of the times above: first calls, compilation."""
    lines = []
    for name, peer in PEERS.items():
        rows = [row for question in STEADY for row in of(run, question, peer=name)]
        if rows:
            slowest = max(rows, key=lambda row: row["first_call"])
            call = f"{slowest['call']}, {slowest['workload']}"
            lines.append([peer.title, duration(slowest["first_call"]), call])
    return ["library", "slowest first call", "which"], lines


def threads(run):
    rows = of(run, "threads")
    heads = ["npylstm on", "call", "threads", "time", "speed-up", "GFLOP/s"]
    return heads, [
        [
            *(row["workload"], row["call"], str(row["threads"]), duration(row["seconds"])),
            *(f"{row['speedup']:.2f}×", f"{row['gflops']:.0f}"),
        ]
        for row in rows
    ]


def scaling(run):
    rows = of(run, "scaling")
    points = dict.fromkeys((row["axis"], row["size"], row["action"]) for row in rows)
    peers = [name for name in PEERS if any(row["peer"] == name for row in rows)]
    lines = []
    for axis, size, action in sorted(points, key=lambda point: "TBU".index(point[0])):
        found = {
            row["peer"]: row for row in of(run, "scaling", axis=axis, size=size, action=action)
        }
        what = "training" if action == "train_step" else "inference"
        lines.append([axis, f"{size:,}", what, *(cell(found.get(peer)) for peer in peers)])
    return ["along", "size", "step of", *(PEERS[peer].title for peer in peers)], lines


def cold_start(run):
    lines = []
    for row in of(run, "cold_start"):
        parts = row["parts"]
        epoch = duration(parts["first epoch"]) if "first epoch" in parts else "–"
        title = PEERS[row["peer"]].title
        lines.append(
            [title, row["what"], duration(row["seconds"]), duration(parts["import"]), epoch]
        )
    return ["library", "a process for", "all together", "import", "first epoch"], lines


def memory(run):
    lines = [
        [
            PEERS[row["peer"]].title,
            "training" if row["action"] == "train_step" else "inference",
            f"{row['bytes'] / 2**20:.0f} MiB",
            f"{row['after_import'] / 2**20:.0f} MiB",
        ]
        for row in of(run, "memory")
    ]
    return ["library", "of", "peak memory of the process", "after the import alone"], lines


def examples(run):
    lines = [[row["what"], duration(row["seconds"])] for row in of(run, "examples")]
    return ["program", "time"], lines


def sections(run):
    """Yield (title, heads, lines) of everything that the run has figures for."""
    for question, title in STEADY.items():
        if of(run, question):
            yield (title, *steady(run, question))
    if any(of(run, question) for question in STEADY):
        yield ("Kept out of these times: first calls, which may compile", *first_calls(run))
    for question, (title, make) in _OTHERS.items():
        if of(run, question):
            yield (title, *make(run))


_OTHERS = {
    "threads": ("More threads", threads),
    "scaling": ("Growing T, B and U, all else fixed and small", scaling),
    "cold_start": ("Cold start", cold_start),
    "memory": ("Memory", memory),
    "examples": ("The alphabet experiments, as a program", examples),
}


def as_text(heads, lines):
    """Return a table; one that is too wide for a terminal as a block of lines for each row."""
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    if sum(widths) + 2 * len(widths) > TERMINAL:
        blocks = []
        for name, *cells in lines:
            width = max(map(len, heads))
            pairs = [
                f"  {head:{width}}  {cell}"
                for head, cell in zip(heads[1:], cells, strict=True)
                if cell != "–"
            ]
            blocks.append("\n".join([name, *pairs]))
        return "\n".join(blocks)
    rows = [heads, ["-" * width for width in widths], *lines]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def as_markdown(heads, lines):
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

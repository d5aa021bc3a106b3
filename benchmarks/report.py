"""``python -m benchmarks.report [FILE.json]``: RESULTS.md, its pictures and the README's table.

Everything comes from one recorded run; nothing is typed by hand.  Each record in `machines/`, which
was made on another machine, gets a page of its own beside it.
"""

import re
import sys
from pathlib import Path

from . import card, record, table
from .peers import OURS, PEERS

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"
OPEN, CLOSE = "<!-- benchmark-table -->", "<!-- /benchmark-table -->"

PICTURES = {
    "ratios.png": "Times of each library over those of npylstm, each by its fastest way",
    "roofline.png": "Achieved GFLOP/s by the operations of one batch, below the machine's FMA peak "
    "on one thread (dashed) and on all (solid); dotted: a matrix product fed from the L1 cache",
    "scaling.png": "Times of one batch along T, B and U",
}
# What the README shows: of each library the way in which most people call it.
SUMMARY = {
    "training": ("fit", {"keras": "fit", "torch": "fit", "jax": "fit"}),
    "inference": ("infer", {"keras": "infer", "torch": "infer", "onnxruntime": "infer"}),
}


def main(argv=None):
    arguments = sys.argv[1:] if argv is None else argv
    try:
        run = record.read(arguments[0] if arguments else record.PUBLISHED)
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from None
    others = {path: record.read(path) for path in sorted(record.ELSEWHERE.glob("*.json"))}
    for path, other in others.items():
        pictures = draw(other, path.with_suffix(""))
        write(path.with_suffix(".md"), results(other, pictures, path.stem))
    pictures = draw(run, FOLDER / "pictures")
    write(FOLDER / "RESULTS.md", results(run, pictures, "pictures", _links(others, FOLDER)))
    if rewrite(README, summary(run, _links(others, README.parent))):
        print(f"the table of {README.name} is new")
    else:
        print(f"{README.name} has no {OPEN} … {CLOSE}, and is left as it is")
    return 0


def draw(run, folder):
    """Write the pictures of a run; return their names."""
    from . import pictures

    folder.mkdir(exist_ok=True)
    figures = pictures.all_of(run)
    for name, figure in figures.items():
        figure.savefig(folder / name)
        print(f"wrote {folder.name}/{name}")
    return list(figures)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.name}")


def _links(others, folder):
    """Return a link to the page of each run, as it is to be written in a folder."""
    links = []
    for path, run in others.items():
        machine = f"{run['card']['cpu']}, {run['card']['vector_instructions']}"
        page = path.with_suffix(".md").relative_to(folder)
        links.append(f"[{machine}, {run['card']['date'][:10]}]({page.as_posix()})")
    return links


# ---------------------------------------------------------------------------------- RESULTS.md
def results(run, pictures, folder, links=()):
    """Return the page; `folder` is where the pictures are, `links` lead to other machines."""
    settings = run["settings"]
    parts = ["# Results", _how(settings), "## The machine", _list(card.describe(run["card"]))]
    if links:
        parts.append(f"Other machines: {'; '.join(links)}.")
    parts += [f"![{text}]({folder}/{name})" for name, text in PICTURES.items() if name in pictures]
    for title, heads, lines in table.sections(run):
        parts += [f"## {title}", table.as_markdown(heads, lines)]
    parts += ["## Agreement, before any time was taken", _agreement(run)]
    if run["skipped"]:
        parts += ["## Absent", _list(run["skipped"])]
    return "\n\n".join(parts) + "\n"


def _how(settings):
    quick = "**A quick run: too short to conclude from.** " if settings["quick"] else ""
    dates: dict[str, list[str]] = {}
    for question, date in settings.get("later", {}).items():
        dates.setdefault(date, []).append(question.replace("_", " "))
    later = "".join(f" Asked later, {date}: {', '.join(of)}." for date, of in dates.items())
    return (
        f"{quick}Medians of {settings['rounds']} rounds, in each of which every library has its "
        f"turn of about {settings['seconds_a_turn']:g} s; in brackets how many times longer than "
        "npylstm it takes, by the same kind of call, in the same rounds. Every library lives in a "
        "process of its own, with the same cores, and starts from the same weights. An LSTM and a "
        "Dense layer, trained by Adam; float32 unless it says otherwise.\n\n"
        "Operations: inference 2·B·T·(D+U)·4U, training three times that, less the 2·B·T·D·4U of "
        "the first layer's dx, which is not needed; a multiplication and an addition are two. "
        "Shares are those of npylstm's fastest way, in the same rounds: of the FMA peak, which all "
        "threads reach in a loop that never leaves the registers, and of what they reach in the "
        "inner loop of a matrix product whose operands lie in the L1 cache (`peak.py`). The second "
        "is the lower one where something else works on the same cores, and shares over 100 % say "
        f"that it came and went within a round.{later}"
    )


def _agreement(run):
    worst = {}
    for question in table.STEADY:
        for row in record.of(run, question):
            for name, share in row["agreement"].items():
                key = row["peer"], name
                worst[key] = max(worst.get(key, 0.0), share)
    names = list(dict.fromkeys(name for _, name in worst))
    lines = [
        [PEERS[peer].title, *(_percent(worst.get((peer, name))) for name in names)]
        for peer in PEERS
        if any(key[0] == peer for key in worst)
    ]
    text = (
        "The largest difference from npylstm over all workloads, as a share of what is allowed "
        "(`verify.py` says what, and why): the outputs of every way to infer, the loss, all "
        "weights after one step (`weights`, `fit`) and after an epoch.\n\n"
    )
    return text + table.as_markdown(["library", *names], lines)


def _percent(share):
    return "–" if share is None else f"{100 * share:.2g} %"


def _list(lines):
    return "\n".join(f"- {line}" for line in lines)


# -------------------------------------------------------------------------------------- README
def summary(run, links):
    """Return the README's table: workloads by libraries, times and ratios; and where to go on."""
    heads, columns = ["(B, T, D, U)"], []
    for what, (ours, others) in SUMMARY.items():
        question = "fit" if what == "training" else "inference"
        for peer, action in {OURS: ours, **others}.items():
            if record.of(run, question, peer=peer, action=action):
                heads.append(f"{what}: {_head(peer, action)}")
                columns.append((question, peer, action))
    lines = []
    workloads = dict.fromkeys(
        row["workload"] for row in run["rows"] if row["question"] in ("fit", "inference")
    )
    for name in workloads:
        line = [name]
        for question, peer, action in columns:
            found = record.of(run, question, workload=name, peer=peer, action=action)
            line.append(table.cell(found[0] if found else None))
            if found and peer == OURS:
                line[0] = table.label(found[0])
        lines.append(line)
    machine, peak = run["card"], run["card"]["peak"]
    below = (
        f"Of one batch, on {machine['cpu']}, {machine['threads']} threads, {peak['all']:.0f} "
        f"GFLOP/s of float32 at most; × is how many times longer than npylstm. More, and how it "
        "was measured: [benchmarks/RESULTS.md](benchmarks/RESULTS.md)."
    )
    if links:
        below += f" Other machines: {'; '.join(links)}."
    return f"{table.as_markdown(heads, lines)}\n\n{below}"


def _head(peer, action):
    call = PEERS[peer].actions[action]
    return f"{PEERS[peer].title}, {call}" if peer in (OURS, "keras", "jax") else PEERS[peer].title


def rewrite(path, text):
    """Put a text between the two markers of a file; return whether they are there."""
    page = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(OPEN)}.*?{re.escape(CLOSE)}", flags=re.DOTALL)
    if not pattern.search(page):
        return False
    page = pattern.sub(lambda _: f"{OPEN}\n{text}\n{CLOSE}", page, count=1)
    path.write_text(page, encoding="utf-8")
    return True


if __name__ == "__main__":
    raise SystemExit(main())

"""``python -m benchmarks``: compare npylstm with whatever else is installed, and print tables."""

import argparse
import sys

from . import (
    card,
    peak,
    peers,
    processes,
    programs,
    record,
    steady,
    table,
    timing,
    worker,
    workloads,
)

STEADY = tuple(steady.ACTIONS)
QUESTIONS = (*STEADY, "threads", "scaling", "cold_start", "memory", "examples")
QUICK_WORKLOADS = "seed1,seed6,flow,mid"


def main(argv=None):
    """Run what the command line asks for; return the exit status."""
    options = read_options(argv)
    before = record.read(options.update) if options.update else None
    others, words = peers.chosen(options.against)
    for word in words:
        print(word)
    effort = timing.QUICK if options.quick else timing.FULL
    facts = card.machine() | {"threads": options.threads, "others": None, "stolen": None}
    worker.use_cores(options.threads)  # for this process and all that it starts
    busy, stolen = [card.others()], card.stolen()
    peaks = [peak.measure(options.threads)]
    rows = []
    settings = {
        "quick": options.quick,
        "rounds": effort.rounds,
        "seconds_a_turn": effort.seconds,
        "workloads": options.workloads,
        "questions": [],
    }
    with processes.Crew(others, options.threads) as crew:
        for question in options.questions:
            say(question)
            rows += answer(question, crew, options, effort)
            settings["questions"].append(question)
            facts |= card.software(crew)
            peaks.append(peak.measure(options.threads))
            facts["stolen"] = card.stolen_since(stolen)
            facts["peak"] = {name: max(one[name] for one in peaks) for name in peaks[0]}
            record.write(options.record, facts, settings, rows, words)  # of what is done so far
    busy.append(card.others())  # only now: the workers, too, are others
    facts["others"] = max((share for share in busy if share is not None), default=None)
    record.write(options.record, facts, settings, rows, words)
    if options.update:
        record.write_run(options.update, record.updated(before, record.read(options.record)))
        options.record = options.update
    show(record.read(options.record))
    print(f"\nrecorded in {options.record}")
    return 0


def answer(question, crew, options, effort):
    """Return the rows of one question."""
    repeats = 1 if options.quick else 5
    if question in STEADY:
        rows = []
        for name in options.workloads:
            say(f"  {name}")
            asked = workloads.SPECIAL[name][1] if name in workloads.SPECIAL else None
            rows += steady.compare(crew, question, workloads.ALL[name], effort, asked)
        return rows
    if question == "threads":
        return steady.second_thread(crew, workloads.ALL["large"], effort)
    if question == "scaling":
        return steady.scale(crew, effort)
    if question == "cold_start":
        return programs.cold_start(
            crew.threads, repeats, any(p.name == "keras" for p in crew.peers)
        )
    if question == "memory":
        return programs.memory(crew.peers, workloads.ALL["large"], crew.threads)
    return programs.examples(crew.threads, 1 if options.quick else 3)


def show(run):
    """Print the card and all tables."""
    print("\n".join(["", *card.describe(run["card"])]))
    for title, heads, lines in table.sections(run):
        print(f"\n{title}\n\n{table.as_text(heads, lines)}")
    if any(row.get("ratio") for row in run["rows"]):
        print(
            "\n(×) is how many times longer than npylstm, by the same kind of call in the same run."
        )


def say(line):
    print(line, file=sys.stderr, flush=True)


def read_options(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, and no large workloads")
    parser.add_argument(
        "--against", metavar="A,B", help="some of: " + ", ".join(list(peers.PEERS)[1:])
    )
    parser.add_argument("--workloads", metavar="A,B", help="some of: " + ", ".join(workloads.ALL))
    parser.add_argument("--questions", metavar="A,B", default=",".join(STEADY))
    parser.add_argument("--threads", metavar="N", type=int, default=processes.available_cores())
    parser.add_argument("--record", metavar="FILE", default=str(record.LATEST))
    parser.add_argument(
        "--update", metavar="FILE", help="put the answers into this record, for its older ones"
    )
    options = parser.parse_args(argv)
    everything = QUICK_WORKLOADS if options.quick else ",".join(workloads.ALL)
    options.workloads = _listed(parser, options.workloads or everything, workloads.ALL)
    options.questions = (
        QUESTIONS if options.questions == "all" else _listed(parser, options.questions, QUESTIONS)
    )
    if options.against is not None:
        options.against = _listed(parser, options.against, list(peers.PEERS)[1:])
    if not 1 <= options.threads <= processes.available_cores():
        parser.error(f"--threads must be from 1 to {processes.available_cores()} here")
    return options


def _listed(parser, text, known):
    names = text.split(",")
    for name in names:
        if name not in known:
            parser.error(f"unknown name {name!r}; choose from {', '.join(known)}")
    return names


if __name__ == "__main__":
    raise SystemExit(main())

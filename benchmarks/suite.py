"""What the tests of training step, fit and inference share."""

import pytest

from .conftest import CLOCK, nothing_to_time, report, skip_absent
from .peers import OURS, PEERS
from .steady import ACTIONS, compare
from .workloads import ALL, SPECIAL, TINY, TINY_SPECIAL

# In a smoke run each workload is replaced by a small one of its kind, or left out.  Compiling with
# XLA takes Keras many seconds, so that peer is looked at once.
STAND_INS = {
    "seed1": TINY["tiny1"],
    "flow": TINY["tiny"],
    "stacked": TINY_SPECIAL["stacked"],
    "bidirectional": TINY_SPECIAL["bidirectional"],
}


def cases(question):
    """Return the parameters (workload, peer, action) of a question's test."""
    found = []
    for name, workload in ALL.items():
        asked = SPECIAL[name][1] if name in SPECIAL else None
        for peer in PEERS.values():
            if not peer.can(workload) or (asked and peer.name not in (OURS, *asked)):
                continue
            for action in ACTIONS[question]:
                if action in peer.actions:
                    label = "-".join(filter(None, (name, peer.name, action)))
                    marks = [pytest.mark.benchmark(group=f"{question} {name}", timer=CLOCK)]
                    if name not in STAND_INS or (peer.name == "keras-jit" and name != "flow"):
                        marks.append(pytest.mark.full)
                    found.append(pytest.param(name, peer, action, id=label, marks=marks))
    return found


def run(question, name, peer, action, benchmark, crew, effort, measured):
    """Verify a peer on a workload; time it, with all others on their first turn; report it."""
    skip_absent(peer)
    asked = SPECIAL[name][1] if name in SPECIAL else None
    if effort is None:
        compare(crew, question, STAND_INS[name], None, [peer.name])
        return nothing_to_time(benchmark)
    if (question, name) not in measured:
        measured[question, name] = compare(crew, question, ALL[name], effort, asked)
    for row in measured[question, name]:
        if (row["peer"], row["action"]) == (peer.name, action):
            report(benchmark, row)

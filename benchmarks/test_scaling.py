"""How do times grow with T, B and U; and what does the second thread bring?"""

import pytest

from .conftest import CLOCK, nothing_to_time, report, skip_absent
from .peers import PEERS
from .steady import along, second_thread
from .workloads import MAIN, TINY, scaling

QUESTIONS = ("training_step", "inference")
# One point of each axis is for smoke, with small stand-ins; Keras traces every shape anew.
SMOKE = [
    (workloads[0], "inference", peer)
    for workloads in scaling().values()
    for peer in ("npylstm", "torch")
]
CASES = [
    pytest.param(
        *(axis, workload, question, PEERS[peer]),
        id=f"{workload.name}-{question}-{peer}",
        marks=[
            pytest.mark.benchmark(group=f"{question} along {axis}", timer=CLOCK),
            *([] if (workload, question, peer) in SMOKE else [pytest.mark.full]),
        ],
    )
    for axis, workloads in scaling().items()
    for question in QUESTIONS
    for workload in workloads
    for peer in ("npylstm", "keras", "torch")
]


@pytest.mark.parametrize(("axis", "workload", "question", "peer"), CASES)
def test_scaling(axis, workload, question, peer, benchmark, crew, effort, measured):
    skip_absent(peer)
    if effort is None:
        for small in scaling(tiny=True)[axis]:
            along(crew, question, axis, small, None, [peer.name])
        return nothing_to_time(benchmark)
    key = question, workload
    if key not in measured:
        measured[key] = along(crew, question, axis, workload, effort)
    for row in measured[key]:
        if row["peer"] == peer.name:
            report(benchmark, row)


@pytest.mark.benchmark(timer=CLOCK, group="threads, large")
@pytest.mark.parametrize("action", ["fit", "train_step", "infer"])
@pytest.mark.parametrize("count", [1, "all"])
def test_second_thread(action, count, benchmark, crew, effort, measured):
    if effort is None:
        second_thread(crew, TINY["tiny"], None)
        return nothing_to_time(benchmark)
    if "threads" not in measured:
        measured["threads"] = second_thread(crew, MAIN["large"], effort)
    wanted = crew.threads if count == "all" else count
    for row in measured["threads"]:
        if (row["action"], row["threads"]) == (action, wanted):
            report(benchmark, row)
            break

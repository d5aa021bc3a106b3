"""How much memory does a process hold that trains, or infers?"""

import pytest

from . import programs
from .conftest import nothing_to_time, skip_absent
from .peers import PEERS
from .workloads import MAIN, TINY

CASES = [
    pytest.param(
        *(name, action),
        id=f"{name}-{action}",
        # For smoke one will do: what each library computes is seen elsewhere.
        marks=[] if (name, action) == ("npylstm", "train_step") else pytest.mark.full,
    )
    for action in ("train_step", "infer")
    for name in ("npylstm", "keras", "torch")
]


@pytest.mark.benchmark(group="memory, large: see extra_info")
@pytest.mark.parametrize(("name", "action"), CASES)
def test_peak_memory(name, action, benchmark, threads, smoke):
    skip_absent(PEERS[name])
    workload = TINY["tiny"] if smoke else MAIN["large"]
    row = programs.peak_memory(PEERS[name], action, workload, threads)
    assert row["bytes"] >= row["after_import"] > 0
    # No time is asked for, but what pytest-benchmark records can hold the figures.
    benchmark.extra_info.update(row)
    nothing_to_time(benchmark)

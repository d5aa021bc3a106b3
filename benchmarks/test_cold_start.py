"""How long until something is trained, from nothing; and how long do whole programs take?"""

import pytest

from . import programs
from .conftest import CLOCK, nothing_to_time, report, skip_absent
from .peers import PEERS

CASES = ("import", "no kernel compiled before", "kernels from the cache", "keras")
SMOKE = ("kernels from the cache", "keras")


@pytest.mark.benchmark(timer=CLOCK, group="cold start")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(number, id=name, marks=[] if name in SMOKE else pytest.mark.full)
        for number, name in enumerate(CASES)
    ],
)
def test_cold_start(case, benchmark, threads, smoke, measured):
    if CASES[case] == "keras":
        skip_absent(PEERS["keras"])
    if smoke:
        library = "keras" if CASES[case] == "keras" else "npylstm"
        seconds = programs.one_cold_start([library, "epoch"], threads)
        assert seconds["total"] > seconds["import"] + seconds["first epoch"] > 0
        return nothing_to_time(benchmark)
    if "cold start" not in measured:
        with_keras = not PEERS["keras"].missing()
        measured["cold start"] = programs.cold_start(threads, 5, with_keras)
    report(benchmark, measured["cold start"][case])


@pytest.mark.full
@pytest.mark.benchmark(timer=CLOCK, group="examples")
def test_alphabet_experiments(benchmark, threads):
    """All six, as a program that has been run before."""
    report(benchmark, *programs.examples(threads, 3))

"""The one way in which time is taken: in rounds, everyone in turn, and medians of the rounds.

Other people's work on the machine comes and goes; what is measured in the same round meets the same
weather.  So ratios are taken within each round, and single times say little.
"""

import statistics
import time
from dataclasses import dataclass, field

from . import peak

# Threads of a pool go on spinning when their work is done, OpenBLAS's for 65 ms, ONNX Runtime's for
# 20 ms, and would take the cores from whoever has the next turn.
REST = 0.1  # seconds


@dataclass(frozen=True)
class Effort:
    """How much to measure: rounds, and the seconds that one turn should fill."""

    rounds: int
    seconds: float


FULL = Effort(rounds=11, seconds=0.1)
QUICK = Effort(rounds=3, seconds=0.03)


@dataclass
class Turn:
    """Who is timed, at what, and what came out."""

    peer: str
    action: str
    worker: object
    key: object
    steps: int  # batches in one call
    first_call: float = 0.0
    calls: int = 0
    rounds: list = field(default_factory=list)  # seconds for one batch
    limits: list = field(default_factory=list)  # what `peak.now` says in each round

    @property
    def median(self):
        return statistics.median(self.rounds)


def in_rounds(turns, effort, threads):
    """Time everyone, in turn, and fill in what came out; `threads` is how many the limits are of.

    Compilation is kept out of it: the first call of each stands by itself in `first_call`.
    """
    for turn in turns:
        turn.first_call = turn.worker.first_call(turn.key, turn.action)
        turn.calls = turn.worker.calls_in(turn.key, turn.action, effort.seconds)
    for _ in range(effort.rounds):
        for turn in turns:
            time.sleep(REST)
            seconds = turn.worker.measure(turn.key, turn.action, turn.calls)
            turn.rounds.append(seconds / turn.steps)
        time.sleep(REST)
        limits = peak.now(threads)
        for turn in turns:
            turn.limits.append(limits)
    return turns

"""The questions about steady state: a training step, fit, inference, scaling, the second thread.

Each returns rows, dictionaries that go into the record as they are.
"""

import statistics

from . import peak
from .peers import INFERENCE, OUR_ACTION, OURS, PEERS
from .timing import Turn, in_rounds
from .verify import verify, verify_threads
from .workloads import scaling

ACTIONS = {"training_step": ("train_step",), "fit": ("fit",), "inference": INFERENCE}


def compare(crew, question, workload, effort, peers=None, actions=None):
    """Verify every peer that can do the workload, then time all of them in rounds.

    Parameters
    ----------
    crew : Crew
    question : {"training_step", "fit", "inference"}
    workload : Workload
    effort : Effort or None
        None verifies only.
    peers : list of str or None
        Which of the crew's; None is all.
    actions : tuple of str or None
        Which of a question's ways to call a library; None is all.

    Returns
    -------
    list of dict
        One for each peer and way to call it: see `_row`.
    """
    actions = actions or ACTIONS[question]
    taking_part = [
        peer
        for peer in crew.peers
        if peer.can(workload)
        and (peers is None or peer.name in (OURS, *peers))
        and set(actions) & set(peer.actions)
    ]
    shares = {}
    for peer in taking_part:
        if peer.name != OURS:
            shares[peer.name] = verify(crew, peer, workload)
    if effort is None:
        return []
    turns = []
    for peer in taking_part:
        worker = crew.worker(peer)
        key = question, peer.name, workload.name
        worker.make(key, peer.name, workload, workload.weights())
        for action in actions:
            if action in peer.actions:
                steps = workload.batches if action == "fit" else 1
                turns.append(Turn(peer.name, action, worker, key, steps))
    in_rounds(turns, effort, crew.threads)
    for turn in turns:
        turn.worker.drop(turn.key)
    return [_row(question, workload, turn, turns, shares, crew.threads) for turn in turns]


def _row(question, workload, turn, turns, shares, threads):
    """Return what is recorded of a turn.

    `seconds` is the median over the rounds of the time for one batch, `ratio` that of how many
    times longer it took than ours, by the same kind of call in the same round, `limits` the GFLOP/s
    of `peak.now` in these rounds, and `agreement` the largest differences, as shares of what is
    allowed.
    """
    ours = next(t for t in turns if (t.peer, t.action) == (OURS, OUR_ACTION[turn.action]))
    return {
        "question": question,
        "workload": workload.name,
        "shape": {axis: getattr(workload, axis) for axis in "BTDUK"},
        "dtype": workload.dtype,
        "peer": turn.peer,
        "action": turn.action,
        "call": PEERS[turn.peer].actions[turn.action],
        "threads": threads,
        "seconds": turn.median,
        "ratio": statistics.median(
            theirs / own for theirs, own in zip(turn.rounds, ours.rounds, strict=True)
        ),
        "gflops": workload.flops(turn.action) / turn.median / 1e9,
        "first_call": turn.first_call,
        "calls": turn.calls,
        "rounds": turn.rounds,
        "limits": {
            loop: statistics.median(limits[loop] for limits in turn.limits) for loop in peak.LOOPS
        },
        "agreement": shares.get(turn.peer, {}),
    }


def scale(crew, effort):
    """Time a step and an inference along T, B and U, against Keras and PyTorch."""
    rows = []
    for axis, workloads in scaling().items():
        for workload in workloads:
            for question in ("training_step", "inference"):
                rows += along(crew, question, axis, workload, effort)
    return rows


def along(crew, question, axis, workload, effort, peers=("keras", "torch")):
    """Return the rows of one point of `scale`: one way to call each library."""
    action = "infer" if question == "inference" else "train_step"
    rows = compare(crew, question, workload, effort, peers, (action,))
    return [row | {"question": "scaling", "axis": axis, "size": row["shape"][axis]} for row in rows]


def second_thread(crew, workload, effort):
    """Time npylstm with 1, 2, 4, … threads, up to all, on the same workload."""
    ours = PEERS[OURS]
    counts = [1]
    while counts[-1] < crew.threads:
        counts.append(min(2 * counts[-1], crew.threads))
    verify_threads(crew, workload)
    rows = []
    for action in ("fit", "train_step", "infer") if effort else ():
        turns = []
        for count in counts:
            worker = crew.worker(ours, count)
            key = "threads", action
            worker.make(key, OURS, workload, workload.weights())
            steps = workload.batches if action == "fit" else 1
            turns.append(Turn(OURS, action, worker, key, steps))
        in_rounds(turns, effort, crew.threads)
        for count, turn in zip(counts, turns, strict=True):
            turn.worker.drop(turn.key)
            row = _row("threads", workload, turn, turns[:1], {}, count)
            rows.append(row | {"ratio": None, "speedup": turns[0].median / turn.median})
    return rows

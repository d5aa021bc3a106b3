"""The questions about whole programs: cold start, memory, the alphabet experiments.

Each returns rows, dictionaries that go into the record as they are.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time

from .peers import OURS
from .processes import Worker, environment


def cold_start(threads, repeats, with_keras=True):
    """Time processes that import a library, or import it and train a first epoch.

    Parameters
    ----------
    threads, repeats : int
    with_keras : bool

    Returns
    -------
    list of dict
        "total" is from the start of the process until it has done what it is for; the last of them
        are "import" and, where there is one, "first epoch", as the process itself takes the time.
    """
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        compiled = ["npylstm", "epoch"]
        cases = [
            ("npylstm", "import", ["npylstm"]),
            ("npylstm", "first epoch, no kernel compiled before", compiled),
            ("npylstm", "first epoch, kernels from the cache", compiled),
        ]
        if with_keras:
            cases.append(("keras", "first epoch", ["keras", "epoch"]))
        one_cold_start(["npylstm"], threads, cache)  # leaves the bytecode, as an installer does
        for peer, what, arguments in cases:
            # Each start without kernels has a folder of its own; the others share the first one.
            runs = []
            for number in range(repeats):
                folder = f"{cache}/{number if 'no kernel' in what else 0}"
                runs.append(one_cold_start(arguments, threads, folder))
            medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            rows.append(
                {
                    "question": "cold_start",
                    "peer": peer,
                    "what": what,
                    "threads": threads,
                    "seconds": medians["total"],
                    "parts": medians,
                    "rounds": [run["total"] for run in runs],
                }
            )
    return rows


def one_cold_start(arguments, threads, cache=None):
    """Run `cold_start.main` in a process, with a folder for compiled kernels, or the usual one."""
    extra = {"KERAS_BACKEND": "tensorflow"} | ({"NPYLSTM_CACHE_DIR": cache} if cache else {})
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.cold_start", *arguments]
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment(threads, extra), capture_output=True, text=True, check=False
    )
    total = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[3:])}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"total": total}


def peak_memory(peer, action, workload, threads, calls=3):
    """Return the peak memory of a fresh process that trains, or infers, a few times.

    Parameters
    ----------
    peer : Peer
    action : {"train_step", "infer"}
    workload : Workload
    threads, calls : int

    Returns
    -------
    dict
        "bytes" is the peak; "after_import" what it was before the process did anything.
    """
    worker = Worker(peer, threads)
    try:
        worker.load(peer.name)
        before = worker.peak_memory()
        worker.make("model", peer.name, workload, workload.weights())
        for _ in range(calls):
            worker.call("model", action)
        peak = worker.peak_memory()
    finally:
        worker.close()
    return {
        "question": "memory",
        "workload": workload.name,
        "peer": peer.name,
        "action": action,
        "threads": threads,
        "bytes": peak,
        "after_import": before,
    }


def memory(peers, workload, threads):
    """Return the rows of `peak_memory` for npylstm, Keras and PyTorch, as far as they are there."""
    asked = [peer for peer in peers if peer.name in (OURS, "keras", "torch")]
    return [
        peak_memory(peer, action, workload, threads)
        for action in ("train_step", "infer")
        for peer in asked
    ]


def examples(threads, repeats, epochs=None):
    """Time ``python -m examples.alphabet all``, all six experiments, once it has run before."""
    command = [sys.executable, "-W", "ignore", "-m", "examples.alphabet", "all"]
    warm_up = [*command, "--epochs", "1"]
    if epochs is not None:
        command += ["--epochs", str(epochs)]
    rounds = []
    for arguments in [warm_up] + [command] * repeats:
        start = time.perf_counter()
        subprocess.run(arguments, env=environment(threads), capture_output=True, check=True)
        rounds.append(time.perf_counter() - start)
    return [
        {
            "question": "examples",
            "peer": OURS,
            "what": "the six alphabet experiments" + (f", {epochs} epochs" if epochs else ""),
            "threads": threads,
            "seconds": statistics.median(rounds[1:]),
            "rounds": rounds[1:],
        }
    ]

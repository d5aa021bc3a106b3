"""The process that a peer lives in: ``python -m benchmarks.worker THREADS``, spoken to by pipes.

Requests and answers are pickles on stdin and stdout; `processes.Worker` is the other side.
"""

import contextlib
import gc
import importlib
import importlib.metadata
import os
import pickle
import resource
import sys
import time
import traceback

import numpy as np

from .peers import PEERS


class Server:
    """What can be asked; every method is a request."""

    def __init__(self, threads):
        self.threads = threads
        self.models = {}

    def load(self, name):
        """Import the library of a peer; return the seconds that this takes."""
        start = time.perf_counter()
        self._class(name)
        return time.perf_counter() - start

    def _class(self, name):
        module, _, attribute = PEERS[name].where.partition(":")
        return getattr(importlib.import_module(f"{__package__}.peers.{module}"), attribute)

    def make(self, key, name, workload, weights):
        options = PEERS[name].options
        self.models[key] = self._class(name)(workload, weights, self.threads, **options)

    def reset(self, key, weights):
        self.models[key].reset(weights)

    def drop(self, key):
        self.models.pop(key, None)
        gc.collect()

    def call(self, key, action, *arguments):
        """Do something once and return what comes back, loss or outputs, as NumPy."""
        result = getattr(self.models[key], action)(*arguments)
        return None if result is None else np.array(result)

    def weights(self, key):
        return self.models[key].weights()

    def measure(self, key, action, calls):
        """Return the seconds of one call, or of one epoch: of `calls` in a row.

        A few before them do not count: they bring data and threads back that others had pushed out.
        """
        model = self.models[key]
        model.repeat(action, 1 + calls // 10)
        gc.disable()
        start = time.perf_counter()
        model.repeat(action, calls)
        seconds = time.perf_counter() - start
        gc.enable()
        return seconds / calls

    def first_call(self, key, action):
        """Return the seconds of a first call, in which a library may compile."""
        start = time.perf_counter()
        getattr(self.models[key], action)()
        return time.perf_counter() - start

    def calls_in(self, key, action, seconds):
        """Return how many calls fill so many seconds, at least one."""
        calls = 1
        while True:
            taken = self.measure(key, action, calls)
            if taken * calls > seconds / 5:
                return max(1, round(seconds / taken))
            calls *= 4

    def peak_memory(self):
        """Return the most memory that the process ever held, in bytes."""
        with contextlib.suppress(OSError), open("/proc/self/status", encoding="utf-8") as status:
            # On Linux getrusage counts what the parent held when it started this process.
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def versions(self, names):
        found = {}
        for name in names:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(name)
        return found


def use_cores(n):
    """Keep this process, with all threads to come, on n of its cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def main():
    # Answers go where stdout went; what libraries print goes to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threads = int(sys.argv[1])
    use_cores(threads)
    server = Server(threads)
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except (EOFError, KeyboardInterrupt):
            return
        try:
            answer = True, getattr(server, method)(*arguments)
        except Exception:
            answer = False, traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()

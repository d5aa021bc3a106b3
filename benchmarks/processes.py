"""Starting the peers' processes and speaking to them."""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

from .peers import PEERS

ROOT = Path(__file__).parents[1]


def available_cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(threads, extra=()):
    """Return the variables for a process that is to use so many threads, and to find this code.

    Python keeps the bytecode of what it imports, as an installer does: whoever forbids that has
    this code compiled again by every process.
    """
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    counts = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        **{f"{name}_NUM_THREADS": str(threads) for name in counts},
        **dict(extra),
    }


class PeerError(RuntimeError):
    """What went wrong in a peer's process."""


class Worker:
    """A process of a peer; every request of `worker.Server` is a method of this.

    Parameters
    ----------
    peer : Peer
    threads : int
    """

    def __init__(self, peer, threads):
        self.title, self.threads = peer.title, threads
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(threads, peer.environment),
        )

    def __getattr__(self, request):
        if request.startswith("_"):
            raise AttributeError(request)
        return lambda *arguments: self._ask(request, arguments)

    def _ask(self, request, arguments):
        try:
            pickle.dump((request, arguments), self._process.stdin)
            self._process.stdin.flush()
            succeeded, answer = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError):
            self._errors.seek(0)
            last_words = self._errors.read().decode(errors="replace")[-2000:]
            raise PeerError(f"the process of {self.title} ended:\n{last_words}") from None
        if not succeeded:
            raise PeerError(f"{self.title}, {request}:\n{answer}")
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()


class Crew:
    """The processes of a run, each started when it is first needed.

    Parameters
    ----------
    peers : list of Peer
        Beside npylstm, which is always there.
    threads : int
    """

    def __init__(self, peers, threads):
        self.peers = [PEERS["npylstm"], *peers]
        self.threads = threads
        self.known = {}  # what `verify` has found out in this run
        self._workers = {}

    def worker(self, peer, threads=None):
        threads = threads or self.threads
        key = peer.process, threads
        if key not in self._workers:
            self._workers[key] = Worker(peer, threads)
        return self._workers[key]

    def versions(self):
        """Return {distribution: version} of all peers."""
        found = {}
        for peer in self.peers:
            found |= self.worker(peer).versions(peer.distributions)
        return found

    def close(self):
        while self._workers:
            _, worker = self._workers.popitem()
            worker.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

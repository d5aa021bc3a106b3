"""How many threads kernels run on, and the threads themselves.

A kernel is run by all its threads at once, each with its number.  They are started when they are
first needed and wait for the next call in between.
"""

import contextlib
import functools
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .aligned import aligned_zeros
from .errors import positive_integer

_chosen = None
_team = None
_busy = threading.Lock()


def set_num_threads(n):
    """Set how many threads a call may use; results do not depend on it.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError, TypeError
        For anything else.
    """
    global _chosen
    _chosen = positive_integer("the number of threads", n)


def get_num_threads():
    """Return how many threads a call may use.

    What `set_num_threads` said, else $NUMBA_NUM_THREADS, else $OMP_NUM_THREADS, else as many as
    there are processors for this process; which of them is looked up once.
    """
    return _chosen or _default_num_threads()


@functools.cache  # a small prediction takes no longer than a few of such questions
def _default_num_threads():
    for variable in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").split(",")[0].strip()  # OpenMP: one for each level
        if text:
            if not text.isdigit() or int(text) < 1:
                raise ValueError(f"${variable} must be a number of at least 1, got {text!r}")
            return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def lent(n):
    """Lend up to n threads, this one among them: yields how many, and a `Team` of the others.

    The threads wait for each other inside kernels, so all of a call's must be there at once.  While
    they are in use by somebody else there is one for each caller: its own.
    """
    if n > 1 and _busy.acquire(blocking=False):
        try:
            team = _team_of(n)
            for helper in team.helpers:
                helper.wait()  # if Ctrl-C ended a call before its last thread was done
            yield n, team
        finally:
            _busy.release()
    else:
        yield 1, None


class Team:
    """Threads that run what they are given.

    Attributes
    ----------
    helpers : list of Helper
        One less than the threads of a call.
    submit : callable
        Starts a function on a thread, as that of ``concurrent.futures.Executor``.
    """

    def __init__(self, n):
        self._pool = ThreadPoolExecutor(n, "npylstm")
        self.submit = self._pool.submit
        self.helpers = [Helper(self.submit) for _ in range(n - 1)]

    def disband(self):
        """Let the threads end when they are done."""
        self._pool.shutdown(wait=False)


class Helper:
    """A thread that does what is posted in its letter box; see `kernels.waiting`.

    It stays awake for about a millisecond after each job.

    Parameters
    ----------
    submit : callable
        Starts a function on a thread.
    """

    def __init__(self, submit):
        from .kernels import frame, native

        self._submit, self._posted = submit, frame.POSTED
        self._box = aligned_zeros(frame.BOX, np.int64)
        self._state = self._box[frame.BOX_STATE :]
        self._job = self._box[slice(*frame.JOB)]
        self._await_jobs = native.entry(native.AWAIT_JOBS[0], **native.AWAIT_JOBS[1])
        self._awake, self._lock = False, threading.Lock()

    def post(self, kernel, frame, k):
        """Let the thread run ``kernel(0, frame, k)``, two addresses and a number."""
        with self._lock:
            self._job[:] = kernel, frame, k
        with self._lock:  # again, so that other processors, too, see the job before the state
            if not self._awake:
                self._submit(self._work)
                self._awake = True
            self._state[0] = self._posted

    def _work(self):
        while True:
            self._await_jobs(self._box.ctypes.data, 0, 0)
            with self._lock:
                if self._state[0] != self._posted:
                    self._awake = False
                    return

    def wait(self):
        """Wait until the thread has done what was posted, if anything was."""
        looks = 0
        while self._state[0]:
            time.sleep(0 if looks < 100 else 1e-4)
            looks += 1


def _team_of(n):
    global _team
    if _team is None or len(_team.helpers) < n - 1:
        if _team is not None:
            _team.disband()
        _team = Team(n)
    return _team


def _after_fork():
    # The child has none of its parent's threads, and nobody to give the lock back.
    global _team, _busy
    _team, _busy = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

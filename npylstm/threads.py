"""How many threads kernels run on, and the threads themselves.

A kernel is run by all its threads at once, each with its number.  They are started when they are
first needed and wait for the next call in between.
"""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait

from .errors import positive_integer

_chosen = None
_pool = None
_pool_size = 0
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
    there are processors for this process.
    """
    if _chosen is not None:
        return _chosen
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
    """Lend up to n threads, this one among them: yields how many, and a function to start them.

    The threads wait for each other inside kernels, so all of a call's must be there at once.  While
    they are in use by somebody else there is one for each caller: its own.
    """
    if n > 1 and _busy.acquire(blocking=False):
        try:
            yield n, _started(n).submit
        finally:
            _busy.release()
    else:
        yield 1, None


def _started(n):
    global _pool, _pool_size
    if _pool is None or _pool_size < n:
        if _pool is not None:
            _pool.shutdown(wait=False)
        _pool, _pool_size = ThreadPoolExecutor(n, "npylstm"), n
    return _pool


def _after_fork():
    # The child has none of its parent's threads, and nobody to give the lock back.
    global _pool, _pool_size, _busy
    _pool, _pool_size, _busy = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

__all__ = ["get_num_threads", "lent", "set_num_threads", "wait"]

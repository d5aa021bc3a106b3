"""Calls of a program's kernels: on how many threads, and how Ctrl-C is heard meanwhile."""

import contextlib
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

from .. import interrupt, threads
from ..kernels import frame as fr
from ..kernels import native
from ..reference import embedding

THREADED_BATCH = 1e6  # floating-point operations of a batch below which one thread is faster
THREADED_CALL = 1e7  # and those of a call that make up for waking the others
LONG_BATCH = 5e9  # a batch of so many is waited for, so that Ctrl-C is heard meanwhile


def call(program, steps):
    """Run `steps` batches as the settings say; return whether somebody asked for an end."""
    ended = run(program, steps)
    if program.looks_up and program.frame.sync[fr.NOT_FINITE]:
        raise embedding.unknown_index()
    return ended


def is_large(program, steps):
    """Return whether a call is to run on several threads, which plain Python cannot."""
    enough = program.operations >= max(THREADED_BATCH, THREADED_CALL / max(1, steps))
    return enough and not native.jit_disabled()


def run(program, steps):
    """Do the same as `call`, for a program that looks nothing up."""
    s = program.settings
    s[fr.FIRST_STEP], s[fr.STEPS] = 0, steps
    wanted = 1
    if is_large(program, steps):
        wanted = min(threads.get_num_threads(), program.parallel, fr.MAX_THREADS)
    native.announce()
    with threads.lent(wanted) as (n, team):
        s[fr.THREADS] = n
        sync = program.frame.sync
        sync[:] = 0
        if program.operations > LONG_BATCH:
            for step in range(steps):
                s[fr.FIRST_STEP], s[fr.STEPS] = step, step + 1
                if _wait_for(program, n, team) or interrupt.pending():
                    return True
        elif n == 1:
            program.call(0)
        else:
            _share(program, team.helpers[: n - 1])
    return False


def _share(program, helpers):
    """Run a call on this thread and others."""
    try:
        for k, helper in enumerate(helpers, 1):
            helper.post(program.run_address, program.address, k)
        program.call(0)
    except BaseException:  # such as Ctrl-C between two lines: nobody waits for the others
        program.frame.sync[[fr.STOP, fr.ABANDONED]] = 1
        raise
    finally:
        for helper in helpers:
            helper.wait()


def _wait_for(program, n, team):
    """Run a batch on other threads only, so that this one can hear Ctrl-C and stop them."""
    sync, states = program.frame.sync, program.plan.memory.states.copy()
    with contextlib.ExitStack() as stack:
        submit = team.submit if team else stack.enter_context(ThreadPoolExecutor(1)).submit
        started = []
        try:
            for k in range(n):
                started.append(submit(program.call, k))
            while futures.wait(started, timeout=0.05).not_done:
                sync[fr.STOP] = interrupt.pending()
        except BaseException:
            sync[[fr.STOP, fr.ABANDONED]] = 1
            raise
        finally:
            futures.wait(started)
            if sync[fr.STOP]:  # nothing of this batch may be left
                program.plan.memory.states[...] = states
    for thread in started:
        thread.result()
    return bool(sync[fr.STOP])

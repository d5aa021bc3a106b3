"""The threads that help with a call: each job is done once, however they were found."""

import ctypes
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from npylstm import threads
from npylstm.kernels import native

pytestmark = pytest.mark.skipif(native.jit_disabled(), reason="plain Python has one thread only")


class Jobs:
    """Kernels that note what they are called with."""

    def __init__(self):
        self.done = []
        kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
        self._kernel = kind(lambda row, frame, k: self.done.append((row, frame, k)))
        self.address = ctypes.cast(self._kernel, ctypes.c_void_p).value


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_every_job_is_done_once_by_a_thread_awake_or_asleep(jobs, pool, rng):
    helper = threads.Helper(pool.submit)
    for n in range(600):
        helper.post(jobs.address, n, 7)
        helper.wait()
        assert len(jobs.done) == n + 1
        time.sleep(rng.choice([0, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3]))  # some end as it falls asleep
    assert jobs.done == [(0, n, 7) for n in range(600)]


def test_two_threads_at_one_letter_box_do_not_do_a_job_twice(jobs, pool):
    helper = threads.Helper(pool.submit)
    for n in range(300):
        helper._awake = False  # as an interrupt can leave it, right after a thread was started
        helper.post(jobs.address, n, 1)
        helper.wait()
    assert jobs.done == [(0, n, 1) for n in range(300)]


def test_a_thread_that_cannot_be_started_leaves_nothing_posted(jobs, pool):
    refused = [RuntimeError("can't start new thread")]

    def submit(function):
        if refused:
            raise refused.pop()
        return pool.submit(function)

    helper = threads.Helper(submit)
    with pytest.raises(RuntimeError, match="can't start"):
        helper.post(jobs.address, 1, 1)
    helper.wait()  # for nothing
    helper.post(jobs.address, 2, 1)
    helper.wait()
    assert jobs.done == [(0, 2, 1)]


def test_a_thread_falls_asleep_when_nothing_comes(jobs, pool):
    helper = threads.Helper(pool.submit)
    helper.post(jobs.address, 1, 1)
    helper.wait()
    end = time.perf_counter() + 30
    while helper._awake:
        assert time.perf_counter() < end
        time.sleep(1e-3)
    started = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - started < 0.1  # it takes no time then


def test_a_larger_team_takes_the_place_of_a_smaller(jobs):
    for n in (2, 4, 3):
        with threads.lent(n) as (given, team):
            assert given == n
            for k, helper in enumerate(team.helpers[: n - 1]):
                helper.post(jobs.address, n, k)
            for helper in team.helpers:
                helper.wait()
    expected = [(0, n, k) for n in (2, 4, 3) for k in range(n - 1)]
    assert sorted(jobs.done) == sorted(expected)


def test_who_comes_while_threads_are_lent_works_alone():
    with threads.lent(2) as (n, team):
        with threads.lent(2) as (again, nobody):
            assert (n, again, nobody) == (2, 1, None)
        assert len(team.helpers) >= 1
    with threads.lent(2) as (n, _):
        assert n == 2


def test_a_team_is_lent_again_when_all_are_done(jobs):
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    slow = kind(lambda row, frame, k: time.sleep(0.2))
    address = ctypes.cast(slow, ctypes.c_void_p).value
    with threads.lent(2) as (_, team):  # and left, as by Ctrl-C, without waiting
        team.helpers[0].post(address, 0, 1)
    start = time.perf_counter()
    with threads.lent(2) as (_, team):
        assert time.perf_counter() - start > 0.1
        team.helpers[0].post(jobs.address, 5, 1)
        team.helpers[0].wait()
    assert jobs.done == [(0, 5, 1)]


def test_letter_boxes_lie_in_cache_lines_of_their_own():
    with threads.lent(3) as (_, team):
        addresses = np.array([helper._box.ctypes.data for helper in team.helpers])
    assert len(set(addresses // 64)) == len(addresses)

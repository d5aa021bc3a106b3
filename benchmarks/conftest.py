"""The options and fixtures of the benchmarks, and how measured times reach pytest-benchmark."""

import pytest

from .peers import chosen
from .processes import Crew, available_cores
from .timing import FULL
from .worker import use_cores


def pytest_addoption(parser):
    group = parser.getgroup("npylstm's benchmarks")
    group.addoption("--threads", type=int, default=available_cores(), help="for every library")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: only in a full run, not with --benchmark-disable")


def pytest_collection_modifyitems(config, items):
    if config.getoption("benchmark_disable"):
        full = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=full)
        items[:] = [item for item in items if item not in full]


def pytest_report_header(config):
    _, words = chosen()
    return words


@pytest.fixture(scope="session")
def threads(request):
    threads = request.config.getoption("--threads")
    use_cores(threads)
    return threads


@pytest.fixture(scope="session")
def crew(threads):
    """The processes of all peers that are installed."""
    peers, _ = chosen()
    with Crew(peers, threads) as crew:
        yield crew


@pytest.fixture(scope="session")
def smoke(request):
    """Whether only to see that everything runs and agrees: ``--benchmark-disable``."""
    return request.config.getoption("benchmark_disable")


@pytest.fixture(scope="session")
def effort(smoke):
    """How much to measure; None for nothing."""
    return None if smoke else FULL


@pytest.fixture(scope="session")
def measured():
    """What has been measured in this session: everyone in a comparison is timed with the first."""
    return {}


class Clock:
    """A clock that stands still unless it is told what time has passed.

    Peers run in processes of their own, in rounds, and time is taken there.  pytest-benchmark reads
    this clock before and after it calls `replay`, and so sees the rounds as they were.
    """

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def replay(self, benchmark, rounds, **extra):
        """Give rounds (seconds) to the benchmark fixture, and figures to go beside them."""
        rounds = list(rounds)
        left = iter(rounds)

        def advance():
            self.now += next(left)

        benchmark.extra_info.update(extra)
        benchmark.pedantic(advance, rounds=len(rounds))


CLOCK = Clock()


def skip_absent(peer):
    if peer.missing():
        pytest.skip(f"{peer.title}: {' and '.join(peer.missing())} not installed")


def report(benchmark, row):
    """Hand a measured row over to pytest-benchmark."""
    left_out = ("rounds", "seconds")
    CLOCK.replay(benchmark, row["rounds"], **{k: v for k, v in row.items() if k not in left_out})


def nothing_to_time(benchmark):
    """Tell pytest-benchmark, which is disabled, that the test is done."""
    benchmark.pedantic(lambda: None)

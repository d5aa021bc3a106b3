"""What does a trace cost beside a forward and backward alone?"""

import pytest

from . import trace_cost


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_trace_cost(backend):
    seconds = trace_cost.measure(backend, (2, 3, 1, 4), rounds=2, rest=0)
    assert list(seconds) == list(trace_cost.ways(None, None, None))
    assert all(median > 0 for median in seconds.values())

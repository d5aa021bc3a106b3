"""The comparison that comes before all times can fail."""

from types import SimpleNamespace

import numpy as np
import pytest

from .peers import PEERS
from .verify import Different, verify
from .workloads import TINY


class Wrong:
    """npylstm's process, in which something is wrong with what another peer says."""

    def __init__(self, worker, spoil):
        self._worker, self._spoil = worker, spoil

    def __getattr__(self, name):
        return getattr(self._worker, name)

    def make(self, key, name, workload, weights):
        self._worker.make(key, "npylstm", workload, self._spoil(weights))

    def reset(self, key, weights):
        self._worker.reset(key, self._spoil(weights))


def swap_gates(weights):
    """Take the first two gates for each other."""
    i, f, g, o = np.split(weights[0], 4, axis=1)
    return [np.concatenate([f, i, g, o], axis=1), *weights[1:]]


def change_a_little(weights):
    return [weights[0] + np.float32(1e-4), *weights[1:]]


@pytest.mark.parametrize("spoil", [swap_gates, change_a_little])
def test_differences_are_found(spoil, crew):
    ours = crew.worker(PEERS["npylstm"])

    def worker(peer, threads=None):
        return ours if peer.name == "npylstm" else Wrong(ours, spoil)

    with pytest.raises(Different):
        verify(SimpleNamespace(worker=worker, known={}), PEERS["torch"], TINY["tiny"])


def test_what_is_the_same_is_found_to_be(crew):
    ours = crew.worker(PEERS["npylstm"])

    def worker(peer, threads=None):
        return ours if peer.name == "npylstm" else Wrong(ours, list)

    shares = verify(SimpleNamespace(worker=worker, known={}), PEERS["torch"], TINY["tiny"])
    assert set(shares.values()) == {0.0}

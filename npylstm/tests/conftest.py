"""What many tests share."""

import signal

import numpy as np
import pytest

import npylstm


@pytest.fixture
def rng():
    return np.random.default_rng(20261121)


@pytest.fixture(autouse=True)
def repeatable():
    npylstm.utils.set_random_seed(1)


@pytest.fixture(autouse=True, scope="session")
def listening_to_ctrl_c():
    """Whoever starts the tests in the background may have them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

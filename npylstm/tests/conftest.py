"""What many tests share."""

import numpy as np
import pytest

import npylstm


@pytest.fixture
def rng():
    return np.random.default_rng(20261121)


@pytest.fixture(autouse=True)
def repeatable():
    npylstm.utils.set_random_seed(1)

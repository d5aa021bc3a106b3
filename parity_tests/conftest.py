"""Quiet TensorFlow before anything imports it, and the precision and random numbers of a test."""

import os
import zlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # one order of summation, whatever the CPU
os.environ["KERAS_BACKEND"] = "tensorflow"

import hypothesis
import numpy as np
import pytest

from .oracle import precision

# The same examples in every run of the suite; new ones, and many more, with
# --hypothesis-profile=long.
_COMMON = {"deadline": None, "suppress_health_check": list(hypothesis.HealthCheck)}
hypothesis.settings.register_profile(
    "suite", max_examples=300, derandomize=True, database=None, **_COMMON
)
hypothesis.settings.register_profile("long", max_examples=5000, print_blob=True, **_COMMON)


def pytest_configure(config):
    """Make known the marks that Keras's own tests carry."""
    config.addinivalue_line("markers", "requires_trainable_backend: of Keras; no meaning here")


@pytest.fixture(params=["float32", "float64"])
def floatx(request):
    """Run the test once in each precision."""
    with precision(request.param):
        yield request.param


@pytest.fixture
def float64():
    """Run the test in double precision only."""
    with precision("float64"):
        yield


@pytest.fixture
def rng(request):
    """Random numbers that are the same in every run, and others in every test."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))

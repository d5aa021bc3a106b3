"""Kernels for processors with less than this one has: vectors of other widths, fewer registers."""

import os
import platform
import subprocess
import sys
import textwrap

import pytest

from npylstm.kernels.format import host_features

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="names processors of x86"
)

SCRIPT = textwrap.dedent(
    """
    import sys
    import numpy as np
    import npylstm
    from npylstm import Sequential
    from npylstm.layers import LSTM, Dense, Input
    from npylstm.kernels.format import host_lanes

    print(host_lanes("float32"), host_lanes("float64"))
    rng = np.random.default_rng(0)
    # Roundings as in agreement.py.
    bound = {"float32": 2e-5, "float64": 1e-13}[sys.argv[1]]
    npylstm.config.set_floatx(sys.argv[1])
    # One row, and as many as the tallest tile has and one more; units around whole vectors; more
    # samples than pass at a time, and weights that are taken in chunks.
    for U, B in ((1, 1), (3, 7), (8, 5), (9, 1), (17, 3), (33, 15), (520, 27)):
        layers = [LSTM(U, return_sequences=True), LSTM(U), Dense(3, "softmax")]
        model = Sequential([Input((4, 5)), *layers])
        model.set_weights([rng.normal(size=w.shape) / np.sqrt(U + 1) for w in model.get_weights()])
        model.compile("adam", "categorical_crossentropy")
        x, y = rng.normal(size=(B, 4, 5)), np.eye(3)[rng.integers(0, 3, B)]
        results = []
        for backend in ("numpy", "numba"):
            with npylstm.using_backend(backend):
                loss, gradients = model.loss_and_gradients(x, y)
                results.append([np.array(loss), *gradients.values()])
        largest = max(np.abs(array).max() for array in results[0])
        for expected, actual in zip(*results, strict=True):
            error = np.abs(actual - expected).max()
            assert error <= bound * (np.abs(expected).max() + 0.1 * largest), (U, B, error)
    """
)
AVX2 = "+64bit,+avx,+avx2,+bmi,+bmi2,+cmov,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sse,"
AVX2 += "+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave"


def run(dtype, **environment):
    settings = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_CPU")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, dtype],
        capture_output=True,
        text=True,
        env={**settings, "NPYLSTM_BACKEND": "numba", **environment},
        timeout=300,
    )


@pytest.mark.skipif("avx2" not in host_features(), reason="this processor has no AVX2")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_avx2(dtype):
    result = run(dtype, NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES=AVX2)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "8 4\n"


def test_avx512_in_plain_python():
    """The kernels, if not the tiles, as they are with 32 registers, on any processor."""
    features = AVX2 + ",+avx512f,+avx512vl"
    settings = {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": features}
    result = run("float32", NUMBA_DISABLE_JIT="1", **settings)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "16 8\n"


def test_sse2():
    features = "+64bit,+cmov,+cx8,+fxsr,+mmx,+sse,+sse2"
    result = run("float32", NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES=features)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "4 2\n"


def test_the_generic_processor():
    """The name by which Numba's users ask for code that runs everywhere."""
    result = run("float64", NUMBA_CPU_NAME="generic")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "4 2\n"

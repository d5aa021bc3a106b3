"""Backends: modules of the same functions, chosen by name; and what may not be imported."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, backends, reference
from npylstm.backends import numba_backend, numpy_backend
from npylstm.layers import LSTM, Input


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


def test_numpy_backend_imports_neither_numba_nor_tensorflow():
    result = run(
        "import npylstm, sys; assert 'numba' not in sys.modules and 'tensorflow' not in sys.modules"
        "; assert 'matplotlib' not in sys.modules and 'keras' not in sys.modules",
        NPYLSTM_BACKEND="numpy",
    )
    assert result.returncode == 0, result.stderr


def test_training_on_the_numpy_backend_does_not_import_numba():
    result = run(
        "import sys, numpy as np; from npylstm import Sequential; from npylstm.layers import *\n"
        "m = Sequential([Input((2, 1)), LSTM(3), Dense(1)]); m.compile('adam', 'mse')\n"
        "m.fit(np.zeros((4, 2, 1)), np.zeros(4), verbose=0); assert 'numba' not in sys.modules",
        NPYLSTM_BACKEND="numpy",
    )
    assert result.returncode == 0, result.stderr


def test_choosing():
    before = npylstm.get_backend()
    for name in ("numpy", "numba"):
        with npylstm.using_backend(name):
            assert npylstm.get_backend() == name
            assert backends.current().__name__ == f"npylstm.backends.{name}_backend"
        assert npylstm.get_backend() == before


def test_the_compiled_backend_is_the_default():
    result = run("import npylstm; print(npylstm.get_backend())", NPYLSTM_BACKEND="")
    assert result.stdout == "numba\n"


def test_both_backends_have_the_same_functions():
    functions = "prepare forward backward loss_and_gradients train evaluate predict quick".split()
    functions += ["apply_update"]
    for name in functions:
        ours, theirs = (getattr(b, name) for b in (numpy_backend, numba_backend))
        assert inspect.signature(ours) == inspect.signature(theirs)


def test_the_environment_chooses_too_and_a_wrong_name_is_an_error():
    result = run("import npylstm; print(npylstm.get_backend())", NPYLSTM_BACKEND="numpy")
    assert result.stdout == "numpy\n"
    code = "import npylstm, numpy as np\nnpylstm.layers.LSTM(2)(np.zeros((1, 2, 3)))"
    result = run(code, NPYLSTM_BACKEND="nunpy")
    assert "ValueError: unknown backend 'nunpy'; choose one of 'numpy', 'numba'" in result.stderr


def test_a_failed_choice_keeps_the_former_one():
    before = npylstm.get_backend()
    with pytest.raises(ValueError), npylstm.using_backend("tensorflow"):
        pass
    assert npylstm.get_backend() == before


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("B", [1, 2])
def test_backward_carries_output_gradients_to_the_input_and_the_weights(rng, backend, B):
    with npylstm.using_backend(backend):
        check_backward(rng, B)


def check_backward(rng, B):
    model = Sequential([Input((6, 3)), LSTM(4, return_sequences=True, dtype="float64")])
    x, dy = rng.normal(size=(B, 6, 3)), rng.normal(size=(B, 6, 4))
    plan = model.make_plan(x.shape)
    program = backends.current().prepare(plan, keep=True)
    program.x[...] = x
    backends.current().forward(program, training=False)
    plan.gradients(*plan.outputs[0])[...] = dy.swapaxes(0, 1)
    backends.current().backward(program)
    _, cache = reference.lstm_forward(x.swapaxes(0, 1), None, None, *model.get_weights())
    expected = reference.lstm_backward(dy.swapaxes(0, 1), None, cache)
    np.testing.assert_allclose(plan.gradients(*plan.x), expected.dx, rtol=1e-12)
    for name, gradient in zip(("kernel", "recurrent_kernel", "bias"), expected[3:6], strict=True):
        np.testing.assert_allclose(model.memory.gradient(f"lstm/{name}"), gradient, rtol=1e-12)


def test_many_threads_predict_at_once(rng):
    from concurrent.futures import ThreadPoolExecutor

    x = rng.normal(size=(40, 6, 3))
    model = Sequential([Input((6, 3)), LSTM(16)])
    expected = [model.predict_on_batch(x[k : k + 1]) for k in range(40)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            got = list(pool.map(lambda k: model.predict_on_batch(x[k : k + 1]), range(40)))
            np.testing.assert_array_equal(got, expected)

"""NUMBA_DISABLE_JIT=1: the kernels as plain Python, which a debugger can stop in."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

SCRIPT = textwrap.dedent(
    """
    import sys
    import numpy as np
    import npylstm
    from npylstm import Sequential
    from npylstm.layers import (
        LSTM, Bidirectional, Dense, Dropout, Input, LayerNormalization, RepeatVector,
        TimeDistributed,
    )

    pairs = {"float32": ("relu", "hard_sigmoid"), "float64": ("softsign", "silu")}
    models = {
        "classifier": lambda: [LSTM(5), Dense(3, "softmax")],
        "stack": lambda: [
            LSTM(5, *pairs[dtype], return_sequences=True, use_bias=False), Dropout(0.2),
            LSTM(3, go_backwards=True), RepeatVector(2), LSTM(4), Dense(3, "softmax"),
        ],
        "bidirectional": lambda: [
            Bidirectional(LSTM(3, return_sequences=True), merge_mode="mul"),
            TimeDistributed(Dense(4, "tanh")), LayerNormalization(), Bidirectional(LSTM(2)),
            Dense(3, "softmax"),
        ],
        "rules": lambda: [
            LSTM(5, kernel_regularizer="l1", activity_regularizer="l2", bias_constraint="max_norm"),
            Dense(
                3, "softmax", kernel_regularizer="orthogonal_regularizer",
                kernel_constraint="unit_norm", bias_constraint="non_neg",
            ),
        ],
    }
    results = {}
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3, 2)), np.eye(3)[rng.integers(0, 3, 7)]
    for dtype in ("float32", "float64"):
        npylstm.config.set_floatx(dtype)
        for name, layers in models.items():
            for B in (1, 5):
                npylstm.utils.set_random_seed(1)
                model = Sequential([Input((3, 2)), *layers()])
                model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
                model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
                loss, gradients = model.loss_and_gradients(x[:B], y[:B])
                model.fit(x, y, batch_size=B, epochs=1, verbose=0)
                for path, gradient in gradients.items():
                    results[f"{dtype} {name} {B} gradient {path}"] = gradient
                for number, weight in enumerate(model.get_weights()):
                    results[f"{dtype} {name} {B} weight {number}"] = weight
                results[f"{dtype} {name} {B} outputs"] = model.predict(x, B, verbose=0)
                results[f"{dtype} {name} {B} evaluated"] = model.evaluate(x, y, B, verbose=0)
    np.savez(sys.argv[1], **results)
    """
)


def run(script, *arguments, **environment):
    result = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "NPYLSTM_BACKEND": "numba", **environment},
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the script gives in machine code, in plain Python, and on the NumPy backend."""
    folder = tmp_path_factory.mktemp("results")
    environments = {
        "compiled": {"NUMBA_DISABLE_JIT": "0"},
        "interpreted": {"NUMBA_DISABLE_JIT": "1"},
        "numpy": {"NPYLSTM_BACKEND": "numpy"},
    }
    loaded = {}
    for name, environment in environments.items():
        said = run(SCRIPT, folder / f"{name}.npz", **environment)
        assert name == "compiled" or said.stderr == "", said.stderr
        with np.load(folder / f"{name}.npz") as file:
            loaded[name] = dict(file)
    return loaded


@pytest.mark.parametrize("other", ["compiled", "numpy"])
def test_training_in_plain_python_gives_the_same_numbers(results, other):
    expected, actual = results[other], results["interpreted"]
    assert expected.keys() == actual.keys() and len(actual) > 100
    for name, value in expected.items():
        # As in agreement.py; after some steps of Adam, which divides by small numbers, more.
        bound = 2e-5 if name.startswith("float32") else 1e-13
        bound *= 1 if "gradient" in name else 20
        assert np.isfinite(value).all()
        np.testing.assert_allclose(
            actual[name], value, rtol=0, atol=bound * np.abs(value).max(), err_msg=name
        )


def test_the_kernels_own_lines_are_what_runs(tmp_path):
    """A trace, as a debugger sets it, sees them and the equations that they call."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        import numpy as np
        from npylstm import Sequential
        from npylstm.layers import LSTM, Dense, Input

        model = Sequential([Input((3, 2)), LSTM(4), Dense(2)])
        model.compile("adam", "mse")
        seen = set()

        def trace(frame, event, argument):
            path = Path(frame.f_code.co_filename)
            seen.add(f"{path.parent.name}/{path.name}:{frame.f_code.co_name}")
            return trace if frame.f_code.co_name == "gates_forward" else None

        sys.settrace(trace)
        model.fit(np.ones((5, 3, 2)), np.ones((5, 2)), batch_size=5, verbose=0)
        sys.settrace(None)
        for name in sorted(seen):
            print(name)
        """
    )
    seen = run(script, NUMBA_DISABLE_JIT="1").stdout.split()
    for function in ("gates_forward", "gates_slopes", "gates_backward"):
        assert f"reference/lstm.py:{function}" in seen
    assert "reference/optimizers.py:adam" in seen
    for file in ("loop", "lstm", "dense", "losses", "optimizers"):
        assert any(name.startswith(f"kernels/{file}.py:") for name in seen), file
    assert not any("numpy_backend.py:train" in name for name in seen)
    compiled = run(script, NUMBA_DISABLE_JIT="0").stdout.split()
    assert not any("gates_forward" in name for name in compiled)


def test_weights_that_are_taken_in_chunks():
    script = textwrap.dedent(
        """
        import numpy as np
        import npylstm
        from npylstm import Sequential
        from npylstm.layers import LSTM, Input

        rng = np.random.default_rng(0)
        model = Sequential([Input((2, 510)), LSTM(10, dtype="float64")])
        model.compile("sgd", "mse")
        x, y, results = rng.normal(size=(27, 2, 510)), rng.normal(size=(27, 10)), []
        for backend in ("numpy", "numba"):
            with npylstm.using_backend(backend):
                results.append(model.loss_and_gradients(x, y)[1].values())
        for expected, actual in zip(*results, strict=True):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-14)
        """
    )
    run(script, NUMBA_DISABLE_JIT="1")


def test_on_several_threads_it_gives_the_same_as_on_one(tmp_path):
    """Plain Python has no barrier to meet at, so nothing may be shared out there."""
    script = textwrap.dedent(
        """
        import numpy as np
        import npylstm
        from npylstm import Sequential
        from npylstm.backends import _numba_calls
        from npylstm.layers import LSTM, Dense, Input

        _numba_calls.THREADED_BATCH = _numba_calls.THREADED_CALL = 0
        results = []
        for n in (1, 3):
            npylstm.set_num_threads(n)
            npylstm.utils.set_random_seed(0)
            model = Sequential([Input((4, 3)), LSTM(20, return_sequences=True), LSTM(5), Dense(2)])
            model.compile("adam", "mse")
            x = np.linspace(-1, 1, 240).reshape(20, 4, 3)
            model.fit(x, x[:, 0, :2], batch_size=10, epochs=2, verbose=0)
            results.append([*model.get_weights(), model.predict(x, verbose=0)])
        assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
        """
    )
    run(script, NUMBA_DISABLE_JIT="1")


def test_nothing_is_compiled_or_kept(tmp_path):
    script = "import numpy as np, npylstm\nnpylstm.layers.LSTM(2)(np.zeros((2, 3, 1)))"
    result = run(script, NUMBA_DISABLE_JIT="1", NPYLSTM_CACHE_DIR=str(tmp_path / "cache"))
    assert result.stderr == "" and not (tmp_path / "cache").exists()

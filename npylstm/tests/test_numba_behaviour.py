"""The compiled backend among threads, processes and signals: what it does beside computing."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, optimizers
from npylstm.activations import Activation
from npylstm.backends import _numba_calls, numba_backend
from npylstm.kernels import lowering
from npylstm.layers import LSTM, Bidirectional, Dense, Dropout, Input, RepeatVector, TimeDistributed

from .agreement import on_each, randomized, small_model


def python(code, *arguments, timeout=120, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=timeout,
    )


# --------------------------------------------------------------------- repeatability and threads
@pytest.fixture
def many_threads(monkeypatch):
    """Let small models use several threads."""
    monkeypatch.setattr(_numba_calls, "THREADED_BATCH", 0)
    monkeypatch.setattr(_numba_calls, "THREADED_CALL", 0)


@pytest.fixture(autouse=True)
def number_of_threads(monkeypatch):
    """Put back what `set_num_threads` has set."""
    monkeypatch.setattr(npylstm.threads, "_chosen", None)


def everything_of(model, x, y, n, **arguments):
    """Train with n threads; return weights, predictions, gradients and losses."""
    npylstm.threads.set_num_threads(n)
    npylstm.utils.set_random_seed(9)
    with npylstm.using_backend("numba"):
        history = model.fit(x, y, verbose=0, **arguments).history
        _, gradients = model.loss_and_gradients(x[:7], y[:7])
        predictions = model.predict(x, verbose=0)
        logs = model.evaluate(x, y, verbose=0)
    return [*model.get_weights(), predictions, *gradients.values(), history["loss"], logs]


def assert_identical(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(params=["samples", "units forward", "units"])
def shared_out(request, monkeypatch):
    """Let threads share out the samples, or the units of any LSTM of several blocks."""
    if request.param != "samples":
        monkeypatch.setattr(lowering, "_SPLIT_FORWARD", 0)
        monkeypatch.setattr(lowering, "_SPLIT_BACKWARD", 0)
        monkeypatch.setattr(lowering, "_SPLIT_BATCH", 1000 if request.param == "units" else 0)


def test_two_runs_are_identical_whatever_the_number_of_threads(shared_out, rng):
    """Large enough to be shared out without further ado."""
    x, y = rng.normal(size=(100, 20, 16)), rng.normal(size=(100, 3))

    def run(n):
        npylstm.utils.set_random_seed(8)
        layers = [LSTM(64, return_sequences=True), Dropout(0.2), Bidirectional(LSTM(20)), Dense(3)]
        model = Sequential([Input((20, 16)), *layers])
        model.compile("adam", "mse", metrics=["mae"])
        return everything_of(model, x, y, n, batch_size=48, epochs=2)

    one = run(1)
    assert_identical(run(1), one)
    assert_identical(run(2), one)
    assert_identical(run(3), one)
    names = [thread.name for thread in threading.enumerate()]
    assert sum(name.startswith("npylstm") for name in names) >= 2, "no threads were used"


def test_weights_taken_in_chunks_on_many_threads(shared_out, rng):
    """More lines than stay in the cache: their sums go by way of each thread's own room."""
    x, y = rng.normal(size=(60, 3, 16)), rng.normal(size=(60, 3))

    def run(n):
        npylstm.utils.set_random_seed(8)
        model = Sequential([Input((3, 16)), LSTM(500), Dense(3)])
        model.compile("adam", "mse")
        return everything_of(model, x, y, n, batch_size=60)

    one = run(1)
    for n in (2, 3):
        assert_identical(run(n), one)


@pytest.mark.parametrize("B", [1, 2, 5])
def test_small_models_on_many_threads(many_threads, shared_out, rng, B):
    x, y = rng.normal(size=(9, 3, 4)), rng.integers(0, 3, (9, 3))

    def run(n):
        npylstm.utils.set_random_seed(8)
        layers = [
            Bidirectional(LSTM(5, return_sequences=True), merge_mode="mul"),
            LSTM(33, go_backwards=True),
            RepeatVector(3),
            LSTM(2, return_sequences=True),
            TimeDistributed(Dense(3, "softmax")),
        ]
        model = Sequential([Input((3, 4)), *layers])
        optimizer = optimizers.RMSprop(global_clipnorm=0.1, weight_decay=0.1)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return everything_of(model, x, y, n, batch_size=B, epochs=2)

    one = run(1)
    for n in (2, 3, 7):
        assert_identical(run(n), one)


def test_many_python_threads_predict_and_train_at_once(many_threads, rng):
    npylstm.threads.set_num_threads(2)
    model = small_model("float32")
    x = rng.normal(size=(60, 4, 5))
    expected = [model.predict(x[k : k + 3], verbose=0) for k in range(50)]

    def train(seed):
        other = small_model("float32")
        other.compile("adam", "mse")
        other.fit(x, x[:, 0, :3], batch_size=7, epochs=2, shuffle=False, verbose=0)
        return other.get_weights()

    alone = train(0)
    with ThreadPoolExecutor(6) as pool:
        trained = [pool.submit(train, seed) for seed in range(3)]
        for _ in range(3):
            got = list(pool.map(lambda k: model.predict(x[k : k + 3], verbose=0), range(50)))
            np.testing.assert_array_equal(got, expected)
        for one in trained:
            assert_identical(one.result(), alone)


THREADS_AT_WORK = """
    import multiprocessing, os, sys
    import numpy as np
    import npylstm
    from npylstm import Sequential
    from npylstm.backends import _numba_calls, numba_backend
    from npylstm.layers import LSTM, Dense, Input

    _numba_calls.THREADED_BATCH = _numba_calls.THREADED_CALL = 0
    npylstm.threads.set_num_threads(2)

    def used():
        npylstm.utils.set_random_seed(0)
        model = Sequential([Input((3, 2)), LSTM(5), Dense(1)])
        model.compile("adam", "mse")
        x = np.linspace(-1, 1, 60).reshape(10, 3, 2)
        model.fit(x, x[:, 0, :1], batch_size=4, verbose=0)
        return model, x

    def same(model, x, expected):
        again, _ = used()
        return np.array_equal(model.predict(x, verbose=0), expected) and np.array_equal(
            again.predict(x, verbose=0), expected
        )
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_threads_of_its_own():
    code = textwrap.dedent(THREADS_AT_WORK) + textwrap.dedent("""
        model, x = used()
        expected = model.predict(x, verbose=0)
        child = os.fork()
        if child == 0:
            os._exit(0 if same(model, x, expected) else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status
        assert same(model, x, expected)
        print("both")
    """)
    result = python(f"import warnings\nwarnings.simplefilter('ignore')\n{code}", timeout=60)
    assert result.returncode == 0 and result.stdout == "both\n", result.stderr


def test_a_spawned_child_has_threads_of_its_own(tmp_path):
    script = tmp_path / "spawning.py"
    script.write_text(
        textwrap.dedent(THREADS_AT_WORK)
        + textwrap.dedent("""
        if __name__ == "__main__":
            model, x = used()
            expected = model.predict(x, verbose=0)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                assert pool.apply(same, (model, x, expected))
            print("both")
        """)
    )
    result = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, env=with_path()
    )
    assert result.returncode == 0 and result.stdout == "both\n", result.stderr


def with_path():
    """Return the environment, in which this very package is found from everywhere."""
    root = os.path.dirname(os.path.dirname(npylstm.__file__))
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def test_a_failed_call_leaves_no_thread_behind():
    """If the caller is interrupted before its share, the others must not wait for it for ever."""
    code = textwrap.dedent(THREADS_AT_WORK) + textwrap.dedent("""
        model, x = used()
        expected = model.predict(x, verbose=0)
        call = numba_backend.Program.call

        def interrupted(self, k):
            if k == 0:
                raise KeyboardInterrupt  # as between two lines of Python
            call(self, k)

        numba_backend.Program.call = interrupted
        try:
            model.predict(x, verbose=0)
        except KeyboardInterrupt:
            print("interrupted")
        numba_backend.Program.call = call
        for _ in range(100):
            assert np.array_equal(model.predict(x, verbose=0), expected)
        print("usable")
    """)
    try:
        result = python(code, timeout=20)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"the process did not end; it said {error.stdout!r}")
    assert result.returncode == 0 and result.stdout == "interrupted\nusable\n", result.stderr


def test_the_number_of_threads_can_be_set():
    for n in (1, 5, np.int64(2)):
        npylstm.set_num_threads(n)
        assert npylstm.get_num_threads() == n
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="the number of threads"):
            npylstm.set_num_threads(wrong)
    for wrong in (1.5, "2", None, True):
        with pytest.raises((TypeError, ValueError), match="the number of threads"):
            npylstm.set_num_threads(wrong)
    assert npylstm.get_num_threads() == 2


def test_the_environment_says_how_many_threads(monkeypatch):
    def number(**variables):
        for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        npylstm.threads._default_num_threads.cache_clear()
        try:
            return npylstm.get_num_threads()
        finally:
            npylstm.threads._default_num_threads.cache_clear()

    assert 1 <= number() <= os.cpu_count()
    assert number(OMP_NUM_THREADS="3") == 3
    assert number(OMP_NUM_THREADS="3", NUMBA_NUM_THREADS="4") == 4
    assert number(OMP_NUM_THREADS="3", NUMBA_NUM_THREADS="") == 3
    for wrong in ("0", "-2", "many", "1.5"):
        with pytest.raises(ValueError, match=r"\$NUMBA_NUM_THREADS must be .* got '"):
            number(NUMBA_NUM_THREADS=wrong, OMP_NUM_THREADS="3")
        with pytest.raises(ValueError, match=r"\$OMP_NUM_THREADS must be"):
            number(OMP_NUM_THREADS=wrong)
    npylstm.set_num_threads(2)
    assert number(NUMBA_NUM_THREADS="7") == 2


@pytest.mark.parametrize("variable", ["NUMBA_NUM_THREADS", "OMP_NUM_THREADS"])
def test_the_environment_of_a_process(variable):
    code = "import npylstm; print(npylstm.get_num_threads())"
    assert python(code, **{variable: "3"}).stdout == "3\n"
    result = python(code, **{variable: "none"})
    assert result.returncode != 0 and f"${variable} must be a number" in result.stderr


def test_the_processor_is_left_as_it_was(many_threads, rng):
    """Whatever kernels do about denormal numbers, NumPy's own arithmetic has them afterwards."""
    tiny = np.full(100, 1e-40, np.float32)
    npylstm.threads.set_num_threads(2)
    model = small_model("float32")
    model.compile("sgd", "mse")
    x = rng.normal(size=(9, 4, 5))
    with npylstm.using_backend("numba"):
        model.fit(x, x[:, 0, :3], batch_size=4, verbose=0)
        model.predict(x, verbose=0)
        model.predict_on_batch(x)
    assert (tiny * np.float32(0.5) > 0).all()


def test_gradients_that_vanish_take_no_longer():
    """Far back in a long sequence they are denormal numbers, which processors are slow with."""
    T, B, U = 600, 4, 64
    model = Sequential([Input((T, U)), LSTM(U)])
    model.compile("sgd", "mse")
    seconds = []
    with npylstm.using_backend("numba"):
        for scale in (0.0, 1.0):  # gradients of zero do not vanish
            x = np.random.default_rng(0).normal(size=(B, T, U)).astype("float32")
            y = model.predict_on_batch(x) + np.float32(scale)
            best = np.inf
            for _ in range(4):
                start = time.perf_counter()
                model.loss_and_gradients(x, y)
                best = min(best, time.perf_counter() - start)
            seconds.append(best)
    assert seconds[1] < 3 * seconds[0]


# -------------------------------------------------------------------------------- Python functions
def test_an_activation_of_the_users_own_runs_in_python(rng, capsys):
    cube = Activation("cube", lambda z: z**3, lambda dy, z, y: dy * 3 * z * z)

    def use():
        model = Sequential([Input((4, 5)), LSTM(3, activation=cube), Dense(2)])
        randomized(model, np.random.default_rng(0), 0.2)
        model.compile("adam", "mse")
        model.fit(x, x[:, 0, :2], batch_size=4, epochs=2, verbose=0)
        evaluated = model.evaluate(x, x[:, 0, :2], verbose=0)
        return [*model.get_weights(), model.predict(x, verbose=0), evaluated, model(x)]

    x = rng.normal(size=(10, 4, 5))
    numba_backend._said.clear()
    assert_identical(*on_each(use))
    said = capsys.readouterr().err
    assert said.count("'cube' is a Python function") == 1 and len(said.splitlines()) == 1
    assert "NumPy" in said


# ------------------------------------------------------------------------------------------ Ctrl-C
LONG_BATCH = """
    import os, signal, sys, threading, time
    import numpy as np
    import npylstm
    from npylstm import Sequential
    from npylstm.layers import LSTM, Dense, Input
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may come ignored

    B, T, D, U, threads = 16, 1200, 300, 300, int(sys.argv[1])
    npylstm.set_num_threads(threads)
    lstm = LSTM(U, stateful=True, return_sequences=True)
    model = Sequential([Input(batch_shape=(B, T, D)), lstm, LSTM(8), Dense(1)])
    model.compile("adam", "mse")
    x, y = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32"), np.ones((B, 1))
    model.fit(x, y, batch_size=B, verbose=0)
    start = time.perf_counter()
    model.fit(x, y, batch_size=B, verbose=0)
    seconds = time.perf_counter() - start
    print(f"a batch takes {seconds:.2f} s")
    before = [*model.get_weights(), model.memory.states.copy(), *model.optimizer.slots.values()]
    before = [array.copy() for array in before]
    steps, worst = model.optimizer.iterations, 0.0
    for part in (0.2, 0.45, 0.55, 0.7):
        sent = []
        def press():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        timer = threading.Timer(part * seconds, press)
        timer.start()
        try:
            model.fit(x, y, batch_size=B, epochs=10**6, verbose=0)
        except KeyboardInterrupt:
            late = time.perf_counter() - sent[0]
            print(f"at {part}: KeyboardInterrupt after {late:.3f} s")
        now = [*model.get_weights(), model.memory.states, *model.optimizer.slots.values()]
        if model.optimizer.iterations == steps:
            assert all(np.array_equal(a, b) for a, b in zip(now, before, strict=True)), part
            print("unchanged")
        else:  # the machine was faster this time, and the batch was done
            before = [array.copy() for array in now]
            steps = model.optimizer.iterations
        worst = max(worst, late)
    model.fit(x, y, batch_size=B, verbose=0)
    print("usable")
    assert worst < 0.4, worst
"""


ASKED_TO_END = """
import time
import numpy as np
import npylstm
from concurrent import futures
from npylstm import Sequential, interrupt
from npylstm.backends import _numba_calls
from npylstm.kernels import lowering
from npylstm.layers import LSTM, Input

_numba_calls.LONG_BATCH = _numba_calls.THREADED_BATCH = _numba_calls.THREADED_CALL = 0
wait = futures.wait
futures.wait = lambda threads, timeout=None: wait(threads, timeout and timeout / 200)
npylstm.set_num_threads(2)
model = Sequential([Input((1000, 8)), LSTM(16)])
model.compile("sgd", "mse")
rng = np.random.default_rng(0)
x, y = rng.normal(size=(16, 1000, 8)), rng.normal(size=(16, 16))
model.loss_and_gradients(x, y)
start = time.perf_counter()
model.loss_and_gradients(x, y)
seconds, ended = time.perf_counter() - start, 0
for _ in range(400):
    start, delay = time.perf_counter(), rng.uniform(0, seconds)
    interrupt.pending = lambda: time.perf_counter() - start > delay
    model.loss_and_gradients(x, y)
    ended += interrupt.pending()
assert ended > 40, ended
"""


def test_no_thread_is_left_waiting_whenever_the_end_is_asked_for():
    result = python(ASKED_TO_END)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_a_long_batch(threads):
    result = python(LONG_BATCH, threads)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("KeyboardInterrupt") == 4 and "usable" in result.stdout
    assert "unchanged" in result.stdout


SHORT_BATCHES = """
    import os, signal, threading, time
    import numpy as np
    from npylstm import Sequential
    from npylstm.layers import LSTM, Dense, Input
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may come ignored

    N = 3_000_000
    x, y = np.random.default_rng(0).normal(size=(N, 2, 1)).astype("float32"), np.ones(N)
    model = Sequential([Input((2, 1)), LSTM(8), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x[:40], y[:40], batch_size=1, verbose=0)  # compiles what is needed
    before, steps, sent = model.get_weights(), model.optimizer.iterations, []
    def press():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Timer(0.3, press).start()
    try:
        model.fit(x, y, batch_size=1, epochs=100, shuffle=False, verbose=0)
    except KeyboardInterrupt:
        late = time.perf_counter() - sent[0]
        print(f"KeyboardInterrupt after {late:.3f} s")
    done = model.optimizer.iterations - steps
    print(done, "steps")
    assert 0 < done < N and late < 1
    weights = model.get_weights()
    again = Sequential([Input((2, 1)), LSTM(8), Dense(1)])
    again.compile("sgd", "mse")
    again.set_weights(before)
    again.fit(x[:done], y[:done], batch_size=1, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(weights, again.get_weights(), strict=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_in_a_long_epoch_of_short_batches():
    result = python(SHORT_BATCHES)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "KeyboardInterrupt" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_takes_back_no_batch_that_is_done(rng, monkeypatch):
    """Weights and carried states are those of the same last batch, also with many in a call."""
    monkeypatch.setattr(_numba_calls, "LONG_BATCH", 0)
    monkeypatch.setattr(npylstm.batches, "_SECONDS_PER_CALL", 60)
    n, B = 60_000, 4
    x, y = rng.normal(size=(n * B, 4, 5)).astype("float32"), rng.normal(size=(n * B, 3))

    def model():
        layers = [LSTM(33, stateful=True), Dense(3)]
        model = Sequential([Input(batch_shape=(B, 4, 5)), *layers])
        model.compile("sgd", "mse")
        model.fit(x[: 10 * B], y[: 10 * B], batch_size=B, shuffle=False, verbose=0)
        model.reset_states()
        return randomized(model, np.random.default_rng(0), 0.1)

    with npylstm.using_backend("numba"):
        ours, theirs = model(), model()
        before = ours.optimizer.iterations
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            ours.fit(x, y, batch_size=B, epochs=10**6, shuffle=False, verbose=0)
        done = ours.optimizer.iterations - before
        assert 0 < done < n
        theirs.fit(x[: done * B], y[: done * B], batch_size=B, shuffle=False, verbose=0)
    assert_identical(ours.get_weights(), theirs.get_weights())
    np.testing.assert_array_equal(ours.memory.states, theirs.memory.states)


# ----------------------------------------------------------------------------------------- imports
def test_what_is_compiled_needs_no_compiler():
    code = """
        import sys
        import numpy as np
        import npylstm
        assert not {"numba", "llvmlite"} & set(sys.modules), "imported too early"
        from npylstm import Sequential
        from npylstm.layers import LSTM, Dense, Input
        model = Sequential([Input((2, 1)), LSTM(3), Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        x = np.ones((5, 2, 1))
        model.fit(x, x[:, 0], batch_size=2, verbose=0)
        model.predict(x, verbose=0)
        print("numba" in sys.modules)
    """
    first = python(code, NPYLSTM_BACKEND="numba")
    assert first.returncode == 0, first.stderr
    result = python(code, NPYLSTM_BACKEND="numba")
    assert result.returncode == 0 and result.stdout == "False\n", result.stderr
    assert result.stderr == ""

"""What looks inside a model, used together: traces, steps, breakpoints, pictures, diagnostics."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import npylstm
from examples.alphabet.why import find
from npylstm import Sequential, debug
from npylstm.layers import LSTM, Dense, Dropout, Input
from npylstm.utils import set_random_seed

BACKENDS = ["numpy", "numba"]
B, T, D, U = 2, 3, 4, 5


@pytest.fixture(autouse=True)
def no_breakpoint_is_left():
    yield
    debug.clear()


def trained(look):
    """Return all that a training leaves behind, with a look at the model from each breakpoint."""
    set_random_seed(4)
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(3 * B, T, D)), rng.normal(size=(3 * B, 1))
    inner = LSTM(U, dropout=0.2, recurrent_dropout=0.3, stateful=True, return_sequences=True)
    model = Sequential([Input(batch_shape=(B, T, D)), inner, LSTM(U), Dropout(0.4), Dense(1)])
    model.compile("adam", "mse")
    looks = []

    def when(s):
        looks.append(look(model, x[:B], y[:B]))
        return False

    for gate in ("f", "dz_f"):
        debug.breakpoint_at("lstm", gate=gate, when=when)
    history = model.fit(x, y, batch_size=B, shuffle=False, verbose=0)
    debug.clear()
    assert len(looks) == 3 * 2 * T
    return [*model.get_weights(), history.history["loss"], model.memory.states]


def test_looking_around_from_a_breakpoint_changes_nothing():
    def look(model, x, y):
        model.trace(x)
        model.trace(x, y, training=True)
        model.loss_and_gradients(x, y)
        model.layers[0].trace(x, training=True)
        list(model.layers[0].steps(x))

    for undisturbed, looked_at in zip(trained(lambda *_: None), trained(look), strict=True):
        np.testing.assert_array_equal(looked_at, undisturbed)


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_that_look_at_one_model_see_their_own_batch(backend, rng):
    with npylstm.using_backend(backend):
        model = Sequential([Input((T, D)), LSTM(U), Dense(1)])
        model.compile("sgd", "mse")
        batches = [(rng.normal(size=(B, T, D)), rng.normal(size=(B, 1))) for _ in range(3)]
        looks = model.loss_and_gradients, lambda x, y: ((t := model.trace(x, y)).loss, t.gradients)
        expected = [model.loss_and_gradients(*batch) for batch in batches]
        wrong, interval = [], sys.getswitchinterval()

        def look_often(batch, result):
            for number in range(30):
                loss, gradients = looks[number % 2](*batch)
                same = [np.array_equal(gradients[path], result[1][path]) for path in result[1]]
                if loss != result[0] or not all(same):
                    wrong.append(loss)

        tasks = zip(batches, expected, strict=True)
        threads = [threading.Thread(target=look_often, args=task) for task in tasks]
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
    assert not wrong


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_that_run_over_are_traced_without_a_warning(backend):
    with npylstm.using_backend(backend):
        model = Sequential([Input((T, D)), LSTM(U), Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        weights = [np.full(weight.shape, -1e30) for weight in model.get_weights()]
        model.set_weights(weights)
        x, y = np.full((B, T, D), 1e20), np.ones((B, 1))
        traces = model.trace(x, y, training=True), model.layers[0].trace(np.full((B, T, D), np.inf))
    lstm = traces[0]["lstm"]
    for name in lstm.names:
        assert getattr(lstm, name).dtype == "float32"
    assert np.isneginf(lstm.z_f).all() and not lstm.f.any()
    assert np.isneginf(traces[1]["lstm"].z_f[:, 0]).all()


def test_why_the_alphabet_is_learnt_is_in_the_gates():
    rng = np.random.default_rng(6)
    model = Sequential([Input((T, D)), LSTM(U), Dense(26, activation="softmax")])
    trace = model.trace(rng.normal(size=(B, T, D)))
    lstm, found = trace["lstm"], find(trace, np.eye(26)[[3, 0]])
    passed = np.cumprod(
        lstm.f[:, :0:-1], axis=1
    )  # by the forget gates after the step before last, …
    np.testing.assert_allclose(found.kept, [np.ones(U), *passed.mean(axis=0)], rtol=1e-6)
    added = np.abs(lstm.i * lstm.g)[:, ::-1]
    added[:, 1:] *= passed
    shares = (added / added.sum(axis=1, keepdims=True)).mean(axis=2)
    np.testing.assert_allclose(found.written, shares, rtol=1e-6)
    assert found.age == T - 1 and found.targets.tolist() == [3, 0]


def test_what_looks_inside_is_there_when_it_is_asked_for_and_not_before():
    code = """
import sys, npylstm
late = "matplotlib", "numba", *(f"npylstm.{name}" for name in ("tracing", "plots", "diagnostics"))
assert not set(late) & set(sys.modules), set(late) & set(sys.modules)
assert npylstm.diagnostics.dead_units and npylstm.parity.compare and npylstm.Trace.load
assert npylstm.plots.gates and npylstm.explain and npylstm.debug.breakpoint_at
assert not {"matplotlib", "tensorflow", "keras"} & set(sys.modules)
assert {"diagnostics", "plots", "Trace"} <= set(dir(npylstm)) and not hasattr(npylstm, "plot")
"""
    subprocess.run([sys.executable, "-c", code], check=True)

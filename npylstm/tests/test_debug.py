"""Breakpoints by layer, timestep and gate: a debugger in the very line, else nothing at all."""

import inspect
import linecache
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, backends, debug, reference
from npylstm.backends import held_backend, numba_backend, numpy_backend
from npylstm.layers import LSTM, RNN, Bidirectional, Dense, Input, LSTMCell
from npylstm.programs import Programs
from npylstm.reference import lstm

B, T, D, U = 3, 4, 2, 5
GENUINE = dict(vars(lstm))


@pytest.fixture(autouse=True)
def none_left():
    yield
    debug.clear()
    assert {n: f for n, f in vars(lstm).items() if callable(f)} == {
        n: f for n, f in GENUINE.items() if callable(f)
    }


class Stops(list):
    """What a debugger would see: name, line and locals of the frame and of its callers."""

    def __call__(self):
        frame, frames = sys._getframe(1), []
        while frame is not None and len(frames) < 4:
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            frames.append((frame.f_code.co_name, line, dict(frame.f_locals)))
            frame = frame.f_back
        self.append(frames)


@pytest.fixture
def stops(monkeypatch):
    stops = Stops()
    monkeypatch.setattr(sys, "breakpointhook", stops)
    return stops


@pytest.fixture
def data(rng):
    return rng.normal(size=(2 * B, T, D)).astype("float32"), rng.normal(size=(2 * B, 1))


def compiled(*layers):
    model = Sequential([Input((T, D)), *(layers or [LSTM(U), Dense(1)])])
    model.compile("adam", "mse")
    return model


LINES = {
    "i": "i = recurrent_activation(z_i)",
    "f": "f = recurrent_activation(z_f)",
    "g": "g = activation(z_g)",
    "o": "o = recurrent_activation(z_o)",
    "c": "c = f * c_prev + i * g",
    "tanh_c": "tanh_c = activation(c)",
    "h": "h = o * tanh_c",
    "dc": "dc = dc + dh * to_c",
    "dz_i": "dz_i = dc * to_i",
    "dz_f": "dz_f = dc * to_f",
    "dz_g": "dz_g = dc * to_g",
    "dz_o": "dz_o = dh * to_o",
    "dc_prev": "dc_prev = dc * f",
}


def test_each_gate_stops_right_after_its_line(stops, data):
    model = compiled()
    for gate, source in LINES.items():
        with debug.breakpoint_at(t=2, gate=gate, times=1):
            model.train_on_batch(*data)
        (name, line, known), (caller, *_), *_ = stops.pop()
        assert line.partition("#")[0].strip() == source
        assert name == ("gates_backward" if gate.startswith("d") else "gates_forward")
        assert caller == ("lstm_backward" if gate.startswith("d") else "lstm_cell_forward")
        assert gate in known
        after = [other for other in LINES if other.startswith("d") == gate.startswith("d")]
        assert not set(after[after.index(gate) + 1 :]) & set(known) - {"dc"}
    assert not stops


def test_the_beginning_is_where_nothing_is_computed_yet(stops, data):
    model = compiled()
    for gate in (None, "z", "dh"):
        with debug.breakpoint_at(gate=gate, times=1) as made:
            model.train_on_batch(*data)
            assert made.hits == 1
        (name, line, known), *_ = stops.pop()
        assert line.startswith(f"def {name}(")
        assert ("dz_i" if gate == "dh" else "i") not in known
        assert ("dh" if gate == "dh" else "z_i") in known


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_everything_that_runs_the_layer_stops(stops, data, backend, capsys):
    debug._has_said = False
    model, (x, y) = compiled(), data
    layer = model.layers[0]
    with npylstm.using_backend(backend):
        before = model.predict_on_batch(x)
        with debug.breakpoint_at("lstm", t=1, gate="o") as made:
            assert npylstm.get_backend() == "numpy"
            model(x)
            outputs = [model.predict(x, verbose=0, batch_size=2 * B), model.predict_on_batch(x)]
            model.evaluate(x, y, verbose=0, batch_size=2 * B)
            model.loss_and_gradients(x, y)
            model.trace(x, y)
            layer.trace(x)
            layer(x)
            _, cache = layer.forward(x)
            assert made.hits == 9
            model.fit(x, y, epochs=2, batch_size=B, verbose=0)
            assert made.hits == len(stops) == 13
        with debug.breakpoint_at("lstm", t=1, gate="dz_o", times=1):
            layer.backward(np.ones((2 * B, U)), layer.forward(x)[1])
            assert len(stops) == 14
        assert npylstm.get_backend() == backend
        model(x)
        assert len(stops) == 14
    for output in outputs:
        np.testing.assert_allclose(output, before, rtol=1e-5, atol=1e-6)
    said = capsys.readouterr().err
    assert said.count("models run on the NumPy backend") == (backend == "numba")
    assert "npylstm: o is computed, layer 'lstm', t=1, epoch=1, batch=1\n" in said


def test_training_comes_out_the_same(stops, data):
    models = [compiled() for _ in range(3)]
    for model in models[1:]:
        model.set_weights(models[0].get_weights())
    with npylstm.using_backend("numpy"):
        models[0].fit(*data, batch_size=B, epochs=3, shuffle=False, verbose=0)
    with npylstm.using_backend("numba"):
        models[1].fit(*data, batch_size=B, epochs=3, shuffle=False, verbose=0)
        with debug.breakpoint_at(gate="c"), debug.breakpoint_at(gate="dz_g"):
            models[2].fit(*data, batch_size=B, epochs=3, shuffle=False, verbose=0)
    assert len(stops) == 2 * T * 2 * 3
    for plain, fast, stopped in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(stopped, plain)
        np.testing.assert_allclose(stopped, fast, rtol=1e-4, atol=1e-5)


def test_when_sees_what_is_known(stops, data):
    model, (x, y) = compiled(), data
    seen = []
    with debug.breakpoint_at("lstm", t=-1, sample=1, gate="g", when=seen.append):
        model.fit(x, y, epochs=2, batch_size=B, shuffle=False, verbose=0)
    assert not stops
    assert [(s.epoch, s.batch, s.t, s.layer) for s in seen] == [
        (epoch, batch, T - 1, "lstm") for epoch in range(2) for batch in range(2)
    ]
    first = seen[0]
    assert {name: getattr(first, name).shape for name in ("z_f", "i", "f", "g", "h_prev", "x")} == {
        **dict.fromkeys(("z_f", "i", "f", "g", "h_prev"), (U,)),
        "x": (D,),
    }
    np.testing.assert_array_equal(seen[1].x, x[B + 1, -1])
    np.testing.assert_allclose(first.f, 1 / (1 + np.exp(-first.z_f)), rtol=1e-6)
    with pytest.raises(AttributeError, match="no 'c' at this line yet; gate='c' stops where it is"):
        first.c  # noqa: B018
    back = []
    with debug.breakpoint_at(sample=0, t=1, gate="dz_f", when=back.append):
        with debug.breakpoint_at(sample=0, t=1, gate="h", when=back.append):
            model.loss_and_gradients(x, y)
    forward, backward = map(vars, back)
    for name in ("x", "h_prev", "c_prev", "i", "f", "g", "o", "c", "tanh_c", "h"):
        np.testing.assert_array_equal(forward[name], backward[name])
    np.testing.assert_allclose(
        backward["dz_f"],
        backward["dc"] * forward["c_prev"] * forward["f"] * (1 - forward["f"]),
        rtol=1e-4,
    )
    assert forward["epoch"] is forward["batch"] is forward["mask"] is None


def test_when_decides(stops, data):
    model, (x, _) = compiled(), data
    h = model.trace(x)["lstm"].h
    with debug.breakpoint_at(gate="h", sample=2, when=lambda s: s.h.max() > np.median(h[2].max(1))):
        model(x)
    assert [frames[2][2]["t"] for frames in stops] == [
        t for t in range(T) if h[2, t].max() > np.median(h[2].max(1))
    ]
    with debug.breakpoint_at(gate="f", sample=2 * B):
        model(x)  # has no such sample
    assert len(stops) == T // 2
    with debug.breakpoint_at(gate="f", when=lambda s: s.f > 0.5):
        with pytest.raises(ValueError, match=r"got an array of shape \(6, 5\): end it with .any"):
            model(x)
    with debug.breakpoint_at(gate="f", when=lambda s: s.tanh_c):
        with pytest.raises(AttributeError, match="there is no 'tanh_c' at this line yet"):
            model(x)


def test_a_when_that_runs_the_model_is_not_asked_there(stops, data):
    model, (x, _) = compiled(), data
    with debug.breakpoint_at(t=1, gate="h", when=lambda s: model(x[:1]).shape == (1, 1)) as made:
        model(x)
    assert made.hits == 1


def test_masks_are_known_to_when(stops, data):
    layer, seen = LSTM(U, go_backwards=True), []
    mask = np.ones((2 * B, T), bool)
    mask[1, 0] = False
    with debug.breakpoint_at(sample=1, when=seen.append):
        layer(data[0], mask=mask)
    assert [(s.t, bool(s.mask)) for s in seen] == [(0, True), (1, True), (2, True), (3, False)]
    np.testing.assert_array_equal(seen[0].x, data[0][1, -1])  # steps as the layer takes them


def test_layers_by_path_and_by_object(stops, data, capsys):
    x = data[0]
    model = compiled(Bidirectional(LSTM(U, return_sequences=True)), RNN(LSTMCell(U)), Dense(1))
    other = compiled(Bidirectional(LSTM(U)), Dense(1))
    for layer, hits in {
        "bidirectional": 2,
        "bidirectional/backward_lstm": 1,
        "rnn": 1,
        "rnn/lstm_cell": 1,
        "bidir": 0,
        None: 3,
        model.layers[0]: 2,
        model.layers[0].forward_layer: 1,
        other.layers[0]: 0,
        LSTM(3): 0,
    }.items():
        with debug.breakpoint_at(layer, t=0) as made:
            model(x)
            assert made.hits == hits, layer
            other(x)
    said = capsys.readouterr().err
    assert said.count("waits for layer") == 3  # "rnn" is not in the other model
    assert (
        "npylstm: a breakpoint waits for layer 'bidir', and the LSTMs of the model that runs are "
        "'bidirectional/forward_lstm', 'bidirectional/backward_lstm', 'rnn/lstm_cell'\n" in said
    )
    with debug.breakpoint_at("rnn", t=T):
        model(x)
    assert "a breakpoint waits for t=4, and the layer that runs takes 4 steps\n" in (
        capsys.readouterr().err
    )
    layer = model.layers[0]
    with debug.breakpoint_at(layer, t=0, gate="dh") as made:
        y, cache = layer.forward(x)
        layer.backward(y, cache)
        assert made.hits == 2


def test_setting_and_removing_one_while_a_model_trains(stops, data):
    model, made = compiled(), []

    def at_the_second_epoch(epoch, logs):
        if epoch == 1:
            made.append(debug.breakpoint_at(t=0, gate="f"))
        if epoch == 2:
            made[0].remove()

    callback = npylstm.callbacks.LambdaCallback(on_epoch_begin=at_the_second_epoch)
    with npylstm.using_backend("numba"):
        model.fit(*data, batch_size=B, epochs=4, callbacks=[callback], verbose=0)
    assert made[0].hits == len(stops) == 2
    assert model.optimizer.iterations == 8


def test_importing_reads_no_source():
    code = "import npylstm, linecache; assert not any('lstm.py' in f for f in linecache.cache)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_times_hits_and_removing(stops, data):
    model, (x, _) = compiled(), data
    two, all_ = debug.breakpoint_at(gate="f", times=2), debug.breakpoint_at(gate="f", t=0)
    assert debug.breakpoints() == [two, all_]
    assert repr(two) == "<Breakpoint gate='f' times=2 hits=0>"
    model(x)
    assert (two.hits, all_.hits, len(stops)) == (2, 1, 2)  # both at once is one stop
    assert debug.breakpoints() == [all_]
    two.remove()  # once more does no harm
    model(x)
    assert (two.hits, all_.hits) == (2, 2)
    debug.clear()
    model(x)
    assert all_.hits == 2 and debug.breakpoints() == []


def test_the_reference_alone_stops_too(stops, rng):
    x, R = rng.normal(size=(T, B, D)), rng.normal(size=(U, 4 * U))
    with debug.breakpoint_at(t=1, gate="f"), debug.breakpoint_at("lstm", gate="g"):
        reference.lstm_forward(x, None, None, rng.normal(size=(D, 4 * U)), R)
    assert len(stops) == 1


def test_nothing_of_it_reaches_the_kernels(data):
    from npylstm.kernels import native, tile

    before = native.fingerprint.__wrapped__()
    with debug.breakpoint_at(gate="f", when=lambda s: False):
        assert native.fingerprint.__wrapped__() == before
        for name in ("gates_forward", "gates_backward", "gates_slopes", "lstm_forward"):
            assert getattr(lstm, name) is GENUINE[name]
        assert tile.gates_forward is GENUINE["gates_forward"]
        assert lstm.lstm_cell_forward is not GENUINE["lstm_cell_forward"]
        assert lstm.lstm_cell_forward.__doc__ == GENUINE["lstm_cell_forward"].__doc__


def test_choosing_a_backend_meanwhile_counts_afterwards():
    with npylstm.using_backend("numba"):
        made = debug.breakpoint_at()
        npylstm.set_backend("numpy")
        assert backends.current() is held_backend
        with npylstm.using_backend("numba"):
            assert npylstm.get_backend() == "numpy"
        made.remove()
        assert backends.current() is numpy_backend
        with debug.breakpoint_at(), npylstm.using_backend("numba"):
            debug.clear()
            assert backends.current() is numba_backend
        assert backends.current() is numpy_backend
    before = npylstm.get_backend()
    with npylstm.using_backend("numpy"):
        made = debug.breakpoint_at()
    made.remove()
    assert npylstm.get_backend() == before
    for name in ("held", object()):
        with pytest.raises(ValueError, match="unknown backend"):
            npylstm.set_backend(name)


def test_the_held_backend_has_all_functions():
    of_plans = {
        name
        for name, function in inspect.getmembers(numpy_backend, inspect.isfunction)
        if function.__module__ == numpy_backend.__name__ and not name.startswith("_")
    }
    assert len(of_plans) >= 9
    for name in of_plans:
        ours, theirs = getattr(held_backend, name), getattr(numpy_backend, name)
        assert inspect.signature(ours) == inspect.signature(theirs)


def test_what_another_thread_has_at_hand_runs_on(data):
    model, x = compiled(), data[0]
    with npylstm.using_backend("numba"):
        expected = model.predict_on_batch(x)
        with model._program(x, len(x)) as program, debug.breakpoint_at(when=lambda s: False):
            program.x[...] = x
            backends.current().forward(program, False)
            got = program.plan.batch_major_values(program.plan.outputs[0])
            np.testing.assert_allclose(got, expected, rtol=1e-5)

        def make_plan(*arguments, **options):
            debug.breakpoint_at()  # another thread, just now
            return model.make_plan(*arguments, **options)

        programs = Programs(make_plan)
        with programs.use(x.shape) as program:
            assert not isinstance(program, numpy_backend.Program)
        with programs.use(x.shape) as other:
            assert isinstance(other, numpy_backend.Program)
        debug.clear()
        with programs.use(x.shape) as again:
            assert again is program


def test_threads_predict_on_meanwhile(stops, data):
    models, x = [compiled() for _ in range(2)], data[0]
    with npylstm.using_backend("numba"):
        expected = [model.predict_on_batch(x) for model in models]
    wrong, stop = [], threading.Event()

    def predict(model, wanted):
        while not stop.is_set():
            for predict in (model, model.predict_on_batch, model.layers[0]):
                try:
                    got = predict(x)
                    if predict is not model.layers[0]:
                        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
                except Exception as error:
                    wrong.append(error)

    with npylstm.using_backend("numba"):
        threads = [
            threading.Thread(target=predict, args=pair)
            for pair in zip(models, expected, strict=True)
        ]
        for thread in threads:
            thread.start()
        for number in range(60):
            with debug.breakpoint_at("lstm", gate="f", when=lambda s: False):
                models[number % 2](x)
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong
        for model, wanted in zip(models, expected, strict=True):
            model.predict_on_batch(x)
            np.testing.assert_array_equal(model.predict_on_batch(x), wanted)
            assert "Quick" in type(model._quick._idle[x.shape][0]).__name__


def test_what_is_wrong_is_said_and_sets_nothing():
    for error, arguments, message in [
        (ValueError, {"gate": "forget"}, "unknown gate 'forget'.*Known are: c, dc, dc_prev"),
        (TypeError, {"gate": 1}, "gate must be a name, such as 'f', or None, got 1"),
        (TypeError, {"layer": 3}, "layer must be a layer or its path, such as 'lstm', got 3"),
        (TypeError, {"t": 1.5}, "t must be an integer, got 1.5"),
        (TypeError, {"sample": True}, "sample must be an integer, got True"),
        (TypeError, {"when": "f > 1"}, "when must be a function of what is known there"),
        (ValueError, {"times": 0}, "times must be at least 1"),
    ]:
        with pytest.raises(error, match=message):
            debug.breakpoint_at(**arguments)
    assert debug.breakpoints() == [] and backends.current() is not held_backend


SCRIPT = textwrap.dedent(
    """
    import numpy as np, npylstm
    from npylstm import Sequential
    from npylstm.layers import LSTM, Dense, Input
    x, y = np.arange(24.0).reshape(4, 3, 2) / 24, np.ones((4, 1))
    plain, stopped = [Sequential([Input((3, 2)), LSTM(2), Dense(1)]) for _ in range(2)]
    stopped.set_weights(plain.get_weights())
    for model in (plain, stopped):
        model.compile("adam", "mse")
    with npylstm.using_backend("numpy"):
        plain.fit(x, y, epochs=3, verbose=0, shuffle=False)
    with npylstm.debug.breakpoint_at("lstm", t=2, gate="f", when=lambda s: s.epoch < 2) as made:
        stopped.fit(x, y, epochs=3, verbose=0, shuffle=False)
    same = [np.array_equal(*pair) for pair in zip(plain.get_weights(), stopped.get_weights())]
    print("the same", all(same), "hits", made.hits, "now", npylstm.get_backend())
    """
)


def test_a_real_debugger_stops_in_the_line(tmp_path):
    pexpect = pytest.importorskip("pexpect", reason="drives a terminal")
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", "PYTHONBREAKPOINT": ""}
    environment.pop("NPYLSTM_BACKEND", None)
    child = pexpect.spawn(
        sys.executable, [str(tmp_path / "script.py")], env=environment, encoding="utf-8",
        timeout=60, echo=False,
    )  # fmt: skip

    def send(command):
        child.sendline(command)
        child.expect_exact("(Pdb) ")
        return child.before

    child.expect_exact("(Pdb) ")
    assert "npylstm: f is computed, layer 'lstm', t=2, epoch=0, batch=0" in child.before
    assert "gates_forward()" in child.before
    shown = (
        "f = recurrent_activation(z_f)" if sys.version_info >= (3, 13) else "g = activation(z_g)"
    )
    assert f"-> {shown}" in child.before
    assert "True" in send("p np.allclose(f, 1 / (1 + np.exp(-z_f)))")
    assert "NameError" in send("p g")
    assert "recurrent_activation(z_f)" in send("list")
    assert "lstm_cell_forward()" in send("up")
    assert "((4, 2), (4, 2), (2, 8))" in send("p x.shape, h_prev.shape, kernel.shape")
    assert "lstm_forward()" in send("up")
    assert "2" in send("p t")
    send("down")
    send("down")
    if sys.version_info < (3, 13):
        assert "-> o = recurrent_activation(z_o)" in send("next")
        assert "(4, 2)" in send("p g.shape")
    assert "epoch=1, batch=0" in send("continue")
    child.sendline("continue")
    child.expect(pexpect.EOF)
    assert "the same True hits 2 now numba" in child.before

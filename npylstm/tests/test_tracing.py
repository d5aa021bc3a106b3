"""Traces: every number is the one that the reference computes step by step, or nudging it shows."""

import copy
import pickle

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, Trace, reference
from npylstm.activations import Activation
from npylstm.layers import (
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Input,
    LSTMCell,
    Masking,
    TimeDistributed,
)
from npylstm.tests.agreement import BACKENDS, assert_close, randomized

B, T, D, U = 3, 4, 2, 5
BENT = Activation(
    "bent", lambda z: z / np.sqrt(1 + z * z), lambda dy, z, y: dy * (1 - y * y) ** 1.5
)
SOFTMAX = ("masked", "gate dropout")
TRAINING = ("dropout", "gate dropout", "masked gate dropout")

# name -> layers for a dtype
MODELS = {
    "one": lambda dtype: [LSTM(U, dtype=dtype), Dense(3, dtype=dtype)],
    "no bias": lambda dtype: [LSTM(U, use_bias=False, dtype=dtype), Dense(3, dtype=dtype)],
    "stacked": lambda dtype: [
        LSTM(U, return_sequences=True, dtype=dtype),
        LSTM(3, return_sequences=True, dtype=dtype),
    ],
    "bidirectional": lambda dtype: [
        Bidirectional(LSTM(U, return_sequences=True, dtype=dtype), merge_mode="mul"),
        Dense(3, dtype=dtype),
    ],
    "backwards, masked": lambda dtype: [
        Masking(0.0, dtype=dtype),
        LSTM(U, go_backwards=True, return_sequences=True, dtype=dtype),
        LSTM(3, dtype=dtype),
    ],
    "masked": lambda dtype: [
        Masking(0.0, dtype=dtype),
        LSTM(U, return_sequences=True, zero_output_for_mask=True, dtype=dtype),
        LSTM(4, dtype=dtype),
        Dense(3, activation="softmax", dtype=dtype),
    ],
    "stateful": lambda dtype: [LSTM(U, stateful=True, dtype=dtype), Dense(3, dtype=dtype)],
    "cells": lambda dtype: [
        RNN([LSTMCell(U, dtype=dtype), LSTMCell(4, dtype=dtype)], dtype=dtype),
        Dense(3, dtype=dtype),
    ],
    "dropout": lambda dtype: [
        LSTM(U, dropout=0.4, return_sequences=True, dtype=dtype),
        Dropout(0.3, dtype=dtype),
        LSTM(3, dtype=dtype),
    ],
    "gate dropout": lambda dtype: [
        LSTM(U, dropout=0.4, recurrent_dropout=0.3, implementation=1, dtype=dtype),
        Dense(3, activation="softmax", dtype=dtype),
    ],
    "masked gate dropout": lambda dtype: [
        Masking(0.0, dtype=dtype),
        Bidirectional(LSTM(U, recurrent_dropout=0.3, implementation=1, dtype=dtype)),
        Dense(3, dtype=dtype),
    ],
    "activations": lambda dtype: [
        LSTM(U, activation="gelu", recurrent_activation="hard_sigmoid", dtype=dtype),
        Dense(3, dtype=dtype),
    ],
    "one's own activation": lambda dtype: [
        LSTM(U, activation=BENT, dtype=dtype),
        Dense(3, dtype=dtype),
    ],
    "penalties": lambda dtype: [
        LSTM(U, activity_regularizer="l2", return_sequences=True, dtype=dtype),
        Dense(3, dtype=dtype),
    ],
}


def make(name, dtype="float64"):
    """Return a compiled model with random weights, and x and y for it."""
    rng = np.random.default_rng(3)
    model = Sequential([Input(batch_shape=(B, T, D)), *MODELS[name](dtype)])
    loss = "categorical_crossentropy" if name in SOFTMAX else "mse"
    model.compile("adam", loss)
    randomized(model, rng, 0.6)
    x = rng.normal(size=(B, T, D)).astype(dtype)
    x[1, T - 1] = x[2, :2] = 0  # masked at the end, and at the beginning
    if name == "stateful":
        model(x)  # states to start from
    y = rng.normal(size=model.output_shape)
    return model, x, np.eye(3)[[0, 2, 1]] if loss != "mse" else y


def traced(name, backend, dtype="float64", y=True):
    with npylstm.using_backend(backend):
        npylstm.utils.set_random_seed(7)  # of what is dropped
        model, x, targets = make(name, dtype)
        return model, model.trace(x, targets if y else None, training=name in TRAINING)


def time_major(array):
    return array.swapaxes(0, 1)


# --------------------------------------------------------------------------------------- forward
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MODELS)
def test_every_step_is_that_of_the_reference(name, backend, dtype):
    model, trace = traced(name, backend, dtype, y=False)
    assert not trace.has_gradients and trace.loss is None and trace.gradients == {}
    for path, lstm in trace.lstms.items():
        names = "kernel", "recurrent_kernel", "bias"
        weights = [model.named_weights().get(f"{path}/{weight}") for weight in names]
        assert (lstm.bias is None) == (name == "no bias")
        h, c = lstm.h0, lstm.c0
        assert (np.abs(h).max() > 0) == (name == "stateful")
        for t in range(T):
            x_t = lstm.x[:, t]
            (h_new, c_new), step = reference.lstm_cell_forward(
                *(x_t, h, c, *weights, *lstm._functions),
                *(lstm.x_dropout, lstm.h_dropout),
            )
            assert_close(lstm.h_prev[:, t], h), assert_close(lstm.c_prev[:, t], c)
            counts = np.ones(B, bool) if lstm.mask is None else lstm.mask[:, t]
            h, c = (np.where(counts[:, None], *pair) for pair in ((h_new, h), (c_new, c)))
            assert_close(lstm.h[:, t], h), assert_close(lstm.c[:, t], c)
            for gate, z in zip("ifgo", reference.split_gates(step.z), strict=True):
                assert_close(getattr(lstm, f"z_{gate}")[:, t], z)
                assert_close(getattr(lstm, gate)[:, t], getattr(step, gate))
            assert_close(lstm.tanh_c[counts, t], step.tanh_c[counts])
        order = slice(None, None, -1 if lstm.reverse else 1)
        np.testing.assert_array_equal(lstm.timesteps, np.arange(T)[order])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MODELS)
def test_layers_are_chained(name, backend):
    model, trace = traced(name, backend)
    assert [path for path in trace if "/" not in path] == [layer.name for layer in model.layers]
    layers = [trace[layer.name] for layer in model.layers]
    np.testing.assert_array_equal(layers[-1].y, trace.outputs[0])
    if name not in TRAINING:
        np.testing.assert_array_equal(layers[0].x, trace.x)
        model.reset_states()
        again = traced(name, backend)[0]
        with npylstm.using_backend(backend):
            np.testing.assert_array_equal(trace.outputs[0], again.predict_on_batch(trace.x))
        for before, after in zip(layers, layers[1:], strict=False):
            there = after.x[:, ::-1] if getattr(after, "reverse", False) else after.x
            np.testing.assert_array_equal(before.y, there)


def test_the_masked_lstm_says_which_steps_count():
    _, trace = traced("backwards, masked", "numba")
    lstm = trace["lstm"]
    np.testing.assert_array_equal(lstm.mask, [[1, 1, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_array_equal(lstm.h[1, 0], lstm.h0[1])
    np.testing.assert_array_equal(lstm.c[2, 2:], lstm.c_prev[2, 2:])


def test_dropout_is_there_when_training_only():
    with npylstm.using_backend("numba"):
        model, x, y = make("gate dropout")
        dropped, whole = (model.trace(x, y, training=drop)["lstm"] for drop in (True, False))
    assert whole.x_dropout is None and "h_dropout" not in whole.names
    assert dropped.x_dropout.shape == (4, B, D) and dropped.h_dropout.shape == (4, B, U)
    np.testing.assert_allclose(np.unique(dropped.x_dropout), [0, 1 / 0.6])
    assert {"x_dropout", "h_dropout"} < set(dropped.names)


# -------------------------------------------------------------------------------------- gradients
def loss_by_hand(lstm, after, nudge=None, amount=0.0):
    """Return ``sum(h * after)`` over all steps of an LSTM, after one number was changed.

    `nudge` is a name, and where: (name, t, b, u), t being None for initial states.
    """
    name, t_there, *place = nudge or ("", -1, 0, 0)
    place = tuple(place)
    arrays = {"h": lstm.h0.copy(), "c": lstm.c0.copy()}
    if t_there is None:
        arrays[name[0]][place] += amount

    def maybe(array, here, t):
        array = array.copy()
        if name == here and t == t_there:
            array[place] += amount
        return array

    total = 0.0
    for t in range(T):
        x = maybe(lstm.x[:, t], "x", t)
        z = reference.lstm.to_gates(x, lstm.kernel, lstm.x_dropout)
        z = z + reference.lstm.to_gates(arrays["h"], lstm.recurrent_kernel, lstm.h_dropout)
        z = z if lstm.bias is None else z + lstm.bias
        phi, sigma = (function.forward for function in lstm._functions)
        blocks = zip("ifgo", reference.split_gates(z), strict=True)
        z = {gate: maybe(block, f"z_{gate}", t) for gate, block in blocks}
        gates = {gate: maybe((phi if gate == "g" else sigma)(z[gate]), gate, t) for gate in "ifgo"}
        c = gates["f"] * arrays["c"] + gates["i"] * gates["g"]
        counts = np.ones((len(x), 1), bool) if lstm.mask is None else lstm.mask[:, t, None]
        c = maybe(np.where(counts, c, arrays["c"]), "c", t)
        h = np.where(counts, gates["o"] * phi(c), arrays["h"])
        arrays = {"h": maybe(h, "h", t), "c": c}
        total += (arrays["h"] * after[:, t]).sum()
    return total


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("penalties",)])
def test_gradients_are_what_nudging_each_number_shows(name, backend):
    _, trace = traced(name, backend)
    for lstm in trace.lstms.values():
        # What comes to h from above, and not from the next step, stands for the loss.
        dz = np.concatenate([getattr(lstm, f"dz_{gate}") for gate in "ifgo"], axis=-1)
        from_next = reference.lstm.from_gates(
            time_major(dz)[1:], lstm.recurrent_kernel, lstm.h_dropout
        )
        above = lstm.dh.copy()
        above[:, :-1] -= time_major(from_next)
        if lstm.mask is not None:
            above[:, :-1] -= np.where(lstm.mask[:, 1:, None], 0, lstm.dh[:, 1:])
        rng = np.random.default_rng(1)
        places = [(t, b) for t in range(T) for b in range(lstm.x.shape[0])]
        for quantity in ("z_i", "z_f", "z_g", "z_o", "i", "f", "g", "o", "c", "h", "x", "h0", "c0"):
            gradient = getattr(lstm, f"d{quantity}")
            width = gradient.shape[-1]
            for t, b in places if quantity not in ("h0", "c0") else [(None, b) for b in range(B)]:
                u = rng.integers(width)
                eps = 1e-6
                shown = [
                    loss_by_hand(lstm, above, (quantity, t, b, u), sign * eps) for sign in (1, -1)
                ]
                slope = (shown[0] - shown[1]) / (2 * eps)
                ours = gradient[b, u] if t is None else gradient[b, t, u]
                assert ours == pytest.approx(slope, rel=1e-6, abs=2e-9), (quantity, t, b, u)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MODELS)
def test_the_shares_of_the_timesteps_add_up(name, backend, dtype):
    model, trace = traced(name, backend, dtype)
    assert list(trace.gradients) == list(model.named_weights())
    for path, lstm in trace.lstms.items():
        for weight in ("kernel", "recurrent_kernel", "bias")[: 2 + (lstm.bias is not None)]:
            share = getattr(lstm, f"d{weight}")
            assert share.shape == (T, *getattr(lstm, weight).shape)
            assert_close(share.sum(axis=0), trace.gradients[f"{path}/{weight}"], factor=2)
    if name == "one":
        dz = np.concatenate([getattr(trace["lstm"], f"dz_{gate}") for gate in "ifgo"], axis=-1)
        assert_close(trace["lstm"].dkernel[2], trace["lstm"].x[:, 2].T @ dz[:, 2])


@pytest.mark.parametrize("name", MODELS)
def test_both_backends_trace_the_same(name):
    (_, ours), (_, expected) = (traced(name, backend) for backend in BACKENDS)
    assert ours.loss == pytest.approx(expected.loss, rel=1e-12)
    for path, layer in expected.items():
        for array, one in layer.to_dict().items():
            if array == "mask":
                np.testing.assert_array_equal(ours[path].mask, one)
            else:
                assert_close(getattr(ours[path], array), one, factor=10)


@pytest.mark.parametrize("name", ["one", "stateful", "gate dropout", "masked"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_loss_and_gradients_are_those_of_the_model(name, backend):
    with npylstm.using_backend(backend):
        model, x, y = make(name)
        loss, gradients = model.loss_and_gradients(x, y)
        trace = model.trace(x, y)
    assert trace.loss == loss
    for path, gradient in gradients.items():
        np.testing.assert_array_equal(trace.gradients[path], gradient)


def test_sample_weights_and_a_mask_by_hand():
    model, x, y = make("one")
    weights = np.array([1.0, 0.0, 2.0])
    trace = model.trace(x, y, sample_weight=weights)
    assert trace.loss == pytest.approx(model.loss_and_gradients(x, y, weights)[0])
    assert not trace["lstm"].dz_f[1].any() and trace["lstm"].dz_f[2].any()
    mask = np.array([[1, 1, 0, 0]] * B, bool)
    trace = model.trace(x, y, mask=mask)
    np.testing.assert_array_equal(trace["lstm"].mask, mask)
    np.testing.assert_array_equal(trace["lstm"].h[:, 1], trace["lstm"].h[:, 3])
    np.testing.assert_array_equal(trace.outputs[0], model(x, mask=mask))
    assert not trace["lstm"].dz_i[:, 2:].any() and trace["lstm"].dz_i[:, 0].any()


# ---------------------------------------------------------------------- what a trace leaves alone
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["stateful", "gate dropout", "dropout"])
def test_a_trace_changes_nothing(name, backend):
    def trained(with_trace):
        npylstm.utils.set_random_seed(5)
        model, x, y = make(name)
        for step in range(3):
            if with_trace:
                model.trace(x, y, training=True)
                model.trace(x)
                assert model.optimizer.iterations == step
            model.train_on_batch(x, y)
        return model.get_weights(), [layer.states for layer in model.layers if layer.stateful]

    with npylstm.using_backend(backend):
        expected, ours = trained(False), trained(True)
    for one, other in zip(expected, ours, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_trace_is_a_copy():
    model, x, y = make("one")
    x, y = x.astype(model.dtype), y.astype(model.dtype)
    trace = model.trace(x, y)
    x *= 2
    y *= 2
    np.testing.assert_array_equal(2 * trace.x, x)
    np.testing.assert_array_equal(2 * trace.y, y)
    before = trace["lstm"].h.copy(), trace.outputs[0].copy(), trace.gradients["lstm/kernel"].copy()
    model.set_weights([2 * w for w in model.get_weights()])
    model.train_on_batch(x, y)
    model.predict_on_batch(x)
    after = trace["lstm"].h, trace.outputs[0], trace.gradients["lstm/kernel"]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert_close(trace["lstm"].o * trace["lstm"].tanh_c, trace["lstm"].h)  # computed just now


def test_what_training_would_drop_next():
    with npylstm.using_backend("numba"):
        model, x, y = make("gate dropout")
        seen = model.trace(x, y, training=True)
        assert model.train_on_batch(x, y) == pytest.approx(seen.loss, rel=1e-12)


# ------------------------------------------------------------------------------------ layers alone
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_layer_alone(backend, rng):
    x, states = rng.normal(size=(B, T, D)), [rng.normal(size=(B, U)) for _ in range(2)]
    layer = LSTM(U, return_sequences=True, dtype="float64")
    with npylstm.using_backend(backend):
        trace = layer.trace(x, initial_state=states)  # builds it
        np.testing.assert_array_equal(trace.outputs[0], layer(x, initial_state=states))
    lstm = trace["lstm"]
    np.testing.assert_array_equal([lstm.h0, lstm.c0], states)
    np.testing.assert_array_equal(lstm.y, lstm.h)
    with pytest.raises(ValueError, match="takes 2 initial states, got 1"):
        layer.trace(x, initial_state=states[:1])


def test_a_stateful_layer_alone_starts_from_what_it_carries(rng):
    x, states = rng.normal(size=(B, T, D)), [rng.normal(size=(B, U)) for _ in range(2)]
    layer = LSTM(U, stateful=True, dtype="float64")
    layer(x)
    carried = layer.states
    np.testing.assert_array_equal([layer.trace(x)["lstm"].h0, layer.trace(x)["lstm"].c0], carried)
    np.testing.assert_array_equal(layer.trace(x, states)["lstm"].c0, states[1])
    np.testing.assert_array_equal(layer.states, carried)


def test_layers_inside_others(rng):
    layer = TimeDistributed(LSTM(U, dtype="float64"))
    trace = layer.trace(rng.normal(size=(B, 2, T, D)))
    assert list(trace) == ["time_distributed", "time_distributed/lstm"]
    inner = trace["time_distributed/lstm"]
    assert inner.h.shape == (2 * B, T, U) and inner.y is None
    np.testing.assert_array_equal(inner.h[:, -1].reshape(2, B, U).swapaxes(0, 1), trace.outputs[0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (3, 1, 2, 5), (1, 4, 1, 9)])
def test_sizes_of_one(sizes, backend, rng):
    B, T, D, U = sizes
    model = Sequential([Input((T, D)), LSTM(U, dtype="float64"), Dense(1, dtype="float64")])
    model.compile("adam", "mse")
    x = rng.normal(size=(B, T, D))
    with npylstm.using_backend(backend):
        trace = model.trace(x, rng.normal(size=(B, 1)))
    lstm = trace["lstm"]
    for name in lstm.names:
        assert np.isfinite(getattr(lstm, name)).all(), name
    assert_close(lstm.dkernel.sum(axis=0), trace.gradients["lstm/kernel"])
    assert_close(lstm.drecurrent_kernel.sum(axis=0), trace.gradients["lstm/recurrent_kernel"])


def test_without_an_lstm():
    trace = Dense(2).trace(np.ones((3, 4)))
    assert trace.lstms == {} and trace["dense"].x.shape == (3, 4)
    trace = Embedding(5, 2).trace(np.array([[1, 2, 3]]))
    assert trace["embedding"].y.shape == (1, 3, 2)


# -------------------------------------------------------------------------------------- other forms
@pytest.mark.parametrize("name", ["masked", "no bias", "gate dropout", "one's own activation"])
def test_a_file_gives_back_the_same(name, tmp_path):
    _, trace = traced(name, "numba", "float32")
    trace.save(tmp_path / "trace.npz")
    loaded = Trace.load(tmp_path / "trace.npz")
    for attribute in ("model", "loss", "has_gradients"):
        assert getattr(loaded, attribute) == getattr(trace, attribute)
    assert list(loaded) == list(trace) and repr(loaded) == repr(trace)
    assert loaded.gradients.keys() == trace.gradients.keys()
    for path, layer in trace.items():
        assert loaded[path].names == layer.names and loaded[path].kind == layer.kind
        for array in layer.names:
            np.testing.assert_array_equal(getattr(loaded[path], array), getattr(layer, array))
            assert getattr(loaded[path], array).dtype == getattr(layer, array).dtype
    assert list(tmp_path.iterdir()) == [tmp_path / "trace.npz"]


def test_names_of_any_kind_come_back(tmp_path):
    model = Sequential([Input((T, D)), LSTM(2, name="<script>\\..\x00 é"), Dense(1)])
    trace = model.trace(np.zeros((1, T, D)))
    trace.save(tmp_path / "t.npz")
    assert list(Trace.load(tmp_path / "t.npz")) == ["<script>\\..\x00 é", "dense"]


def test_files_that_are_no_traces(tmp_path):
    trace = LSTM(2).trace(np.zeros((1, T, D)))
    with pytest.raises(ValueError, match="traces are written to .npz files, got"):
        trace.save(tmp_path / "trace.json")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        trace.save(tmp_path / "nowhere" / "trace.npz")
    with pytest.raises(FileNotFoundError):
        Trace.load(tmp_path / "trace.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    with pytest.raises(ValueError, match=r"is no trace: it holds \['a'\]"):
        Trace.load(tmp_path / "other.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="is no file of traces, or is damaged"):
        Trace.load(tmp_path / "broken.npz")


def test_a_dict_of_all_arrays():
    _, trace = traced("no bias", "numba")
    arrays = trace.to_dict()
    assert list(arrays) == ["lstm", "dense"] and "bias" not in arrays["lstm"]
    assert arrays["lstm"]["dz_f"].shape == (B, T, U) and arrays["dense"]["y"].shape == (B, 3)


def test_as_xarray():
    pytest.importorskip("xarray")
    _, trace = traced("masked", "numba")
    data = trace.to_xarray()
    lstm = data["lstm"]
    assert lstm.f.dims == ("sample", "step", "unit") and lstm.x.dims[2] == "feature"
    assert lstm.dkernel.dims == ("step", "feature", "column")
    np.testing.assert_array_equal(lstm.f.sel(step=2), trace["lstm"].f[:, 2])
    o_columns = lstm.kernel[:, (lstm.gate_of_column == "o").values]
    np.testing.assert_array_equal(o_columns, trace["lstm"].kernel[:, 3 * U :])
    assert data["dense"].y.shape == (B, 3) and lstm.attrs["activation"] == "tanh"


def test_as_dataframe():
    pytest.importorskip("pandas")
    _, trace = traced("backwards, masked", "numba")
    table = trace.to_dataframe()
    row = table.loc["lstm", 1, 2, 3]
    assert row.f == trace["lstm"].f[1, 2, 3] and row.dz_o == trace["lstm"].dz_o[1, 2, 3]
    assert row.timestep == T - 1 - 2 and len(table) == B * T * (U + 3)
    (path, masked), *_ = ((p, one) for p, one in trace.lstms.items() if one.mask is not None)
    np.testing.assert_array_equal(table.loc[path]["mask"].unstack().iloc[:, -1], masked.mask.flat)
    assert traced("one", "numba")[1].to_dataframe()["mask"].all()
    with pytest.raises(ValueError, match="has no LSTM"):
        Dense(2).trace(np.ones((3, 4))).to_dataframe()


def test_what_it_says_of_itself():
    model, trace = traced("bidirectional", "numba")
    text = repr(trace)
    assert f"<Trace of 'sequential', 3 samples, loss {trace.loss:.6g}" in text
    assert "bidirectional/backward_lstm" in text and f"({B}, {T}, {U})" in text
    assert "the gradient of each" in repr(trace["bidirectional/forward_lstm"])
    assert {"z_f", "dz_f", "i", "dkernel"} < set(dir(trace["bidirectional/forward_lstm"]))
    assert "dz_f" not in dir(model.trace(trace.x)["bidirectional/forward_lstm"])
    assert trace._ipython_key_completions_() == list(trace)


def test_what_is_not_there():
    model, x, y = make("no bias")
    trace = model.trace(x)
    with pytest.raises(KeyError, match="no layer 'lstm_1' in this trace; it has 'lstm', 'dense'"):
        trace["lstm_1"]
    with pytest.raises(AttributeError, match=r"made without targets: use model.trace\(x, y\)"):
        _ = trace["lstm"].dz_f
    with pytest.raises(AttributeError, match="no 'forget'; it has x, h_prev"):
        _ = trace["lstm"].forget
    with pytest.raises(AttributeError, match="'dbias', as layer 'lstm' has no bias"):
        _ = model.trace(x, y)["lstm"].dbias
    with pytest.raises(
        AttributeError, match=r"write trace\['lstm'\].f for 'f' of layer 'lstm'; it h"
    ):
        _ = trace.f
    with pytest.raises(AttributeError, match="'Trace' object has no attribute 'gates'"):
        _ = trace.gates


def test_copies_and_pickles():
    for name in ("one", "one's own activation"):
        _, trace = traced(name, "numba")
        for other in (copy.deepcopy(trace), pickle.loads(pickle.dumps(trace))):
            np.testing.assert_array_equal(other["lstm"].df, trace["lstm"].df)
            np.testing.assert_array_equal(other["lstm"].dx, trace["lstm"].dx)


# ------------------------------------------------------------------------------------------ errors
def test_arguments_that_do_not_fit():
    model, x, y = make("one")
    with pytest.raises(ValueError, match="sample_weight weights a loss"):
        model.trace(x, sample_weight=np.ones(B))
    with pytest.raises(ValueError, match="y has"):
        model.trace(x, y[:, :2])
    with pytest.raises(ValueError, match="mask of model 'sequential' has the shape"):
        model.trace(x, mask=np.ones((B, T + 1)))
    with pytest.raises(RuntimeError, match="trace with targets needs a loss"):
        Sequential([Input((T, D)), LSTM(2)]).trace(x, y)


def test_a_model_that_is_not_built(rng):
    model = Sequential([LSTM(2), Dense(1)])
    with pytest.raises(ValueError):
        model.trace(np.ones((2, 3)))
    assert not model.built
    model.trace(rng.normal(size=(2, 3, 1)))
    assert model.built and model.input_shape == (None, None, 1)

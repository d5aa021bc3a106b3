"""`npylstm parity`: each fault is planted in a real pair of models, and must be named.

Without a fault the two agree; see also `test_layers` and its like for the engine itself.
"""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import npylstm
from npylstm import parity
from npylstm.cli import main

from .oracle import B, D, T, U

L = keras.layers
ROOT = Path(__file__).parents[1]


@pytest.fixture
def numpy_backend():
    """The faults do not depend on the backend; without one to compile they are found sooner."""
    with npylstm.using_backend("numpy"):
        yield


def theirs_of(layers, optimizer="sgd", loss=None, timesteps=T, seed=5):
    """Return a Keras model with random weights, no bias of them zero; compiled, given a loss."""
    rng = np.random.default_rng(seed)
    model = keras.Sequential([L.Input((timesteps, D)), *layers])
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])
    if loss is not None:
        model.compile(optimizer, loss, run_eagerly=True)
    return model


def ours_of(layers, theirs, **settings):
    """Return a model of ours with the weights of theirs."""
    model = npylstm.Sequential([npylstm.Input((T, D)), *layers])
    model.set_weights(theirs.get_weights())
    if settings:
        model.compile(**settings)
    return model


def only(report):
    """Return the one divergence of a report, of which the cause must be known."""
    assert not report.agrees
    (divergence,) = report.divergences
    assert divergence.causes, report
    return divergence


def cause_of(report):
    """Return the name of the cause; all that were found must have the same."""
    (name,) = {cause.name for cause in only(report).causes}
    return name


def change(layer, **weights):
    """Set some of the weights of a layer of ours."""
    for name, weight in weights.items():
        layer.weight(name)[...] = weight


def in_order(order, weight):
    blocks = dict(zip("ifco", np.split(weight, 4, axis=-1), strict=True))
    return np.concatenate([blocks[gate] for gate in order], axis=-1)


# --------------------------------------------------------------------------------------- no fault
def test_no_fault(floatx, numpy_backend):
    theirs = theirs_of(
        [
            L.LSTM(U, return_sequences=True, recurrent_activation="hard_sigmoid", name="first"),
            L.Dropout(0.5),
            L.Bidirectional(L.LSTM(2, return_sequences=True)),
            L.TimeDistributed(L.Dense(5, activation="relu")),
            L.LSTM(4, go_backwards=True, use_bias=False),
            L.Dense(7),
            L.Activation("softmax"),
        ],
        keras.optimizers.Adam(clipnorm=0.1),
        "categorical_crossentropy",
    )
    ours = parity.from_keras(theirs)
    report = parity.compare(ours, theirs)
    assert report.agrees and not report.divergences, report
    assert {row.layer for row in report.rows if row.tensor == "output"} >= {"first", "model"}
    compared = [row.tensor for row in report.rows]
    assert sum(name.startswith("gradient of") for name in compared) == len(ours.weights)
    assert sum(name.startswith("after a step") for name in compared) == len(ours.weights)
    # Far above what rounding comes to, without being so high that it says nothing.
    assert max(r.error / r.bound for r in report.rows if r.error) < 0.5
    eps = np.finfo(floatx).eps
    assert max(r.bound / r.scale for r in report.rows if r.tensor == "output") < 2000 * eps


def test_rules_and_shapes_of_dropout_come_along(numpy_backend):
    rules = {"kernel_regularizer": "l2", "recurrent_constraint": keras.constraints.MaxNorm(0.5)}
    theirs = theirs_of(
        [
            L.Dropout(0.5, noise_shape=(None, 1, None)),
            L.LSTM(U, activity_regularizer=keras.regularizers.L1(0.25), **rules),
            L.Dense(2),
        ],
        *("sgd", "mse"),
    )
    ours = parity.from_keras(theirs)
    dropout, lstm, _ = ours.layers
    assert dropout.noise_shape == (None, 1, None)
    assert lstm.activity_regularizer.get_config() == {"l1": 0.25}
    assert lstm.recurrent_constraint.get_config() == {"max_value": 0.5, "axis": 0}
    report = parity.compare(ours, theirs)
    assert report.agrees, report


def test_nothing_is_left_changed(floatx):
    """In the compiled backend, too."""
    theirs = theirs_of([L.LSTM(U), L.Dense(2)], "adam", "mse")
    ours = parity.from_keras(theirs)
    before = [w.copy() for w in ours.get_weights()], theirs.get_weights()
    npylstm.utils.set_random_seed(3)
    drawn = npylstm.initializers.get("uniform")((2,))
    npylstm.utils.set_random_seed(3)
    with npylstm.using_backend("numba"):
        report = parity.compare(ours, theirs)
    assert report.agrees and "numba" in report.ours, report
    for weights, model in zip(before, (ours, theirs), strict=True):
        for one, other in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert ours.optimizer.batches == 0 and int(theirs.optimizer.iterations) == 0
    np.testing.assert_array_equal(npylstm.initializers.get("uniform")((2,)), drawn)


def test_a_change_in_the_tenth_digit_is_seen(float64, numpy_backend):
    theirs = theirs_of([L.LSTM(U, return_sequences=True), L.Dense(2)])
    ours = parity.from_keras(theirs)
    ours.layers[0].kernel[...] *= 1 + 1e-10
    report = parity.compare(ours, theirs)
    assert only(report).layer == ours.layers[0].name and cause_of(report) == "weights"


# ------------------------------------------------------------------------------ faults in an LSTM
@pytest.mark.parametrize(
    ("order", "gates"), [("icfo", "fg"), ("ifoc", "go"), ("ocif", "ifgo")], ids=str
)
def test_gate_order(order, gates, numpy_backend):
    theirs = theirs_of([L.LSTM(U)])
    ours = parity.from_keras(theirs)
    for weight in ours.layers[0].weights:
        weight[...] = in_order(order, weight)
    found = only(parity.compare(ours, theirs))
    assert (found.layer, found.timestep) == (ours.layers[0].name, 0)
    assert set(found.gates) == set(gates)
    assert [cause.name for cause in found.causes] == ["gate_order"]
    assert f"order {', '.join(order)};" in found.causes[0].text
    assert "kernel, recurrent_kernel and bias" in found.causes[0].text


def test_place_and_numbers(floatx, numpy_backend):
    """The recurrent kernel acts from the second step on; one column of it acts on one unit."""
    theirs = theirs_of([L.LSTM(U, return_sequences=True)])
    ours = parity.from_keras(theirs)
    unit = 4
    ours.layers[0].recurrent_kernel[:, 2 * U + unit] *= 1.5
    report = parity.compare(ours, theirs, samples=B)
    found = only(report)
    assert (found.timestep, found.unit, set(found.gates)) == (1, unit, {"g"})
    rng = np.random.default_rng(0)
    x = rng.normal(size=(B, T, D)).astype(keras.config.floatx())
    outputs = ours.predict_on_batch(x), np.asarray(theirs(x))
    here, there = (o[found.sample, found.timestep, unit] for o in outputs)
    np.testing.assert_allclose([found.ours, found.theirs], [here, there], rtol=1e-4)
    apart = np.abs(outputs[0] - outputs[1])[:, 1]
    assert apart.argmax() == found.sample * U + unit
    assert cause_of(report) == "weights" and "their recurrent_kernel" in found.causes[0].text


def test_bias(numpy_backend):
    theirs = theirs_of([L.LSTM(U)])
    (kernel, recurrent_kernel, bias) = theirs.get_weights()
    ours = parity.from_keras(theirs)
    layer = ours.layers[0]
    second = np.random.default_rng(1).normal(size=bias.shape)
    forget = np.repeat([0.0, 1.0, 0.0, 0.0], U)
    faults = {
        "missing on our side": 0 * bias,
        "second vector": bias - second,
        "ours is added twice": 2 * bias,
        "on our side the bias of the forget gate": bias + forget,
        "on their side the bias of the forget gate": bias - forget,
        "order i, o, c, f;": in_order("iocf", bias),
    }
    for words, wrong in faults.items():
        change(layer, bias=wrong)
        found = only(parity.compare(ours, theirs))
        assert any(words in cause.text for cause in found.causes), (words, found)
    assert "our bias lie" in found.causes[0].text
    change(layer, bias=bias)
    assert parity.compare(ours, theirs).agrees


def test_bias_on_their_side_only_or_not_at_all(numpy_backend):
    theirs = theirs_of([L.LSTM(U, use_bias=False)])
    ours = npylstm.Sequential([npylstm.Input((T, D)), npylstm.layers.LSTM(U)])
    ours.set_weights([*theirs.get_weights(), np.ones(4 * U)])
    report = parity.compare(ours, theirs)
    assert cause_of(report) == "missing_bias"
    assert any("only ours has" in row.tensor for row in report.rows)


class TwoBiases(keras.layers.LSTMCell):
    """An LSTM cell that adds two biases, as PyTorch's does."""

    def build(self, input_shape):
        super().build(input_shape)
        self.second = self.add_weight(shape=(4 * self.units,), name="bias_hh")

    def call(self, inputs, states, training=False):
        z = inputs @ self.kernel + states[0] @ self.recurrent_kernel + self.bias + self.second
        z = keras.ops.split(z, 4, axis=1)
        c, o = self._compute_carry_and_output_fused(z, states[1])
        h = o * self.activation(c)
        return h, [h, c]


def test_second_bias_of_a_cell(numpy_backend):
    theirs = theirs_of([L.RNN(TwoBiases(U))])
    ours = npylstm.Sequential([npylstm.Input((T, D)), npylstm.layers.LSTM(U)])
    ours.set_weights(theirs.get_weights()[:3])
    report = parity.compare(ours, theirs)
    assert cause_of(report) == "second_bias"
    assert "bias_hh" in only(report).causes[0].text


def legacy_hard_sigmoid(z):
    return keras.ops.clip(0.2 * z + 0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("argument", "ours", "theirs", "words", "gates"),
    [
        ("recurrent_activation", "sigmoid", "hard_sigmoid", "with hard_sigmoid (clip(z/6", "ifo"),
        ("recurrent_activation", "hard_sigmoid", legacy_hard_sigmoid, "clip(0.2 z", "ifo"),
        ("activation", "tanh", "relu", "with relu", "g"),
        ("activation", "linear", "tanh", "with tanh", "g"),
    ],
)
def test_activation(argument, ours, theirs, words, gates, numpy_backend):
    their_model = theirs_of([L.LSTM(U, **{argument: theirs})])
    our_model = ours_of([npylstm.layers.LSTM(U, **{argument: ours})], their_model)
    found = only(parity.compare(our_model, their_model))
    assert (found.timestep, set(found.gates)) == (0, set(gates))
    assert [cause.name for cause in found.causes] == [argument]
    assert words in found.causes[0].text


def test_transposed_recurrent_kernel(numpy_backend):
    theirs = theirs_of([L.LSTM(U)])
    ours = parity.from_keras(theirs)
    right = theirs.get_weights()[1]
    blocks = np.concatenate([block.T for block in np.split(right, 4, axis=-1)], axis=-1)
    for wrong in (blocks, right.T.reshape(U, 4 * U)):
        change(ours.layers[0], recurrent_kernel=wrong)
        report = parity.compare(ours, theirs)
        assert cause_of(report) == "transposed_recurrent_kernel"
        assert only(report).timestep == 1


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("ours_is_backwards", [False, True])
def test_time_runs_backwards(sequences, ours_is_backwards, numpy_backend):
    theirs = theirs_of([L.LSTM(U, return_sequences=sequences, go_backwards=not ours_is_backwards)])
    layer = npylstm.layers.LSTM(U, return_sequences=sequences, go_backwards=ours_is_backwards)
    report = parity.compare(ours_of([layer], theirs), theirs)
    assert cause_of(report) == "go_backwards"
    assert only(report).timestep == 0


def test_mask_ignored(numpy_backend):
    theirs = theirs_of([L.Masking(), L.LSTM(U), L.Dense(2)])
    ours = ours_of([npylstm.layers.LSTM(U), npylstm.layers.Dense(2)], theirs)
    x = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
    assert parity.compare(ours, theirs, x).agrees
    x[2, 1] = x[3, 2:] = 0
    report = parity.compare(ours, theirs, x)
    assert cause_of(report) == "mask"
    found = only(report)
    assert (found.layer, found.timestep, found.sample) == ("lstm", 1, 2)
    assert "our side" in found.causes[0].text


def test_fault_where_rounding_grows_without_bound(numpy_backend):
    """A chaotic layer: after 30 steps both sides would part even without a fault."""
    theirs = theirs_of([L.LSTM(40)], timesteps=None)
    theirs.set_weights([4 * w for w in theirs.get_weights()])
    ours = parity.from_keras(theirs)
    report = parity.compare(ours, theirs, timesteps=30)
    assert report.agrees
    assert any(row.bound > row.scale for row in report.rows if row.tensor == "output")
    ours.layers[0].bias[...] = 0
    assert cause_of(parity.compare(ours, theirs, timesteps=30)) == "missing_bias"


# ------------------------------------------------------------------------- faults in other places
def test_second_of_two_layers(numpy_backend):
    theirs = theirs_of([L.LSTM(U, return_sequences=True), L.LSTM(4, name="upper"), L.Dense(2)])
    ours = parity.from_keras(theirs)
    for weight in ours.get_layer("upper").weights:
        weight[...] = in_order("fico", weight)
    report = parity.compare(ours, theirs)
    assert only(report).layer == "upper" and cause_of(report) == "gate_order"
    verdicts = {row.layer: row.verdict for row in report.rows if row.tensor == "output"}
    assert verdicts["upper"] == verdicts["model"] == "DIFFERS"
    assert verdicts[ours.layers[2].name] != "DIFFERS"  # fed the same, it does the same


@pytest.mark.parametrize("sequences", [False, True])
def test_backward_direction(sequences, numpy_backend):
    theirs = theirs_of([L.Bidirectional(L.LSTM(4, return_sequences=sequences), name="both")])
    ours = parity.from_keras(theirs)
    backward = ours.layers[0].backward_layer
    backward.bias[...] = 0
    report = parity.compare(ours, theirs)
    assert only(report).layer == f"both/{backward.name}" and cause_of(report) == "missing_bias"


def test_merging(numpy_backend):
    theirs = theirs_of([L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="ave")])
    layer = npylstm.layers.LSTM(4, return_sequences=True)
    ours = ours_of([npylstm.layers.Bidirectional(layer, merge_mode="sum")], theirs)
    report = parity.compare(ours, theirs)
    assert cause_of(report) == "merge_mode" and "with 'ave'" in only(report).causes[0].text


def test_dense(numpy_backend):
    theirs = theirs_of([L.LSTM(U), L.Dense(U, "tanh", name="head")])
    ours = parity.from_keras(theirs)
    head = ours.get_layer("head")
    kernel, bias = head.get_weights()
    for name, wrong in {
        "transposed_kernel": {"kernel": kernel.T},
        "missing_bias": {"bias": 0},
        "weights": {"kernel": 1.1 * kernel, "bias": bias - 1},
    }.items():
        head.set_weights([kernel, bias])
        change(head, **wrong)
        report = parity.compare(ours, theirs)
        assert only(report).layer == "head" and cause_of(report) == name
    plain = ours_of([npylstm.layers.LSTM(U), npylstm.layers.Dense(U, name="head")], theirs)
    report = parity.compare(plain, theirs)
    assert cause_of(report) == "activation" and "with tanh" in only(report).causes[0].text


def test_dense_at_each_timestep(numpy_backend):
    theirs = theirs_of(
        [L.LSTM(U, return_sequences=True), L.TimeDistributed(L.Dense(2), name="each")]
    )
    ours = parity.from_keras(theirs)
    change(ours.layers[1].layer, bias=0)
    report = parity.compare(ours, theirs)
    assert only(report).layer.startswith("each/") and cause_of(report) == "missing_bias"


class AlwaysOn(keras.layers.Dropout):
    """Dropout that nobody has switched off."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


def test_dropout_left_on(numpy_backend):
    theirs = theirs_of([L.LSTM(U), AlwaysOn(0.5, name="noise"), L.Dense(2)])
    ours = ours_of([npylstm.layers.LSTM(U), npylstm.layers.Dense(2)], theirs)
    report = parity.compare(ours, theirs, samples=30)
    assert only(report).layer == "noise" and cause_of(report) == "dropout"


# ------------------------------------------------------------------------------ loss and optimizer
@pytest.mark.parametrize(
    ("ours", "theirs", "name", "words"),
    [
        (
            npylstm.losses.BinaryCrossentropy(from_logits=True),
            keras.losses.BinaryCrossentropy(),
            "from_logits",
            "with False",
        ),
        (
            npylstm.losses.CategoricalCrossentropy(),
            keras.losses.CategoricalCrossentropy(from_logits=True),
            "from_logits",
            "with True",
        ),
        ("mse", keras.losses.MeanSquaredError("sum"), "reduction", "with 'sum'"),
        ("mae", "mse", "loss", "with MeanSquaredError"),
    ],
)
def test_loss(ours, theirs, name, words, numpy_backend):
    their_model = theirs_of([L.LSTM(U), L.Dense(2)], loss=theirs)
    kernel, bias = their_model.layers[-1].get_weights()
    their_model.layers[-1].set_weights([0.1 * kernel, np.array([0.4, 0.6])])  # like probabilities
    our_model = parity.from_keras(their_model)
    our_model.compile("sgd", ours)
    report = parity.compare(our_model, their_model)
    found = only(report)
    assert (found.layer, found.quantity) == ("model", "loss")
    assert name in [cause.name for cause in found.causes]
    assert words in found.causes[0].text


class PaperAdam(keras.optimizers.Adam):
    """Adam with epsilon where the paper and PyTorch have it."""

    def update_step(self, gradient, variable, learning_rate):
        right = self.epsilon
        t = keras.ops.cast(self.iterations + 1, variable.dtype)
        beta = keras.ops.cast(self.beta_2, variable.dtype)
        self.epsilon = right * keras.ops.sqrt(1 - beta**t)
        super().update_step(gradient, variable, learning_rate)
        self.epsilon = right


@pytest.mark.parametrize(
    ("ours", "theirs", "name", "words"),
    [
        ("adam", keras.optimizers.Adam(epsilon=1e-8), "epsilon", "with 1e-08"),
        ("adam", PaperAdam(epsilon=1e-8), "epsilon_place", "1e-08 added to the root of the corr"),
        ("sgd", keras.optimizers.SGD(0.02), "learning_rate", "with 0.0"),
        ("adam", keras.optimizers.AdamW(), "optimizer", "with AdamW"),
        ("rmsprop", "sgd", "optimizer", "with SGD"),
    ],
)
def test_optimizer(ours, theirs, name, words, numpy_backend):
    their_model = theirs_of([L.LSTM(U), L.Dense(2)], theirs, "mse")
    our_model = parity.from_keras(their_model)
    our_model.compile(ours, "mse")
    report = parity.compare(our_model, their_model)
    found = only(report)
    assert found.layer == "optimizer"
    assert found.causes[0].name == name and words in found.causes[0].text, report


# ------------------------------------------------------------------------------- kinds of models
def test_two_of_ours(numpy_backend):
    theirs = theirs_of([L.LSTM(U), L.Dense(2)])
    one, other = parity.from_keras(theirs), parity.from_keras(theirs)
    assert parity.compare(one, other).agrees
    one.layers[0].bias[U : 2 * U] += 1
    assert cause_of(parity.compare(one, other)) == "forget_bias"


def test_functional_chain_and_unpaired_layers(numpy_backend):
    inputs = L.Input((T, D))
    outputs = L.Dense(2)(L.LSTM(U)(inputs))
    theirs = keras.Model(inputs, outputs)
    theirs.set_weights([w + 0.1 for w in theirs.get_weights()])
    report = parity.compare(parity.from_keras(theirs), theirs)
    assert report.agrees and "not compared" in report.notes[0]  # not compiled
    hidden = L.LSTM(U)(inputs)
    branched = keras.Model(inputs, L.Add()([hidden, hidden]))
    with pytest.raises(ValueError, match="not one chain"):
        parity.from_keras(branched)
    ours = npylstm.Sequential([npylstm.Input((T, D)), npylstm.layers.LSTM(U)])
    ours.set_weights(branched.get_weights())
    report = parity.compare(ours, branched, loss="mse", optimizer="sgd")
    assert not report.agrees and report.divergences[0].layer == "model"
    assert "not compared one by one" in report.notes[0]


def test_errors(numpy_backend):
    with pytest.raises(ValueError, match="layer 'odd' is a GRU, which npylstm does not have"):
        parity.from_keras(theirs_of([L.GRU(2, name="odd")]))
    with pytest.raises(ValueError, match="layer 'lstm_x' has the activation 'legacy_hard_sigmoid'"):
        parity.from_keras(theirs_of([L.LSTM(2, activation=legacy_hard_sigmoid, name="lstm_x")]))
    theirs = theirs_of([L.LSTM(U)])
    ours = parity.from_keras(theirs)
    with pytest.raises(TypeError, match="ours must be an npylstm Sequential"):
        parity.compare(theirs, ours)
    with pytest.raises(TypeError, match="theirs must be"):
        parity.compare(ours, None)
    with pytest.raises(ValueError, match="takes arrays of shape"):
        parity.compare(ours, theirs, np.zeros((B, T + 1, D)))
    with pytest.raises(ValueError, match="y has the shape"):
        data = np.zeros((B, T, D)), np.zeros((B, U + 1))
        parity.compare(ours, theirs, *data, loss="mse")
    other = npylstm.Sequential([npylstm.Input((T, D)), npylstm.layers.LSTM(U, dtype="float64")])
    with pytest.raises(ValueError, match="ours computes in float64 and theirs in float32"):
        parity.compare(other, theirs)


# ------------------------------------------------------------------------------- the command line
@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model in a file, with data."""
    folder = tmp_path_factory.mktemp("parity")
    theirs = theirs_of([L.LSTM(U), L.Dense(2)], "adam", "mse")
    with warnings.catch_warnings():  # Keras copies variables in a way that NumPy 2 warns of
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs.save(folder / "model.keras")
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.normal(size=(B, T, D)), y=rng.normal(size=(B, 2)))
    ours = parity.from_keras(theirs)
    for weight in ours.layers[0].weights:
        weight[...] = in_order("ifoc", weight)
    ours.save_weights(folder / "wrong.npz")
    return folder


def test_command(saved):
    """As a user runs it, in a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "npylstm", "parity", "model.keras", "--backend", "numpy"],
        cwd=saved,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "The two agree" in done.stdout and "after a step" in done.stdout
    assert "Traceback" not in done.stderr


def test_command_finds_a_fault(saved, capsys, numpy_backend):
    arguments = ["parity", str(saved / "model.keras"), "--weights", str(saved / "wrong.npz")]
    arguments += ["--data", str(saved / "data.npz")]
    for ending in ("html", "md", "json"):
        report = saved / f"report.{ending}"
        assert main([*arguments, "--report", str(report)]) == 1
        written = report.read_text(encoding="utf-8")
        assert "order i, f, o, c;" in written
    printed = capsys.readouterr().out
    assert "First divergence: lstm" in printed and "DIFFERS" in printed
    content = json.loads(written)
    assert content["agrees"] is False
    assert content["divergences"][0]["causes"][0]["name"] == "gate_order"
    assert len({len(line) for line in printed.split("\n\n")[1].split("\n")[1:2]}) == 1


def test_misuse(saved, tmp_path, capsys, monkeypatch):
    model = str(saved / "model.keras")
    np.savez(tmp_path / "empty.npz", z=np.zeros(1))
    (tmp_path / "text.keras").write_text("no model")
    for arguments, words in {
        ("parity", "missing.keras"): "there is no file",
        ("parity", str(tmp_path / "text.keras")): "text.keras",
        ("parity", model, "--report", "x.txt"): "a report is an .html, .md or .json file",
        ("parity", model, "--report", "nowhere/x.md"): "there is no folder",
        ("parity", model, "--loss", "mes"): "did you mean 'mse'",
        ("parity", model, "--data", str(tmp_path / "empty.npz")): "must hold an array x",
    }.items():
        assert main(list(arguments)) == 2
        assert words in capsys.readouterr().err
    for arguments in (["parity"], ["parity", model, "--samples", "0"], ["compare"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "keras", None)
    assert main(["parity", model]) == 2
    assert "pip install" in capsys.readouterr().err

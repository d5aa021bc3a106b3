import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, explain, seeding
from npylstm.callbacks import Callback
from npylstm.explaining.flow import Flow
from npylstm.explaining.layer_words import WORDS
from npylstm.explaining.texts import LOSSES
from npylstm.explaining.training_words import loss_words
from npylstm.layers import (
    LSTM,
    RNN,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Layer,
    LayerNormalization,
    LSTMCell,
    Masking,
    RepeatVector,
    Reshape,
    StackedRNNCells,
    TimeDistributed,
)
from npylstm.losses import CustomLoss, Loss
from npylstm.plan import PlanBuilder

MODELS = {  # the shape of x without samples, and layers in which every class occurs
    "sequences": ((5, 2), lambda: [LSTM(3, return_sequences=True), Dropout(0.25), LSTM(4)]),
    "backwards": ((5, 2), lambda: [LSTM(3, return_sequences=True, go_backwards=True)]),
    "no bias": ((5, 2), lambda: [LSTM(3, use_bias=False, dropout=0.1, recurrent_dropout=0.2)]),
    "states": ((5, 2), lambda: [LSTM(3, return_state=True)]),
    "one step": ((1, 2), lambda: [LSTM(3), Dense(1)]),
    "cells": ((5, 2), lambda: [RNN([LSTMCell(3), LSTMCell(4)]), Dense(6, use_bias=False)]),
    "one cell": ((5, 2), lambda: [RNN(LSTMCell(3), return_sequences=True, go_backwards=True)]),
    "sum": ((5, 2), lambda: [Bidirectional(LSTM(3, return_sequences=True), merge_mode="sum")]),
    "mul": ((5, 2), lambda: [Bidirectional(LSTM(3), merge_mode="mul")]),
    "ave": ((5, 2), lambda: [Bidirectional(LSTM(3), merge_mode="ave")]),
    "both": ((5, 2), lambda: [Bidirectional(LSTM(3, return_state=True), merge_mode=None)]),
    "concat": ((5, 2), lambda: [Bidirectional(RNN([LSTMCell(3), LSTMCell(4)]))]),
    "masked": ((5, 2), lambda: [Masking(), Bidirectional(LSTM(3, return_sequences=True))]),
    "mask kept": ((5, 2), lambda: [Masking(), Dense(3), RNN(LSTMCell(4), return_sequences=True)]),
    "mask ends": ((5, 2), lambda: [Masking(), LayerNormalization(), Flatten(), Dense(3)]),
    "reshaped": ((6, 2), lambda: [Masking(), Reshape((4, -1)), LSTM(2)]),
    "words": ((5,), lambda: [Embedding(7, 4, mask_zero=True), LSTM(3), RepeatVector(2)]),
    "unmasked words": ((5,), lambda: [Embedding(7, 4), Activation("relu"), LSTM(3)]),
    "vectors": ((5,), lambda: [Flatten(), Dense(3, "softmax"), Activation("softmax")]),
    "in time": ((5, 2), lambda: [Masking(), TimeDistributed(Dense(3, "tanh"))]),
    "inner sequences": ((3, 5, 2), lambda: [Masking(), TimeDistributed(LSTM(4)), LSTM(3)]),
    "inner mask": ((3, 5), lambda: [TimeDistributed(Embedding(7, 4, mask_zero=True))]),
    "plain": ((5, 2), lambda: [LayerNormalization(center=False, scale=False), Dropout(0)]),
}


@pytest.fixture(autouse=True)
def numpy_backend():
    with npylstm.using_backend("numpy"):
        yield


@pytest.fixture(scope="module")
def models():
    return {name: Sequential([Input(shape), *make()]) for name, (shape, make) in MODELS.items()}


def data(name, N=11):
    shape = (N, *MODELS[name][0])
    rng = np.random.default_rng(5)
    integers = name in ("words", "unmasked words", "inner mask")
    return rng.integers(0, 7, shape) if integers else rng.normal(size=shape)


# --------------------------------------------------------------------------------------- layers
def test_every_class_has_words():
    classes = {getattr(npylstm.layers, name) for name in npylstm.layers.__all__} - {Input}
    assert classes == set(WORDS)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_shapes_and_counts_are_real(models, name, lang):
    model, x = models[name], data(name)
    text = explain(model, x, lang=lang).sections["layers"]
    out = x
    for layer in model.layers:
        before, out = np.shape(out), layer(out)
        outputs = [out] if isinstance(out, np.ndarray) else out
        after = ", ".join(str(output.shape) for output in outputs)
        head = f"{layer.name} ({type(layer).__name__}): {before} -> {after}"
        assert head in text.replace("\n", " ")
    count = f"{model.count_params():,}"
    last = text.splitlines()[-1]
    assert last.startswith(f"In all: {count} w" if lang == "en" else f"가중치는 모두 {count}개")


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_the_sum_of_their_formulas(models, name):
    text = explain(models[name], data(name)).sections["layers"]
    text = " ".join(text.split())
    total = 0
    for _, numbers, result in re.findall(r"Weights: ([^=]+) = ([^=]+) = ([\d,]+)", text):
        assert eval(numbers.replace("x", "*")) == int(result.replace(",", ""))
        total += int(result.replace(",", ""))
    total += sum(map(int, re.findall(r"scale or shift them: [^:]*, (\d+) in all", text)))
    assert total == models[name].count_params()


@pytest.mark.parametrize("name", MODELS)
def test_masks_are_those_of_the_plan(models, name):
    model, x = models[name], data(name)
    flow = Flow(model, x, None, None, 1)
    builder = PlanBuilder(model.memory, False, False, len(x))
    shape = x.shape if x.ndim < 3 else (x.shape[1], x.shape[0], *x.shape[2:])
    tensor = builder.tensor(*shape)
    masks = []
    for layer in model.layers:
        mask = builder.masks.get(tensor.offset)
        masks.append(0 if mask is None else len(mask.shape))
        outputs = layer.lower(builder, tensor)
        tensor = outputs[0] if isinstance(outputs, list) else outputs
    mask = builder.masks.get(tensor.offset)
    masks.append(0 if mask is None else len(mask.shape))
    assert [*(stop.mask for stop in flow.stops), flow.mask] == masks


def test_a_layer_of_ones_own_and_one_derived_from_another():
    class Own(Layer):
        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 7)

    class Dense2(Dense):
        pass

    layers = explain(Sequential([Own(), Dense2(3)]), np.ones((4, 2))).sections["layers"]
    assert "it turns (4, 2) into (4, 7)" in layers
    assert "dense2 (Dense2): (4, 7) -> (4, 3)\nEach of the 3 outputs" in layers


def test_a_cell_alone_cannot_run():
    for cell in (LSTMCell(3), StackedRNNCells([LSTMCell(3)])):
        (hint, *_) = explain(Sequential([cell]), np.ones((4, 2))).hints
        assert "put it into an RNN layer" in hint


# ------------------------------------------------------------------------------------- training
class Count(Callback):
    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)


@pytest.mark.parametrize(
    ("backend", "N", "batch_size", "epochs", "steps"),
    [
        ("numpy", 11, 4, 3, None),
        ("numpy", 12, 4, 1, None),
        ("numpy", 7, None, 2, None),
        ("numpy", 70, None, 1, 2),
        ("numba", 11, 3, 2, 3),
    ],
)
def test_updates_are_those_of_fit(backend, N, batch_size, epochs, steps):
    optimizer = npylstm.optimizers.SGD(gradient_accumulation_steps=steps)
    model = Sequential([Input((3,)), Dense(1)])
    model.compile(optimizer, "mse")
    x, y = np.random.default_rng(1).normal(size=(N, 3)), np.ones(N)
    with npylstm.using_backend(backend):
        for _ in range(2):  # the second finds gradients waiting
            flow = Flow(model, x, y, batch_size, epochs)
            text = " ".join(explain(model, x, y, batch_size, epochs).sections["training"].split())
            updates, waiting, left = flow.updates()
            count, before = Count(), optimizer.iterations
            model.fit(x, y, batch_size, epochs, verbose=0, callbacks=[count])
            assert optimizer.iterations - before == updates
            assert len(count.batches) == flow.n_batches * epochs
            assert optimizer.batches % (steps or 1) == left
            assert f"{updates} update" in text
            assert (f"{flow.n_batches} batch" in text) == (flow.n_batches > 1 or steps is not None)
            assert ("from before are counted in" in text) == (waiting > 0)
            assert ("wait for the next fit" in text) == (left > 0)


def test_last_batch():
    model = Sequential([Input((3,)), Dense(1)])
    text = explain(model, np.ones((11, 3)), batch_size=4, epochs=9).sections["training"]
    assert "3 batches an epoch: 2 of 4 and a last one of 3." in " ".join(text.split())
    assert "3 x 9 = 27 updates in all" in " ".join(text.split())


def test_every_loss_has_words():
    losses = [cls for cls in vars(npylstm.losses).values() if isinstance(cls, type)]
    losses = [cls for cls in losses if issubclass(cls, Loss) and cls.__name__[0] != "_"]
    assert {CustomLoss, Loss} < set(losses)
    assert {cls.__name__ for cls in losses} - {"CustomLoss", "Loss"} == set(LOSSES)
    assert loss_words(CustomLoss(lambda y_true, y_pred: 0)) is None
    for cls in set(losses) - {CustomLoss, Loss}:
        assert loss_words(cls()) == LOSSES[cls.__name__]


@pytest.mark.parametrize(
    ("last", "loss", "y", "said"),
    [
        (Dense(3, "softmax"), "categorical_crossentropy", np.eye(3)[[2, 0, 1, 1]], "class 2."),
        (Dense(3, "softmax"), "sparse_categorical_crossentropy", [1, 0, 1, 1], "2 of the model's"),
        (Dense(1, "sigmoid"), "binary_crossentropy", [1, 0, 1, 1], "75 % of them ones"),
        (Dense(2), "mse", np.full((4, 2), 0.5), "2 values each, from 0.5 to 0.5"),
    ],
)
def test_what_y_means(last, loss, y, said):
    model = Sequential([Input((5, 2)), LSTM(3), type(last).from_config(last.get_config())])
    model.compile("adam", loss)
    explanation = explain(model, np.random.default_rng(0).normal(size=(4, 5, 2)), y)
    text = " ".join(explanation.sections["training"].split())
    assert said in text and "one target for each sample" in text
    assert not explanation.hints


def test_settings_of_compile():
    model = Sequential([Input((5, 2)), LSTM(3, kernel_regularizer="l2", return_sequences=True)])
    rate = npylstm.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(npylstm.optimizers.RMSprop(rate), "mae", metrics=["mse"])
    text = " ".join(explain(model, np.ones((4, 5, 2))).sections["training"].split())
    for said in (
        "RMSprop; its learning rate follows a schedule",
        "mean_absolute_error, the mean of the absolute",
        "over samples and timesteps",
        "Regularizers add",
        "of no influence on the weights: mse.",
        "The model gives (4, 5, 3), so y needs that shape, too: one target for each timestep.",
    ):
        assert said in text


# ---------------------------------------------------------------------------------------- states
def stateful_model():
    cells = [LSTMCell(2), LSTMCell(3)]
    model = Sequential(
        [
            Input(batch_shape=(4, 5, 2)),
            LSTM(3, stateful=True, return_sequences=True),
            RNN(cells, stateful=True),
        ]
    )
    model.compile("sgd", "mse")
    return model


def test_carried_states(rng):
    model, x = stateful_model(), rng.normal(size=(24, 5, 2))
    state = " ".join(explain(model, x).sections["state"].split())
    assert (
        "(0 -> 4 -> 8 -> 12 -> …). There are 4 such chains, each of 6 samples, which is 30" in state
    )
    assert "lstm: h and c (4, 3), all zero" in state
    model.predict(x, verbose=0)
    lstm, rnn = model.layers
    sizes = [np.linalg.norm(s) for s in (*lstm.states, *sum(rnn.states, []))]
    state = " ".join(explain(model, x).sections["state"].split())
    for h, c in zip(sizes[::2], sizes[1::2], strict=True):
        assert f"of norm {h:.4g} and {c:.4g}." in state


def test_chains_are_what_is_carried(rng):
    model, x = stateful_model(), rng.normal(size=(8, 5, 2))
    outputs = model.predict(x, verbose=0)
    alone = Sequential(
        [Input((10, 2)), LSTM(3, return_sequences=True), RNN([LSTMCell(2), LSTMCell(3)])]
    )
    alone.set_weights(model.get_weights())
    chain = np.concatenate([x[1], x[5]])[None]  # sample 5 continues sample 1
    np.testing.assert_allclose(outputs[5:6], alone.predict(chain, verbose=0), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("N", "batch_size", "said"),
    [
        (12, 5, "5 does not; 1, 2, 3, 4, 6, 12 would."),
        (12, 4, "sample 4 continues sample 0, sample 5 continues sample 1, …"),
        (12, 4, "4 does: 12 = 3 x 4."),
        (24, 7, "7 does not; 1, 2, 3, 4, …, 24 would."),
        (2, 1, "(sample 1 continues sample 0)"),
        (12, 50, "all 12 samples are one batch"),
    ],
)
def test_what_stateful_would_change(N, batch_size, said):
    model = Sequential([Input((5, 2)), LSTM(3)])
    state = explain(model, np.ones((N, 5, 2)), batch_size=batch_size).sections["state"]
    assert said in " ".join(state.split())


def test_steps_of_different_lengths_and_inner_sequences():
    model = Sequential([TimeDistributed(LSTM(3)), LSTM(2)])
    state = " ".join(explain(model, np.ones((4, 3, 5, 2))).sections["state"].split())
    assert "from its first step to its last" in state
    assert "from one of them to the next: time_distributed/lstm." in state


# ----------------------------------------------------------------------------------------- hints
def sample(*shape):
    return np.random.default_rng(3).normal(size=shape)


def padded():
    x = np.ones((4, 6, 1)) * 0.5
    x[1, :2], x[2, 4:] = 0, 0
    return x


def with_nan():
    x = sample(4, 6, 1)
    x[2, 1, 0] = np.nan
    return x


LSTM_MODEL = (lambda: Sequential([LSTM(3)]), "mse")
HINTS = {
    "features for timesteps": (*LSTM_MODEL, sample(4, 1, 3), None, "x.reshape(4, 3, 1)"),
    "single step": (*LSTM_MODEL, sample(4, 1, 3), None, "recurrent_kernel never matters"),
    "one sample": (*LSTM_MODEL, sample(1, 40, 3), None, "windows of, for example, 10 timesteps"),
    "integers": (*LSTM_MODEL, np.arange(12).reshape(4, 3, 1), None, "x / 11"),
    "large": (*LSTM_MODEL, sample(4, 3, 1) * 1e3, None, "subtract the mean"),
    "padding": (*LSTM_MODEL, padded(), None, "2 of 4"),
    "nan": (*LSTM_MODEL, with_nan(), None, "x[2, 1, 0]"),
    "padded words": (
        lambda: Sequential([Embedding(9, 2), LSTM(3)]),
        "mse",
        np.array([[1, 2, 0, 0, 0], [1, 2, 3, 4, 5]]),
        None,
        "mask_zero=True",
    ),
    "mask ends": (
        lambda: Sequential([Masking(), Flatten(), Dense(1)]), "mse", padded(), None, "mask ends"
    ),
    "inner mask": (
        lambda: Sequential([TimeDistributed(Embedding(9, 2, mask_zero=True))]),
        "mse", np.ones((4, 3, 2)), None, "not passed on",
    ),
    "not compiled": (LSTM_MODEL[0], None, sample(4, 3, 1), None, "not compiled with a loss"),
    "lengths": (*LSTM_MODEL, sample(4, 3, 1), np.ones((5, 3)), "x has 4 samples and y has 5"),
    "y misfit": (*LSTM_MODEL, sample(4, 3, 1), np.ones((4, 2)), "fit will refuse it"),
    "y misfit, no loss": (
        LSTM_MODEL[0], None, sample(4, 3, 1), np.ones((4, 2)), "the model gives (4, 3)"
    ),
    "out of reach": (*LSTM_MODEL, sample(4, 3, 1), np.full((4, 3), 2.0), "from -1 to 1 only"),
    "large y": (
        lambda: Sequential([LSTM(3), Dense(1)]), "mse", sample(4, 3, 1),
        [100.0, 200, 300, 400], "subtract the mean 250 and divide by 111.8",
    ),
    "one class": (
        lambda: Sequential([LSTM(3), Dense(1, "softmax")]), "categorical_crossentropy",
        sample(4, 3, 1), np.ones(4), "binary_crossentropy",
    ),
    "no probabilities": (
        lambda: Sequential([LSTM(3), Dense(2)]), "sparse_categorical_crossentropy",
        sample(4, 3, 1), [0, 1, 1, 0], "end in softmax",
    ),
    "several outputs": (
        lambda: Sequential([LSTM(3, return_state=True)]), "mse", sample(4, 3, 1), None,
        "The model has 3 outputs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HINTS)
def test_hints(name):
    make, loss, x, y, said = HINTS[name]
    model = make()
    if loss is not None:
        model.compile("sgd", loss)
    explanation = explain(model, x, y)
    assert any(said in hint for hint in explanation.hints), explanation.hints
    assert len(explain(model, x, y, lang="ko").hints) == len(explanation.hints)


def test_what_fit_refuses_is_hinted_at_and_nothing_else():
    for make, loss, x, y, _ in HINTS.values():
        if loss is None or y is None:
            continue
        model = make()
        model.compile("sgd", loss)
        hints = explain(model, x, y).hints
        refused = any("fit will refuse" in hint or "needs one target" in hint for hint in hints)
        if refused:
            with pytest.raises(ValueError):
                model.fit(x, y, verbose=0)
        else:
            model.fit(x, y, verbose=0)


def test_good_data_gets_no_hint():
    x = np.linspace(0, 0.96, 75).reshape(25, 3, 1)  # begins with one zero, which is a value
    cases = [
        ([LSTM(4), Dense(26, "softmax")], "categorical_crossentropy", x, np.eye(26)[1:]),
        ([Embedding(26, 3), LSTM(4), Dense(1)], "mse", np.arange(75).reshape(25, 3) % 26, x[:, 0]),
        ([Masking(-9.0), LSTM(4), Dense(1)], "mse", np.where(x > 0.9, -9, x), x[:, 0, 0]),
        ([LayerNormalization(), LSTM(4), Dense(1)], "mse", 1e3 * x, x[:, 0, 0]),
    ]
    for layers, loss, x, y in cases:
        model = Sequential(layers)
        model.compile("adam", loss)
        assert explain(model, x, y).hints == []


@pytest.mark.parametrize(
    ("N", "batch_size", "said", "used"),
    [
        (26, None, "2 would be left over", 24),
        (24, 6, "batch_size=6 was asked for", 24),
        (3, None, "too few", 0),
    ],
)
def test_batches_that_a_stateful_model_does_not_take(rng, N, batch_size, said, used):
    model, x = stateful_model(), rng.normal(size=(N, 5, 2))
    hints = explain(model, x, batch_size=batch_size).hints
    assert any(said in hint for hint in hints)
    with pytest.raises(ValueError, match="carries the states of 4"):
        model.fit(x, np.ones((N, 3)), batch_size, verbose=0, shuffle=False)
    if used:
        count = Count()
        model.fit(x[:used], np.ones((used, 3)), 4, verbose=0, shuffle=False, callbacks=[count])
        assert len(count.batches) == Flow(model, x, None, batch_size, 1).n_batches


# ------------------------------------------------------------------------- what is left as it was
def test_nothing_is_changed(rng):
    model, x, y = stateful_model(), rng.normal(size=(8, 5, 2)), rng.normal(size=(8, 3))
    model.fit(x, y, verbose=0, shuffle=False)
    x0, y0 = x.copy(), y.copy()
    memory, batches = model.memory, model.optimizer.batches
    parameters, states = memory.parameters.copy(), memory.states.copy()
    drawn = seeding.generator().bit_generator.state
    explain(model, x, y)
    assert model.memory is memory and model.optimizer.batches == batches
    assert (memory.parameters == parameters).all() and (memory.states == states).all()
    assert (x == x0).all() and (y == y0).all()
    assert seeding.generator().bit_generator.state == drawn


def test_a_model_that_is_not_built_stays_so():
    model = Sequential([LSTM(3, return_sequences=True), LSTM(4), Flatten(), Dense(2)])
    model.compile("sgd", "mse")
    text = str(explain(model, np.ones((6, 5, 2))))
    assert "is not built yet" in text and "lstm_1 (LSTM): (6, 5, 3) -> (6, 4)" in text
    assert not model.built and not any(layer.built for layer in model.layers)
    assert [layer.name for layer in model.layers] == ["lstm", "lstm", "flatten", "dense"]
    model.fit(np.ones((6, 7, 3)), np.ones((6, 2)), verbose=0)  # other sizes are still possible


# ---------------------------------------------------------------------------------- names, errors
class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_name_cannot_break_the_text(lang):
    name = "{x} [은-는] <b>&\n\u202e%s [a-b]"
    model = Sequential([Input((5, 2)), LSTM(3, name=name), Dense(1, "relu")], name=name)
    explanation = explain(model, sample(4, 5, 2), lang=lang)
    shown = r"{x} [은-는] <b>&\n\u202e%s [a-b]"
    assert f"{shown} (LSTM): (4, 5, 2) -> (4, 3)" in explanation.sections["layers"]
    assert shown in str(explanation).splitlines()[0]
    parser = Balanced()
    parser.feed(explanation._repr_html_())
    assert not parser.open
    assert f"{shown} (LSTM): (4, 5, 2) -> (4, 3)" in parser.text


def test_html_has_all_of_the_text():
    explanation = explain(Sequential([LSTM(3), Dense(1)]), np.arange(24).reshape(4, 3, 2))
    parser = Balanced()
    parser.feed(explanation._repr_html_())
    html, text = "".join("".join(parser.text).split()), str(explanation)
    for line in text.splitlines():
        if line.strip("=- "):
            assert "".join(line.replace("* Note", "Note").split()) in html


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"model": LSTM(3)},
            TypeError,
            r"npylstm's LSTM; put it into one: Sequential\(\[layer\]\)",
        ),
        ({"model": Sequential}, TypeError, "make an instance of it first"),
        ({"model": 3}, TypeError, "got int$"),
        ({"x": None}, ValueError, "x is missing"),
        ({"x": [["a"]]}, TypeError, "x must hold real numbers"),
        ({"x": iter([1])}, TypeError, "pass the arrays of one batch"),
        ({"x": np.ones((4, 3))}, ValueError, r"reshape to \(4, 3, 1\)"),
        ({"x": np.ones((0, 3, 2))}, ValueError, "no samples"),
        ({"x": np.ones((4, 3, 7))}, ValueError, "the model takes|built for 2 features"),
        ({"y": ["a"] * 4}, TypeError, "y must hold real numbers"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"batch_size": "4"}, TypeError, "batch_size must be an integer"),
        ({"epochs": -1}, ValueError, "epochs must be an integer of at least 0"),
        ({"lang": "kr"}, ValueError, "lang must be 'en' or 'ko', got 'kr'"),
        ({"model": Sequential()}, ValueError, "no layers"),
    ],
)
def test_errors(arguments, error, message):
    model = Sequential([Input((None, 2)), LSTM(3)])
    with pytest.raises(error, match=message):
        explain(**{"model": model, "x": np.ones((4, 3, 2))} | arguments)


def test_errors_of_models_that_cannot_be_built():
    x = np.ones((4, 3, 2))
    with pytest.raises(ValueError, match="fixed number of samples"):
        explain(Sequential([LSTM(3, stateful=True)]), x)
    with pytest.raises(ValueError, match="give it return_sequences=True"):
        explain(Sequential([LSTM(3), LSTM(3)]), x)


def test_zero_epochs_and_zero_dimensional_targets():
    model = Sequential([LSTM(3)])
    text = explain(model, np.ones((4, 3, 2)), 3.0, epochs=0)
    assert "1 x 0 = 0 updates" in text.sections["training"]
    assert any("y has 1" in hint for hint in text.hints)


def test_imported_when_asked_for():
    script = """
import sys, npylstm
assert "npylstm.explaining" not in sys.modules
assert "explain" in dir(npylstm) and not hasattr(npylstm, "nonsense")
npylstm.explain
assert "npylstm.explaining" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)

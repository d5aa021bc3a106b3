"""ONNX's LSTM beside ours: its own node tests, its reference evaluator, and ONNX Runtime.

The published node tests have constant weights, which a wrong order of the gates passes too.  So
ONNX Runtime (float32 only) and the evaluator (float64) are asked about random weights as well.
"""

import numpy as np
import onnx
import onnx.backend.test.case.node.lstm  # its import makes the cases
import onnxruntime
import pytest
from onnx import helper
from onnx.backend.test.case import node as node_tests
from onnx.reference import ReferenceEvaluator

import npylstm
from npylstm import layers, reference

from .oracle import B, D, T, U, assert_close

OPSET, IR_VERSION = 14, 8  # LSTM as it is since 2021: old enough for every runtime
BACKENDS = ["numpy", "numba"]
# ONNX Runtime's sigmoid and tanh are rational approximations, right to some units of 6e-8, and a
# handful of steps adds them up.  The most that was seen in 300 draws is half of what is allowed.
RUNTIME = {"atol": 1e-6, "rtol": 1e-6}


# ------------------------------------------------------------------------------- ONNX's way to ours
def keras_order(blocks):
    """Return (4U, ...) in the gate order i, o, f, c as (4U, ...) in the order i, f, c, o."""
    i, o, f, c = np.split(blocks, 4)
    return np.concatenate([i, f, c, o])


def our_weights(W, R, bias=None):
    """Return [kernel, recurrent_kernel, bias] of each direction, one after the other.

    W (directions, 4U, D), R (directions, 4U, U), and the two biases in one row (directions, 8U).
    """
    weights = []
    for direction in range(len(W)):
        weights += [keras_order(W[direction]).T, keras_order(R[direction]).T]
        if bias is not None:
            weights.append(keras_order(np.add(*np.split(bias[direction], 2))))
    return weights


def build(weights, options, direction="forward", use_bias=True):
    """Return a layer like an LSTM node, which gives out [output, h, c] of its directions."""
    kernel = weights[0]
    layer = layers.LSTM(
        kernel.shape[1] // 4,
        **options,
        use_bias=use_bias,
        return_sequences=True,
        return_state=True,
        go_backwards=direction == "reverse",
        zero_output_for_mask=True,  # as ONNX fills up
        dtype=kernel.dtype.name,
    )
    if direction == "bidirectional":
        layer = layers.Bidirectional(layer, merge_mode=None)
    layer.build((None, None, kernel.shape[0]))
    layer.set_weights(weights)
    return layer


def run_layer(layer, x, direction, states=None, mask=None):
    """Return Y (T, directions, B, U), Y_h and Y_c (directions, B, U), for x (T, B, D)."""
    initial = None if states is None else [s[k] for k in range(len(states[0])) for s in states]
    outputs = layer(x.swapaxes(0, 1), initial_state=initial, mask=mask)
    if direction == "bidirectional":
        ahead, back, *last = outputs
        Y = np.stack([ahead, back])
    else:
        Y, *last = outputs
        Y = Y[None, :, ::-1] if direction == "reverse" else Y[None]
    return Y.transpose(2, 0, 1, 3), np.stack(last[::2]), np.stack(last[1::2])


def run_reference(weights, x, direction, states=None, activations=()):
    """Return the same, of `reference.lstm_forward` for each direction."""
    per_direction = len(weights) // (2 if direction == "bidirectional" else 1)
    Y, Y_h, Y_c = [], [], []
    for k in range(len(weights) // per_direction):
        h0, c0 = (None, None) if states is None else (s[k] for s in states)
        own = weights[k * per_direction :][:per_direction]
        own += [None] * (3 - per_direction)
        step = -1 if direction == "reverse" or k else 1
        (h, c), _ = reference.lstm_forward(x[::step], h0, c0, *own, *activations)
        Y.append(h[1:][::step])
        Y_h.append(h[-1])
        Y_c.append(c[-1])
    return np.stack(Y, axis=1), np.stack(Y_h), np.stack(Y_c)


# --------------------------------------------------------------------------------- ONNX's own tests
NODE_TESTS = {
    case.name: case for case in node_tests._NodeTestCases if case.name.startswith("test_lstm")
}
SKIPPED = {"test_lstm_with_peepholes": "an LSTM has no peepholes here, as it has none in Keras"}


def test_the_node_tests_are_there():
    known = ("defaults", "with_initial_bias", "with_peepholes", "batchwise")
    assert {f"test_lstm_{name}" for name in known} <= NODE_TESTS.keys()


@pytest.mark.parametrize("who", ["reference", *BACKENDS])
@pytest.mark.parametrize("name", NODE_TESTS)
def test_node(name, who):
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    node = NODE_TESTS[name].model.graph.node[0]
    inputs, expected = NODE_TESTS[name].data_sets[0]
    given = dict(zip([name for name in node.input if name], inputs, strict=True))
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    direction = attributes.get("direction", b"forward").decode()
    assert attributes.keys() <= {"hidden_size", "direction", "layout"}
    assert given.keys() <= {"X", "W", "R", "B"}, "inputs that this test leaves out"
    x, weights = given["X"], our_weights(given["W"], given["R"], given.get("B"))
    batchwise = attributes.get("layout", 0)
    if batchwise:
        x = x.swapaxes(0, 1)
    if who == "reference":
        outputs = run_reference(weights, x, direction)
    else:
        layer = build(weights, {}, direction, use_bias="B" in given)
        with npylstm.using_backend(who):
            outputs = run_layer(layer, x, direction)
    if batchwise:
        Y, Y_h, Y_c = outputs
        outputs = Y.transpose(2, 0, 1, 3), Y_h.swapaxes(0, 1), Y_c.swapaxes(0, 1)
    named = dict(zip(("Y", "Y_h", "Y_c"), outputs, strict=True))
    wanted = [name for name in node.output if name]
    assert_close([named[name] for name in wanted], list(expected), name)


# ---------------------------------------------------------------------------------- random weights
def draw(rng, directions, dtype):
    """Return the inputs of an LSTM node, none of them constant or zero."""
    shapes = {
        "X": (T, B, D),
        "W": (directions, 4 * U, D),
        "R": (directions, 4 * U, U),
        "B": (directions, 8 * U),
        "initial_h": (directions, B, U),
        "initial_c": (directions, B, U),
    }
    return {name: (0.5 * rng.normal(size=shape)).astype(dtype) for name, shape in shapes.items()}


def lstm_model(inputs, direction, **attributes):
    """Return an ONNX model of one LSTM node; `inputs` are arrays by name."""
    names = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c"]
    names = [name if name in inputs else "" for name in names]
    outputs = ["Y", "Y_h", "Y_c"]
    node = helper.make_node(
        "LSTM", names, outputs, hidden_size=U, direction=direction, **attributes
    )
    element = helper.np_dtype_to_tensor_dtype(inputs["X"].dtype)
    shapes = dict.fromkeys(outputs, (len(inputs["W"]), B, U)) | {"Y": (T, len(inputs["W"]), B, U)}
    graph = helper.make_graph(
        [node],
        "lstm",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in inputs.items()
        ],
        [helper.make_tensor_value_info(name, element, shapes[name]) for name in outputs],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model)
    return model


def ask_runtime(inputs, direction, **attributes):
    """Return ONNX Runtime's Y, Y_h, Y_c."""
    model = lstm_model(inputs, direction, **attributes)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)


DIRECTIONS = ["forward", "reverse", "bidirectional"]
# Ours: ONNX's names, the gates' first, with the numbers that make them Keras's.
ACTIVATIONS = {
    "tanh-sigmoid": ({}, ["Sigmoid", "Tanh", "Tanh"], [], []),
    "relu-hard_sigmoid": (
        {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
        ["HardSigmoid", "Relu", "Relu"],
        [1 / 6],
        [0.5],
    ),
    "softsign-legacy_hard_sigmoid": (
        {"activation": "softsign", "recurrent_activation": "legacy_hard_sigmoid"},
        ["HardSigmoid", "Softsign", "Softsign"],
        [0.2],
        [0.5],
    ),
    "elu-sigmoid": ({"activation": "elu"}, ["Sigmoid", "Elu", "Elu"], [1.0, 1.0], []),
    "softplus-sigmoid": ({"activation": "softplus"}, ["Sigmoid", "Softplus", "Softplus"], [], []),
}


# All compiled activations are compared with Keras's: two pairs are enough here, each takes time.
WHO = [
    (who, activations)
    for who in ("reference", *BACKENDS)
    for activations in ACTIVATIONS
    if who != "numba" or activations in ("tanh-sigmoid", "relu-hard_sigmoid")
]


@pytest.mark.parametrize("who, activations", WHO, ids="-".join)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_runtime(direction, who, activations, rng):
    options, names, alpha, beta = ACTIVATIONS[activations]
    directions = 2 if direction == "bidirectional" else 1
    inputs = draw(rng, directions, "float32")
    numbers = {"activation_alpha": alpha * directions, "activation_beta": beta * directions}
    numbers = {name: values for name, values in numbers.items() if values}
    expected = ask_runtime(inputs, direction, activations=names * directions, **numbers)
    weights = our_weights(inputs["W"], inputs["R"], inputs["B"])
    states = [inputs["initial_h"], inputs["initial_c"]]
    if who == "reference":
        pair = [
            npylstm.activations.get(options.get(name, default))
            for name, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid"))
        ]
        outputs = run_reference(weights, inputs["X"], direction, states, pair)
    else:
        layer = build(weights, options, direction)
        with npylstm.using_backend(who):
            outputs = run_layer(layer, inputs["X"], direction, states)
    assert_close(list(outputs), expected, "Y, Y_h, Y_c", **RUNTIME)


@pytest.mark.parametrize("wrong", [[0, 2, 1, 3], [0, 1, 3, 2], [3, 1, 2, 0]], ids=str)
def test_a_wrong_order_of_gates_fails(wrong, rng):
    """The published tests would pass; random weights tell."""
    inputs = draw(rng, 1, "float32")
    expected = ask_runtime(inputs, "forward")
    swapped = {
        name: np.concatenate([np.split(inputs[name], 4, axis=1)[k] for k in wrong], axis=1)
        for name in ("W", "R")
    }
    weights = our_weights(swapped["W"], swapped["R"], inputs["B"])
    states = [inputs["initial_h"], inputs["initial_c"]]
    outputs = run_reference(weights, inputs["X"], "forward", states)
    with pytest.raises(AssertionError, match="Y, Y_h, Y_c"):
        assert_close(list(outputs), expected, "Y, Y_h, Y_c", **RUNTIME)


# sequence_lens is what a mask of leading ones says, and what cutting each sample to its length is.
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_runtime_sequence_lens(direction, rng):
    inputs = draw(rng, 2 if direction == "bidirectional" else 1, "float32")
    lengths = np.array([2, 4, 1, 3, 2], np.int32)
    assert len(lengths) == B and max(lengths) == T
    Y, Y_h, Y_c = ask_runtime(inputs | {"sequence_lens": lengths}, direction)
    layer = build(our_weights(inputs["W"], inputs["R"], inputs["B"]), {}, direction)
    states = [inputs["initial_h"], inputs["initial_c"]]
    mask = np.arange(T) < lengths[:, None]
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            outputs = run_layer(layer, inputs["X"], direction, states, mask)
        assert_close(list(outputs), [Y, Y_h, Y_c], backend, **RUNTIME)
    for b, length in enumerate(lengths):
        one = slice(b, b + 1)
        states = [inputs[name][:, one] for name in ("initial_h", "initial_c")]
        with npylstm.using_backend("numpy"):
            outputs = run_layer(layer, inputs["X"][:length, one], direction, states)
        expected = [Y[:length, :, one], Y_h[:, one], Y_c[:, one]]
        assert_close(list(outputs), expected, f"sample {b}", **RUNTIME)
        assert not Y[length:, :, b].any()


@pytest.mark.parametrize("who", ["reference", *BACKENDS])
def test_evaluator_in_float64(who, rng):
    """ONNX's own evaluator, NumPy as we are: all 16 digits."""
    inputs = draw(rng, 1, "float64")
    expected = ReferenceEvaluator(lstm_model(inputs, "forward")).run(None, inputs)
    weights = our_weights(inputs["W"], inputs["R"], inputs["B"])
    states = [inputs["initial_h"], inputs["initial_c"]]
    if who == "reference":
        outputs = run_reference(weights, inputs["X"], "forward", states)
    else:
        layer = build(weights, {})
        with npylstm.using_backend(who):
            outputs = run_layer(layer, inputs["X"], "forward", states)
    assert_close(list(outputs), expected, "Y, Y_h, Y_c")

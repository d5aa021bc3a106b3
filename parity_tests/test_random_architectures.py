"""Networks that nobody thought of, beside Keras: outputs, losses and all gradients.

`python -m pytest parity_tests/test_random_architectures.py --hypothesis-profile=long` draws
thousands of new ones.  What ever failed stays here as an `example`.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, example, given, settings

import npylstm

from .architectures import Example, Head, Recurrent, examples, keras_stack, our_model
from .oracle import precision

# What sums and functions round away is a share of the numbers that are added, which are of size 1
# somewhere on the way, or of the largest entry, where that is larger.  What is seen is a quarter
# of float32's bound; float64 has digits to spare for what is badly conditioned.
BOUNDS = {"float32": 2e-6, "float64": 1e-12}
# Where float32 is badly conditioned, neither side is right: then ours may be so many times as far
# from Keras in float64 as Keras is itself.
AS_FAR = 4.0
EXPLODED = 1e4  # exponentials of exponentials: nothing is learnt from numbers beyond

_profile = settings.get_current_profile_name()
PROFILE = settings.get_profile(_profile if _profile == "long" else "suite")


def ask_keras(case, arrays=None):
    """Return x, y and weights, drawn unless given, and Keras's outputs, loss and gradients."""
    with precision(case.dtype):
        stack = keras_stack(case)
        x, y, weights = arrays or draw_arrays(case, stack)
        stack.set_weights(weights)
        loss_of = getattr(keras.losses, case.loss)()
        with tf.GradientTape() as tape:
            output = stack(tf.constant(x, case.dtype))
            loss = loss_of(y, output)
        gradients = [np.asarray(g) for g in tape.gradient(loss, stack.weights)]
    return (x, y, weights), (np.asarray(output), np.asarray(loss), gradients)


def draw_arrays(case, stack):
    rng = np.random.default_rng(case.seed)
    x = case.inputs(rng)
    y = case.targets(stack.output_shape, rng)
    return x, y, case.weights([w.shape for w in stack.weights], rng)


@settings(PROFILE)
@given(examples())
# Keras cannot copy an LSTM whose activation is a lambda.
@example(Example((Recurrent(1, "legacy_hard_sigmoid", "tanh", merge_mode="sum"),), B=2, T=2, D=5))
# Keras copies an LSTM that goes backwards into two that do.
@example(Example((Recurrent(1, go_backwards=True, merge_mode="concat"),)))
# TensorFlow's elu in float32 is exp(z) - 1, which loses digits where z is small; ours keeps them.
@example(Example((Recurrent(1, "elu", "elu", False),), B=1, T=1, D=1, dtype="float32"))
# States that shrink from layer to layer: what comes back through them has lost digits.
@example(
    Example(
        (
            Recurrent(5, "leaky_relu", "selu", False, merge_mode="ave"),
            Recurrent(5, "gelu", "elu", False, go_backwards=True, merge_mode="concat"),
            Recurrent(5, "gelu", "elu", False, go_backwards=True, merge_mode="concat"),
        ),
        (Head(5, "softmax", False),),
        return_sequences=True,
        loss="SparseCategoricalCrossentropy",
        B=1,
        T=1,
        seed=335310259,
    )
)
# Gradients of 1e-17: in float32 Keras is off by a third of them, ours by a thousandth.
@example(
    Example(
        (Recurrent(3, "leaky_relu", "swish", False, merge_mode="sum"),) * 3,
        (Head(5, "selu", False, True), Head(5, "sigmoid", False, True)),
        loss="Poisson",
        B=4,
        T=1,
        D=1,
        dtype="float32",
        seed=3,
    )
)
# The gradient is zero, of a cosine of one number; Keras in float32 has 4e-5 left of it.
@example(
    Example(
        (Recurrent(1, "tanh", "tanh", False),),
        loss="CosineSimilarity",
        B=1,
        T=1,
        D=1,
        dtype="float32",
        seed=4,
    )
)
# One timestep after the other of exponentials: 1e33.
@example(
    Example(
        (Recurrent(3, "exponential", "exponential", False, merge_mode="ave"),),
        (Head(3, "exponential"),),
        return_sequences=True,
        loss="Poisson",
        T=2,
        D=3,
        dtype="float32",
    )
)
def test_outputs_loss_and_gradients(case):
    arrays, theirs = ask_keras(case)
    assume(all(np.abs(a).max() < EXPLODED for a in (*theirs[:2], *theirs[2])))  # nor NaN
    for backend in case.backends:
        with npylstm.using_backend(backend):
            ours = ask_npylstm(case, *arrays)
        compare(case, arrays, ours, theirs, backend)


def ask_npylstm(case, x, y, weights):
    """Return our outputs, loss and gradients."""
    with precision(case.dtype):
        model = our_model(case)
        model.set_weights(weights)
        loss, gradients = model.loss_and_gradients(x, y)
        return model.predict_on_batch(x), np.asarray(loss, case.dtype), list(gradients.values())


def compare(case, arrays, ours, theirs, who):
    """Demand the same outputs, loss and gradients."""
    bound = BOUNDS[case.dtype]
    errors = differences(ours, theirs)
    if case.dtype == "float32" and max(errors.values()) > bound:
        _, truth = ask_keras(case._replace(dtype="float64"), arrays)
        errors, usual = differences(ours, truth), differences(theirs, truth)
        bound = max(bound, AS_FAR * max(usual.values()))
    for what, error in errors.items():
        assert error <= bound, f"{what}, {who}: {error:.1e}"


def differences(ours, theirs):
    """Return the largest difference of outputs, of the loss and of each weight's gradient.

    They count in units of the largest output, loss or gradient of all, if that is above 1.
    """
    assert len(ours[2]) == len(theirs[2])
    assert ours[0].dtype == ours[2][0].dtype
    largest = [
        max(1, *(np.abs(a).max() for a in arrays))
        for arrays in (theirs[:1], theirs[1:2], theirs[2])
    ]
    found = {}
    for name, units, one, other in (
        ("output", largest[0], ours[0], theirs[0]),
        ("loss", largest[1], ours[1], theirs[1]),
        *(
            (f"gradient {k}", largest[2], *pair)
            for k, pair in enumerate(zip(ours[2], theirs[2], strict=True))
        ),
    ):
        assert one.shape == other.shape, f"{name}: {one.shape} instead of {other.shape}"
        found[name] = float(np.abs(one.astype("float64") - other).max() / units)
    return found


SWAPPED = {
    "one layer": Example((Recurrent(4),)),
    "both directions": Example((Recurrent(4, merge_mode="mul"),), return_sequences=True),
    "a stack": Example((Recurrent(4), Recurrent(3)), (Head(5, "sigmoid"),), dtype="float32"),
}


@pytest.mark.parametrize("case", SWAPPED.values(), ids=SWAPPED)
def test_swapped_gates_are_noticed(case):
    """The input gate and the output gate of the first layer change places."""
    arrays, expected = ask_keras(case)
    x, y, weights = arrays
    swapped = list(weights)
    for k in range(3):
        i, f, g, o = np.split(weights[k], 4, axis=-1)
        swapped[k] = np.concatenate([o, f, g, i], axis=-1)
    with npylstm.using_backend("numpy"):
        compare(case, arrays, ask_npylstm(case, x, y, weights), expected, "numpy")
        ours = ask_npylstm(case, x, y, swapped)
    with pytest.raises(AssertionError, match="output, numpy"):
        compare(case, arrays, ours, expected, "numpy")

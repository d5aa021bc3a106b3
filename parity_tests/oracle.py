"""Keras beside npylstm: the same precision, the same weights, and what counts as equal."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

import npylstm

# Both sides take the same equations, but sum in another order and round exp and tanh otherwise:
# a few units in the last place (6e-8 in float32, 1e-16 in float64) at every operation.  Between the
# input and a gradient lie some tens of operations on numbers of size 1, which explains the absolute
# part; the relative part is for gradients that are sums over many of them.  In float32 the worst
# case comes to half of what is allowed; float64 has digits to spare, so that a hundredth of it is
# reached and a formula that is off anywhere is not.
TOLERANCES = {
    "float32": {"atol": 2e-6, "rtol": 2e-5},
    "float64": {"atol": 1e-13, "rtol": 1e-11},
}

# Sizes that are all different, so that no two axes can be mixed up unseen.
B, T, D, U, K = 5, 4, 3, 6, 7


@contextlib.contextmanager
def precision(dtype):
    """Make both sides compute in a dtype inside a ``with`` block."""
    before = keras.config.floatx(), keras.config.dtype_policy(), npylstm.config.floatx()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    npylstm.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])
        npylstm.config.set_floatx(before[2])


def random(rng, *shape, scale=1.0):
    """Return normal random numbers of the current precision."""
    return (scale * rng.normal(size=shape)).astype(keras.config.floatx())


def one_hot(rng, *shape, classes=K):
    """Return random one-hot rows (*shape, classes)."""
    return np.eye(classes, dtype=keras.config.floatx())[rng.integers(classes, size=shape)]


def exact(number):
    """Return a hyperparameter that Keras takes as it is, in the current precision.

    A Python float it rounds to float32 where it makes a tensor of it, even beside float64 weights:
    the powers of Adam's betas and all of a schedule would be right to 7 digits only.
    """
    return np.float64(number) if keras.config.floatx() == "float64" else float(number)


def adam(optimizers, **options):
    """Return Adam, from either side's `optimizers`, with the usual betas, to the last digit."""
    return optimizers.Adam(beta_1=exact(0.9), beta_2=exact(0.999), **options)


# --------------------------------------------------------------------------------- building twice
def both_layers(build):
    """Return ``build(npylstm.layers), build(keras.layers)``."""
    return build(npylstm.layers), build(keras.layers)


def activation(layers, name):
    """Return what a library's layers take for the name of one of our activations.

    Keras 3 has no name for the hard sigmoid of Keras 1 and 2.
    """
    if layers is keras.layers and name == "legacy_hard_sigmoid":
        return _legacy_hard_sigmoid
    return name


@keras.saving.register_keras_serializable("npylstm")  # Bidirectional makes its layers from configs
def _legacy_hard_sigmoid(z):
    return keras.ops.clip(0.2 * z + 0.5, 0.0, 1.0)


def both_models(build):
    """Return two Sequential models of the layers in the list that `build(layers_module)` makes."""
    ours, theirs = both_layers(build)
    return npylstm.Sequential(ours), keras.Sequential(theirs)


def share_random_weights(ours, theirs, rng, scale=0.5):
    """Give two built layers or models the same random weights, no bias of them zero."""
    theirs.set_weights([random(rng, *w.shape, scale=scale) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())


def shared_models(build, rng, scale=0.5):
    """Return two models built alike, with the same random weights."""
    ours, theirs = both_models(build)
    share_random_weights(ours, theirs, rng, scale)
    return ours, theirs


# -------------------------------------------------------------------------------------- comparing
def assert_close(ours, theirs, what="", **tolerance):
    """Demand that two arrays, or two lists of them, are equal up to rounding.

    Shapes and dtypes must be the same too.  The tolerance is that of the dtype, unless given.
    """
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), f"{what}: {len(ours)} arrays instead of {len(theirs)}"
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_close(one, other, f"{what}[{number}]", **tolerance)
        return
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, f"{what}: {ours.shape} instead of {theirs.shape}"
    assert ours.dtype == theirs.dtype, f"{what}: {ours.dtype} instead of {theirs.dtype}"
    tolerance = TOLERANCES[theirs.dtype.name] | tolerance
    np.testing.assert_allclose(ours, theirs, err_msg=what, **tolerance)


def assert_same_numbers(ours, theirs):
    """Demand equal results of `evaluate` or the like: a number, a list of them, or a dict."""
    assert isinstance(ours, dict) == isinstance(theirs, dict)
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    # Python floats on both sides, which have come from numbers of the current precision.
    dtype = keras.config.floatx()
    assert_close(np.array(ours, dtype), np.array(theirs, dtype))


def assert_same_outputs(ours, theirs, x, **arguments):
    """Demand that two layers, or two models, say the same of x; return what Keras says."""
    expected = theirs(x, **arguments)
    if isinstance(expected, list | tuple):
        expected = [np.asarray(tensor) for tensor in expected]
    outputs = (
        ours.predict_on_batch(x) if isinstance(ours, npylstm.Sequential) else ours(x, **arguments)
    )
    assert_close(outputs, expected, "output")
    return expected


def keras_loss_and_gradients(model, x, y, sample_weight=None):
    """Return the loss of a compiled Keras model and its gradients, in the order of its weights."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=False), sample_weight)
    gradients = tape.gradient(loss, model.trainable_weights)  # an Embedding's is a list of rows
    return np.asarray(loss), [np.asarray(tf.convert_to_tensor(g)) for g in gradients]


def assert_same_loss_and_gradients(ours, theirs, x, y, sample_weight=None, **tolerance):
    """Demand the same loss, and the same gradient with respect to every weight."""
    expected_loss, expected = keras_loss_and_gradients(theirs, x, y, sample_weight)
    loss, gradients = ours.loss_and_gradients(x, y, sample_weight)
    assert_close(np.asarray(loss, expected_loss.dtype), expected_loss, "loss", **tolerance)
    assert len(gradients) == len(expected)
    for (path, gradient), other in zip(gradients.items(), expected, strict=True):
        assert np.abs(other).max() > 0, f"the gradient of {path} is zero: nothing is compared"
        assert_close(gradient, other, f"gradient of {path}", **tolerance)
    return expected_loss

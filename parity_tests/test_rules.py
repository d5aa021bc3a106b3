"""Regularizers and constraints beside Keras's: values, losses, gradients, and weights in training.

Keras runs once, and both backends are compared with it.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import npylstm

from .oracle import (
    TOLERANCES,
    B,
    D,
    K,
    T,
    U,
    assert_close,
    keras_loss_and_gradients,
    one_hot,
    random,
    shared_models,
)

BACKENDS = ("numpy", "numba")
SAMPLES = 2 * B + 3  # so that the last batch is smaller
# After some steps of SGD the rounding of as many gradients has come together.
TRAINED = {"float32": {"atol": 1e-5, "rtol": 5e-5}, "float64": {"atol": 1e-13, "rtol": 1e-10}}


def orthogonal(regularizers, factor, mode):
    """Return the regularizer; Keras's fails beside float64 weights, as its factor is float32."""
    regularizer = regularizers.OrthogonalRegularizer(factor, mode)
    if regularizers is keras.regularizers:
        regularizer.factor = tf.cast(regularizer.factor, keras.config.floatx())
    return regularizer


REGULARIZERS = [
    lambda r: r.L1(0.03),
    lambda r: r.L2(0.2),
    lambda r: r.L1L2(0.02, 0.1),
    lambda r: orthogonal(r, 0.4, "rows"),
    lambda r: orthogonal(r, 0.3, "columns"),
]
CONSTRAINTS = [
    lambda c: c.MaxNorm(0.7),
    lambda c: c.UnitNorm(),
    lambda c: c.MinMaxNorm(0.3, 0.6, 0.7),
    lambda c: c.NonNeg(),
    lambda c: c.MaxNorm(0.5, axis=-1),
    lambda c: c.MinMaxNorm(0.2, 0.4, 0.9, axis=None),
]


# ----------------------------------------------------------------------- one array, without layers
@pytest.mark.parametrize("number", range(len(REGULARIZERS)))
def test_values_and_gradients(number, floatx, rng):
    x = random(rng, 4, 3)
    ours, theirs = (REGULARIZERS[number](m.regularizers) for m in (npylstm, keras))
    with tf.GradientTape() as tape:
        tape.watch(tensor := tf.constant(x))
        value = theirs(tensor)
    assert_close(ours(x), value.numpy(), "value")
    assert_close(ours.gradient(x), tape.gradient(value, tensor).numpy(), "gradient")


@pytest.mark.parametrize("number", range(len(CONSTRAINTS)))
def test_what_becomes_of_weights(number, floatx, rng):
    for shape in ((4, 3), (5,)):
        w = random(rng, *shape)
        ours, theirs = (CONSTRAINTS[number](m.constraints)(w) for m in (npylstm, keras))
        assert_close(ours, theirs.numpy(), f"weights {shape}")


# -------------------------------------------------------------------------------------- in training
def rotated(layers, shift):
    """Return an LSTM and a Dense with a rule on each weight, others for each `shift`."""
    library = npylstm if layers is npylstm.layers else keras
    n, m = len(REGULARIZERS), len(CONSTRAINTS)

    def matrix(place):
        return REGULARIZERS[(place + shift) % n](library.regularizers)

    def vector(place):
        return REGULARIZERS[(place + shift) % 3](library.regularizers)

    def constraint(place):
        return CONSTRAINTS[(place + shift) % m](library.constraints)

    return [
        layers.Input((T, D)),
        layers.LSTM(
            U,
            kernel_regularizer=matrix(0),
            recurrent_regularizer=matrix(1),
            bias_regularizer=vector(2),
            activity_regularizer=matrix(3),
            kernel_constraint=constraint(0),
            recurrent_constraint=constraint(1),
            bias_constraint=constraint(2),
        ),
        layers.Dense(
            K,
            "softmax",
            kernel_regularizer=matrix(2),
            bias_regularizer=vector(0),
            activity_regularizer=matrix(4),  # comes after what a fused loss passes by
            kernel_constraint=constraint(3),
            bias_constraint=constraint(4),
        ),
    ]


def assert_same_training(
    build, loss, y, rng, optimizer=lambda o: o.SGD(0.1), steps=T, epochs=1, x=None
):
    """Compare loss, gradients, evaluation, logs and trained weights, of both backends."""
    ours, theirs = shared_models(build, rng)
    start, x = theirs.get_weights(), random(rng, SAMPLES, steps, D) if x is None else x
    theirs.compile(optimizer(keras.optimizers), loss, run_eagerly=True)
    expected_loss, expected_gradients = keras_loss_and_gradients(theirs, x[:B], y[:B])
    plain = keras.losses.get(loss)(y[:B], theirs(x[:B]))  # the loss alone
    assert np.abs(expected_loss - np.mean(plain)) > 0.01, "the penalties are not seen"
    evaluated = theirs.evaluate(x, y, batch_size=B, verbose=0)
    logs = theirs.fit(x, y, batch_size=B, epochs=epochs, shuffle=False, verbose=0).history
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            ours.set_weights(start)
            ours.compile(optimizer(npylstm.optimizers), loss)
            value, gradients = ours.loss_and_gradients(x[:B], y[:B])
            dtype = expected_loss.dtype
            assert_close(dtype.type(value), expected_loss, f"{backend}: loss")
            assert_close(list(gradients.values()), expected_gradients, f"{backend}: gradient")
            own = ours.evaluate(x, y, batch_size=B, verbose=0)
            np.testing.assert_allclose(own, evaluated, rtol=TOLERANCES["float32"]["rtol"])
            history = ours.fit(x, y, batch_size=B, epochs=epochs, shuffle=False, verbose=0).history
            # Keras's running mean is float32, whatever the model computes in.
            np.testing.assert_allclose(history["loss"], logs["loss"], rtol=2e-5)
            trained = TRAINED[dtype.name]
            assert_close(ours.get_weights(), theirs.get_weights(), f"{backend}: weights", **trained)


@pytest.mark.parametrize("shift", range(5))
def test_every_rule_on_every_weight(shift, float64, rng):
    y = one_hot(rng, SAMPLES)
    assert_same_training(lambda layers: rotated(layers, shift), "categorical_crossentropy", y, rng)


@pytest.mark.parametrize("shift", [0, 3])
def test_rules_in_single_precision(shift, rng):
    y = one_hot(rng, SAMPLES)
    assert_same_training(lambda layers: rotated(layers, shift), "categorical_crossentropy", y, rng)


def wrapped(layers):
    """Return wrappers: their own penalty, those of the layers inside, and the one not counted."""
    inner = layers.LSTM(
        4,
        return_sequences=True,
        kernel_regularizer="l2",
        activity_regularizer="l1",
        recurrent_constraint="max_norm",
    )
    each = layers.Dense(
        U, "tanh", kernel_regularizer="l1", activity_regularizer="l2", bias_constraint="non_neg"
    )
    return [
        layers.Input((T, D)),
        layers.Dropout(0.0, activity_regularizer="l2"),
        layers.Bidirectional(inner, activity_regularizer="l2"),
        layers.TimeDistributed(each, activity_regularizer="l1"),
        layers.Dense(K, activity_regularizer="l2"),
    ]


def test_wrappers(float64, rng):
    assert_same_training(wrapped, "mse", random(rng, SAMPLES, T, K), rng)


def test_a_single_timestep(floatx, rng):
    # Nothing but its penalty moves the recurrent kernel; several batches are one call at last.
    def build(layers):
        return [
            layers.Input((1, D)),
            layers.LSTM(U, recurrent_regularizer="l2", recurrent_constraint="non_neg"),
            layers.Dense(K),
        ]

    assert_same_training(build, "mse", random(rng, SAMPLES, K), rng, steps=1, epochs=3)


def test_order_in_an_update(float64, rng):
    # Constraints come after every batch, behind decay, clipping, step and running mean.
    def optimizer(optimizers):
        return optimizers.SGD(
            np.float64(0.1),
            weight_decay=0.1,
            clipnorm=0.5,
            use_ema=True,
            ema_momentum=0.6,
            ema_overwrite_frequency=2,
            gradient_accumulation_steps=2,
        )

    y = one_hot(rng, SAMPLES)
    assert_same_training(
        *(lambda layers: rotated(layers, 1), "categorical_crossentropy", y, rng, optimizer),
        epochs=2,
    )


def test_layer_normalization(float64, rng):
    def build(layers):
        library = npylstm if layers is npylstm.layers else keras
        normalization = layers.LayerNormalization(
            beta_regularizer="l1",
            gamma_regularizer="l2",
            beta_constraint="non_neg",
            gamma_constraint=library.constraints.MaxNorm(0.9),
        )
        return [layers.Input((T, D)), layers.LSTM(U), normalization, layers.Dense(K)]

    assert_same_training(build, "mse", random(rng, SAMPLES, K), rng)


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop"])
def test_embedding(optimizer, float64, rng):
    # RMSprop squares the gradients: those of a table with a penalty come together first.
    def build(layers):
        rules = {"embeddings_regularizer": "l2", "embeddings_constraint": "max_norm"}
        return [layers.Input((T,)), layers.Embedding(6, D, **rules), layers.LSTM(U)]

    x = rng.integers(6, size=(SAMPLES, T))
    make = {"SGD": lambda o: o.SGD(0.1), "RMSprop": lambda o: o.RMSprop(np.float64(0.1))}[optimizer]
    assert_same_training(build, "mse", random(rng, SAMPLES, U), rng, make, x=x)

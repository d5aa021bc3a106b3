"""Masks beside Keras's: timesteps that are passed over by layers, losses and metrics."""

import keras
import numpy as np
import pytest

import npylstm

from .oracle import (
    B,
    D,
    K,
    T,
    U,
    assert_close,
    assert_same_loss_and_gradients,
    assert_same_numbers,
    both_layers,
    exact,
    random,
    share_random_weights,
    shared_models,
)

BACKENDS = ("numpy", "numba")
MASK = np.ones((B, T), bool)  # sample 4 counts all along
MASK[0, 2:] = False  # filled up behind
MASK[1, 0] = False  # in front
MASK[2] = False  # altogether
MASK[3, [0, 2]] = False  # in front and in between


def padded(rng):
    """Return x (B, T, D) with -1 at masked timesteps, and a -1 that does not mask."""
    x = random(rng, B, T, D)
    x[~MASK] = -1
    x[4, 1, 0] = -1
    return x


def indices(rng):
    """Return integers (B, T), 0 at masked timesteps, with a 0 nowhere else."""
    return np.where(MASK, rng.integers(1, 9, size=(B, T)), 0).astype(keras.config.floatx())


def masked(*layers):
    return lambda L: [L.Input((T, D)), L.Masking(-1.0), *(layer(L) for layer in layers)]


# name: the layers, and whether an output is given for every timestep.
MODELS = {
    "last output": (masked(lambda L: L.LSTM(U), lambda L: L.Dense(K)), False),
    "sequences": (masked(lambda L: L.LSTM(U, return_sequences=True), lambda L: L.Dense(K)), True),
    "zeros": (
        masked(
            lambda L: L.LSTM(U, return_sequences=True, zero_output_for_mask=True),
            lambda L: L.TimeDistributed(L.Dense(K)),
        ),
        True,
    ),
    "zeros at the end": (
        masked(lambda L: L.LSTM(U, zero_output_for_mask=True), lambda L: L.Dense(K)),
        False,
    ),
    "stacked, backwards": (
        masked(
            lambda L: L.LSTM(U, return_sequences=True, go_backwards=True),
            lambda L: L.Dropout(0.5),
            lambda L: L.LSTM(K, return_sequences=True),
        ),
        True,
    ),
    "z is kept": (
        masked(
            lambda L: L.LSTM(U, activation="relu", recurrent_activation="hard_sigmoid"),
            lambda L: L.Dense(K),
        ),
        False,
    ),
    "both directions": (
        masked(
            lambda L: L.Bidirectional(L.LSTM(U, return_sequences=True)),
            lambda L: L.Bidirectional(L.LSTM(K, return_sequences=True), merge_mode="ave"),
        ),
        True,
    ),
    "both directions, last output": (
        masked(lambda L: L.Bidirectional(L.LSTM(K), merge_mode="mul")),
        False,
    ),
    "embedding": (
        lambda L: [
            *(L.Input((T,)), L.Embedding(9, D, mask_zero=True)),
            *(L.LSTM(U, return_sequences=True), L.Dense(K)),
        ],
        True,
    ),
    "embedding without a mask": (
        lambda L: [L.Input((T,)), L.Embedding(9, D), L.LSTM(U), L.Dense(K)],
        False,
    ),
}


def data_of(name, sequences, rng):
    x = indices(rng) if "embedding" in name else padded(rng)
    return x, random(rng, B, *([T] if sequences else []), K)


@pytest.mark.parametrize("name", MODELS)
def test_model(name, floatx, rng):
    """Outputs, loss, all gradients, metrics, and weights after training with a partial batch."""
    build, sequences = MODELS[name]
    ours, theirs = shared_models(build, rng)
    x, y = data_of(name, sequences, rng)
    weights, expected = theirs.get_weights(), np.asarray(theirs(x))
    for model, library in ((theirs, keras), (ours, npylstm)):
        options = {"run_eagerly": True} if library is keras else {}
        sgd = library.optimizers.SGD(exact(0.1))
        model.compile(sgd, "mse", metrics=["mae"], **options)
    reports = theirs.evaluate(x, y, batch_size=3, verbose=0)
    history = None
    # Other activations are other kernels, which take their time to compile: once is enough.
    backends = BACKENDS[:1] if name == "z is kept" and floatx == "float64" else BACKENDS
    for backend in backends:
        with npylstm.using_backend(backend):
            ours.set_weights(weights)
            assert_close(ours.predict(x, verbose=0), expected, "output")
            assert_close(ours(x), expected, "output of the model as a function")
            theirs.set_weights(weights)
            if name != "stacked, backwards":  # whose Dropout is not alike
                assert_same_loss_and_gradients(ours, theirs, x, y)
            assert_same_numbers(ours.evaluate(x, y, batch_size=3, verbose=0), reports)
            if name == "stacked, backwards":
                continue
            if history is None:
                history = theirs.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history
                trained = theirs.get_weights()
            found = ours.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history
            for key, values in history.items():
                assert_same_numbers(found[key], values)
            assert_close(ours.get_weights(), trained, "trained weights")


LAYERS = {
    "lstm": lambda L: L.LSTM(U, return_sequences=True, return_state=True),
    "last output": lambda L: L.LSTM(U),
    "zeros": lambda L: L.LSTM(
        U, return_sequences=True, return_state=True, zero_output_for_mask=True
    ),
    "backwards": lambda L: L.LSTM(U, return_sequences=True, return_state=True, go_backwards=True),
    "both directions": lambda L: L.Bidirectional(
        L.LSTM(U, return_sequences=True, return_state=True)
    ),
    "both directions, last output": lambda L: L.Bidirectional(L.LSTM(U)),
}


@pytest.mark.parametrize("given_states", [False, True], ids=["zero-states", "given-states"])
@pytest.mark.parametrize("name", LAYERS)
def test_layer_with_a_given_mask(name, given_states, floatx, rng):
    """In front of the first step that counts Keras gives zeros out, whatever the states are."""
    ours, theirs = both_layers(LAYERS[name])
    ours.build((B, T, D))
    theirs.build((B, T, D))
    share_random_weights(ours, theirs, rng)
    x = random(rng, B, T, D)
    states = None
    if given_states:
        states = [random(rng, B, U) for _ in range(4 if "both" in name else 2)]
    expected = theirs(x, initial_state=states, mask=MASK)
    if isinstance(expected, list | tuple):
        expected = [np.asarray(tensor) for tensor in expected]
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            assert_close(ours(x, initial_state=states, mask=MASK), expected, backend)


@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight"])
def test_reductions(reduction, floatx, rng):
    build, _ = MODELS["sequences"]
    ours, theirs = shared_models(build, rng)
    x, y = data_of("sequences", True, rng)
    weight = rng.uniform(0.5, 2, size=(B, T)).astype(floatx)
    for model, library in ((theirs, keras), (ours, npylstm)):
        model.compile("sgd", library.losses.MeanSquaredError(reduction=reduction))
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            for sample_weight in (None, weight):
                assert_same_loss_and_gradients(ours, theirs, x, y, sample_weight)


def test_stateful(floatx, rng):
    """States are carried over masked steps; what is given out there starts at zero."""

    def build(L):
        lstm = L.LSTM(U, stateful=True, return_sequences=True)
        return [L.Input(batch_shape=(B, T, D)), L.Masking(-1.0), lstm]

    ours, theirs = shared_models(build, rng)
    batches = [padded(rng), padded(rng)]
    expected = [np.asarray(theirs(x)) for x in batches]
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            ours.reset_states()
            assert_close([ours.predict(x, verbose=0) for x in batches], expected, backend)


def test_sequences_at_each_timestep(floatx, rng):
    """Keras goes no further: it leaves a mask of timesteps that are gone on the output."""
    ours, theirs = shared_models(
        lambda L: [L.Input((2, T, D)), L.Masking(-1.0), L.TimeDistributed(L.LSTM(U))], rng
    )
    x = padded(rng)
    x = np.stack([x, x[::-1]], axis=1)
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            assert_close(ours.predict(x, verbose=0), np.asarray(theirs(x)), backend)


def test_everything_masked(floatx, rng):
    """A batch without a step that counts has no loss and no gradients, and is not NaN."""
    ours, theirs = shared_models(MODELS["sequences"][0], rng)
    x, y = np.full((B, T, D), -1, floatx), random(rng, B, T, K)
    for model in (ours, theirs):
        model.compile("sgd", "mse")
    assert float(theirs.evaluate(x, y, verbose=0)) == 0
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            loss, gradients = ours.loss_and_gradients(x, y)
            assert loss == 0
            assert not any(gradient.any() for gradient in gradients.values())


def test_masks_of_other_shapes(floatx, rng):
    """Of sequences of sequences; and none, where only a layer inside TimeDistributed has one."""
    for build, shape in (
        (lambda L: [L.Input((3, T, D)), L.Masking(-1.0), L.Dense(K)], (B, 3, T)),
        (
            lambda L: [
                *(L.Input((T, D)), L.TimeDistributed(L.Masking(-1.0))),
                *(L.LSTM(U, return_sequences=True), L.Dense(K)),
            ],
            (B, T),
        ),
    ):
        ours, theirs = shared_models(build, rng)
        x = padded(rng) if len(shape) == 2 else np.stack([padded(rng) for _ in range(3)], axis=1)
        y = random(rng, *shape, K)
        for model in (ours, theirs):
            model.compile("sgd", "mse", metrics=["mae"])
        report = theirs.evaluate(x, y, verbose=0)
        for backend in BACKENDS:
            with npylstm.using_backend(backend):
                assert_same_loss_and_gradients(ours, theirs, x, y)
                assert_same_numbers(ours.evaluate(x, y, verbose=0), report)


def test_root_mean_squared_error_counts_masked_steps(floatx, rng):
    ours, theirs = shared_models(MODELS["sequences"][0], rng)
    x, y = data_of("sequences", True, rng)
    reports = []
    for model, library in ((theirs, keras), (ours, npylstm)):
        for backend in BACKENDS:
            model.compile("sgd", "mse", metrics=[library.metrics.RootMeanSquaredError()])
            with npylstm.using_backend(backend):
                reports.append(model.evaluate(x, y, verbose=0))
    assert_same_numbers(reports[2], reports[0])
    assert_same_numbers(reports[3], reports[0])


OPTIMIZERS = ("Adam", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Ftrl", "Lion")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_an_embedding(name, float64, rng):
    """Rows that are looked up several times in a batch: see `reference.optimizers.SIZES`."""
    ours, theirs = shared_models(MODELS["embedding"][0], rng)
    x, y = data_of("embedding", True, rng)
    weights = theirs.get_weights()
    options = {"Nadam": {"beta_1": exact(0.9), "beta_2": exact(0.999)}}.get(name, {})

    def trained(model, library):
        model.set_weights(weights)
        optimizer = getattr(library.optimizers, name)(exact(0.1), **options)
        eagerly = {"run_eagerly": True} if library is keras else {}
        model.compile(optimizer, "mse", **eagerly)
        model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    expected = trained(theirs, keras)
    # To compile a step of each takes its time, and they differ only in the reference's lines.
    for backend in BACKENDS if name in ("Adam", "Adamax") else BACKENDS[:1]:
        with npylstm.using_backend(backend):
            assert_close(trained(ours, npylstm), expected, backend)
    moved = np.abs(expected[0] - weights[0]).max(axis=1)
    assert moved[1:].max() > 1e-4


def test_stacked_cells(floatx, rng):
    """All cells pass over a masked step, also where the first reads from the end."""
    for backwards in (False, True):

        def build(L, backwards=backwards):
            cells = [L.LSTMCell(U), L.LSTMCell(K)]
            rnn = L.RNN(cells, return_sequences=True, go_backwards=backwards)
            return [L.Input((T, D)), L.Masking(-1.0), rnn]

        ours, theirs = shared_models(build, rng)
        x, y = padded(rng), random(rng, B, T, K)
        for model in (ours, theirs):
            model.compile("sgd", "mse")
        for backend in BACKENDS:
            with npylstm.using_backend(backend):
                assert_close(ours.predict(x, verbose=0), np.asarray(theirs(x)), backend)
                assert_same_loss_and_gradients(ours, theirs, x, y)

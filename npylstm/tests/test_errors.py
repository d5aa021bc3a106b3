"""Every wrong turn gets an error that says what was given, what is expected and what to do."""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential
from npylstm.layers import (
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Input,
    RepeatVector,
    TimeDistributed,
)

N, T, D, K = 6, 3, 2, 4
X, Y = np.zeros((N, T, D)), np.eye(K)[np.arange(N) % K]


def make(loss="categorical_crossentropy", activation="softmax", **options):
    model = Sequential([Input((T, D)), LSTM(5, **options), Dense(K, activation=activation)])
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def with_value(value, index=(3, 2, 0)):
    x = X.copy()
    x[index] = value
    return x


# fmt: off
BAD_DATA = {
    "wrong rank": ((X[:, :, 0], Y), ValueError,
        r"layer 'lstm' takes a 3-D array \(samples, timesteps, features\), got shape \(6, 3\) with "
        r"2 axes; if each of the 3 numbers of a sample is a timestep, reshape to \(6, 3, 1\); if "
        r"they are features of a single timestep, to \(6, 1, 3\)"),
    "wrong feature count": ((X[:, :, :1], Y), ValueError,
        r"layer 'lstm' was built for 2 features, got 1 \(shape \(6, 3, 1\)\); pass as many"),
    "wrong number of timesteps": ((X[:, :2], Y), ValueError,
        r"the model takes arrays of shape \(None, 3, 2\), got \(6, 2, 2\)"),
    "strings": (([["A", "B"]] * N, Y), TypeError,
        r"x must hold real numbers, got an array of dtype <U1; turn strings into numbers first"),
    "objects": ((np.full((N, T, D), object()), Y), TypeError,
        r"x must hold real numbers, got an array of dtype object"),
    "complex numbers": ((X + 1j, Y), TypeError, r"dtype complex128; take the real part"),
    "ragged lists": (([[[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]], Y), ValueError,
        r"x has rows of unequal length.*pad_sequences"),
    "NaN": ((with_value(np.nan), Y), ValueError,
        r"x holds 1 value that is not finite in float32, the first one nan at index \(3, 2, 0\)"),
    "infinity": ((with_value(-np.inf), Y), ValueError, r"the first one -inf at index"),
    "too large for float32": ((with_value(1e300), Y), ValueError,
        r"x holds 1 value that is not finite in float32"),
    "no samples": ((X[:0], Y[:0]), ValueError,
        r"the model was given no samples: shape \(0, 3, 2\); give at least one"),
    "no x": ((None, Y), ValueError, r"x is missing"),
    "no y": ((X, None), ValueError, r"y is missing"),
    "unequal lengths": ((X, Y[:5]), ValueError,
        r"unequal numbers of samples: x has 6, y has 5"),
    "labels for one-hot": ((X, np.arange(N) % K), ValueError,
        r"y has the shape \(6,\), but the model gives \(6, 4\).*sparse_categorical_crossentropy"),
    "wrong number of classes": ((X, np.eye(3)[np.arange(N) % 3]), ValueError,
        r"y has the shape \(6, 3\), but the model gives \(6, 4\)"),
    "targets that are no probabilities": ((X, Y * 2), ValueError,
        r"y holds 2; categorical_crossentropy takes targets in \[0, 1\]"),
    "NaN in y": ((X, Y * np.nan), ValueError, r"y holds 24 values that are not finite"),
}
# fmt: on


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "loss_and_gradients"])
@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_refused_and_nothing_changes(case, method):
    model = make()
    model.fit(X, Y, verbose=0)
    before, steps = model.get_weights(), model.optimizer.iterations
    (x, y), error, message = BAD_DATA[case]
    with pytest.raises(error, match=message):
        getattr(model, method)(x, y)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.optimizer.iterations == steps


@pytest.mark.parametrize("case", [c for c in BAD_DATA if BAD_DATA[c][0][1] is Y and c != "no x"])
def test_predict_refuses_the_same(case):
    (x, _), error, message = BAD_DATA[case]
    with pytest.raises(error, match=message):
        make().predict(x)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2, 3, 4, 0], "y holds the label 4; labels must be integers from 0 to 3"),
        ([0, 1, -1, 3, 2, 0], "y holds the label -1;"),
        ([0, 1, 0.5, 3, 2, 0], "y holds the label 0.5;"),
        (Y, r"y has the shape \(6, 4\), expected integer labels \(6,\).*categorical_crossentropy"),
    ],
)
def test_labels_out_of_range(labels, message):
    with pytest.raises(ValueError, match=message):
        make("sparse_categorical_crossentropy").fit(X, labels, verbose=0)


def test_target_per_sequence_for_a_model_that_gives_sequences():
    model = make("mse", None, return_sequences=True)
    with pytest.raises(ValueError, match="leave return_sequences off in the last LSTM"):
        model.fit(X, Y, verbose=0)


def stateful(batch_size=2):
    model = Sequential([Input(batch_shape=(batch_size, T, D)), LSTM(5, stateful=True), Dense(K)])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_batch_size_of_a_stateful_model(method):
    model, targets = stateful(), () if method == "predict" else (Y,)
    getattr(model, method)(X, *targets, verbose=0)  # its own batch size is the default
    with pytest.raises(
        ValueError, match="carries the states of 2 samples.*got 6 samples in batches of 3"
    ):
        getattr(model, method)(X, *targets, batch_size=3, verbose=0)
    with pytest.raises(ValueError, match="got 5 samples in batches of 2; pass batch_size=2 and a"):
        getattr(model, method)(X[:5], *(y[:5] for y in targets), verbose=0)


def test_stateful_layer_without_a_batch_size():
    with pytest.raises(ValueError, match=r"Input\(batch_shape=\(batch_size, timesteps, features"):
        Sequential([Input((T, D)), LSTM(5, stateful=True)])
    layer = LSTM(5, stateful=True)
    layer(X[:2])
    with pytest.raises(ValueError, match="carries the states of 2 samples, got a batch of 3"):
        layer(X[:3])


def test_not_built_and_not_compiled():
    model = Sequential([LSTM(5), Dense(K)])
    with pytest.raises(RuntimeError, match=r"predict needs weights.*Input\(\(timesteps, features"):
        model.predict(X)
    for method in ("fit", "evaluate", "train_on_batch", "test_on_batch", "loss_and_gradients"):
        with pytest.raises(RuntimeError, match=f"{method} needs a loss and an optimizer: compile"):
            getattr(model, method)(X, Y)
    model.compile("adam")
    with pytest.raises(RuntimeError, match="compile with a loss"):
        model.fit(X, Y)
    with pytest.raises(RuntimeError, match="layer 'lstm' has no weights yet"):
        LSTM(5).get_weights()
    with pytest.raises(ValueError, match="the model has no layers"):
        Sequential().predict_on_batch(X) if Sequential().built else Sequential().build((1, 2, 3))


@pytest.mark.parametrize(
    ("make_it", "error", "message"),
    [
        (lambda: LSTM(5, unit=3), TypeError, "LSTM has no argument 'unit'; did you mean 'units'"),
        (lambda: LSTM(5, activation="tanhh"), ValueError, "unknown activation 'tanhh'; did you"),
        (lambda: LSTM(5, activation=3), TypeError, "must be a name or a callable, got 3"),
        (lambda: LSTM(5, kernel_initializer="glorot"), ValueError, "glorot_uniform"),
        (
            lambda: LSTM(5, activation="softmax"),
            ValueError,
            "softmax does not; put it into a Dense",
        ),
        (lambda: LSTM(0), ValueError, "units must be at least 1, got 0"),
        (lambda: LSTM(2.5), TypeError, "units must be an integer, got 2.5"),
        (lambda: LSTM(5, dtype="float16"), ValueError, "dtype must be 'float32' or 'float64'"),
        (lambda: LSTM(5, name="a/b"), ValueError, "a layer's name must be a word without '/'"),
        (lambda: Dense(5, activation="rulu"), ValueError, "did you mean 'relu'"),
        (lambda: Dropout(1.5), ValueError, r"rate must be a number in \[0, 1\], got 1.5"),
        (lambda: RepeatVector(0), ValueError, "n must be at least 1"),
        (lambda: Bidirectional(Dense(3)), TypeError, "Bidirectional wraps an LSTM layer"),
        (lambda: Bidirectional(LSTM(3), merge_mode="add"), ValueError, "merge_mode must be one of"),
        (lambda: Bidirectional(LSTM(3), backward_layer=LSTM(3)), ValueError, "go_backwards=True"),
        (lambda: TimeDistributed(5), TypeError, "TimeDistributed wraps a layer, got 5"),
        (lambda: TimeDistributed(LSTM(5, stateful=True)), ValueError, "stateful"),
        (lambda: Input((0, 2)), ValueError, "positive integer or None"),
        (lambda: Input(), ValueError, "Input takes either shape"),
        (lambda: Sequential([LSTM]), TypeError, "takes layers.*make an instance of it first"),
        (lambda: Sequential([LSTM(5, name="a"), LSTM(5, name="a")]), ValueError, "name 'a'"),
        (
            lambda: Sequential([LSTM(5), Dense(2, dtype="float64")]),
            ValueError,
            "'dense' computes in float64, the layers before it in float32",
        ),
        (
            lambda: Sequential([Input((T, D)), LSTM(5), LSTM(5)]),
            ValueError,
            r"'lstm_?1?' takes sequences.*give it return_sequences=True",
        ),
        (
            lambda: Sequential([Input((T, D)), LSTM(5, return_state=True), Dense(5)]),
            ValueError,
            "gives 3 outputs, and the layer after it takes one",
        ),
        (lambda: npylstm.set_backend("nump"), ValueError, "unknown backend 'nump'; choose one of"),
        (lambda: npylstm.config.set_floatx("float16"), ValueError, "'float32' or 'float64'"),
        (lambda: npylstm.utils.set_random_seed("7"), TypeError, "seed must be an integer"),
    ],
)
def test_wrong_settings(make_it, error, message):
    with pytest.raises(error, match=message):
        make_it()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"optimizer": "adamm"}, ValueError, "unknown optimizer 'adamm'; did you mean 'adam'"),
        ({"optimizer": 3}, TypeError, "must be a name or an Optimizer, got 3"),
        ({"loss": "mean_square_error"}, ValueError, "did you mean 'mean_squared_error'"),
        ({"loss": "hubert"}, ValueError, "did you mean 'huber'"),
        ({"metrics": ["accuraci"]}, ValueError, "did you mean 'accuracy'"),
        ({"metrics": [3]}, TypeError, "a metric must be a name"),
        ({"learning_rate": 3}, TypeError, "compile has no argument 'learning_rate'"),
    ],
)
def test_wrong_settings_of_compile_keep_the_former_ones(settings, error, message):
    model = make()
    optimizer, loss = model.optimizer, model.loss
    with pytest.raises(error, match=message):
        model.compile(**{"optimizer": "sgd", "loss": "mse"} | settings)
    assert (model.optimizer, model.loss) == (optimizer, loss)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": 2.5}, TypeError, "batch_size must be an integer"),
        ({"epochs": -1}, ValueError, "epochs must be an integer of at least 0, got -1"),
        ({"verbose": 3}, ValueError, 'verbose must be "auto", 0, 1 or 2, got 3'),
        ({"validation_split": 1.5}, ValueError, r"validation_split must be a number in \[0, 1\)"),
        ({"validation_split": 0.999}, ValueError, "leaves nothing on one side of 6 samples"),
        ({"validation_data": X}, ValueError, r"must be a tuple \(x, y\)"),
        ({"sample_weight": np.ones(5)}, ValueError, "y has 6, sample_weight has 5"),
        ({"sample_weight": np.ones((6, 2))}, ValueError, r"sample_weight has the shape \(6, 2\)"),
        ({"sample_weight": np.ones(6), "class_weight": {0: 2}}, ValueError, "not both"),
        ({"callbacks": [3]}, TypeError, "callbacks must derive from"),
    ],
)
def test_wrong_options_of_fit(options, error, message):
    model = make()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(X, Y, **{"verbose": 0} | options)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_training_through_a_bare_callable():
    model = Sequential([Input((T, D)), LSTM(5, activation=np.cos), Dense(K)])
    model.compile("sgd", "mse")
    assert model.predict(X, verbose=0).shape == (N, K)
    with pytest.raises(ValueError, match=r"'cos' has no derivative.*Activation\(name, forward"):
        model.fit(X, Y, verbose=0)


def test_wrong_weights_change_nothing():
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"has 5 weights \(lstm/kernel \(2, 20\).*a list of 4"):
        model.set_weights(before[:4])
    with pytest.raises(ValueError, match=r"weight 'dense/bias'.*has the shape \(4,\), got \(5,\)"):
        model.set_weights([w + 1 for w in before[:4]] + [np.zeros(5)])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_several_outputs_cannot_be_trained():
    model = Sequential([Input((T, D)), LSTM(4, return_state=True)])
    assert [out.shape for out in model.predict(X, verbose=0)] == [(N, 4)] * 3
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="has 3 outputs, and a loss takes one"):
        model.fit(X, np.zeros((N, 4)), verbose=0)


def test_initial_states_of_the_wrong_shape_or_number():
    layer = LSTM(4)
    layer(X)
    with pytest.raises(ValueError, match=r"shape \(samples, units\) = \(6, 4\), got \(6, 3\)"):
        layer(X, initial_state=[np.zeros((6, 3)), np.zeros((6, 4))])
    with pytest.raises(ValueError, match="takes 2 initial states, got 1"):
        layer(X, initial_state=[np.zeros((6, 4))])

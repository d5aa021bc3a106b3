"""fit, evaluate and predict: what they count, in which order, and what they leave behind."""

from copy import deepcopy

import numpy as np
import pytest

from npylstm import Sequential
from npylstm.callbacks import Callback, ModelCheckpoint
from npylstm.layers import LSTM, Dense, Dropout, Flatten, Input
from npylstm.optimizers import Adam
from npylstm.optimizers.schedules import ExponentialDecay

N, T, D, K = 10, 3, 2, 4


@pytest.fixture
def data(rng):
    return rng.normal(size=(N, T, D)), np.eye(K)[rng.integers(K, size=N)]


def make(optimizer="adam", loss="categorical_crossentropy", metrics=("accuracy",)):
    model = Sequential([Input((T, D)), LSTM(5), Dense(K, activation="softmax")])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def copy_of(model):
    other = make()
    other.set_weights(model.get_weights())
    return other


def test_fit_is_train_on_batch_after_batch(data):
    x, y = data
    model = make()
    by_hand = copy_of(model)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for epoch in range(2):
        losses = [by_hand.train_on_batch(x[s : s + 4], y[s : s + 4])[0] for s in (0, 4, 8)]
        # The last batch has 2 samples, and counts for 2.
        np.testing.assert_allclose(
            history.history["loss"][epoch], np.average(losses, weights=[4, 4, 2]), rtol=1e-12
        )
    np.testing.assert_array_equal(model.memory.parameters, by_hand.memory.parameters)
    assert model.optimizer.iterations == 6
    assert model.history is history and history.epoch == [0, 1]
    assert list(history.history) == ["accuracy", "loss"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": ExponentialDecay(0.01, 20, 0.9)},
        {"clipnorm": 0.1, "weight_decay": 0.01},
        {"gradient_accumulation_steps": 3, "use_ema": True, "ema_overwrite_frequency": 7},
    ],
)
def test_many_batches_one_by_one_with_settings_that_change(data, options):
    # The numbers of an update are made for many batches ahead: as long as nothing changes them.
    x, y = (np.resize(array, (90, *array.shape[1:])) for array in data)
    layers = [LSTM(5, dtype="float64"), Dense(K, activation="softmax", dtype="float64")]
    at_once, one_by_one = (Sequential([Input((T, D)), *deepcopy(layers)]) for _ in range(2))
    for model in (at_once, one_by_one):
        model.compile(Adam(**options), "categorical_crossentropy")
    one_by_one.set_weights(at_once.get_weights())
    rounded, exact = {"beta_2": 0.999}, {"beta_2": np.float64(0.999)}  # see `optimizers.rounded`
    for change in ({}, {"beta_1": 0.8}, rounded, exact, {"batches": 5}):
        for model in (at_once, one_by_one):
            for name, value in change.items():
                setattr(model.optimizer, name, value)
        at_once.fit(x, y, batch_size=1, shuffle=False, verbose=0)
        for step in range(90):
            one_by_one.train_on_batch(x[step : step + 1], y[step : step + 1])
        one_by_one.optimizer.finalize()
        np.testing.assert_array_equal(one_by_one.memory.parameters, at_once.memory.parameters)


def test_evaluate_does_not_train(data):
    x, y = data
    model = make()
    before = model.get_weights()
    loss, accuracy = model.evaluate(x, y, batch_size=3, verbose=0)
    probabilities = model.predict(x, verbose=0)
    assert loss == pytest.approx(-np.log((probabilities * y).sum(1)).mean(), rel=1e-5)
    assert accuracy == np.mean(probabilities.argmax(1) == y.argmax(1))
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {
        "accuracy": accuracy,
        "loss": pytest.approx(loss),
    }
    assert model.test_on_batch(x, y) == [pytest.approx(loss), accuracy]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_predict_in_batches_is_predict_at_once(data):
    x, _ = data
    model = make()
    at_once = model.predict_on_batch(x)
    for batch_size in (1, 3, N, 100):
        np.testing.assert_allclose(model.predict(x, batch_size, verbose=0), at_once, rtol=1e-6)


def test_validation_split_takes_the_last_rows_unshuffled(data):
    x, y = data
    model = make()
    other = copy_of(model)
    split = model.fit(x, y, validation_split=0.25, shuffle=False, verbose=0)
    given = other.fit(x[:7], y[:7], validation_data=(x[7:], y[7:]), shuffle=False, verbose=0)
    assert split.history == given.history
    assert list(split.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    val_loss, val_accuracy = model.evaluate(x[7:], y[7:], verbose=0)
    assert split.history["val_loss"] == [val_loss]
    assert split.history["val_accuracy"] == [val_accuracy]


def test_shuffle_changes_the_order_and_a_seed_repeats_it(data):
    from npylstm.utils import set_random_seed

    x, y = data
    first = make()
    runs = []
    for seed, shuffle in [(1, True), (1, True), (2, True), (1, False)]:
        model = copy_of(first)
        set_random_seed(seed)
        model.fit(x, y, batch_size=2, epochs=2, shuffle=shuffle, verbose=0)
        runs.append(model.memory.parameters)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any() and (runs[0] != runs[3]).any()


def test_class_weight_is_sample_weight_by_class(data):
    x, y = data
    model = make()
    other = copy_of(model)
    model.fit(x, y, class_weight={0: 3.0, 2: 0.5}, shuffle=False, verbose=0)
    weights = np.array([3.0, 1.0, 0.5, 1.0])[y.argmax(1)]
    other.fit(x, y, sample_weight=weights, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.memory.parameters, other.memory.parameters)


def test_samples_of_weight_zero_do_not_count(data):
    x, y = data
    model = make("sgd")
    weight = np.r_[np.ones(5), np.zeros(5)]
    loss, gradients = model.loss_and_gradients(x, y, weight)
    half_loss, half = model.loss_and_gradients(x[:5], y[:5])
    assert loss == pytest.approx(half_loss / 2, rel=1e-6)
    for name in gradients:
        np.testing.assert_allclose(gradients[name], half[name] / 2, rtol=1e-4, atol=1e-7)


def test_loss_and_gradients_change_nothing(data):
    x, y = data
    model = Sequential([Input(batch_shape=(N, T, D)), LSTM(5, stateful=True), Dense(K)])
    model.compile("adam", "mse")
    model.predict(x, verbose=0)
    weights, states = model.get_weights(), model.layers[0].states
    _, gradients = model.loss_and_gradients(x, y)
    assert list(gradients) == [
        "lstm/kernel", "lstm/recurrent_kernel", "lstm/bias", "dense/kernel", "dense/bias",
    ]  # fmt: skip
    for name, weight in zip(gradients, weights, strict=True):
        assert gradients[name].shape == weight.shape
        np.testing.assert_array_equal(model.memory.weight(name), weight)
    np.testing.assert_array_equal(states, model.layers[0].states)


def test_states_are_carried_over_batches_and_epochs(data):
    x, y = data
    model = Sequential([Input(batch_shape=(5, T, D)), LSTM(3, stateful=True), Dense(K)])
    model.compile("sgd", "mse")
    whole = Sequential([Input((None, D)), LSTM(3), Dense(K)])
    whole.set_weights(model.get_weights())
    last = model.predict(x, verbose=0)[5:]
    np.testing.assert_allclose(
        last, whole.predict(np.concatenate([x[:5], x[5:]], axis=1), verbose=0), rtol=1e-5
    )
    model.reset_states()
    assert not np.any(model.layers[0].states)
    model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert np.all(model.layers[0].states)


class Recorder(Callback):
    """Writes down every call in a fit, batch by batch."""

    def __init__(self):
        self.calls = []

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch", epoch))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("batch", batch, logs["loss"]))


def test_batch_callbacks_see_every_batch_and_change_no_result(data):
    x, y = data
    model = make()
    other = copy_of(model)
    recorder = Recorder()
    history = model.fit(
        x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[recorder]
    )
    other.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert [call[:2] for call in recorder.calls] == [
        ("epoch", 0), ("batch", 0), ("batch", 1), ("batch", 2),
        ("epoch", 1), ("batch", 0), ("batch", 1), ("batch", 2),
    ]  # fmt: skip
    assert recorder.calls[3][2] == history.history["loss"][0]  # running means end in the epoch's
    np.testing.assert_array_equal(model.memory.parameters, other.memory.parameters)


def test_a_callback_stops_training_after_its_batch(data):
    x, y = data

    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = make()
    model.fit(x, y, batch_size=2, epochs=5, verbose=0, callbacks=[Stop()])
    assert model.optimizer.iterations == 2 and model.history.epoch == [0]


def test_learning_rate_set_between_epochs_is_used(data):
    x, y = data

    class Freeze(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.optimizer.learning_rate = 0.0
                self.frozen = self.model.get_weights()

    freeze = Freeze()
    model = make("sgd")
    model.fit(x, y, epochs=3, verbose=0, callbacks=[freeze])
    for old, new in zip(freeze.frozen, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_initial_epoch_and_epochs(data):
    x, y = data
    model = make()
    assert model.fit(x, y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]


def test_optimizer_goes_on_over_fits_and_starts_afresh_when_compiled_anew(data):
    x, y = data
    model = make()
    model.fit(x, y, verbose=0)
    model.fit(x, y, verbose=0)
    assert model.optimizer.iterations == 2
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    assert model.optimizer.iterations == 1


def test_weights_survive_a_file(tmp_path, data):
    x, _ = data
    model, other = make(), make()
    path = tmp_path / "weights.npz"
    model.save_weights(path)
    other.load_weights(path)
    np.testing.assert_array_equal(model.predict(x, verbose=0), other.predict(x, verbose=0))
    with np.load(path) as file:
        assert sorted(file.files) == sorted(model._weight_paths())
    larger = Sequential([Input((T, D)), LSTM(6), Dense(K)])
    before = larger.get_weights()
    with pytest.raises(ValueError, match=r"has the shape \(2, 24\), got \(2, 20\)"):
        larger.load_weights(path)
    with pytest.raises(ValueError, match="holds the weights .*, but this model has"):
        Sequential([Input((T, D)), LSTM(5)]).load_weights(path)
    with pytest.raises(ValueError, match=r"weights are written to \.npz files"):
        model.save_weights(tmp_path / "weights.h5")
    for old, new in zip(before, larger.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    model = make()
    path = tmp_path / "weights.npz"
    model.save_weights(path)
    old = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="no space"):
        model.save_weights(path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


def test_checkpoint_of_the_best_epoch(tmp_path, data):
    x, y = data
    model = make()
    path = tmp_path / "best.weights.npz"
    checkpoint = ModelCheckpoint(path, monitor="loss", save_best_only=True, save_weights_only=True)
    model.fit(x, y, epochs=3, verbose=0, callbacks=[checkpoint])
    other = make()
    other.load_weights(path)
    np.testing.assert_array_equal(other.memory.parameters, model.memory.parameters)


def test_dropout_while_training_but_not_in_evaluation(data):
    x, y = data
    model = Sequential([Input((T, D)), LSTM(5), Dropout(0.5, seed=1), Dense(K)])
    model.compile("sgd", "mse")
    assert model.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    model.optimizer.learning_rate = 0.0
    assert model.train_on_batch(x, y) != model.train_on_batch(x, y)


def test_divergence_ends_in_nan_and_not_in_a_warning(data):
    x, y = data
    model = Sequential([Input((T, D)), LSTM(5, activation="exponential"), Dense(K)])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 1e30
    history = model.fit(x, y, epochs=4, verbose=0)
    assert not np.isfinite(history.history["loss"][-1])


def test_summary_names_layers_shapes_and_counts():
    lines = []
    make().summary(print_fn=lines.append)
    text = "\n".join(lines)
    for part in ("lstm (LSTM)", "(None, 5)", "160", "dense (Dense)", "(None, 4)", "24", "184"):
        assert part in text
    Sequential([LSTM(3)]).summary(print_fn=lines.append)
    assert "not built yet" in lines[-1]


def test_a_model_without_an_input_is_built_by_its_data(data):
    x, y = data
    model = Sequential([LSTM(5), Dense(K, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    assert not model.built
    model.fit(x, y, verbose=0)
    assert model.built and model.input_shape == (None, None, D)
    assert model.predict(x[:, :2], verbose=0).shape == (N, K)  # any number of timesteps


def test_a_model_that_needs_all_sizes_is_built_by_its_data(data):
    x, y = data
    model = Sequential([LSTM(5, return_sequences=True), Flatten(), Dense(K, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    model.fit(x, y, verbose=0)
    assert model.input_shape == (None, T, D)
    with pytest.raises(ValueError, match=r"\(None, 3, 2\), got \(10, 2, 2\)"):
        model.predict(x[:, :2], verbose=0)


def test_a_model_that_is_called_is_built(data):
    x, _ = data
    model = Sequential([LSTM(5), Dense(K)])
    with pytest.raises(ValueError, match="3-D array"):
        model(x[0])
    assert not model.built
    outputs = model(x)
    assert model.built and outputs.shape == (N, K)
    np.testing.assert_array_equal(model(x), outputs)

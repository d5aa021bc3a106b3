"""Several epochs in one call of the backend: nobody can tell, unless by the time it takes."""

import os
import signal
import sys
import threading

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, batches, optimizers
from npylstm.callbacks import Callback, CallbackList, CSVLogger, EarlyStopping, History
from npylstm.layers import LSTM, Dense, Dropout, Input
from npylstm.metrics import MeanSquaredError, Metric
from npylstm.optimizers.schedules import ExponentialDecay

N, T, D, K, EPOCHS = 12, 4, 2, 3, 9


class Between(Callback):
    """Something to do between two epochs."""

    def on_epoch_end(self, epoch, logs=None):
        pass


class HalfError(MeanSquaredError):
    """A metric whose result is not the one of its sums."""

    def result(self):
        return super().result() / 2


class Batches(Metric):
    """A metric in Python, which counts what it is shown."""

    def __init__(self):
        super().__init__(name="batches")
        self.count = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count += 1

    def result(self):
        return self.count

    def reset_state(self):
        self.count = 0.0


@pytest.fixture(autouse=True)
def slow(monkeypatch):
    """So that all epochs fit into one call, however slow the machine is."""
    monkeypatch.setattr(batches, "_SECONDS_PER_CALL", 1e3)


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    with npylstm.using_backend(request.param):
        yield request.param


@pytest.fixture
def samples(rng):
    x = rng.normal(size=(N, T, D)).astype("float32")
    return x, np.eye(K, dtype="float32")[rng.integers(K, size=N)]


def make(optimizer="adam", metrics=("accuracy",), layers=(), **lstm):
    npylstm.utils.set_random_seed(3)
    model = Sequential([Input((T, D)), LSTM(5, **lstm), *layers, Dense(K, activation="softmax")])
    model.compile(optimizer, "categorical_crossentropy", metrics=list(metrics))
    return model


def building(options):
    """Return a function that makes a model, with new ones of those options that can be called."""
    return lambda: make(**{name: new() if callable(new) else new for name, new in options.items()})


def calls(model):
    """Note how many batches each call of the backend is for."""
    noted, train = [], model._train_batches
    model._train_batches = lambda *args: noted.append(args[3]) or train(*args)
    return noted


def assert_together_as_apart(samples, build=make, **options):
    """Train in as few calls as can be, and epoch by epoch; return the calls of the first."""
    together, apart = build(), build()
    noted = calls(together)
    options = {"batch_size": 3, "epochs": EPOCHS, "verbose": 0} | options
    npylstm.utils.set_random_seed(5)
    one = together.fit(*samples, **options)
    npylstm.utils.set_random_seed(5)
    other = apart.fit(*samples, **options, callbacks=[Between()])
    assert one.history == other.history and one.epoch == other.epoch == list(range(EPOCHS))
    for ours, theirs in zip(together.get_weights(), apart.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert together.optimizer.iterations == apart.optimizer.iterations
    results = [[metric.result() for metric in model.metrics] for model in (together, apart)]
    assert results[0] == results[1]
    return noted


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_the_same_numbers(backend, samples, shuffle):
    noted = assert_together_as_apart(samples, shuffle=shuffle)
    assert noted == [1, 3, 4 * (EPOCHS - 1)]  # the first batch says how long one takes


@pytest.mark.parametrize("options", [
    {"optimizer": lambda: optimizers.SGD(ExponentialDecay(0.1, 5, 0.5), momentum=0.9)},
    {"optimizer": lambda: optimizers.Adam(use_ema=True, gradient_accumulation_steps=3)},
    {"metrics": lambda: ["mse", HalfError(), "accuracy"]},
])  # fmt: skip
def test_whatever_is_counted_and_measured(backend, samples, options):
    assert assert_together_as_apart(samples, building(options))[-1] == 4 * (EPOCHS - 1)


@pytest.mark.parametrize("options", [
    {"dropout": 0.3}, {"recurrent_dropout": 0.3}, {"layers": lambda: [Dropout(0.5)]},
])  # fmt: skip
def test_dropout_is_drawn_in_its_turn(backend, samples, options):
    """Between the orders of two epochs, which come from the same generator."""
    noted = assert_together_as_apart(samples, building(options))
    assert sum(noted) == 4 * EPOCHS and max(noted) <= 4
    noted = assert_together_as_apart(samples, building(options), shuffle=False)
    assert max(noted) == 4 * (EPOCHS - 1)


def test_epochs_that_are_a_few_runs_of_the_kernels(samples, monkeypatch):
    monkeypatch.setattr(npylstm.backends.numba_backend, "_MASK_BYTES", 1000)  # of a few batches
    with npylstm.using_backend("numba"):
        assert_together_as_apart(samples, lambda: make(dropout=0.3), shuffle=False)


def test_epochs_that_end_in_a_smaller_batch_stay_apart(backend, samples):
    noted = assert_together_as_apart(samples, batch_size=5)
    assert max(noted) <= 2 and sum(noted) == 3 * EPOCHS


def test_metrics_in_python_stay_apart(backend, samples):
    noted = assert_together_as_apart(samples, lambda: make(metrics=[Batches()]))
    assert sum(noted) == 4 * EPOCHS and max(noted) <= 4


class Recording(History):
    def on_epoch_begin(self, epoch, logs=None):
        self.weights = [*getattr(self, "weights", ()), self.model.get_weights()[0].copy()]


@pytest.mark.parametrize("callback", [
    Between(),
    Recording(),
    EarlyStopping("loss"),
    npylstm.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
    npylstm.callbacks.LambdaCallback(on_progress=lambda step, logs: None),
    npylstm.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None),
])  # fmt: skip
def test_callbacks_that_come_between(samples, callback):
    assert callback.wants_epochs() and CallbackList([callback]).wants_epochs()
    model = make()
    noted = calls(model)
    model.fit(*samples, batch_size=3, epochs=EPOCHS, verbose=0, callbacks=[callback])
    assert max(noted) <= 4 and sum(noted) == 4 * EPOCHS


def test_callbacks_that_do_not(samples, tmp_path):
    assert not Callback().wants_epochs() and not History().wants_epochs()
    assert not CallbackList().wants_epochs()
    assert CSVLogger(tmp_path / "log.csv").wants_epochs()


def test_weights_between_epochs_are_those_of_the_epoch(samples):
    record = Recording()
    make().fit(*samples, batch_size=3, epochs=4, verbose=0, callbacks=[record])
    assert len({weights.tobytes() for weights in record.weights}) == 4


def test_validation_comes_between(samples):
    noted = calls(model := make())
    history = model.fit(
        *samples, batch_size=3, epochs=EPOCHS, verbose=0, validation_data=samples
    ).history
    assert max(noted) <= 4 and len(history["val_loss"]) == EPOCHS


def test_the_record_goes_on(samples):
    record = History()
    model = make()
    for first, last in ((0, 4), (4, 11)):
        model.fit(
            *samples, batch_size=3, initial_epoch=first, epochs=last, verbose=0, callbacks=[record]
        )
    assert len(record.history["loss"]) == 11 and record.epoch == list(range(4, 11))


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_keeps_the_record_of_all_epochs_that_are_over(backend, samples, monkeypatch):
    monkeypatch.setattr(batches, "_SECONDS_PER_CALL", 0.05)
    model = make()
    noted = calls(model)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*samples, batch_size=3, epochs=10**7, verbose=0)
    assert max(noted) > 4, "no epochs were run together"
    steps, recorded = model.optimizer.iterations, len(model.history.history["loss"])
    assert steps == sum(noted) and recorded in (steps // 4, steps // 4 - 1)

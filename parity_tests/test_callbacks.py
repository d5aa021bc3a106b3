"""Callbacks beside Keras's: the same logs, the same decisions."""

import csv
import io
import math
import warnings

import keras
import numpy as np
import pytest

from npylstm import callbacks, progress

RNG = np.random.default_rng(20)
CURVES = [
    [10.0, 9.0, 8.0, 9.0, 8.9, 8.8, 8.7, 8.6, 8.5],
    [1.0, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.84],
    [0.5, math.nan, 0.4, 0.3, math.nan, 0.2],
    [0.3, 0.3, 0.3, 0.3],
    list(np.round(RNG.random(30), 2)),
    list(np.round(1 / (1 + np.arange(20)) + 0.1 * RNG.random(20), 3)),
]


class Optimizer:
    learning_rate = 0.1


class Model:
    """What a callback needs of a model; the only weight is the number of the epoch."""

    def __init__(self):
        self.optimizer = Optimizer()
        self.stop_training = False
        self.weight = -1
        self.saved = []

    def get_weights(self):
        return [np.array(self.weight)]

    def set_weights(self, weights):
        self.weight = int(weights[0])

    def save_weights(self, path, overwrite=True):
        self.saved.append((self.weight, str(path)))


def run(callback, curve, name="val_loss", batches=0):
    """Drive a callback through a curve; return what it did."""
    model = Model()
    callback.set_model(model)
    callback.set_params({"epochs": len(curve), "steps": batches, "verbose": 0})
    rates = []
    callback.on_train_begin()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch, value in enumerate(curve):
            model.weight = epoch
            callback.on_epoch_begin(epoch)
            for batch in range(batches):
                callback.on_train_batch_end(batch, {"loss": value})
            logs = {} if value is None else {name: value}
            callback.on_epoch_end(epoch, logs)
            rates.append((model.optimizer.learning_rate, logs.get("learning_rate", -1)))
            if model.stop_training:
                break
    callback.on_train_end()
    return {
        "epochs": epoch + 1,
        "weight": model.weight,
        "rates": np.array(rates, "float32").tolist(),
        "saved": [(weight, path.replace(".h5", ".npz")) for weight, path in model.saved],
        "counters": [getattr(callback, n, None) for n in ("wait", "stopped_epoch", "best_epoch")],
    }


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"patience": 1},
        {"patience": 3, "restore_best_weights": True},
        {"patience": 2, "min_delta": 0.3, "restore_best_weights": True},
        {"patience": 3, "baseline": 0.4, "restore_best_weights": True},
        {"patience": 2, "start_from_epoch": 3},
        {"patience": 2, "mode": "max", "restore_best_weights": True},
    ],
)
def test_early_stopping(curve, arguments):
    ours = run(callbacks.EarlyStopping(**arguments), curve)
    theirs = run(keras.callbacks.EarlyStopping(**arguments), curve)
    assert ours == theirs


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 1},
        {"patience": 0, "factor": 0.5},
        {"patience": 1, "cooldown": 2, "factor": 0.5},
        {"patience": 2, "min_delta": 0.3, "min_lr": 0.005},
        {"patience": 1, "mode": "max", "min_lr": 0.1},
    ],
)
def test_reduce_lr_on_plateau(curve, arguments):
    ours = run(callbacks.ReduceLROnPlateau(**arguments), curve)
    theirs = run(keras.callbacks.ReduceLROnPlateau(**arguments), curve)
    assert ours == theirs


@pytest.mark.parametrize("curve", CURVES + [[0.5, None, 0.4]])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"save_best_only": True},
        {"save_best_only": True, "mode": "max"},
        {"save_best_only": True, "initial_value_threshold": 0.6},
        {"save_freq": 3},
        {"save_freq": 7},
    ],
)
def test_model_checkpoint(curve, arguments, tmp_path):
    def path(end):
        batch = "{batch}" if "save_freq" in arguments else ""
        return str(tmp_path / ("{epoch:02d}" + batch + end))

    if None in curve and "save_freq" in arguments:
        pytest.skip("nothing to format")
    ours = run(
        callbacks.ModelCheckpoint(path(".weights.npz"), save_weights_only=True, **arguments),
        curve,
        batches=5,
    )
    theirs = run(
        keras.callbacks.ModelCheckpoint(path(".weights.h5"), save_weights_only=True, **arguments),
        curve,
        batches=5,
    )
    assert ours == theirs


@pytest.mark.parametrize("schedule", [lambda e: 0.1 / (e + 1), lambda e, lr: lr * 0.9])
def test_learning_rate_scheduler(schedule):
    ours = run(callbacks.LearningRateScheduler(schedule), CURVES[0])
    theirs = run(keras.callbacks.LearningRateScheduler(schedule), CURVES[0])
    assert ours == theirs


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_csv_logger(tmp_path, append, separator):
    epochs = [{"loss": 0.5, "a": 1.0}, {"loss": 0.25, "a": math.nan, "val_loss": 2.0, "new": 1}]
    for module, name in ((callbacks, "ours"), (keras.callbacks, "theirs")):
        logger = module.CSVLogger(tmp_path / name, separator=separator, append=append)
        for _ in range(2):
            logger.on_train_begin()
            for epoch, logs in enumerate(epochs):
                logger.on_epoch_end(epoch, logs)
            logger.on_epoch_end(2, {"loss": np.arange(3), "a": np.float32(2)})
            logger.on_train_end()
    ours, theirs = (tmp_path / "ours").read_bytes(), (tmp_path / "theirs").read_bytes()
    assert ours == theirs
    assert len(list(csv.reader(io.StringIO(ours.decode()), delimiter=separator))) == (
        7 if append else 4
    )


@pytest.mark.parametrize("loss", [0.5, None, math.nan, math.inf, -math.inf])
def test_terminate_on_nan(loss, capsys):
    stopped = []
    for module in (callbacks, keras.callbacks):
        callback = module.TerminateOnNaN()
        callback.set_model(Model())
        callback.on_train_batch_end(3, {} if loss is None else {"loss": loss})
        stopped.append(callback.model.stop_training)
    assert stopped[0] == stopped[1]


@pytest.mark.parametrize(
    "values",
    [(0.04, 3.26771), (1e-3, 0.00100001), (-0.5, 0.0), (12345.678, 9e-9), (math.nan, math.inf)],
)
@pytest.mark.parametrize("elapsed", [0.0, 0.3, 0.5, 12.6, 2.5e-4, 75.0, 3700.0])
@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("steps", [1, 25, 1000, None])
def test_summary_lines(monkeypatch, capsys, values, elapsed, epochs, steps):
    now = [100.0]
    monkeypatch.setattr("keras.src.utils.progbar.time.time", lambda: now[0])
    params = {"verbose": 2, "epochs": epochs, "steps": steps}
    keras.config.enable_interactive_logging()
    printed = []
    for is_ours in (True, False):
        now[0] = 100.0
        log = (
            progress.ProgressLogger(clock=lambda: now[0])
            if is_ours
            else keras.callbacks.ProgbarLogger()
        )
        log.set_params(params)
        logs = dict(zip(("accuracy", "loss"), values, strict=True))
        done = steps or 4
        log.on_train_begin()
        for epoch in range(epochs):
            log.on_epoch_begin(epoch)
            for b in range(done):
                log.on_progress(b + 1, logs) if is_ours else log.on_train_batch_end(b, logs)
            log.on_test_begin()
            log.on_test_end(logs)
            now[0] += elapsed
            log.on_epoch_end(epoch, logs)
        log.on_train_end()
        printed.append(capsys.readouterr().out)
        log = (
            progress.ProgressLogger(clock=lambda: now[0])
            if is_ours
            else keras.callbacks.ProgbarLogger()
        )
        log.set_params({"verbose": 2, "epochs": 1, "steps": 3})
        log.on_test_begin()
        now[0] += elapsed
        log.on_test_end(logs)
        log.on_predict_begin()
        log.on_predict_end()
        printed[-1] += capsys.readouterr().out
    assert printed[0] == printed[1]
    assert printed[0].count("\n") >= 2

import csv
import math

import numpy as np
import pytest

from npylstm import callbacks
from npylstm.callbacks.base import BATCH_HOOKS

HOOKS_WITHOUT_POSITION = [
    f"on_{mode}_{moment}" for mode in ("train", "test", "predict") for moment in ("begin", "end")
]
HOOKS_WITH_POSITION = [
    "on_epoch_begin",
    "on_epoch_end",
    "on_progress",
    *(
        f"on_{m}_batch_{moment}"
        for m in ("train", "test", "predict")
        for moment in ("begin", "end")
    ),
]


class Model:
    def __init__(self):
        self.stop_training = False


class Recorder(callbacks.Callback):
    """Writes down every call, with its own name."""

    def __init__(self, name, calls):
        self.name = name
        self.calls = calls

    def __getattribute__(self, attribute):
        if not attribute.startswith("on_"):
            return super().__getattribute__(attribute)
        return lambda *args, **kwargs: self.calls.append((self.name, attribute, args, kwargs))


def test_every_hook_of_every_callback_is_called_in_order():
    calls = []
    both = callbacks.CallbackList([Recorder("a", calls), [Recorder("b", calls)]], Model(), {})
    for hook in HOOKS_WITHOUT_POSITION:
        getattr(both, hook)({"loss": 1})
    for hook in HOOKS_WITH_POSITION:
        getattr(both, hook)(3, {"loss": 1})
    assert [(name, hook) for name, hook, _, _ in calls] == [
        (name, hook) for hook in HOOKS_WITHOUT_POSITION + HOOKS_WITH_POSITION for name in "ab"
    ]
    for _, hook, args, kwargs in calls:
        position = (3,) if hook in HOOKS_WITH_POSITION else ()
        if "batch" in hook:
            assert (args, kwargs) == (position, {"logs": {"loss": 1.0}})
        else:
            assert (args, kwargs) == ((*position, {"loss": 1.0}), {})


def test_the_train_batch_hooks_call_their_older_names():
    calls = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            calls.append(("begin", batch, logs))

        def on_batch_end(self, batch, logs=None):
            calls.append(("end", batch, logs))

    some = callbacks.CallbackList([Old()], Model())
    some.on_train_batch_begin(4)
    some.on_train_batch_end(4, {"loss": np.float32(0.5)})
    assert calls == [("begin", 4, {}), ("end", 4, {"loss": 0.5})]
    some.on_batch_begin(5)
    some.on_batch_end(5)
    assert calls[2:] == [("begin", 5, {}), ("end", 5, {})]


def test_logs_are_sorted_floats_in_one_dict_for_all():
    seen = []

    class First(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs)
            logs["learning_rate"] = 0.1

    record = callbacks.History()
    given = {"loss": np.float32(0.25), "accuracy": np.array(1), "val_loss": 2}
    some = callbacks.CallbackList([First(), record], Model())
    some.on_epoch_end(0, given)
    assert list(seen[0]) == ["accuracy", "loss", "val_loss", "learning_rate"]
    assert all(type(value) is float for value in seen[0].values())
    assert record.history["learning_rate"] == [0.1]
    assert list(given) == ["loss", "accuracy", "val_loss"]  # the caller's own dict is left alone


def test_arrays_in_logs_are_passed_on():
    outputs = np.ones((1,))
    seen = []
    callback = callbacks.LambdaCallback(on_predict_batch_end=lambda b, logs: seen.append(logs))
    callbacks.CallbackList([callback]).on_predict_batch_end(0, {"outputs": outputs})
    assert seen[0]["outputs"] is outputs


def test_model_and_params_reach_every_callback():
    user, late = callbacks.Callback(), callbacks.Callback()
    model, params = Model(), {"epochs": 2, "steps": 3, "verbose": 0}
    some = callbacks.CallbackList([user], model, params)
    some.append(late)
    assert len(some.callbacks) == 3
    assert isinstance(some.callbacks[1], callbacks.History)  # after the user's, as in Keras
    for callback in some.callbacks:
        assert callback.model is model
        assert callback.params == params


def test_a_callback_need_not_call_super_init():
    class Mine(callbacks.Callback):
        def __init__(self):
            pass

    mine = Mine()
    assert mine.model is None
    assert mine.params is None
    callbacks.CallbackList(mine, Model()).on_train_begin()
    assert isinstance(mine.model, Model)


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match=r"got the class EarlyStopping, expected EarlyStopping\("):
        callbacks.CallbackList([callbacks.EarlyStopping])
    with pytest.raises(TypeError, match="derive from npylstm.callbacks.Callback, got 3"):
        callbacks.CallbackList([3])
    with pytest.raises(TypeError, match="got 'x'"):
        callbacks.CallbackList().append("x")


@pytest.mark.parametrize("mode", ["train", "test", "predict"])
def test_batch_hooks_are_noticed(mode):
    def wants(callback):
        some = callbacks.CallbackList([callback], Model())
        answers = {m: getattr(some, f"wants_{m}_batches") for m in BATCH_HOOKS}
        assert not any(answers[m] for m in answers if m != mode)
        return answers[mode]

    assert not wants(callbacks.Callback())
    assert not wants(callbacks.LambdaCallback(on_epoch_end=print, on_progress=print))
    for hook in BATCH_HOOKS[mode]:
        overriding = type("Overriding", (callbacks.Callback,), {hook: lambda *a, **k: None})
        inheriting = type("Inheriting", (overriding,), {})
        assert wants(overriding())
        assert wants(inheriting())
        assert wants(callbacks.LambdaCallback(**{hook: print}))


def test_which_of_the_package_s_callbacks_want_batches(tmp_path):
    def wants(callback):
        return callbacks.CallbackList([callback]).wants_train_batches

    assert wants(callbacks.TerminateOnNaN())
    assert wants(callbacks.ModelCheckpoint("w.npz", save_weights_only=True, save_freq=5))
    assert not wants(callbacks.ModelCheckpoint("w.npz", save_weights_only=True))
    assert not wants(callbacks.EarlyStopping())
    assert not wants(callbacks.ReduceLROnPlateau())
    assert not wants(callbacks.LearningRateScheduler(lambda epoch: 0.1))
    assert not wants(callbacks.CSVLogger(tmp_path / "log.csv"))
    assert not callbacks.CallbackList().wants_train_batches

    class Mine(callbacks.ModelCheckpoint):
        def on_train_batch_end(self, batch, logs=None):
            pass

    assert wants(Mine("w.npz", save_weights_only=True))


def test_history():
    model = Model()
    some = callbacks.CallbackList(None, model, {"epochs": 2})
    assert not hasattr(model, "history")  # `evaluate` must not replace the record of `fit`
    some.on_train_begin()
    record = model.history
    some.on_epoch_end(0, {"loss": 2.0, "accuracy": 0.5})
    some.on_epoch_end(1, {"loss": 1.0, "accuracy": 0.75, "val_loss": 3.0})
    assert record.history == {"loss": [2.0, 1.0], "accuracy": [0.5, 0.75], "val_loss": [3.0]}
    assert record.history["acc"] == [0.5, 0.75]
    assert record.epoch == [0, 1]
    assert record.params == {"epochs": 2}


def test_the_user_s_own_history_is_used_and_goes_on_growing():
    model, record = Model(), callbacks.History()
    for _ in range(2):
        some = callbacks.CallbackList([record], model)
        assert some.callbacks == [record]
        some.on_train_begin()
        assert model.history is record
        some.on_epoch_end(0, {"loss": 1.0})
    assert record.history == {"loss": [1.0, 1.0]}
    assert record.epoch == [0]


def test_no_history_on_request():
    assert callbacks.CallbackList(add_history=False).callbacks == []


def test_lambda_callback():
    calls = []

    def hook(name):
        return lambda *args, **kwargs: calls.append((name, *args))

    names = HOOKS_WITHOUT_POSITION + HOOKS_WITH_POSITION
    callback = callbacks.LambdaCallback(**{name: hook(name) for name in names}, note=5)
    for name in HOOKS_WITHOUT_POSITION:
        getattr(callback, name)({})
    for name in HOOKS_WITH_POSITION:
        getattr(callback, name)(1)
    assert calls == [(n, {}) for n in HOOKS_WITHOUT_POSITION] + [
        (n, 1) for n in HOOKS_WITH_POSITION
    ]
    assert callback.note == 5


def test_lambda_callback_refuses_what_is_no_hook():
    with pytest.raises(TypeError, match="'on_epoc_end'; did you mean 'on_epoch_end'"):
        callbacks.LambdaCallback(on_epoc_end=print)
    with pytest.raises(TypeError, match="on_epoch_end must be a function or None, got 3"):
        callbacks.LambdaCallback(on_epoch_end=3)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_terminate_on_nan(loss, capsys):
    callback, model = callbacks.TerminateOnNaN(), Model()
    some = callbacks.CallbackList([callback], model)
    some.on_train_batch_end(0, {"loss": 0.5})
    some.on_train_batch_end(0, {})
    assert not model.stop_training
    some.on_train_batch_end(7, {"loss": loss})
    assert model.stop_training
    assert capsys.readouterr().out == f"Batch 7: the loss is {loss}, terminating training\n"


def test_terminate_on_nan_may_raise():
    callback = callbacks.TerminateOnNaN(raise_error=True)
    with pytest.raises(RuntimeError, match="the loss is nan at batch 7"):
        callback.on_train_batch_end(7, {"loss": math.nan})


def log_epochs(logger, *epochs):
    logger.on_train_begin()
    for epoch, logs in enumerate(epochs):
        logger.on_epoch_end(epoch, logs)
    logger.on_train_end()


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path)
    log_epochs(logger, {"loss": 0.5, "accuracy": 0.25}, {"loss": 0.125, "accuracy": math.nan})
    assert path.read_text().splitlines() == [
        "epoch,accuracy,loss,val_accuracy,val_loss",
        "0,0.25,0.5,NA,NA",
        "1,nan,0.125,NA,NA",
    ]
    log_epochs(logger, {"loss": 3.0, "val_loss": 4.0})  # a second run replaces the first
    assert path.read_text().splitlines() == ["epoch,loss,val_loss", "0,3.0,4.0"]


def test_csv_logger_writes_late_validation_and_leaves_out_what_has_no_column(tmp_path):
    path = tmp_path / "log.tsv"
    log_epochs(
        callbacks.CSVLogger(str(path), separator="\t"),
        {"loss": 0.5},
        {"loss": 0.25, "val_loss": 2.0, "later": 9.0},
        {"loss": [1, 2]},
    )
    with open(path, newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows == [
        ["epoch", "loss", "val_loss"],
        ["0", "0.5", "NA"],
        ["1", "0.25", "2.0"],
        ["2", '"[1, 2]"', "NA"],
    ]


def test_csv_logger_appends_without_a_second_header(tmp_path):
    path = tmp_path / "log.csv"
    for _ in range(2):
        log_epochs(callbacks.CSVLogger(path, append=True), {"loss": 0.5, "val_loss": 1.0})
    assert path.read_text().splitlines() == ["epoch,loss,val_loss", "0,0.5,1.0", "0,0.5,1.0"]


def test_csv_logger_can_be_read_while_training_runs(tmp_path):
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.5})
    assert path.read_text().splitlines()[-1] == "0,0.5,NA"
    logger.on_train_end()

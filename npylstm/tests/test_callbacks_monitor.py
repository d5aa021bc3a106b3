"""The callbacks that watch a metric or set the learning rate."""

import math
import warnings

import numpy as np
import pytest

from npylstm import callbacks


class Optimizer:
    def __init__(self, learning_rate):
        self.learning_rate = learning_rate


class Model:
    """What these callbacks need of a model; its weight is the number of the epoch."""

    def __init__(self):
        self.optimizer = Optimizer(0.1)
        self.stop_training = False
        self.weight = None
        self.saved = []

    def get_weights(self):
        return [self.weight]

    def set_weights(self, weights):
        (self.weight,) = weights

    def save_weights(self, path):
        self.saved.append((self.weight, path))


def run(callback, curve, name="val_loss", model=None):
    """Run epochs until the curve ends or training is stopped; return the model."""
    model = model or Model()
    model.stop_training = False
    some = callbacks.CallbackList([callback], model)
    some.on_train_begin()
    for epoch, value in enumerate(curve):
        some.on_epoch_begin(epoch)
        model.weight = epoch
        some.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    model.epochs = epoch + 1
    some.on_train_end()
    return model


@pytest.mark.parametrize(
    ("monitor", "mode", "lower_is_better"),
    [
        ("loss", "auto", True),
        ("val_loss", "auto", True),
        ("val_mse", "auto", True),
        ("mean_absolute_error", "auto", True),
        ("accuracy", "auto", False),
        ("val_accuracy", "auto", False),
        ("acc", "auto", False),
        ("val_sparse_categorical_accuracy", "auto", False),
        ("val_loss", "max", False),
        ("anything", "min", True),
    ],
)
def test_direction(monitor, mode, lower_is_better):
    callback = callbacks.EarlyStopping(monitor, mode=mode, patience=1)
    down = run(callback, [3.0, 2.0, 1.0], monitor)
    up = run(callback, [1.0, 2.0, 3.0], monitor)
    assert (down.epochs, up.epochs) == ((3, 2) if lower_is_better else (2, 3))


def test_unknown_direction():
    with pytest.raises(ValueError, match="EarlyStopping cannot tell whether 'x'.*mode='max'"):
        run(callbacks.EarlyStopping("x"), [1.0], "x")


def test_unknown_mode_falls_back_with_a_warning():
    with pytest.warns(UserWarning, match="EarlyStopping: mode 'mni' is unknown") as caught:
        callback = callbacks.EarlyStopping(mode="mni")
    assert callback.mode == "auto"
    assert caught[0].filename == __file__


def test_a_missing_metric_is_warned_about_once_a_run():
    callback = callbacks.EarlyStopping("val_loss", patience=1)
    for _ in range(2):
        with pytest.warns(UserWarning, match="'val_loss', which is not available.*are: loss") as w:
            assert run(callback, [1.0, 2.0, 3.0], "loss").epochs == 3
        assert len(w) == 1


@pytest.mark.parametrize("patience", [0, 1, 2, 3])
def test_early_stopping_patience(patience):
    losses = [10.0, 9.0, 8.0, 9.0, 8.9, 8.8, 8.7, 8.6, 8.5]
    callback = callbacks.EarlyStopping("loss", patience=patience)
    model = run(callback, losses, "loss")
    assert callback.stopped_epoch == max(patience, 1) + 2
    assert model.epochs == callback.stopped_epoch + 1
    assert model.weight == callback.stopped_epoch  # nothing was restored
    assert callback.best == 8.0
    assert callback.best_epoch == 2


def test_early_stopping_never_stops_after_the_first_epoch():
    assert run(callbacks.EarlyStopping(mode="max"), [math.nan, 1.0]).epochs == 2


def test_early_stopping_min_delta():
    curve = [1.0, 0.95, 0.9, 0.85]
    assert run(callbacks.EarlyStopping(patience=2), curve).epochs == 4
    # 0.85 is not better than the 1.0 of the start by more than 0.2; the sign does not matter.
    assert run(callbacks.EarlyStopping(patience=2, min_delta=0.2), curve).epochs == 3
    assert run(callbacks.EarlyStopping(patience=2, min_delta=-0.2), curve).epochs == 3
    rising = [1.0, 1.05, 1.1, 1.15]
    assert run(callbacks.EarlyStopping(patience=2, min_delta=0.2, mode="max"), rising).epochs == 3
    assert run(callbacks.EarlyStopping(patience=2, min_delta=0.04, mode="max"), rising).epochs == 4


def test_early_stopping_restores_the_best_weights():
    curve = [0.2, 0.15, 0.1, 0.11, 0.12, 0.13]
    model = run(callbacks.EarlyStopping(patience=2, restore_best_weights=True), curve)
    assert (model.epochs, model.weight) == (5, 2)
    # Also if training ends for another reason.
    model = run(callbacks.EarlyStopping(patience=9, restore_best_weights=True), curve)
    assert (model.epochs, model.weight) == (6, 2)


def test_early_stopping_baseline():
    # Getting better does not end the waiting as long as the baseline is not beaten ...
    curve = [0.9, 0.8, 0.7, 0.71, 0.72, 0.73, 0.74]
    callback = callbacks.EarlyStopping(patience=5, baseline=0.5, restore_best_weights=True)
    model = run(callback, curve)
    assert (model.epochs, model.weight) == (5, 2)
    # ... and does once it is.
    curve = [0.9, 0.4, 0.3, 0.31, 0.32, 0.33, 0.34, 0.35]
    assert run(callbacks.EarlyStopping(patience=3, baseline=0.5), curve).epochs == 6


def test_early_stopping_starts_late():
    curve = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    callback = callbacks.EarlyStopping(patience=1, start_from_epoch=3)
    assert run(callback, curve).epochs == 5
    assert callback.best == 4.0


def test_early_stopping_can_be_used_again():
    callback = callbacks.EarlyStopping(patience=1)
    assert run(callback, [1.0, 2.0, 3.0]).epochs == 2
    assert run(callback, [9.0, 8.0, 7.0, 7.5]).epochs == 4
    assert (callback.best, callback.best_epoch) == (7.0, 2)


def test_early_stopping_says_so(capsys):
    run(callbacks.EarlyStopping(patience=1, restore_best_weights=True), [1.0, 2.0])
    assert capsys.readouterr().out == ""
    run(callbacks.EarlyStopping(patience=1, restore_best_weights=True, verbose=1), [1.0, 2.0])
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring the weights of epoch 1, the best\n"
    )


def rates_of(callback, curve):
    """Return the learning rate in force after every epoch, and what was logged."""
    model = Model()
    record = callbacks.History()
    some = callbacks.CallbackList([callback, record], model)
    some.on_train_begin()
    rates = []
    for epoch, value in enumerate(curve):
        some.on_epoch_begin(epoch)
        some.on_epoch_end(epoch, {"val_loss": value})
        rates.append(model.optimizer.learning_rate)
    some.on_train_end()
    return rates, record.history["learning_rate"]


def test_reduce_lr_on_plateau(capsys):
    callback = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, verbose=1)
    rates, logged = rates_of(callback, [1.0, 1.0, 1.0, 0.5, 0.6, 0.7, 0.8])
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]
    assert logged == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025]  # what the epoch was trained with
    assert capsys.readouterr().out == (
        "\nEpoch 3: val_loss has stalled, reducing the learning rate to 0.05\n"
        "\nEpoch 6: val_loss has stalled, reducing the learning rate to 0.025\n"
    )


def test_reduce_lr_min_delta():
    rates, _ = rates_of(callbacks.ReduceLROnPlateau(patience=1, factor=0.5), [1.0, 0.99995])
    assert rates == [0.1, 0.05]  # the default, 1e-4, is more than that
    callback = callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0)
    assert rates_of(callback, [1.0, 0.99995])[0] == [0.1, 0.1]


def test_reduce_lr_cooldown():
    callback = callbacks.ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2)
    rates, _ = rates_of(callback, [1.0] * 6)
    # Reduced at epoch 1; epoch 2 is cooldown, epoch 3 ends it and counts again.
    assert rates == [0.1, 0.05, 0.05, 0.025, 0.025, 0.0125]
    assert callback.in_cooldown()


def test_reduce_lr_stops_at_the_minimum(capsys):
    callback = callbacks.ReduceLROnPlateau(factor=0.1, patience=1, min_lr=0.03, verbose=1)
    assert rates_of(callback, [1.0] * 5)[0] == [0.1, 0.03, 0.03, 0.03, 0.03]
    assert capsys.readouterr().out.count("reducing") == 1


def test_reduce_lr_takes_a_rate_rounded_to_float32_for_the_minimum(capsys):
    model = Model()
    model.optimizer.learning_rate = float(np.float32(0.001))  # a little above 0.001
    callback = callbacks.ReduceLROnPlateau(patience=0, min_lr=0.001, verbose=1)
    run(callback, [1.0, 1.0], model=model)
    assert capsys.readouterr().out == ""


def test_reduce_lr_can_be_used_again():
    callback = callbacks.ReduceLROnPlateau(factor=0.5, patience=1)
    assert rates_of(callback, [0.1, 0.2])[0] == [0.1, 0.05]
    assert rates_of(callback, [9.0, 8.0])[0] == [0.1, 0.1]


@pytest.mark.parametrize("factor", [1.0, 2.0, -0.1, math.nan])
def test_reduce_lr_refuses_a_factor_that_does_not_reduce(factor):
    with pytest.raises(ValueError, match=rf"factor must be in \[0, 1\).*got {factor}"):
        callbacks.ReduceLROnPlateau(factor=factor)


def test_scheduler_with_epoch_only(capsys):
    callback = callbacks.LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1), verbose=1)
    assert rates_of(callback, [1, 1, 1, 1]) == ([1.0, 0.5, 1 / 3, 0.25],) * 2
    assert "\nEpoch 2: the schedule sets the learning rate to 0.5\n" in capsys.readouterr().out


def test_scheduler_with_epoch_and_rate():
    callback = callbacks.LearningRateScheduler(lambda epoch, rate: np.float64(rate / 2))
    rates, logged = rates_of(callback, [1, 1])
    assert rates == logged == [0.05, 0.025]
    assert type(rates[0]) is float


def test_an_error_in_a_schedule_is_not_taken_for_a_lack_of_arguments():
    calls = []

    def schedule(epoch, rate):
        calls.append((epoch, rate))
        return None + rate

    with pytest.raises(TypeError, match="NoneType"):
        rates_of(callbacks.LearningRateScheduler(schedule), [1])
    assert calls == [(0, 0.1)]


def test_scheduler_wants_a_float():
    with pytest.raises(ValueError, match="must return a float, got None for epoch 0"):
        rates_of(callbacks.LearningRateScheduler(lambda epoch: None), [1])


def checkpoint(path, **arguments):
    return callbacks.ModelCheckpoint(path, save_weights_only=True, **arguments)


def test_checkpoint_every_epoch_makes_folders_and_names(tmp_path):
    model = run(checkpoint(tmp_path / "a" / "{epoch:02d}-{val_loss:.2f}.weights.npz"), [1.0, 0.456])
    assert model.saved == [
        (0, str(tmp_path / "a" / "01-1.00.weights.npz")),
        (1, str(tmp_path / "a" / "02-0.46.weights.npz")),
    ]
    assert (tmp_path / "a").is_dir()


def test_checkpoint_without_a_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(checkpoint("w.npz"), [1.0]).saved == [(0, "w.npz")]


@pytest.mark.parametrize(
    ("arguments", "saved"),
    [
        ({}, [0, 2, 4]),
        ({"mode": "max"}, [0, 3]),
        ({"initial_value_threshold": 0.6}, [2, 4]),
    ],
)
def test_checkpoint_best_only(arguments, saved):
    model = run(checkpoint("w.npz", save_best_only=True, **arguments), [0.9, 0.9, 0.5, 1.0, 0.4])
    assert [weight for weight, _ in model.saved] == saved


def test_checkpoint_best_goes_on_over_runs():
    callback = checkpoint("w.npz", save_best_only=True)
    assert len(run(callback, [0.5]).saved) == 1
    assert len(run(callback, [0.6, 0.4]).saved) == 1


def test_checkpoint_without_the_metric_saves_and_warns_once():
    callback = checkpoint("w.npz", save_best_only=True)
    with pytest.warns(UserWarning, match="'val_loss', which is not available.*saved whether") as w:
        model = run(callback, [1.0, 2.0], "loss")
    assert len(model.saved) == 2
    assert len(w) == 1


def test_checkpoint_with_a_metric_that_is_no_single_number():
    callback = checkpoint("w.npz", save_best_only=True)
    with pytest.warns(UserWarning, match="no single number"):
        assert len(run(callback, [np.ones(2)]).saved) == 1


def test_checkpoint_every_so_many_batches():
    model = Model()
    callback = checkpoint("{epoch}-{batch}-{loss:.0f}.npz", save_freq=4)
    some = callbacks.CallbackList([callback], model)
    some.on_train_begin()
    for epoch in range(4):
        some.on_epoch_begin(epoch)
        for batch in range(3):
            some.on_train_batch_end(batch, {"loss": 7.0})
        some.on_epoch_end(epoch, {"loss": 7.0})
    # Every 4th of 12 batches, 3 an epoch.
    assert [path for _, path in model.saved] == ["2-1-7.npz", "3-2-7.npz", "4-3-7.npz"]


def test_checkpoint_counts_batches_that_come_in_chunks():
    callback = checkpoint("{epoch}-{batch}.npz", save_freq=4)
    callback.set_model(Model())
    callback.on_epoch_begin(0)
    for last_of_chunk in (1, 4, 6, 8):
        callback.on_train_batch_end(last_of_chunk, {})
    assert [path for _, path in callback.model.saved] == ["1-5.npz", "1-9.npz"]


def test_checkpoint_best_only_by_batches():
    model = Model()
    callback = checkpoint("{batch}.npz", save_freq=1, save_best_only=True, monitor="loss")
    callback.set_model(model)
    callback.on_epoch_begin(0)
    for batch, loss in enumerate([3.0, 4.0, 2.0]):
        callback.on_train_batch_end(batch, {"loss": loss})
    assert [path for _, path in model.saved] == ["1.npz", "3.npz"]


def test_checkpoint_says_what_it_does(capsys):
    run(checkpoint("w.npz", save_best_only=True, verbose=1), [1.0, 2.0, 0.5])
    assert capsys.readouterr().out.split("\n\n") == [
        "\nEpoch 1: val_loss improved from None to 1.00000, saving to w.npz",
        "Epoch 1: saved to w.npz",
        "Epoch 2: val_loss did not improve from 1.00000",
        "Epoch 3: val_loss improved from 1.00000 to 0.50000, saving to w.npz",
        "Epoch 3: saved to w.npz\n",
    ]
    run(checkpoint("w.npz", verbose=1), [1.0])
    assert capsys.readouterr().out == "\nEpoch 1: saving to w.npz\n\nEpoch 1: saved to w.npz\n"


def test_checkpoint_refuses_a_folder(tmp_path):
    (tmp_path / "w.npz").mkdir()
    with pytest.raises(IsADirectoryError, match="must name a file"):
        run(checkpoint(tmp_path / "w.npz"), [1.0])


def test_checkpoint_name_asks_for_what_is_not_there():
    with pytest.raises(KeyError, match="asks for 'val_mae'.*available are: epoch, val_loss"):
        run(checkpoint("{val_mae}.npz"), [1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "w.npz"}, "pass save_weights_only=True"),
        ({"filepath": "w.h5", "save_weights_only": True}, "end in '.weights.npz'.*got 'w.h5'"),
        ({"filepath": "w.npz", "save_weights_only": True, "save_freq": "day"}, "got 'day'"),
        ({"filepath": "w.npz", "save_weights_only": True, "save_freq": 0}, "got 0"),
        ({"filepath": "w.npz", "save_weights_only": True, "save_freq": True}, "got True"),
    ],
)
def test_checkpoint_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        callbacks.ModelCheckpoint(**arguments)


def test_nothing_warns_when_all_is_well():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(callbacks.EarlyStopping(patience=3), [1.0, 2.0])
        run(callbacks.ReduceLROnPlateau(), [1.0, 2.0])
        run(checkpoint("w.npz", save_best_only=True), [1.0, 2.0])

import io
import sys

import pytest

from npylstm.callbacks import CallbackList
from npylstm.progress import ProgressLogger

LOGS = {"accuracy": 0.04, "loss": 3.26771}


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def fit(verbose, epochs=2, steps=25, seconds=0.325, logs=LOGS, val_logs=None, validate=False):
    """Run a pretended `fit` and return what was printed."""
    clock, file = Clock(), io.StringIO()
    logger = ProgressLogger(file=file, clock=clock)
    some = CallbackList([], None, {"verbose": verbose, "epochs": epochs, "steps": steps})
    some.append(logger)
    some.on_train_begin()
    for epoch in range(epochs):
        some.on_epoch_begin(epoch)
        for step in range(5, 26, 5):
            some.on_progress(step, logs)
        if validate:
            some.on_test_begin()
            some.on_progress(3, {"loss": 99.0})
            some.on_test_end({"loss": 99.0})
        clock.now += seconds
        some.on_epoch_end(epoch, {**logs, **(val_logs or {})})
    some.on_train_end()
    return file.getvalue()


def test_lines():
    assert fit(2) == (
        "Epoch 1/2\n"
        "25/25 - 0s - 13ms/step - accuracy: 0.0400 - loss: 3.2677\n"
        "Epoch 2/2\n"
        "25/25 - 0s - 13ms/step - accuracy: 0.0400 - loss: 3.2677\n"
    )


def test_a_single_epoch_is_not_announced():
    assert fit(2, epochs=1) == "25/25 - 0s - 13ms/step - accuracy: 0.0400 - loss: 3.2677\n"


def test_validation_is_part_of_the_line_only():
    assert fit(2, epochs=1, val_logs={"val_loss": 2.0}, validate=True) == (
        "25/25 - 0s - 13ms/step - accuracy: 0.0400 - loss: 3.2677 - val_loss: 2.0000\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s - 0s/step"),
        (25 * 2.4e-5, "0s - 24us/step"),
        (25 * 0.0124, "0s - 12ms/step"),
        (25 * 0.9996, "25s - 1000ms/step"),
        (25 * 1.6, "40s - 2s/step"),
        (25 * 200.0, "5000s - 200s/step"),
    ],
)
def test_times(seconds, text):
    assert fit(2, epochs=1, seconds=seconds, logs={}) == f"25/25 - {text}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (0.0010001, "0.0010"),
        (0.001, "1.0000e-03"),
        (1.5e-7, "1.5000e-07"),
        (0.0, "0.0000e+00"),
        (12345.67891, "12345.6789"),
        (-0.5, "-5.0000e-01"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_values(value, text):
    line = fit(2, epochs=1, logs={"loss": value})
    assert line == f"25/25 - 0s - 13ms/step - loss: {text}\n"


def test_an_unknown_number_of_steps_is_what_was_seen():
    assert fit(2, epochs=1, steps=None, logs={}) == "25/25 - 0s - 13ms/step\n"


@pytest.mark.parametrize("steps", [0, None])
def test_no_steps_no_line(steps):
    file = io.StringIO()
    logger = ProgressLogger(file=file)
    logger.set_params({"verbose": 2, "epochs": 1, "steps": steps})
    logger.on_predict_begin()
    logger.on_predict_end()
    assert file.getvalue() == ""


def test_evaluate_and_predict_lines(capsys):
    clock = Clock()
    logger = ProgressLogger(clock=clock)
    logger.set_params({"verbose": 2, "epochs": 1, "steps": 4})
    logger.on_test_begin()
    clock.now += 0.052
    logger.on_test_end(LOGS)
    logger.on_predict_begin()
    clock.now += 0.008
    logger.on_predict_end({})
    assert capsys.readouterr() == (
        "4/4 - 0s - 13ms/step - accuracy: 0.0400 - loss: 3.2677\n4/4 - 0s - 2ms/step\n",
        "",
    )


def test_silence():
    assert fit(0) == ""


def final_lines(text):
    """Return what a terminal shows in the end: of each line, what follows the last return."""
    return [line.rsplit("\r", 1)[-1] for line in text.removesuffix("\n").split("\n")]


@pytest.mark.parametrize("verbose", [1, "auto"])
def test_bars(verbose):
    first, second = final_lines(fit(verbose, val_logs={"val_loss": 1e-4}, validate=True))
    assert first.startswith("Epoch 1/2: 100%|")
    assert second.startswith("Epoch 2/2: 100%|")
    for line in (first, second):
        assert "| 25/25 [" in line
        assert "step/s" in line
        assert line.endswith(", accuracy=0.0400, loss=3.2677, val_loss=1.0000e-04]")


def test_a_bar_of_a_single_epoch_has_no_name():
    (line,) = final_lines(fit(1, epochs=1))
    assert line.startswith("100%|")


def test_a_bar_goes_to_stdout(capsys):
    logger = ProgressLogger()
    logger.set_params({"verbose": 1, "epochs": 1, "steps": 4})
    logger.on_predict_begin()
    logger.on_progress(4, {})
    logger.on_predict_end({})
    out, err = capsys.readouterr()
    assert "4/4" in final_lines(out)[-1]
    assert err == ""


def test_a_bar_shows_running_averages_on_its_way():
    logger = ProgressLogger(file=io.StringIO())
    logger.set_params({"verbose": 1, "epochs": 3, "steps": 10})
    logger.on_train_begin()
    logger.on_epoch_begin(1)
    logger.on_progress(4, {"loss": 0.5})
    assert (logger._bar.n, logger._bar.total, logger._bar.desc) == (4, 10, "Epoch 2/3")
    assert logger._bar.postfix == "loss=0.5000"
    logger.on_progress(7, {"loss": -0.25})
    assert (logger._bar.n, logger._bar.postfix) == (7, "loss=-0.2500")
    logger.on_test_begin()
    logger.on_progress(2, {"loss": 9.0})
    assert (logger._bar.n, logger._bar.postfix) == (7, "loss=-0.2500")
    logger.on_test_end({"loss": 9.0})
    logger.on_progress(8, {"loss": 0.75})
    assert logger._bar.n == 8
    logger.close()


def test_an_interrupted_bar_stays_as_it_was_and_the_next_begins_anew():
    file = io.StringIO()
    logger = ProgressLogger(file=file)
    logger.set_params({"verbose": 1, "epochs": 5, "steps": 10})
    logger.on_train_begin()
    logger.on_epoch_begin(0)
    logger.on_progress(4, {"loss": 0.5})
    logger.on_train_begin()
    logger.on_epoch_begin(0)
    logger.on_progress(10, {"loss": 0.5})
    logger.on_train_end()
    logger.close()  # once more does no harm
    interrupted, whole = final_lines(file.getvalue())
    assert "| 4/10 [" in interrupted
    assert "| 10/10 [" in whole


def test_evaluation_after_training_is_not_silent():
    file = io.StringIO()
    logger = ProgressLogger(file=file, clock=Clock())
    logger.set_params({"verbose": 2, "epochs": 1, "steps": 2})
    logger.on_train_begin()
    logger.on_train_end()
    logger.on_test_begin()
    logger.on_test_end({"loss": 1.0})
    assert file.getvalue() == "2/2 - 0s - 0s/step - loss: 1.0000\n"


def test_only_bars_need_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert fit(2, epochs=1).startswith("25/25")
    assert fit(0) == ""
    with pytest.raises(ImportError):
        fit(1)


def test_no_batch_hook_is_used():
    some = CallbackList([ProgressLogger()], None, {"verbose": 1})
    assert not (some.wants_train_batches or some.wants_test_batches or some.wants_predict_batches)


@pytest.mark.parametrize("verbose", [3, "yes", None])
def test_unknown_verbose(verbose):
    with pytest.raises(ValueError, match="0, 1, 2 or 'auto', got"):
        ProgressLogger().set_params({"verbose": verbose})

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, plots
from npylstm.callbacks import Callback, CallbackList, LambdaCallback
from npylstm.diagnostics import StateTimeline, state_timeline
from npylstm.layers import LSTM, Bidirectional, Dense, Input

from .agreement import BACKENDS

N = 4  # batches an epoch


def stateful_model(*layers):
    layers = layers or (LSTM(3, stateful=True), Dense(1))
    model = Sequential([Input(batch_shape=(2, 3, 5)), *layers])
    model.compile("sgd", "mse")
    return model


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    return rng.normal(size=(2 * N, 3, 5)), rng.normal(size=(2 * N, 1))


@pytest.fixture(autouse=True)
def plain():
    with npylstm.using_backend("numpy"):
        yield


def fit(model, data, *callbacks, epochs=3, **options):
    options = {"batch_size": 2, "shuffle": False, "verbose": 0} | options
    return model.fit(*data, epochs=epochs, callbacks=list(callbacks), **options)


class ResetAt(Callback):
    def __init__(self, hook):
        setattr(self, hook, lambda *position, logs=None: self.model.reset_states())


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_record_is_of_the_states_themselves(backend, data):
    with npylstm.using_backend(backend):
        model, watch = stateful_model(), StateTimeline(units=[2, 0], sample=1)
        seen = []
        look = LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(model.layers[0].states)
        )
        fit(model, data, watch, look, epochs=2)
    timeline = watch.timeline
    record = timeline.layers["lstm"]
    h, c = (np.array(states) for states in zip(*seen, strict=True))  # (2N, B, U)
    np.testing.assert_allclose(record.h_end, np.linalg.norm(h, axis=-1).mean(axis=-1), rtol=1e-6)
    np.testing.assert_allclose(record.c_end, np.linalg.norm(c, axis=-1).mean(axis=-1), rtol=1e-6)
    np.testing.assert_array_equal(record.unit_h, h[:, 1, [2, 0]])
    np.testing.assert_array_equal(record.unit_c, c[:, 1, [2, 0]])
    np.testing.assert_array_equal(record.h_begin[1:], record.h_end[:-1])
    assert record.h_begin[0] == record.c_begin[0] == 0
    assert record.begin.tolist() == ["first"] + ["carried"] * (2 * N - 1)
    np.testing.assert_array_equal(timeline.epoch, np.repeat([0, 1], N))
    np.testing.assert_array_equal(timeline.batch, [*range(N)] * 2)
    assert set(timeline.mode) == {"train"} and not timeline.run.any()
    assert str(timeline) == (
        "lstm: states were carried over 7 of 7 times; never reset; 1 of 2 epochs began with what "
        "the epoch before had left"
    )


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "hook, words",
    [
        ("on_epoch_begin", "9 of 11 times; reset twice, each time before batch 0"),
        (
            "on_epoch_end",
            "9 of 11 times; reset 3 times, each time before batch 0 or after the last one",
        ),
        ("on_train_batch_begin", "0 of 11 times; reset 11 times, before batches 0, 1, 2 and 3"),
        (
            "on_train_batch_end",
            "0 of 11 times; reset 12 times, before batches 0, 1, 2 and 3 or after the last one",
        ),
    ],
)
def test_a_reset_in_any_hook_is_seen_wherever_the_callback_stands(hook, words, first, data):
    model, watch, reset = stateful_model(), StateTimeline(), ResetAt(hook)
    fit(model, data, *((reset, watch) if first else (watch, reset)))
    assert str(watch.timeline) == f"lstm: states were carried over {words}"
    record = watch.timeline.layers["lstm"]
    reset = record.begin == "reset"
    assert not record.h_begin[reset].any() and not record.c_begin[reset].any()
    assert record.h_end.all() and record.h_begin[record.begin == "carried"].all()


def test_a_loop_of_fits_with_resets_between_them(data):
    model, watch = stateful_model(), StateTimeline()
    for _ in range(2):
        fit(model, data, watch, epochs=1)
        assert watch.timeline.layers["lstm"].now == "carried"
        model.reset_states()
    timeline = watch.timeline
    assert timeline.layers["lstm"].now == "reset"
    np.testing.assert_array_equal(timeline.run, np.repeat([0, 1], N))
    assert "carried over 6 of 7 times; reset twice, each time before batch 0 or" in str(timeline)


def test_evaluation_moves_the_states_of_training(data):
    model, watch = stateful_model(), StateTimeline()
    fit(model, data, watch, epochs=2, validation_data=data)
    timeline = watch.timeline
    assert timeline.mode.tolist() == (["train"] * N + ["test"] * N) * 2
    assert timeline.epoch.tolist() == [0] * 2 * N + [1] * 2 * N and not timeline.run.any()
    assert str(timeline).endswith(
        "never reset; evaluation went on from the states of training twice; training from those "
        "of evaluation once"
    )
    model.evaluate(*data, batch_size=2, verbose=0, callbacks=[watch])
    assert watch.timeline.run[-1] == 1 and watch.timeline.mode[-1] == "test"


def test_states_that_something_else_has_changed(data):
    model, watch = stateful_model(), StateTimeline()
    fit(model, data, watch, epochs=1)
    model.predict(data[0], batch_size=2, verbose=0)
    fit(model, data, watch, epochs=1)
    model.layers[0].set_states([np.ones((2, 3))] * 2)
    record = watch.timeline.layers["lstm"]
    assert record.begin[N] == record.now == "set"
    assert "6 of 7 times; never reset; changed by something else twice" in str(watch.timeline)


def test_layers_are_told_apart(data):
    both = Bidirectional(LSTM(2, stateful=True, return_sequences=True))
    plain_and_top = LSTM(3, return_sequences=True), LSTM(2, stateful=True, name="top")
    model, watch = stateful_model(both, *plain_and_top, Dense(1)), StateTimeline()
    top = model.layers[2]
    reset = LambdaCallback(on_epoch_begin=lambda epoch, logs: top.reset_states())
    fit(model, data, reset, watch, epochs=2)
    timeline = watch.timeline
    assert list(timeline.layers) == [
        "bidirectional/forward_lstm",
        "bidirectional/backward_lstm",
        "top",
    ]
    words = str(timeline)
    assert words.startswith(
        "bidirectional/forward_lstm and bidirectional/backward_lstm: states were carried over 7 of"
    )
    assert words.endswith(
        "; top: states were carried over 6 of 7 times; reset once, before batch 0"
    )


def test_state_timeline_runs_a_model_and_puts_its_states_back(data):
    model = stateful_model()
    model.layers[0].set_states([np.full((2, 3), 0.3), np.full((2, 3), -0.2)])
    before, weights = model.layers[0].states, model.get_weights()
    free = state_timeline(model, data[0], 2, units=[1])
    timeline = state_timeline(model, data[0], 2, reset_every=2)
    np.testing.assert_array_equal(model.layers[0].states, before)
    for now, then in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)
    assert free.layers["lstm"].h_begin[0] == pytest.approx(np.sqrt(3 * 0.3**2))
    assert free.layers["lstm"].unit_h.shape == (N, 1)
    assert timeline.layers["lstm"].begin.tolist() == ["first", "carried", "reset", "carried"]
    assert str(timeline) == (
        "lstm: states were carried over 2 of 3 times; reset once, before batch 2"
    )
    with pytest.raises(ValueError, match="reset_every must be at least 1"):
        state_timeline(model, data[0], 2, reset_every=0)
    with pytest.raises(ValueError, match="2 samples"):
        state_timeline(model, data[0], 3)
    np.testing.assert_array_equal(model.layers[0].states, before)


def test_few_batches(data):
    model, watch = stateful_model(), StateTimeline()
    assert str(watch.timeline) == "no batch has run"
    assert str(state_timeline(model, data[0][:2], 2)) == (
        "lstm: one batch has run, so that nothing could be carried over"
    )


def test_what_cannot_be_watched_is_said_before_anything_runs(data):
    model = Sequential([Input((3, 5)), LSTM(3), Dense(1)])
    model.compile("sgd", "mse")
    weights = model.get_weights()
    with pytest.raises(ValueError, match="no layer of 'sequential' carries states.*stateful=True"):
        fit(model, data, StateTimeline())
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    for options, error in (
        ({"units": 3}, "unit of 'lstm' must be an integer from 0 to 2, got 3"),
        ({"sample": 2}, "sample of 'lstm' must be an integer from 0 to 1, got 2"),
    ):
        with pytest.raises(IndexError, match=error):
            fit(stateful_model(), data, StateTimeline(**options))
    for options in ({"units": [0.5]}, {"units": "a"}, {"sample": 1.5}, {"sample": True}):
        with pytest.raises(TypeError, match="must be an integer, got"):
            StateTimeline(**options)


def test_one_timeline_is_of_one_model(data):
    watch = StateTimeline()
    one, other = stateful_model(), stateful_model()
    fit(one, data, watch)
    words = str(watch.timeline)
    with pytest.raises(ValueError, match="of <Sequential.*; watch those of <Sequential"):
        fit(other, data, watch)
    assert str(watch.timeline) == words
    fit(one, data, watch)
    part = Sequential([Input(batch_shape=(2, 3, 5)), one.layers[0]])  # the same states
    part.predict(data[0], batch_size=2, verbose=0, callbacks=[watch])
    assert len(watch.timeline.batch) == 7 * N
    inner = LSTM(2, stateful=True, return_sequences=True)
    one = Sequential([Input(batch_shape=(2, 3, 5)), inner, LSTM(3, stateful=True)])
    watch = StateTimeline()
    one.predict(data[0], batch_size=2, verbose=0, callbacks=[watch])
    part = Sequential([Input(batch_shape=(2, 3, 5)), inner])  # some of them
    with pytest.raises(ValueError, match="with another one"):
        part.predict(data[0], batch_size=2, verbose=0, callbacks=[watch])
    assert len(watch.timeline.batch) == N


def test_next_to_the_batch():
    calls = []

    def named(name, inner):
        one = LambdaCallback(
            on_train_batch_begin=lambda batch, logs: calls.append(f"{name} begin"),
            on_train_batch_end=lambda batch, logs: calls.append(f"{name} end"),
            on_epoch_end=lambda epoch, logs: calls.append(f"{name} epoch"),
        )
        one.next_to_batch = inner
        return one

    some = CallbackList([named("a", True), named("b", False), named("c", False)])
    some.on_train_batch_begin(0)
    some.on_train_batch_end(0)
    some.on_epoch_end(0)
    assert " ".join(calls) == ("b begin c begin a begin a end b end c end a epoch b epoch c epoch")


# ------------------------------------------------------------------------------------- the picture
def test_picture_of_a_timeline(data):
    pytest.importorskip("matplotlib")
    with pytest.raises(TypeError, match="pass a StateTimeline, or what .* returns, got int"):
        plots.state_timeline(3)
    model, watch = stateful_model(), StateTimeline(units=[1])
    fit(model, data, ResetAt("on_epoch_begin"), watch, validation_data=data)
    ax = plots.state_timeline(watch)
    lines = {line.get_label(): line for line in ax.lines}
    record = watch.timeline.layers["lstm"]
    at, values = lines["norm of c"].get_data()
    assert np.isnan(values).sum() == 3  # broken where it begins, and at two resets
    np.testing.assert_array_equal(np.array(at)[at == 2 * N], [2 * N] * 3)
    ends = ax.lines[1].get_data()
    np.testing.assert_array_equal(ends, [np.arange(6 * N) + 1, record.c_end])
    assert lines["reset"].get_xdata()[0] == 2 * N
    shaded = [patch.get_x() for patch in ax.patches]
    assert shaded == [N, 3 * N, 5 * N]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2"]
    assert ax.get_title().replace("\n", " ") == str(watch.timeline)
    ax.figure.draw_without_rendering()

    part = plots.state_timeline(watch.timeline, last=5)
    assert part.get_xlim() == (6 * N - 5, 6 * N)
    assert part.get_title().startswith("lstm, the last 5 of 24 batches")
    with pytest.raises(ValueError, match="there are lstm; got 'other'"):
        plots.state_timeline(watch, layer="other")
    with pytest.raises(ValueError, match="empty"):
        plots.state_timeline(StateTimeline())

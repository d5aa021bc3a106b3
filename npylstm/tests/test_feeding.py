"""Generators, iterators and datasets in the place of arrays: what is used, and what is said."""

import itertools
import warnings
from collections import deque

import numpy as np
import pytest

from npylstm import Sequential, utils
from npylstm.callbacks import Callback, LambdaCallback, SwapEMAWeights
from npylstm.feeding import Arrays, comes_in_batches
from npylstm.layers import LSTM, Dense, Input
from npylstm.optimizers import SGD

T, D, K = 3, 2, 4


@pytest.fixture(params=["numba", "numpy"], autouse=True)
def backend(request):
    from npylstm import using_backend

    with using_backend(request.param):
        yield


@pytest.fixture
def batches(rng):
    """Five batches of other sizes and other numbers of timesteps."""
    return [
        (rng.normal(size=(size, steps, D)), rng.normal(size=(size, K)))
        for size, steps in ((4, 3), (3, 5), (1, 2), (2, 3), (5, 1))
    ]


def make(built=True, optimizer="sgd"):
    model = Sequential([Input((None, D))] * built + [LSTM(5), Dense(K)])
    model.compile(optimizer, "mse")
    return model


def trained(start, batches):
    """Return the weights after these batches, trained on by hand from those of a model."""
    model = make()
    model.set_weights(start)
    for batch in batches:
        model.train_on_batch(*batch)
    return model.get_weights()


def assert_equal(ours, others):
    for one, other in zip(ours, others, strict=True):
        np.testing.assert_array_equal(one, other)


class Dataset:
    """Nothing but what a dataset must have."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        return self.batches[i]


class Iterable:
    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


class Endless(utils.PyDataset):
    def __init__(self, batches):
        super().__init__(workers=4)
        self.batches = batches

    num_batches = None

    def __getitem__(self, i):
        return self.batches[i % len(self.batches)]


def test_what_comes_in_batches(batches):
    class Array:
        def __array__(self):
            return np.ones(3)

        def __len__(self):
            return 3

        def __getitem__(self, i):
            return 1.0

    for arrays in (np.ones(3), [1.0], (1.0,), range(3), deque([1.0]), "abc", {1: 2}, Array(), 1):
        assert not comes_in_batches(arrays)
    assert not comes_in_batches(None) and not comes_in_batches(Dataset)
    for source in (iter([]), (b for b in []), zip([], [], strict=True), map(abs, [])):
        assert comes_in_batches(source)
    for kind in (Dataset, Iterable, Endless):
        assert comes_in_batches(kind(batches))


@pytest.mark.parametrize("kind", [iter, Iterable, Dataset, lambda batches: (b for b in batches)])
def test_an_epoch_is_all_batches_in_order(kind, batches):
    model = make()
    start = model.get_weights()
    history = model.fit(kind(batches), shuffle=False, verbose=0)
    assert_equal(model.get_weights(), trained(start, batches))
    assert history.params["steps"] == (5 if kind is Dataset else None)
    sizes = [len(x) for x, _ in batches]
    losses = [model.test_on_batch(*batch) for batch in batches]
    mean = np.average(losses, weights=sizes)
    assert model.evaluate(kind(batches), verbose=0) == pytest.approx(mean, rel=1e-12)
    outputs = np.concatenate([model.predict_on_batch(x) for x, _ in batches])
    np.testing.assert_array_equal(model.predict(kind(batches), verbose=0), outputs)


@pytest.mark.parametrize("kind", [Iterable, Dataset])
def test_what_can_be_passed_through_again_is(kind, batches):
    model = make()
    start = model.get_weights()
    model.fit(kind(batches), epochs=2, shuffle=False, verbose=0)
    assert_equal(model.get_weights(), trained(start, 2 * batches))
    model.set_weights(start)
    with pytest.warns(UserWarning, match="x ran out of batches after 1 of 4: what comes next"):
        history = model.fit(kind(batches), epochs=3, steps_per_epoch=4, shuffle=False, verbose=0)
    assert_equal(model.get_weights(), trained(start, batches + batches[:4]))
    assert history.epoch == [0, 1, 2]


def test_a_generator_at_its_end_ends_training(batches):
    model = make()
    start = model.get_weights()
    for steps, epochs, message in (
        (None, 1, "x ran out of batches, so training ends: a generator is passed through once"),
        (3, 2, "x ran out of batches after 2 of 3, so training ends: a generator"),
    ):
        model.set_weights(start)
        with pytest.warns(UserWarning, match=message) as caught:
            history = model.fit(
                (b for b in batches), epochs=9, steps_per_epoch=steps, verbose=0,
                validation_data=batches[0],
            )  # fmt: skip
        assert len(caught) == 1
        assert history.epoch == list(range(epochs)) and len(history.history["val_loss"]) == epochs
        assert_equal(model.get_weights(), trained(start, batches))
    model.set_weights(start)
    with pytest.warns(UserWarning, match="x ran out of batches, so training ends"):
        history = model.fit((b for b in batches[:4]), epochs=3, steps_per_epoch=2, verbose=0)
    assert history.epoch == [0, 1]
    assert_equal(model.get_weights(), trained(start, batches[:4]))


def test_a_generator_is_taken_from_no_more_than_is_used(batches):
    source, model = itertools.cycle(batches), make()
    model.fit(source, steps_per_epoch=2, epochs=2, verbose=0)
    assert next(source) is batches[4]
    model.evaluate(source, steps=1, verbose=0)
    model.predict(source, steps=2, verbose=0)
    assert next(source) is batches[3]


def test_validation_goes_on_with_a_generator_until_its_end(batches):
    model = make()
    x, y = batches[0]
    source = (b for b in batches)
    with pytest.warns(UserWarning, match="validation_data ran out of batches after 1 of 2, so no"):
        history = model.fit(
            x, y, epochs=5, validation_data=source, validation_steps=2, verbose=0
        ).history
    assert len(history["loss"]) == 5 and len(history["val_loss"]) == 3


@pytest.mark.parametrize("kind", [Endless, itertools.cycle, lambda b: itertools.repeat(b[0])])
def test_what_never_ends_needs_a_number_of_steps(kind, batches):
    model = make()
    with pytest.raises(ValueError, match="x is a .* without an end.*pass steps_per_epoch"):
        model.fit(kind(batches), verbose=0)
    with pytest.raises(ValueError, match="pass steps$"):
        model.evaluate(kind(batches), verbose=0)
    with pytest.raises(ValueError, match="pass steps$"):
        model.predict(kind(batches), verbose=0)
    with pytest.raises(ValueError, match="validation_data is a .*pass validation_steps"):
        model.fit(*batches[0], validation_data=kind(batches), verbose=0)
    assert model.optimizer.iterations == 0
    model.fit(kind(batches), steps_per_epoch=7, verbose=0)
    assert model.optimizer.iterations == 7


def test_an_error_in_the_middle_goes_through(batches):
    def source():
        yield from batches[:2]
        raise KeyError("the file is gone")

    model = make()
    start = model.get_weights()
    with pytest.raises(KeyError, match="the file is gone"):
        model.fit(source(), verbose=0)
    assert_equal(model.get_weights(), trained(start, batches[:2]))
    assert model.optimizer.iterations == 2
    model.fit(*batches[2], verbose=0)
    assert_equal(model.get_weights(), trained(start, batches[:3]))


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ((np.ones((2, T, D + 1)), np.ones((2, K))), ValueError, "was built for 2 features"),
        ((np.ones((2, T, D)), np.ones((3, K))), ValueError, "unequal numbers of samples"),
        ((np.ones((2, T, D)),), ValueError, "y is missing"),
        (np.ones((2, T, D)), ValueError, "y is missing"),
        ((np.ones((0, T, D)), np.ones((0, K))), ValueError, "was given no samples"),
        ({"x": 1}, TypeError, r"a batch must be a tuple \(x, y\).*got a dict"),
        ((1, 2, 3, 4), TypeError, "got a tuple of 4"),
    ],
)
def test_wrong_batches(wrong, error, message, batches):
    model = make()
    start = model.get_weights()
    with pytest.raises(error, match=f"in batch 0 of x: .*{message}"):
        model.fit((b for b in [wrong]), verbose=0)
    assert_equal(model.get_weights(), start)
    with pytest.raises(error, match=f"in batch 1 of x: .*{message}"):
        model.fit(iter([batches[0], wrong]), verbose=0)
    assert_equal(model.get_weights(), trained(start, batches[:1]))
    with pytest.raises(error, match="in batch 0 of validation_data: "):
        model.fit(*batches[0], validation_data=iter([wrong]), verbose=0)
    assert model.optimizer.iterations == 1


def test_a_model_stays_unbuilt_if_the_first_batch_does_not_fit(batches):
    model = make(built=False)
    with pytest.raises(ValueError, match="in batch 0 of x"):
        model.fit(iter([(batches[0][0], np.ones((4, K + 1)))]), verbose=0)
    assert not model.built
    model.fit(Iterable(batches), verbose=0)
    assert model.built


def test_wrong_arguments(batches):
    model = make()
    x, y = batches[0]
    cases = [
        ({"x": iter(batches), "y": y}, ValueError, "whose batches are .* leave y out"),
        ({"x": Dataset(batches), "sample_weight": y}, ValueError, "leave sample_weight out"),
        ({"x": iter(batches), "validation_split": 0.5}, ValueError, "is for arrays, and x is a li"),
        ({"x": iter([])}, ValueError, "x has no batches: the list_iterator is at its end"),
        ({"x": Dataset([])}, ValueError, "x has no batches: the Dataset is empty"),
        ({"x": Iterable([])}, ValueError, "x has no batches: the Iterable is empty"),
        ({"x": x, "y": y, "steps_per_epoch": 2.0}, TypeError, "steps_per_epoch must be an integer"),
        ({"x": x, "y": y, "steps_per_epoch": 0}, ValueError, "steps_per_epoch must be at least 1"),
        ({"x": x, "y": y, "validation_steps": -1}, ValueError, "validation_steps must be at least"),
        ({"x": x, "y": y, "validation_data": 3}, ValueError, "or make such batches .*got a int"),
        (
            {"x": iter([(x, y, y[:, 0])]), "class_weight": {0: 2.0}},
            ValueError,
            "in batch 0 of x: give either class_weight or sample_weight",
        ),
    ]
    for options, error, message in cases:
        with pytest.raises(error, match=message):
            model.fit(**options, verbose=0)
    with pytest.raises(ValueError, match="x has no batches"):
        model.evaluate(iter([]), verbose=0)
    with pytest.raises(TypeError, match="steps must be an integer"):
        model.predict(x, steps="2", verbose=0)
    assert model.optimizer.iterations == 0


def test_predictions_that_cannot_be_joined(rng):
    model = Sequential([Input((None, D)), LSTM(5, return_sequences=True)])
    parts = [rng.normal(size=(2, steps, D)) for steps in (3, 4)]
    with pytest.raises(ValueError, match=r"batch 1 have the shape \(4, 5\) a sample.*\(3, 5\)"):
        model.predict(iter(parts), verbose=0)
    assert model.predict(iter(parts[:1]), verbose=0).shape == (2, 3, 5)


def test_a_stateful_model_takes_batches_of_its_size_only(batches):
    model = Sequential([Input(batch_shape=(4, None, D)), LSTM(5, stateful=True), Dense(K)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="in batch 1 of x: this stateful model .* 4 samples .* 3"):
        model.fit(iter(batches), verbose=0)
    assert model.optimizer.iterations == 1
    x, y = np.ones((10, T, D)), np.ones((10, K))
    model.fit(x, y, steps_per_epoch=1, epochs=2, verbose=0)  # the first 8 samples
    assert model.predict(x, steps=2, verbose=0).shape == (8, K)
    for call in (
        lambda: model.fit(x, y, steps_per_epoch=1, epochs=3, verbose=0),
        lambda: model.evaluate(x, y, verbose=0),
    ):
        with pytest.raises(ValueError, match="got 10 samples in batches of 4"):
            call()


def test_class_weight_counts_in_each_batch(batches):
    """Of generators too, which Keras refuses."""
    weights = np.array([3.0, 1.0, 0.5, 1.0])
    weighted = [(x, y, weights[y.argmax(axis=1)]) for x, y in batches]
    model = make()
    start = model.get_weights()
    model.fit(iter(batches), class_weight={0: 3.0, 2: 0.5}, verbose=0)
    assert_equal(model.get_weights(), trained(start, weighted))


def test_datasets_are_shuffled_by_batches(batches):
    orders = []
    for shuffle in (True, True, False):
        asked = []
        source = Dataset(batches)
        source.__class__ = type(
            "Asked",
            (Dataset,),
            {"__getitem__": lambda self, i, asked=asked: asked.append(i) or self.batches[i]},
        )
        utils.set_random_seed(3)
        make().fit(source, epochs=4, shuffle=shuffle, verbose=0)
        assert asked[0] == 0  # before it begins
        orders.append([asked[1 + 5 * epoch : 6 + 5 * epoch] for epoch in range(4)])
    shuffled, again, straight = orders
    assert shuffled == again and straight == 4 * [[0, 1, 2, 3, 4]]
    assert len(set(map(tuple, shuffled))) > 1
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in shuffled)


def test_shuffling_within_batches():
    x = np.arange(10).reshape(10, 1, 1)
    feed = Arrays(type("Samples", (), {"x": x}), 4, shuffle="batch")
    order = feed.epoch()
    assert [sorted(part) for part in np.split(order, [4, 8])] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert order.tolist() != list(range(10)) and order.tolist() != feed.epoch().tolist()


def test_arrays_still_train_many_batches_a_call(rng, monkeypatch):
    x, y = rng.normal(size=(100, T, D)), rng.normal(size=(100, K))
    model = make()
    calls = []
    train = model._train_batches
    monkeypatch.setattr(
        model, "_train_batches", lambda *args: calls.append(args[3]) or train(*args)
    )
    model._seconds_per_batch["train", 2] = 1e-4
    model.fit(x, y, batch_size=2, verbose=0)
    assert calls == [50]
    model.fit(x, y, batch_size=2, steps_per_epoch=20, epochs=2, verbose=0)
    assert sum(calls[1:]) == 40 and len(calls) < 10


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
def test_stopped_before_it_begins_is_stopped_after_one_batch(rng, hook):
    """Also where many batches, or epochs, would go into one call."""
    x, y = rng.normal(size=(20, T, D)), rng.normal(size=(20, K))
    model = make()
    model._seconds_per_batch.update({("train", 2): 1e-4, ("test", 2): 1e-4, ("predict", 2): 1e-4})
    stop = LambdaCallback(
        **{hook: lambda *_: setattr(model, "stop_training", True)},
        on_test_begin=lambda logs: setattr(model, "stop_evaluating", True),
        on_predict_begin=lambda logs: setattr(model, "stop_predicting", True),
    )
    options = {"batch_size": 2, "verbose": 0, "callbacks": [stop]}
    model.fit(x, y, epochs=3, **options)
    assert model.optimizer.iterations == 1
    assert model.evaluate(x, y, **options) == model.test_on_batch(x[:2], y[:2])
    assert model.predict(x, **options).shape == (2, K)


def test_params_have_the_verbosity_that_was_asked_for(batches, capsys):
    assert make().fit(Iterable(batches)).params == {"verbose": "auto", "epochs": 1, "steps": None}
    assert "5step" in capsys.readouterr().out.replace(" ", "")


def test_the_base_of_datasets(batches):
    assert utils.Sequence is utils.PyDataset
    with pytest.raises(TypeError, match="no argument 'worker'; did you mean 'workers'"):
        utils.PyDataset(worker=2)
    with pytest.raises(NotImplementedError, match="must have __len__"):
        make().fit(utils.PyDataset(), verbose=0)
    assert list(itertools.islice(Endless(batches), 6))[5] is batches[0]

    class Counted(utils.PyDataset):
        def __len__(self):
            return 2

    with pytest.raises(NotImplementedError, match="Counted must have __getitem__"):
        make().fit(Counted(), verbose=0)


# --------------------------------------------------------------------------------- SwapEMAWeights
def averaging():
    return make(optimizer=SGD(0.5, use_ema=True, ema_momentum=0.5))


def test_weights_come_back_after_evaluation_and_prediction(batches):
    model, swap = averaging(), SwapEMAWeights()
    x, y = batches[0]
    for _ in range(3):
        model.train_on_batch(x, y)
    weights = model.get_weights()
    mean = model.optimizer.update().average.values.copy()
    plain = model.predict(x, verbose=0), model.evaluate(x, y, verbose=0)
    predicted = model.predict(x, verbose=0, callbacks=[swap])
    evaluated = model.evaluate(x, y, verbose=0, callbacks=[swap])
    assert_equal(model.get_weights(), weights)
    model.memory.parameters[...] = mean
    np.testing.assert_array_equal(model.predict(x, verbose=0), predicted)
    assert model.evaluate(x, y, verbose=0) == evaluated
    assert np.abs(predicted - plain[0]).max() > 1e-6 and evaluated != plain[1]


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_the_mean_is_left_in_the_model_however_training_ends(swap_on_epoch, batches):
    x, y = batches[0]

    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    expected, model = averaging(), averaging()
    model.set_weights(expected.get_weights())
    expected.fit(x, y, epochs=2, shuffle=False, verbose=0)
    some = [SwapEMAWeights(swap_on_epoch), Stop()]
    model.fit(x, y, epochs=5, shuffle=False, verbose=0, callbacks=some)
    assert_equal(model.get_weights(), expected.get_weights())


def test_an_interrupted_swap_is_undone(batches):
    x, y = batches[0]
    model, swap = averaging(), SwapEMAWeights(swap_on_epoch=True)

    def interrupt(epoch, logs):
        seen.append(model.get_weights())
        raise KeyboardInterrupt

    seen = []
    before = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    after = LambdaCallback(on_epoch_end=interrupt)
    model.fit(x, y, epochs=2, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[before, swap, after])
    assert np.abs(seen[0][0] - seen[1][0]).max() > 0
    begin = LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(model.get_weights()))
    model.fit(x, y, verbose=0, callbacks=[swap, begin])
    assert_equal(seen[2], seen[0])


def test_no_mean_to_swap(batches):
    x, y = batches[0]
    with pytest.raises(ValueError, match="needs an optimizer with use_ema=True"):
        make().fit(x, y, validation_data=(x, y), callbacks=[SwapEMAWeights()], verbose=0)
    with pytest.raises(ValueError, match="has not taken a step yet"):
        averaging().evaluate(x, y, callbacks=[SwapEMAWeights()], verbose=0)


def test_nothing_warns_that_need_not(batches):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().fit(iter(batches), verbose=0)
        make().fit(iter(batches), steps_per_epoch=5, verbose=0)
        make().fit(Dataset(batches), steps_per_epoch=5, epochs=2, verbose=0)

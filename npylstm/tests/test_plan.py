"""The flat memory: every weight a view, one vector for one model."""

import copy
import pickle

import numpy as np
import pytest

import npylstm
from npylstm import Sequential
from npylstm.layers import LSTM, Dense, Input
from npylstm.plan import Op


@pytest.fixture
def model():
    model = Sequential([Input((4, 2)), LSTM(3, return_sequences=True), LSTM(5), Dense(6)])
    model.compile("adam", "mse")
    return model


def test_weights_are_views_of_one_vector(model):
    for layer in model.layers:
        for weight in layer.weights:
            assert np.shares_memory(weight, model.memory.parameters)
    assert model.memory.parameters.size == model.count_params()
    model.memory.parameters[:] = 7
    assert all((weight == 7).all() for weight in model.get_weights())


def test_what_kernels_work_on_starts_where_a_cache_line_does(model):
    x, y = np.zeros((3, 4, 2)), np.zeros((3, 6))
    with npylstm.using_backend("numba"):
        model.fit(x, y, verbose=0)
        with model._program(x, 3, with_loss=True) as program:
            frame = program.frame
    for name in ("parameters", "gradients", "arena", "gradient_arena", "workspace"):
        assert getattr(frame, name).ctypes.data % 64 == 0, name


def test_segments_follow_one_another_without_gaps(model):
    end = 0
    for path, segment in model.memory.weight_segments.items():
        assert segment.offset == end, path
        end = segment.slice.stop
    assert end == model.memory.parameters.size == model.memory.gradients.size
    paths = ["lstm", "lstm_1", "dense"]
    assert [p.split("/")[0] for p in model.memory.weight_segments] == (
        [paths[0]] * 3 + [paths[1]] * 3 + [paths[2]] * 2
    )


def test_optimizer_slots_are_as_long_as_the_parameters(model):
    model.train_on_batch(np.zeros((2, 4, 2)), np.ones((2, 6)))
    assert {name: slot.shape for name, slot in model.optimizer.slots.items()} == {
        "m": model.memory.parameters.shape,
        "v": model.memory.parameters.shape,
    }


def test_adding_a_layer_keeps_the_weights_there_are(model):
    before = model.get_weights()
    model.add(Dense(2))
    for old, new in zip(before, model.get_weights(), strict=False):
        np.testing.assert_array_equal(old, new)
    model.pop()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_of_another_models_layers_shares_its_weights(model, rng):
    x = rng.normal(size=(3, 4, 2))
    features = Sequential([Input((4, 2)), *model.layers[:2]])
    np.testing.assert_array_equal(
        features.predict(x, verbose=0), model.layers[1](model.layers[0](x))
    )
    model.fit(x, np.ones((3, 6)), epochs=2, verbose=0)
    np.testing.assert_array_equal(
        features.predict(x, verbose=0), model.layers[1](model.layers[0](x))
    )
    features.compile("sgd", "mse")
    with pytest.raises(ValueError, match="belong to another model .*: train that one"):
        features.fit(x, np.ones((3, 5)), verbose=0)


def test_layers_of_two_models_cannot_be_mixed(model):
    other = Sequential([Input((4, 2)), LSTM(3, return_sequences=True)])
    with pytest.raises(ValueError, match="layer 'lstm' belongs to another model"):
        Sequential([Input((4, 2)), other.layers[0], LSTM(2)])
    assert other.predict(np.zeros((1, 4, 2)), verbose=0).shape == (1, 4, 3)


def test_rows_of_a_plan(model):
    model.add(Dense(3, activation="softmax"))
    plan = model.make_plan((7, 4, 2))
    assert [Op(row["op"]) for row in plan.rows] == [
        Op.LSTM, Op.LSTM, Op.DENSE, Op.DENSE, Op.ACTIVATION,
    ]  # fmt: skip
    first, second = plan.rows[0], plan.rows[1]
    assert (first["T"], first["B"], first["D"], first["U"]) == (4, 7, 2, 3)
    # The sequence that the first LSTM gives is h[1:], where it lies: no copy in between.
    assert second["x"] == first["h"] + 7 * 3
    assert plan.outputs[0].shape == (7, 3)
    assert plan.arena.size == plan.gradient_arena.size
    lines = plan.describe().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("0  LSTM ") and "x=0  h=56" in lines[0] and "mode=ZEROS" in lines[0]
    assert lines[4].endswith("activation=softmax")


def test_copies_are_independent(model, rng):
    x, y = rng.normal(size=(3, 4, 2)), np.ones((3, 6))
    model.fit(x, y, verbose=0)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        before = model.predict(x, verbose=0)
        np.testing.assert_array_equal(other.predict(x, verbose=0), before)
        other.fit(x, y, epochs=2, verbose=0)
        np.testing.assert_array_equal(model.predict(x, verbose=0), before)
        assert (other.predict(x, verbose=0) != before).any()
        assert other.optimizer.iterations == 3


def test_a_layer_is_in_a_model_once(model):
    with pytest.raises(ValueError, match="layer 'dense' is in this model already"):
        model.add(model.layers[-1])

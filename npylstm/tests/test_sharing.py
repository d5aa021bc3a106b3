"""Layers, models and optimizers that meet each other more than once."""

import numpy as np
import pytest

from npylstm import Sequential, optimizers
from npylstm.activations import Activation
from npylstm.layers import LSTM, Bidirectional, Dense, Dropout, Input, TimeDistributed
from npylstm.reference import activations as reference_activations
from npylstm.utils import set_random_seed

T, D = 3, 2


@pytest.fixture
def x(rng):
    return rng.normal(size=(6, T, D)).astype("float32")


def test_a_model_of_shared_layers_follows_when_their_owner_grows(x):
    owner = Sequential([Input((T, D)), LSTM(4)])
    part = Sequential(owner.layers)
    before = part.predict(x, verbose=0)
    owner.add(Dense(1))
    np.testing.assert_array_equal(part.predict(x, verbose=0), before)
    owner.set_weights([np.zeros_like(w) for w in owner.get_weights()])
    assert not part.predict(x, verbose=0).any() and not any(w.any() for w in part.get_weights())


def test_shared_stateful_layers_keep_their_batch_size(x):
    owner = Sequential([Input(batch_shape=(3, T, D)), LSTM(4, stateful=True)])
    owner.predict(x[:3], verbose=0)
    states = owner.layers[0].states
    with pytest.raises(ValueError, match="carries the states of 3 samples, not of 1"):
        Sequential([Input(batch_shape=(1, T, D)), *owner.layers])
    with pytest.raises(ValueError, match="needs a fixed number of samples"):
        Sequential([Input((T, D)), *owner.layers])
    np.testing.assert_array_equal(states, owner.layers[0].states)


def test_states_and_weights_survive_an_added_layer(x):
    model = Sequential([Input(batch_shape=(3, T, D)), LSTM(4, stateful=True)])
    model.predict(x[:3], verbose=0)
    states, weights = model.layers[0].states, model.get_weights()
    model.add(Dense(2))
    np.testing.assert_array_equal(states, model.layers[0].states)
    np.testing.assert_array_equal(weights[0], model.get_weights()[0])


def test_a_popped_layer_can_be_used_again(x):
    model = Sequential([Input((T, D)), LSTM(4), Dense(1)])
    dense = model.pop()
    weights = dense.get_weights()
    other = Sequential([Input((4,)), dense])
    other.compile("sgd", "mse")
    np.testing.assert_array_equal(other.get_weights()[0], weights[0])
    other.fit(np.ones((5, 4)), np.ones(5), verbose=0)
    assert model.predict(x, verbose=0).shape == (6, 4)
    model.pop()
    model.add(LSTM(3))
    assert model.input_shape == (None, T, D)


def test_one_optimizer_trains_one_model(x):
    adam = optimizers.Adam()
    models = [Sequential([Input((T, D)), LSTM(units), Dense(1)]) for units in (2, 2)]
    for model in models:
        model.compile(adam, "mse")
    models[0].fit(x, np.ones(6), verbose=0)
    with pytest.raises(ValueError, match="trains another model .* an optimizer of its own"):
        models[1].fit(x, np.ones(6), verbose=0)
    models[0].fit(x, np.ones(6), verbose=0)
    assert adam.iterations == 2


def test_a_model_or_layer_built_for_wrong_data_is_unbuilt_again(x):
    layer = LSTM(3)
    with pytest.raises(ValueError, match="no features"):
        layer(np.zeros((2, 3, 0)))
    with pytest.raises(ValueError, match="takes 2 initial states, got 1"):
        layer(np.zeros((2, 3, 7)), initial_state=[np.zeros((2, 3))])
    assert layer(x).shape == (6, 3)
    model = Sequential([LSTM(3), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="unequal numbers of samples"):
        model.fit(np.zeros((6, T, 7)), np.ones(5), verbose=0)
    assert not model.built
    model.fit(x, np.ones(6), verbose=0)


def test_time_distributed_takes_the_weights_of_a_built_layer(x):
    dense = Dense(3)
    dense(x)
    before = dense.get_weights()
    out = TimeDistributed(dense)(x)
    np.testing.assert_array_equal(before[0], dense.get_weights()[0])
    np.testing.assert_allclose(out, dense(x), rtol=1e-6)


def test_time_distributed_does_not_take_a_layer_from_a_model(x):
    model = Sequential([Input((T, D)), Dense(4)])
    with pytest.raises(ValueError, match="layer 'dense' belongs to another model"):
        TimeDistributed(model.layers[0])(x)
    assert model.predict(x, verbose=0).shape == (6, T, 4)


def test_one_layer_is_in_a_model_once_even_inside_others():
    dense = Dense(2)
    with pytest.raises(ValueError, match="layer 'dense' is in this model already"):
        Sequential([Input((T, D)), TimeDistributed(dense), TimeDistributed(dense)])
    with pytest.raises(ValueError, match="layer 'dense' is in this model already"):
        Sequential([Input((T, D)), dense, TimeDistributed(dense)])


def test_a_layer_taken_elsewhere_is_noticed(x):
    dense = Dense(3)
    wrapper = TimeDistributed(dense)
    wrapper(x)
    Sequential([Input((T, D)), dense])
    with pytest.raises(RuntimeError, match="'dense' has since been taken into another model"):
        wrapper(x)


def test_both_directions_have_weights_whatever_their_names(x):
    layer = Bidirectional(LSTM(3), backward_layer=LSTM(3, go_backwards=True, name="forward_lstm"))
    layer(x)
    assert len(layer.get_weights()) == 6


@pytest.mark.parametrize("inner", [LSTM(3, return_state=True), LSTM(3)])
def test_time_distributed_needs_one_output(inner, rng):
    layer = TimeDistributed(Bidirectional(inner, merge_mode=None))
    with pytest.raises(ValueError, match="needs a layer with one output"):
        layer(rng.normal(size=(2, 3, 4, 2)))


def test_an_initializer_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"gave an array of shape \(1,\), expected \(2, 12\)"):
        LSTM(3, kernel_initializer=lambda shape, dtype: np.ones(1))(np.zeros((1, T, D)))


def test_an_activation_named_softmax_is_not_taken_for_softmax(x):
    own = Activation("softmax", lambda z: z * 0 + 0.25, lambda dy, z, y: dy * 0)
    model = Sequential([Input((T, D)), LSTM(3), Dense(4, activation=own)])
    model.compile("sgd", "categorical_crossentropy")
    y = np.eye(4)[[0, 1, 2, 3, 0, 1]]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(np.log(4))
    standard = Activation(*reference_activations.softmax)
    assert standard == reference_activations.softmax


def test_set_weights_may_be_given_the_models_own_views():
    layer = Dense(2, use_bias=False)
    layer.build((None, 2))
    other = Dense(2, use_bias=False)
    other.build((None, 2))
    model = Sequential([Input((2,)), layer, other])
    first, second = model.get_weights()
    model.set_weights(model.weights[::-1])
    np.testing.assert_array_equal(model.get_weights(), [second, first])


def test_dropout_of_a_copy_follows_the_seed(x):
    import copy

    model = Sequential([Input((T, D)), Dropout(0.5)])
    outputs = []
    for one in (model, copy.deepcopy(model)):
        set_random_seed(3)
        outputs.append(one(x, training=True))
    np.testing.assert_array_equal(*outputs)
    assert (model(x) == x).all()


def test_sample_weights_of_outputs_with_more_axes(rng):
    x = rng.normal(size=(3, 5, 6, 2))
    y = rng.normal(size=(3, 5, 6, 1))
    model = Sequential(
        [
            Input((5, 6, 2)),
            TimeDistributed(LSTM(4, return_sequences=True, dtype="float64"), dtype="float64"),
            Dense(1, dtype="float64"),
        ]
    )
    model.compile("sgd", "mse")
    errors = ((model(x) - y) ** 2).mean(axis=-1)
    for weight in (rng.random(3), rng.random((3, 5))):
        wide = weight.reshape(weight.shape + (1,) * (3 - weight.ndim))
        loss = model.loss_and_gradients(x, y, weight)[0]
        assert loss == pytest.approx((errors * wide).mean(), rel=1e-12)


def test_steps_are_counted_when_an_activation_raises():
    calls = []

    def fail_at_the_fourth(z):
        calls.append(None)
        if len(calls) == 4:
            raise ArithmeticError("out of luck")
        return z

    act = Activation("fragile", fail_at_the_fourth, lambda dy, z, y: dy)
    model = Sequential([Input((2,)), Dense(1, activation=act)])
    model.compile("sgd", "mse")
    model._seconds_per_batch["train", 1] = 1e-6  # so that all batches are one call
    with pytest.raises(ArithmeticError, match="out of luck"):
        model.fit(np.ones((6, 2)), np.ones(6), batch_size=1, verbose=0)
    assert model.optimizer.iterations == 3


def test_get_layer():
    model = Sequential([Input((T, D)), LSTM(4), Dense(1)])
    assert model.get_layer("dense") is model.get_layer(index=-1) is model.layers[1]
    with pytest.raises(ValueError, match="unknown layer 'lstn'; did you mean 'lstm'"):
        model.get_layer("lstn")

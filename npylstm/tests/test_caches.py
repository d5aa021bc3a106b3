"""forward and backward of single layers, and training layers without a model around them."""

import copy
import gc
import pickle

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, optimizers
from npylstm.layers import LSTM, RNN, Dense, Dropout, Input, LSTMCell

B, T, D, U, K = 4, 5, 3, 6, 2


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request):
    with npylstm.using_backend(request.param):
        yield request.param


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D))


def lstm(**options):
    return LSTM(U, return_sequences=True, dtype="float64", **options)


def assert_same(one, other):
    """Demand that two Gradients are equal to the bit."""
    np.testing.assert_array_equal(one.dx, other.dx)
    for mine, theirs in zip(one.dinitial_state, other.dinitial_state, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for name, weight in one.weights.items():
        np.testing.assert_array_equal(weight, other.weights[name])


def test_gradients_against_central_differences(rng, x):
    layer = lstm(return_state=True)
    states, douts = list(rng.normal(size=(2, B, U))), rng.normal(size=(B, T, U))
    dc = rng.normal(size=(B, U))

    def loss():
        sequence, _, c = layer(x, states)
        return np.sum(sequence * douts) + np.sum(c * dc)

    (_, cache) = layer.forward(x, states)
    gradients = layer.backward([douts, None, dc], cache)
    inputs = [x, *states, layer.kernel, layer.recurrent_kernel, layer.bias]
    all_gradients = [gradients.dx, *gradients.dinitial_state, *gradients.weights.values()]
    for array, gradient in zip(inputs, all_gradients, strict=True):
        index = tuple(rng.integers(size) for size in array.shape)
        value, step = array[index], 1e-6
        array[index] = value + step
        up = loss()
        array[index] = value - step
        down = loss()
        array[index] = value
        assert gradient[index] == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-9)


def test_many_caches_at_a_time(rng, x):
    layer, others = lstm(), rng.normal(size=(3, B, T, D))
    dout = rng.normal(size=(B, T, U))
    alone = []
    for one in (x, *others):
        _, cache = layer.forward(one)
        alone.append(layer.backward(dout, cache))
    del cache
    gc.collect()
    caches = [layer.forward(one)[1] for one in (x, *others)]
    layer(others[0])
    for _ in range(2):
        for cache, expected in zip(caches, alone, strict=True):
            assert_same(layer.backward(dout, cache), expected)
    arenas = {id(cache.program) for cache in caches}
    assert len(arenas) == 4
    del caches, cache  # their programs are lent again
    assert id(layer.forward(x)[1].program) in arenas


def test_a_model_that_trains_is_not_disturbed(rng, x):
    def train(meanwhile):
        npylstm.utils.set_random_seed(4)
        model = Sequential([Input((T, D)), lstm(), Dense(K, dtype="float64")])
        model.compile("adam", "mse")
        y = rng_y
        for _ in range(2):
            loss, gradients = model.loss_and_gradients(x, y)
            before = model.memory.gradients.copy()
            if meanwhile:
                outputs, cache = model.layers[0].forward(x[:3])
                model.layers[0].backward(np.ones_like(outputs), cache)
            np.testing.assert_array_equal(model.memory.gradients, before)
            model.train_on_batch(x, y)
        return model.get_weights()

    rng_y = rng.normal(size=(B, T, K))
    for one, other in zip(train(False), train(True), strict=True):
        np.testing.assert_array_equal(one, other)


def test_dropout_takes_the_same_way_back(rng):
    layer, ones = Dropout(0.4, dtype="float64"), np.ones((30, 20))
    y, cache = layer.forward(ones, training=True)
    assert 0.3 < (y == 0).mean() < 0.5
    for _ in range(2):
        np.testing.assert_array_equal(layer.backward(ones, cache).dx, y)
        layer.forward(ones, training=True)
    y, cache = layer.forward(ones)
    np.testing.assert_array_equal(layer.backward(ones, cache).dx, ones)


def test_a_stateful_layer_carries_on(rng, x):
    layer, plain = lstm(stateful=True), lstm()
    plain.build(x.shape)
    layer.build(x.shape)
    plain.set_weights(layer.get_weights())
    first, cache = layer.forward(x)
    states = layer.states
    second, later = layer.forward(x)
    np.testing.assert_array_equal(second, plain(x, states))
    dout = rng.normal(size=first.shape)
    carried = layer.states
    _, plain_cache = plain.forward(x)
    np.testing.assert_allclose(
        layer.backward(dout, cache).dx, plain.backward(dout, plain_cache).dx, rtol=1e-12
    )
    gradients = layer.backward(dout, later)
    assert gradients.dinitial_state == []
    for one, other in zip(layer.states, carried, strict=True):
        np.testing.assert_array_equal(one, other)  # a backward leaves the states alone
    layer.forward(x, initial_state=states)
    np.testing.assert_allclose(layer.states[0], second[:, -1], rtol=1e-12)


def test_what_does_not_fit_is_said(x):
    layer, other = lstm(return_state=True), lstm()
    _, cache = layer.forward(x)
    other.build(x.shape)
    dout = np.zeros((B, T, U))
    with pytest.raises(TypeError, match="cache must be what forward gave"):
        layer.backward(dout, None)
    with pytest.raises(ValueError, match="each layer its own"):
        other.backward(dout, cache)
    with pytest.raises(ValueError, match="'lstm' has 3 outputs.*None for zeros; got 1"):
        layer.backward(dout, cache)
    with pytest.raises(ValueError, match=r"shape of its output, \(4, 6\), got \(4, 5, 6\)"):
        layer.backward([dout, dout, None], cache)
    with pytest.raises(ValueError, match="takes 0 initial states, got 2"):
        Dense(3).forward(x, initial_state=[x, x])
    fresh = lstm()
    with pytest.raises(ValueError, match="initial states of layer 'lstm' must have the shape"):
        fresh.forward(x, [x, x])
    assert not fresh.built
    fitted = layer.backward([dout + 1, None, None], cache)
    layer.kernel[0, 0] += 1
    with pytest.raises(RuntimeError, match="weights of layer 'lstm' have changed since"):
        layer.backward([dout + 1, None, None], cache)
    layer.kernel[0, 0] -= 1
    np.testing.assert_allclose(
        layer.backward([dout + 1, None, None], layer.forward(x)[1]).dx, fitted.dx, rtol=1e-9
    )
    bare = LSTM(U, activation=lambda z: z / 2)
    outputs, cache = bare.forward(x)
    with pytest.raises(ValueError, match="has no derivative.*has no backward"):
        bare.backward(outputs, cache)


# -------------------------------------------------------------------------------- apply_gradients
def two_layers(rng):
    layers = [LSTM(U), Dense(K)]
    layers[0].build((None, T, D))
    layers[1].build((None, U))
    for layer in layers:
        layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return layers


def gradients_of(layers, x):
    hidden, cache = layers[0].forward(x)
    outputs, last_cache = layers[1].forward(hidden)
    last = layers[1].backward(outputs, last_cache)
    return [layers[0].backward(last.dx, cache), last]


@pytest.mark.parametrize("make", [optimizers.SGD, lambda: optimizers.AdamW(use_ema=True)])
def test_it_trains_as_a_model_does(make, rng, x):
    layers = two_layers(rng)
    model = Sequential([Input((T, D)), LSTM(U), Dense(K)])
    model.set_weights([w for layer in layers for w in layer.get_weights()])
    model.compile(make(), "mse")
    optimizer = make()
    for _ in range(3):
        model.train_on_batch(x, np.zeros((B, K)))
        outputs, cache = layers[0].forward(x)
        y, last_cache = layers[1].forward(outputs)
        last = layers[1].backward(2 * y / y.size, last_cache)
        first = layers[0].backward(last.dx, cache)
        optimizer.apply_gradients([(last, layers[1]), (first, layers[0])])
    assert optimizer.iterations == optimizer.batches == 3
    optimizer.finalize()
    model.optimizer.finalize()
    ours = [w for layer in layers for w in layer.get_weights()]
    for one, other in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_gradients_of_one_layer_are_added_up(rng, x):
    layers, same = two_layers(rng), two_layers(rng)
    for one, other in zip(layers, same, strict=True):
        other.set_weights(one.get_weights())
    first, last = gradients_of(layers, x)
    optimizers.SGD(0.1).apply_gradients([(first, layers[0]), (last, layers[1]), (first, layers[0])])
    twice = first._replace(weights={name: 2 * g for name, g in first.weights.items()})
    optimizers.SGD(0.1).apply_gradients([(twice, same[0]), (last, same[1])])
    for one, other in zip(layers, same, strict=True):
        for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_what_does_not_belong_together_is_refused(rng, x):
    layers, optimizer = two_layers(rng), optimizers.Adam()
    with pytest.raises(RuntimeError, match="has no weights yet"):
        optimizer.build_for([*layers, Dense(3)])
    with pytest.raises(ValueError, match="each once"):
        optimizer.build_for([layers[0], layers[0]])
    double = Dense(3, dtype="float64")
    double.build((None, 2))
    with pytest.raises(ValueError, match="share one dtype"):
        optimizer.build_for([*layers, double])
    model = Sequential([Input((T, D)), LSTM(U)])
    with pytest.raises(ValueError, match="belongs to another model"):
        optimizer.build_for([layers[1], model.layers[0]])
    assert optimizer.memory is None
    pairs = list(zip(gradients_of(layers, x), layers, strict=True))
    optimizer.apply_gradients(pairs)
    before = [w for layer in layers for w in layer.get_weights()]
    with pytest.raises(ValueError, match=r"\['lstm', 'dense'\] together.*got some for \['lstm'\]"):
        optimizer.apply_gradients(pairs[:1])
    for one, other in zip(before, [w for a in layers for w in a.get_weights()], strict=True):
        np.testing.assert_array_equal(one, other)
    model.compile(optimizer, "mse")
    with pytest.raises(ValueError, match="trains another model"):
        model.fit(x, np.zeros((B, U)), verbose=0)
    compiled = optimizers.Adam()
    model.compile(compiled, "mse")
    model.train_on_batch(x, np.zeros((B, U)))
    for method, argument in ((compiled.apply_gradients, pairs), (compiled.build_for, layers)):
        with pytest.raises(ValueError, match="trains a model.*make a new optimizer"):
            method(argument)


def test_a_model_made_of_the_trained_layers_predicts(rng, x):
    layers = two_layers(rng)
    optimizers.Adam().apply_gradients(zip(gradients_of(layers, x), layers, strict=True))
    model = Sequential([Input((T, D)), *layers])
    np.testing.assert_array_equal(model.predict(x, verbose=0), layers[1](layers[0](x)))


def test_copies_train_on_their_own(rng, x):
    layers, optimizer = two_layers(rng), optimizers.Adam()
    optimizer.apply_gradients(zip(gradients_of(layers, x), layers, strict=True))
    results = []
    for copied in (copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it)), lambda it: it):
        mine, own = copied((layers, optimizer))
        own.apply_gradients(zip(gradients_of(mine, x), mine, strict=True))
        assert own.iterations == 2
        results.append([w for layer in mine for w in layer.get_weights()])
    for others in results[:2]:
        for one, other in zip(others, results[2], strict=True):
            np.testing.assert_array_equal(one, other)


def test_cells_learn_within_a_loop_of_ones_own(rng, x):
    """A step at a time, backward in reverse, is what the layer does by itself."""
    cell = LSTMCell(U, dtype="float64")
    states, caches = cell.get_initial_state(B), []
    for t in range(T):
        (_, states), cache = cell.forward(x[:, t], states)
        caches.append(cache)
    dh, dc = dh_last, _ = rng.normal(size=(2, B, U))
    dc = 0 * dc
    total: dict = {}
    for cache in reversed(caches):
        gradients = cell.backward([dh, dc], cache)
        dh, dc = gradients.dinitial_state
        for name, gradient in gradients.weights.items():
            total[name] = total.get(name, 0) + gradient
    layer = RNN(cell)
    _, cache = layer.forward(x)
    for name, gradient in layer.backward(dh_last, cache).weights.items():
        np.testing.assert_allclose(gradient, total[name.split("/")[1]], rtol=1e-10, atol=1e-13)

"""Features used together: what each does alone must not be undone by another."""

import numpy as np
import pytest

import npylstm
from npylstm import Sequential, optimizers
from npylstm.layers import LSTM, Dense, Embedding, Flatten, Input, Masking, TimeDistributed
from npylstm.losses import CustomLoss

BACKENDS = ("numpy", "numba")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("wrong", [7, -1, 1.5, 1e8])
def test_numbers_that_an_inner_embedding_does_not_know(backend, wrong):
    model = Sequential([Input((2, 3)), Flatten(), Embedding(6, 3), LSTM(4), Dense(2)])
    model.compile("sgd", "mse")
    x = np.zeros((4, 2, 3))
    x[0, 0, 0] = wrong
    with npylstm.using_backend(backend):
        for call in (
            lambda: model.predict(x, verbose=0),
            lambda: model.loss_and_gradients(x, np.ones((4, 2))),
        ):
            with pytest.raises(ValueError, match="it takes integers from 0 to input_dim - 1"):
                call()
        assert np.isfinite(model.predict(x * 0, verbose=0)).all()
        each = Sequential([Input((2, 3)), TimeDistributed(Embedding(6, 3))])
        with pytest.raises(ValueError, match="takes integers from 0 to 5, got"):
            each.predict(x, verbose=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_constraint_that_raises_takes_its_step_back(backend):
    def constraint(w):
        if fails:
            raise RuntimeError("of the user's")
        return w

    fails = False
    lstm = LSTM(3, stateful=True)
    model = Sequential([Input(batch_shape=(4, 4, 3)), lstm, Dense(2, kernel_constraint=constraint)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 4, 3)), np.ones((4, 2))
    with npylstm.using_backend(backend):
        model.fit(x, y, batch_size=4, verbose=0)
        before = [*model.get_weights(), *(slot.copy() for slot in model.optimizer.slots.values())]
        fails = True
        with pytest.raises(RuntimeError, match="of the user's"):
            model.fit(x, y, batch_size=4, verbose=0)
    after = [*model.get_weights(), *model.optimizer.slots.values()]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.optimizer.batches == 1


def test_gradients_that_are_not_a_layers():
    x = np.ones((8, 4, 3))
    first, second = LSTM(3), LSTM(4)
    first(x)
    output, cache = second.forward(x)
    gradients = second.backward(output, cache)
    optimizer = optimizers.Adam()
    with pytest.raises(ValueError, match="give each layer those that its own backward returned"):
        optimizer.apply_gradients([(gradients, first)])
    for wrong in ([(second, gradients)], [(gradients.weights, second)], None, [1]):
        with pytest.raises(TypeError, match=r"list of pairs \(gradients, layer\)"):
            optimizer.apply_gradients(wrong)
    assert optimizer.memory is None
    optimizer.apply_gradients([(gradients, second)])


def test_a_time_distributed_layer_from_its_configuration_is_a_new_one():
    layer = TimeDistributed(Dense(2))
    Sequential([Input((4, 3)), layer])
    other = TimeDistributed.from_config(layer.get_config())
    assert other(np.ones((1, 4, 3))).shape == (1, 4, 2)
    assert other.layer is not layer.layer


@pytest.mark.parametrize("backend", BACKENDS)
def test_nan_stays_with_its_sample(backend, rng):
    x = rng.normal(size=(8, 4, 3)).astype("float32")
    x[2, 1] = np.nan
    lstm = LSTM(3, return_sequences=True, recurrent_dropout=0.3, seed=1)
    with npylstm.using_backend(backend):
        output, cache = lstm.forward(x, training=True)
        dx = lstm.backward(np.ones_like(output), cache).dx
    assert np.unique(np.argwhere(np.isnan(dx))[:, 0]).tolist() == [2]


@pytest.mark.parametrize("custom", [False, True])
def test_masked_vectors_with_weights(custom):
    x = np.ones((4, 3), "float32")
    x[1] = 0
    loss = "mse"
    if custom:
        loss = CustomLoss(
            lambda y, p: ((y - p) ** 2).mean(axis=-1), lambda y, p: 2 * (p - y) / p.shape[-1]
        )
    model = Sequential([Input((3,)), Masking(), Dense(2)])
    model.compile("sgd", loss, weighted_metrics=["mse"])
    weight = np.array([1.0, 5.0, 2.0, 3.0])
    results = []
    for backend in BACKENDS:
        with npylstm.using_backend(backend):
            results.append(model.evaluate(x, np.ones((4, 2)), sample_weight=weight, verbose=0))
    values = ((model.predict(x, verbose=0) - 1) ** 2).mean(axis=-1)
    kept = [0, 2, 3]
    expected = [(values * weight)[kept].sum() / 3, np.average(values[kept], weights=weight[kept])]
    for result in results:
        np.testing.assert_allclose(result, expected, rtol=1e-5)

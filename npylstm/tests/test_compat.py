"""A script written for Keras 2, with the word keras replaced in its imports and nothing else."""

import importlib
import textwrap

import numpy as np
import pytest

import npylstm

KERAS_2_SCRIPT = textwrap.dedent(
    """
    import numpy
    from keras.models import Sequential
    from keras.layers import Dense
    from keras.layers import LSTM
    from keras.utils import np_utils
    from keras.utils.np_utils import to_categorical
    from keras.preprocessing.sequence import pad_sequences
    from keras.preprocessing import sequence

    numpy.random.seed(3)
    words = ["hello", "halo", "helium", "hollow"]
    number = dict((letter, k) for k, letter in enumerate(sorted(set("".join(words)))))
    pairs = [(w[:k], w[k]) for w in words for k in range(1, len(w))]
    rows = [[number[letter] for letter in before] for before, _ in pairs]
    targets = [number[letter] for _, letter in pairs]
    x = pad_sequences(rows, maxlen=4, dtype="float32")
    assert (x == sequence.pad_sequences(rows, maxlen=4, dtype="float32")).all()
    x = numpy.reshape(x, (x.shape[0], 4, 1)) / float(len(number))
    y = np_utils.to_categorical(targets)
    assert (y == to_categorical(targets)).all()

    model = Sequential()
    model.add(LSTM(12, input_shape=(x.shape[1], x.shape[2])))
    model.add(Dense(y.shape[1], activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x, y, epochs=4, batch_size=2, verbose=2)
    hist = model.history
    curves = hist.history["loss"], hist.history["acc"]
    scores = model.evaluate(x, y, verbose=0)
    print("Model Accuracy: %.2f%%" % (scores[1] * 100))
    best = numpy.argmax(model.predict(x[:1], verbose=0))

    batch_size = 1
    carrying = Sequential()
    carrying.add(LSTM(6, batch_input_shape=(batch_size, 4, 1), stateful=True))
    carrying.add(Dense(y.shape[1], activation="softmax"))
    carrying.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    for i in range(3):
        carrying.fit(x, y, epochs=1, batch_size=batch_size, verbose=2, shuffle=False)
        carrying.reset_states()
    first = carrying.predict(x[:1], verbose=0)
    second = carrying.predict(x[:1], verbose=0)
    carrying.reset_states()
    third = carrying.predict(x[:1], verbose=0)
    """
)


def test_a_keras_2_script_runs(capsys):
    names = {}
    exec(KERAS_2_SCRIPT.replace("from keras", "from npylstm"), names)
    loss, accuracy = names["curves"]
    assert len(loss) == len(accuracy) == 4 and loss[-1] < loss[0]
    assert accuracy == names["hist"].history["accuracy"]
    assert (names["first"] != names["second"]).any()
    np.testing.assert_array_equal(names["first"], names["third"])
    printed = capsys.readouterr().out
    assert "Epoch 4/4" in printed and "Model Accuracy: " in printed


def test_old_names_in_a_history():
    history = npylstm.compat.HistoryDict(accuracy=[1], val_accuracy=[2], loss=[3])
    assert history["acc"] == [1] and history["val_acc"] == [2]
    assert list(history) == ["accuracy", "val_accuracy", "loss"]
    with pytest.raises(KeyError, match="'mae' was not recorded; recorded are"):
        history["mae"]


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"input_shape": (3, 2)}, (None, 3, 2)),
        ({"batch_input_shape": (4, 3, 2)}, (4, 3, 2)),
        ({"batch_shape": (4, 3, 2)}, (4, 3, 2)),
    ],
)
def test_shapes_on_a_first_layer(options, shape):
    model = npylstm.Sequential([npylstm.layers.LSTM(5, **options)])
    assert model.built and model.input_shape == shape
    wrapped = npylstm.Sequential([npylstm.layers.Bidirectional(npylstm.layers.LSTM(5, **options))])
    assert wrapped.built and wrapped.input_shape == shape


def test_old_modules_can_be_imported():
    for name in ("utils.np_utils", "preprocessing", "preprocessing.sequence"):
        assert importlib.import_module(f"npylstm.{name}").__name__ == f"npylstm.{name}"

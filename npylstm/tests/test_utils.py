import numpy as np
import pytest

from npylstm import seeding, utils


def test_set_random_seed_is_the_package_s():
    assert utils.set_random_seed is seeding.set_random_seed


def test_to_categorical():
    vectors = utils.to_categorical([0, 2, 1, 2])
    assert vectors.dtype == np.float64
    np.testing.assert_array_equal(vectors, [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(utils.to_categorical([1], 4), [[0, 1, 0, 0]])
    np.testing.assert_array_equal(utils.to_categorical([1], 0), [[0, 1]])  # 0 counts as not given


def test_to_categorical_takes_any_whole_numbers():
    expected = [[1, 0], [0, 1]]
    for labels in ([0.0, 1.0], np.array([0, 1], "uint8"), [False, True], ["0", "1"]):
        np.testing.assert_array_equal(utils.to_categorical(labels), expected)


@pytest.mark.parametrize(
    ("shape", "result"),
    [((), (5,)), ((3,), (3, 5)), ((1,), (1, 5)), ((3, 1), (3, 5)), ((3, 2), (3, 2, 5))],
)
def test_to_categorical_shapes(shape, result):
    vectors = utils.to_categorical(np.full(shape, 3), 5)
    assert vectors.shape == result
    assert (vectors.argmax(-1) == 3).all()
    assert (vectors.sum(-1) == 1).all()


def test_to_categorical_of_nothing():
    assert utils.to_categorical([], 3).shape == (0, 3)
    with pytest.raises(ValueError, match="x is empty.*num_classes"):
        utils.to_categorical([])


@pytest.mark.parametrize(
    ("labels", "num_classes", "message"),
    [
        ([0, -1], None, r"in \[0, 0\].*from -1 to 0"),
        ([0, 3], 3, r"in \[0, 2\] for num_classes=3, got labels from 0 to 3"),
        ([0.5, 1.0], None, "whole numbers, got 0.5"),
        ([[1.0], [float("nan")]], None, "whole numbers, got nan"),
        ([float("inf")], None, "whole numbers, got inf"),
        (["a", "b"], None, "whole numbers.*return_inverse"),
        ([1j], None, "whole numbers, got dtype complex128"),
        ([None], None, "whole numbers, got dtype object"),
    ],
)
def test_to_categorical_refuses(labels, num_classes, message):
    with pytest.raises(ValueError, match=message):
        utils.to_categorical(labels, num_classes)


SEQUENCES = [[1], [2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
        ({"value": -1}, [[-1, -1, 1], [-1, 2, 3], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5]]),
        ({"maxlen": 4}, [[0, 0, 0, 1], [0, 0, 2, 3], [0, 4, 5, 6]]),
        ({"maxlen": 0}, [[], [], []]),
    ],
)
def test_pad_sequences(arguments, expected):
    padded = utils.pad_sequences(SEQUENCES, **arguments)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, expected)
    assert padded.shape == np.shape(expected)


def test_pad_sequences_dtype():
    assert utils.pad_sequences([[0.7]])[0, 0] == 0  # int32 cuts fractions off
    padded = utils.pad_sequences([[0.5], [1.5, 2.5]], dtype="float64")
    assert padded.dtype == np.float64
    np.testing.assert_array_equal(padded, [[0, 0.5], [1.5, 2.5]])


def test_pad_sequences_of_vectors():
    sequences = [[], [[1, 2]], np.array([[3, 4], [5, 6], [7, 8]])]
    padded = utils.pad_sequences(sequences, maxlen=2)
    np.testing.assert_array_equal(padded, [[[0, 0], [0, 0]], [[0, 0], [1, 2]], [[5, 6], [7, 8]]])


def test_pad_sequences_of_strings():
    padded = utils.pad_sequences([["a"], ["b", "cd"]], dtype=object, value="-")
    assert padded.tolist() == [["-", "a"], ["b", "cd"]]
    with pytest.raises(ValueError, match="value '-' does not fit dtype 'int32'.*dtype=object"):
        utils.pad_sequences([["a"]], value="-")


def test_pad_sequences_of_nothing():
    assert utils.pad_sequences([[], []]).shape == (2, 0)
    assert utils.pad_sequences([], maxlen=3).shape == (0, 3)
    with pytest.raises(ValueError, match="sequences is empty.*maxlen"):
        utils.pad_sequences([])


@pytest.mark.parametrize(
    ("sequences", "arguments", "message"),
    [
        (SEQUENCES, {"padding": "left"}, "padding must be 'pre' or 'post', got 'left'"),
        (SEQUENCES, {"truncating": "right"}, "truncating must be 'pre' or 'post', got 'right'"),
        (SEQUENCES, {"maxlen": -1}, "not be negative, got -1"),
        ([1, 2, 3], {}, "item 0 is 1; put a single sequence into a list"),
        (7, {}, "list of sequences, got 7"),
        ([[[1, 2]], [[1, 2, 3]]], {}, r"sequence 1 have \(3,\), expected \(2,\)"),
    ],
)
def test_pad_sequences_refuses(sequences, arguments, message):
    with pytest.raises(ValueError, match=message):
        utils.pad_sequences(sequences, **arguments)

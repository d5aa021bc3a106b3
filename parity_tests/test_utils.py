import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npylstm import utils


@pytest.mark.parametrize(
    "labels",
    [
        [0, 2, 1],
        [[0], [3]],
        [[0, 1], [2, 1]],
        2,
        [2.0, 0.0],
        ["1", "0"],
        [True, False],
        np.zeros((2, 3, 1), int),
        [5],
    ],
)
@pytest.mark.parametrize("num_classes", [None, 0, 7])
def test_to_categorical(labels, num_classes):
    ours, theirs = (
        utils.to_categorical(labels, num_classes),
        keras.utils.to_categorical(labels, num_classes),
    )
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@given(
    st.lists(st.lists(st.integers(-5, 5), max_size=6), min_size=1, max_size=5),
    st.tuples(
        st.one_of(st.none(), st.integers(1, 8)),
        st.sampled_from(["int32", "float32", "float64"]),
        st.sampled_from(["pre", "post"]),
        st.sampled_from(["pre", "post"]),
        st.sampled_from([0.0, -1.0, 7]),
    ),
)
@settings(deadline=None, max_examples=200)
def test_pad_sequences(sequences, arguments):
    ours, theirs = (
        utils.pad_sequences(sequences, *arguments),
        keras.utils.pad_sequences(sequences, *arguments),
    )
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_vectors_and_strings():
    seqs = [np.arange(6).reshape(3, 2), np.zeros((0, 2)), [[1, 2]]]
    np.testing.assert_array_equal(utils.pad_sequences(seqs, 2), keras.utils.pad_sequences(seqs, 2))
    words = [["a", "bc"], ["d"]]
    np.testing.assert_array_equal(
        utils.pad_sequences(words, dtype=object, value="<pad>"),
        keras.utils.pad_sequences(words, dtype=object, value="<pad>"),
    )

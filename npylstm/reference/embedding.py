"""Embedding: a row of a table for each integer; and back.

Shapes: indices (...,) of integers in [0, V), table (V, E), vectors (..., E).
"""

import numpy as np


def unknown_index():
    """Return the ValueError for a number that no row of a table stands for."""
    return ValueError(
        "an Embedding got a number that it has no vector for: it takes integers from 0 to "
        "input_dim - 1; look at what the layers before it give"
    )


def embedding_forward(indices, table):
    """Look up the rows: (..., E).

    Returns
    -------
    vectors : ndarray (..., E)
    cache : ndarray of int (...,)

    Raises
    ------
    ValueError
        If there is no row for one of them.
    """
    if not ((indices >= 0) & (indices < len(table)) & (indices == np.floor(indices))).all():
        raise unknown_index()
    indices = indices.astype(np.int64)
    return table[indices], indices


def embedding_backward(dvectors, cache, rows):
    """Return the gradient of the table (V, E): each row's is the sum over where it was taken."""
    dtable = np.zeros((rows, dvectors.shape[-1]), dvectors.dtype)
    np.add.at(dtable, cache, dvectors)
    return dtable

"""Embedding: a row of a table for each integer; and back.

Shapes: indices (...,) of integers in [0, V), table (V, E), vectors (..., E).
"""

import numpy as np


def embedding_forward(indices, table):
    """Look up the rows: (..., E).

    Returns
    -------
    vectors : ndarray (..., E)
    cache : ndarray of int (...,)
    """
    indices = indices.astype(np.int64)
    return table[indices], indices


def embedding_backward(dvectors, cache, rows):
    """Return the gradient of the table (V, E): each row's is the sum over where it was taken."""
    dtable = np.zeros((rows, dvectors.shape[-1]), dvectors.dtype)
    np.add.at(dtable, cache, dvectors)
    return dtable

"""Small steps between layers: dropout, repeating a vector, merging two directions; and back.

Shapes: a vector (B, F), a sequence (T, B, F).
"""

import numpy as np


def dropout_forward(x, keep, rate):
    """Return ``x * keep / (1 - rate)``; `keep` is a mask of booleans, True with chance 1 - rate."""
    scale = keep * x.dtype.type(1 / (1 - rate) if rate < 1 else 0)
    return x * scale, scale


def dropout_backward(dy, scale):
    """Return dx."""
    return dy * scale


def repeat_forward(x, n):
    """Repeat a vector (B, F) at each of n timesteps: (n, B, F)."""
    return np.broadcast_to(x, (n, *x.shape))


def repeat_backward(dy):
    """Return dx (B, F): the sum over the timesteps."""
    return dy.sum(axis=0)


def merge_forward(forward, backward, mode):
    """Merge what two directions say of the same timesteps (..., F).

    Parameters
    ----------
    forward, backward : ndarray (..., F)
    mode : {"concat", "sum", "mul", "ave"}

    Returns
    -------
    ndarray (..., 2F) for "concat" (or the sum of both widths), (..., F) otherwise
    """
    if mode == "concat":
        return np.concatenate([forward, backward], axis=-1)
    if mode == "sum":
        return forward + backward
    if mode == "mul":
        return forward * backward
    return (forward + backward) / 2


def merge_backward(dy, forward, backward, mode):
    """Return dforward, dbackward."""
    if mode == "concat":
        F = forward.shape[-1]
        return dy[..., :F], dy[..., F:]
    if mode == "sum":
        return dy, dy
    if mode == "mul":
        return dy * backward, dy * forward
    return dy / 2, dy / 2

"""Small steps between layers: dropout, repeating a vector, merging two directions; and back.

Shapes: a vector (B, F), a sequence (T, B, F), its mask (T, B): 1 for timesteps that count, 0 for
those that are passed over.
"""

import numpy as np


def dropout_scale(keep, rate, dtype):
    """Return what is multiplied by: 0 or ``1 / (1 - rate)``; `keep` is True with that chance."""
    return keep * dtype.type(1 / (1 - rate) if rate < 1 else 0)


def dropout_forward(x, keep, rate):
    """Return ``x * keep / (1 - rate)``; `keep` is a mask of booleans, True with chance 1 - rate."""
    scale = dropout_scale(keep, rate, x.dtype)
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


def masking_forward(x, mask_value):
    """Return x (..., F) with zeros where all features are `mask_value`, and the mask (...,)."""
    mask = (x != mask_value).any(axis=-1).astype(x.dtype)
    return np.where(mask[..., None] != 0, x, 0), mask


def masking_backward(dy, mask):
    """Return dx."""
    return dy * mask[..., None]


def hold_forward(x, mask, zeros):
    """Give out a sequence's last value again at masked timesteps, or zeros.

    Parameters
    ----------
    x : ndarray (T, B, F)
    mask : ndarray (T, B)
    zeros : bool
        Whether masked timesteps give zeros; before the first timestep that counts all do.
    """
    y = np.empty_like(x)
    last = np.zeros_like(x[0])
    for t in range(len(x)):
        kept = mask[t][:, None] != 0
        y[t] = np.where(kept, x[t], 0 if zeros else last)
        last = y[t]
    return y


def hold_backward(dy, mask, zeros):
    """Return dx: what a value was given out again for comes back to it."""
    dx = np.empty_like(dy)
    held = np.zeros_like(dy[0])
    for t in reversed(range(len(dy))):
        dlast = dy[t] + held
        kept = mask[t][:, None]
        dx[t] = dlast * kept
        held = np.zeros_like(held) if zeros else dlast * (1 - kept)
    return dx

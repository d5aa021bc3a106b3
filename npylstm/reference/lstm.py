"""The LSTM: one set of gates, one step, a whole sequence; each forward directly above its backward.

Shapes
------
T timesteps, B samples in the batch, D input features, U units.

x (T, B, D), one step x[t] (B, D) · mask (T, B): 1 for steps that count, else 0 · h, c (T+1, B, U):
h[0], c[0] are initial, so step t reads h[t], c[t] and writes h[t+1], c[t+1] · kernel (D, 4U),
recurrent_kernel (U, 4U), bias (4U,), their columns in the order i, f, g, o (Keras calls g's c) ·
z_i, z_f, z_g, z_o and i, f, g, o (B, U): the pre-activations and what activations make of them.

Every array keeps the dtype it comes in with.

The equations are those of Gers, Schmidhuber, Cummins 2000, "Learning to Forget: Continual
Prediction with LSTM", without peepholes, with the weight layout of Keras (`layers/rnn/lstm.py`).
"""

from typing import NamedTuple

import numpy as np

from .activations import Activation, sigmoid, tanh


# ------------------------------------------------------------------------------------- the gates
def gates_forward(
    z_i, z_f, z_g, z_o, c_prev, activation=tanh.forward, recurrent_activation=sigmoid.forward
):
    """Turn four pre-activations and the old cell state into the new states.

    Plain arithmetic, element by element: arrays of any shape and dtype, all alike.

    Returns
    -------
    h, c : the new hidden state and cell state
    i, f, g, o : the input gate, the forget gate, the candidate, the output gate
    tanh_c : the activated cell state (tanh, unless another `activation` was asked for)
    """
    i = recurrent_activation(z_i)  # input gate: how much of the candidate to add
    f = recurrent_activation(z_f)  # forget gate: how much of the old cell state to keep
    g = activation(z_g)  # candidate: what could be added
    o = recurrent_activation(z_o)  # output gate: how much of the cell state to show
    c = f * c_prev + i * g
    tanh_c = activation(c)
    h = o * tanh_c
    return h, c, i, f, g, o, tanh_c


def gates_slopes(
    z_i,
    z_f,
    z_g,
    z_o,
    c_prev,
    c,
    i,
    f,
    g,
    o,
    tanh_c,
    activation_backward=tanh.backward,
    recurrent_activation_backward=sigmoid.backward,
):
    """Return how steeply each pre-activation acts on c or h: all of the backward that needs no dh.

    The activations must work element by element, as all but softmax do.

    Returns
    -------
    to_i, to_f, to_g : the slopes of c along z_i, z_f, z_g
    to_o : the slope of h along z_o
    to_c : the slope of h along c
    """
    to_i = recurrent_activation_backward(g, z_i, i)
    to_f = recurrent_activation_backward(c_prev, z_f, f)
    to_g = activation_backward(i, z_g, g)
    to_o = recurrent_activation_backward(tanh_c, z_o, o)
    to_c = activation_backward(o, c, tanh_c)
    return to_i, to_f, to_g, to_o, to_c


def gates_backward(dh, dc, to_i, to_f, to_g, to_o, to_c, f):
    """Carry the gradients of h and c back through the gates, along their slopes.

    `dh` is all of the loss's gradient with respect to h; `dc` what reaches c from the next step.

    Returns
    -------
    dz_i, dz_f, dz_g, dz_o, dc_prev
    """
    dc = dc + dh * to_c  # c is used twice: in h, and by the next step
    dz_i = dc * to_i
    dz_f = dc * to_f
    dz_g = dc * to_g
    dz_o = dh * to_o
    dc_prev = dc * f
    return dz_i, dz_f, dz_g, dz_o, dc_prev


def masked_backward(mask, dh, dc, dz_i, dz_f, dz_g, dz_o, dc_prev):
    """Let the gradients go past a masked step, where ``h = h_prev`` and ``c = c_prev``.

    `mask` is 1 where the step counts, which leaves all as `gates_backward` has it, and 0 where it
    does not.

    Returns
    -------
    dz_i, dz_f, dz_g, dz_o, dc_prev
    dh_passed : what reaches h_prev beside what comes by way of dz
    """
    skipped = 1 - mask
    dc_prev = dc_prev * mask + dc * skipped
    return dz_i * mask, dz_f * mask, dz_g * mask, dz_o * mask, dc_prev, dh * skipped


# -------------------------------------------------------------------------------------- one step
class LSTMStep(NamedTuple):
    """What one step keeps for its backward: its inputs, its weights and every value on the way."""

    x: np.ndarray
    h_prev: np.ndarray
    c_prev: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None
    z: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    h: np.ndarray
    activation: Activation
    recurrent_activation: Activation
    x_dropout: np.ndarray | None
    h_dropout: np.ndarray | None


class LSTMGradients(NamedTuple):
    """The gradient of the loss with respect to every input of a step or a sequence.

    And with respect to what each step makes of them: `dz`, and `dh`, all of what reaches its h.
    """

    dx: np.ndarray
    dh0: np.ndarray
    dc0: np.ndarray
    dkernel: np.ndarray
    drecurrent_kernel: np.ndarray
    dbias: np.ndarray | None
    dz: np.ndarray
    dh: np.ndarray


def to_gates(x, kernel, dropout=None):
    """Return ``x @ kernel`` (..., B, 4U); with dropout (4, B, D), of what each gate sees of x."""
    if dropout is None:
        return x @ kernel
    blocks = split_gates(kernel)
    return np.concatenate([(x * dropout[g]) @ blocks[g] for g in range(4)], axis=-1)


def from_gates(dz, kernel, dropout=None):
    """Return dx (..., B, D): what `to_gates` has made of x, carried back."""
    if dropout is None:
        return dz @ kernel.T
    blocks, dz_blocks = split_gates(kernel), split_gates(dz)
    return sum((dz_blocks[g] @ blocks[g].T) * dropout[g] for g in range(4))


def kernel_gradient(x, dz, dropout=None):
    """Return dkernel (D, 4U), summed over samples and timesteps: all axes but the last."""
    rows = np.prod(dz.shape[:-1])
    if dropout is None:
        return x.reshape(rows, -1).T @ dz.reshape(rows, -1)
    dz_blocks = split_gates(dz)
    blocks = [kernel_gradient(x * dropout[g], dz_blocks[g]) for g in range(4)]
    return np.concatenate(blocks, axis=-1)


def lstm_cell_forward(
    x,
    h_prev,
    c_prev,
    kernel,
    recurrent_kernel,
    bias=None,
    activation=tanh,
    recurrent_activation=sigmoid,
    x_dropout=None,
    h_dropout=None,
):
    """Take one step.

    Parameters
    ----------
    x : ndarray (B, D)
    h_prev, c_prev : ndarray (B, U)
    kernel : ndarray (D, 4U)
    recurrent_kernel : ndarray (U, 4U)
    bias : ndarray (4U,) or None
    activation, recurrent_activation : Activation
        For the candidate and the shown cell state, and for the three gates.
    x_dropout, h_dropout : ndarray (4, B, D) and (4, B, U), or None
        What x and h_prev are multiplied by on their way to the gates i, f, g, o: 0 where they are
        dropped, ``1 / (1 - rate)`` elsewhere.

    Returns
    -------
    (h, c) : ndarrays (B, U)
        With tanh and sigmoid, h lies in (-1, 1).
    cache : LSTMStep
    """
    if x_dropout is None and h_dropout is None:
        z = x @ kernel + h_prev @ recurrent_kernel
    else:
        z = to_gates(x, kernel, x_dropout) + to_gates(h_prev, recurrent_kernel, h_dropout)
    if bias is not None:
        z = z + bias
    z_i, z_f, z_g, z_o = split_gates(z)
    phi, sigma = activation.forward, recurrent_activation.forward
    with np.errstate(over="ignore"):  # exp(-z) may be inf, for a gate that is 0
        h, c, i, f, g, o, tanh_c = gates_forward(z_i, z_f, z_g, z_o, c_prev, phi, sigma)
    weights = kernel, recurrent_kernel, bias
    activations = activation, recurrent_activation
    dropouts = x_dropout, h_dropout
    cache = LSTMStep(
        x, h_prev, c_prev, *weights, z, i, f, g, o, c, tanh_c, h, *activations, *dropouts
    )
    return (h, c), cache


def lstm_cell_backward(dh, dc, cache):
    """Carry the gradients back through one step.

    Parameters
    ----------
    dh, dc : ndarray (B, U)
        Gradients of the loss with respect to the step's h and c.
    cache : LSTMStep

    Returns
    -------
    LSTMGradients
        `dh0` and `dc0` are those of `h_prev` and `c_prev`.
    """
    slopes = gates_slopes(
        *split_gates(cache.z),
        *(cache.c_prev, cache.c, cache.i, cache.f, cache.g, cache.o, cache.tanh_c),
        *(cache.activation.backward, cache.recurrent_activation.backward),
    )
    *dz_blocks, dc_prev = gates_backward(dh, dc, *slopes, cache.f)
    dz = np.concatenate(dz_blocks, axis=-1)
    dx = from_gates(dz, cache.kernel, cache.x_dropout)
    dh_prev = from_gates(dz, cache.recurrent_kernel, cache.h_dropout)
    dkernel = kernel_gradient(cache.x, dz, cache.x_dropout)
    drecurrent_kernel = kernel_gradient(cache.h_prev, dz, cache.h_dropout)
    dbias = None if cache.bias is None else dz.sum(axis=0)
    return LSTMGradients(dx, dh_prev, dc_prev, dkernel, drecurrent_kernel, dbias, dz, dh)


def split_gates(z):
    """Return the views z_i, z_f, z_g, z_o (B, U) of z (B, 4U)."""
    U = z.shape[-1] // 4
    return z[..., :U], z[..., U : 2 * U], z[..., 2 * U : 3 * U], z[..., 3 * U :]


# ------------------------------------------------------------------------------- a whole sequence
class LSTMCache(NamedTuple):
    """What a sequence keeps for its backward: its inputs, all states, and each step's own cache."""

    x: np.ndarray
    h: np.ndarray
    c: np.ndarray
    steps: list[LSTMStep]
    mask: np.ndarray | None


def lstm_forward(
    x,
    h0,
    c0,
    kernel,
    recurrent_kernel,
    bias=None,
    activation=tanh,
    recurrent_activation=sigmoid,
    mask=None,
    x_dropout=None,
    h_dropout=None,
):
    """Run over a sequence.

    Parameters
    ----------
    x : ndarray (T, B, D)
    h0, c0 : ndarray (B, U) or None
        Initial states; None means zeros.
    kernel, recurrent_kernel, bias, activation, recurrent_activation, x_dropout, h_dropout
        As in `lstm_cell_forward`: the same dropout at every step (Gal & Ghahramani 2016).
    mask : ndarray (T, B) or None
        Where it is 0, both states stay what they were.

    Returns
    -------
    (h, c) : ndarrays (T+1, B, U)
        All states, the initial ones first.  The last output is ``h[T]``, the sequence ``h[1:]``.
    cache : LSTMCache
    """
    T, B, _ = x.shape
    U = recurrent_kernel.shape[0]
    h = np.empty((T + 1, B, U), dtype=kernel.dtype)
    c = np.empty((T + 1, B, U), dtype=kernel.dtype)
    h[0] = 0 if h0 is None else h0
    c[0] = 0 if c0 is None else c0
    steps = []
    for t in range(T):
        (h[t + 1], c[t + 1]), step = lstm_cell_forward(
            *(x[t], h[t], c[t], kernel, recurrent_kernel, bias, activation, recurrent_activation),
            *(x_dropout, h_dropout),
        )
        if mask is not None:
            counts = mask[t][:, None] != 0
            h[t + 1] = np.where(counts, h[t + 1], h[t])
            c[t + 1] = np.where(counts, c[t + 1], c[t])
        steps.append(step)
    return (h, c), LSTMCache(x, h, c, steps, mask)


def lstm_backward(dh, dc, cache):
    """Carry the gradients back through time, over all T steps.

    Parameters
    ----------
    dh : ndarray (T, B, U)
        Gradient of the loss with respect to each step's output ``h[t+1]``, as it arrives from
        above; zeros where an output is not used.
    dc : ndarray (B, U) or None
        Gradient with respect to the last cell state ``c[T]``; None means zeros.
    cache : LSTMCache

    Returns
    -------
    LSTMGradients
        dx (T, B, D), dh0 and dc0 (B, U), dkernel, drecurrent_kernel, dbias, dz (T, B, 4U) and
        dh (T, B, U), which is that from above and that from the next step.
    """
    T, B, U = dh.shape
    x, h, c, steps, mask = cache
    kernel, recurrent_kernel, bias = steps[0].kernel, steps[0].recurrent_kernel, steps[0].bias
    x_dropout, h_dropout = steps[0].x_dropout, steps[0].h_dropout
    # What needs no gradient is taken for all steps at once.
    z, i, f, g, o, tanh_c = (
        np.concatenate([getattr(step, name) for step in steps]).reshape(T, B, -1)
        for name in (*"zifgo", "tanh_c")
    )
    slopes = gates_slopes(
        *split_gates(z),
        *(c[:-1], c[1:], i, f, g, o, tanh_c),
        *(steps[0].activation.backward, steps[0].recurrent_activation.backward),
    )
    dz, all_dh = np.empty((T, B, 4 * U), dtype=dh.dtype), np.empty_like(dh)
    dz_i, dz_f, dz_g, dz_o = split_gates(dz)
    dh_next = 0
    dc_next = 0 if dc is None else dc
    for t in reversed(range(T)):
        all_dh[t] = dh_t = dh[t] + dh_next
        dc_t, dh_passed = dc_next, 0
        *dz_t, dc_next = gates_backward(dh_t, dc_t, *[slope[t] for slope in slopes], f[t])
        if mask is not None:
            counts = mask[t][:, None]
            *dz_t, dc_next, dh_passed = masked_backward(counts, dh_t, dc_t, *dz_t, dc_next)
        dz_i[t], dz_f[t], dz_g[t], dz_o[t] = dz_t
        dh_next = from_gates(dz[t], recurrent_kernel, h_dropout) + dh_passed
    # The weights are shared by all steps, so their gradients are sums over the steps: one product
    # each does it for all, where `lstm_cell_backward` would take one a step.
    dx = from_gates(dz, kernel, x_dropout)
    dkernel = kernel_gradient(x, dz, x_dropout)
    drecurrent_kernel = kernel_gradient(h[:-1], dz, h_dropout)
    dbias = None if bias is None else dz.sum(axis=(0, 1))
    return LSTMGradients(dx, dh_next, dc_next, dkernel, drecurrent_kernel, dbias, dz, all_dh)

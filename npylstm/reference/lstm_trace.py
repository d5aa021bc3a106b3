"""A sequence taken apart after it was run: every gate of every step, every gradient and its shares.

The states say all: given h and c of all steps, the gates of all steps can be computed at once, and
so can, given dh and dz, nearly all that the backward went through; only dc goes step by step.  The
equations are those of `reference.lstm`.

Shapes are those of `reference.lstm`: x (T, B, D) · h, c (T+1, B, U) · z_i, …, i, …, dh, dc
(T, B, U) · dz (T, B, 4U) · mask (T, B), 1 for steps that count, else 0.
"""

import numpy as np

from .activations import sigmoid, tanh
from .lstm import from_gates, gates_forward, gates_slopes, kernel_gradient, split_gates, to_gates


def lstm_gates(
    x,
    h,
    c,
    kernel,
    recurrent_kernel,
    bias=None,
    activation=tanh,
    recurrent_activation=sigmoid,
    x_dropout=None,
    h_dropout=None,
):
    """Return the pre-activations and gates of all steps, given the states around them.

    Parameters
    ----------
    x : ndarray (T, B, D)
    h, c : ndarray (T+1, B, U)
        As `lstm_forward` gives them out.
    kernel, recurrent_kernel, bias, activation, recurrent_activation, x_dropout, h_dropout
        As in `lstm_cell_forward`.

    Returns
    -------
    dict of str to ndarray (T, B, U)
        z_i, z_f, z_g, z_o, i, f, g, o, tanh_c.
    """
    z = _for_all_steps(to_gates, x, kernel, x_dropout)
    z += _for_all_steps(to_gates, h[:-1], recurrent_kernel, h_dropout)
    if bias is not None:
        z += bias
    z_i, z_f, z_g, z_o = (np.ascontiguousarray(block) for block in split_gates(z))
    phi, sigma = activation.forward, recurrent_activation.forward
    with np.errstate(over="ignore"):  # exp(-z) may be inf, for a gate that is 0
        _, _, i, f, g, o, tanh_c = gates_forward(z_i, z_f, z_g, z_o, c[:-1], phi, sigma)
    return {
        "z_i": z_i, "z_f": z_f, "z_g": z_g, "z_o": z_o,
        "i": i, "f": f, "g": g, "o": o, "tanh_c": tanh_c,
    }  # fmt: skip


def _for_all_steps(product, a, weights, dropout):
    """Take a product (T, B, ·) as one of T * B rows, which is faster than T of B rows."""
    if dropout is not None:
        return product(a, weights, dropout)
    T, B, width = a.shape
    return product(a.reshape(T * B, width), weights).reshape(T, B, -1)


def lstm_gate_gradients(dh, c, gates, activation=tanh, recurrent_activation=sigmoid, mask=None):
    """Return the loss's gradient with respect to every gate and the cell states of all steps.

    Parameters
    ----------
    dh : ndarray (T, B, U)
        All of the gradient that reaches each step's h, as `lstm_backward` gives it out.
    c : ndarray (T+1, B, U)
    gates : dict
        What `lstm_gates` returns.
    activation, recurrent_activation, mask
        As in `lstm_forward`.

    Returns
    -------
    dict of str to ndarray
        di, df, dg, do, dc (T, B, U): all of the gradient that reaches each gate, and the cell
        state after each step; dc0 (B, U): that of the cell state before the first.
    """
    i, f, g, tanh_c = (gates[name] for name in ("i", "f", "g", "tanh_c"))
    *_, to_c = gates_slopes(
        *(gates[name] for name in ("z_i", "z_f", "z_g", "z_o")),
        *(c[:-1], c[1:], i, f, g, gates["o"], tanh_c),
        *(activation.backward, recurrent_activation.backward),
    )
    from_h, f_passed = dh * to_c, f
    if mask is not None:  # c of a step that is passed over is not shown in h, and not forgotten
        counts = mask[..., None]
        dh, from_h, f_passed = counts * dh, counts * from_h, np.where(counts != 0, f, 1)
    dc, dc_next = np.empty_like(dh), 0
    for t in reversed(range(len(dh))):
        dc[t] = from_h[t] + dc_next
        dc_next = dc[t] * f_passed[t]
    dc_used = dc if mask is None else counts * dc
    return {
        "di": dc_used * g,
        "df": dc_used * c[:-1],
        "dg": dc_used * i,
        "do": dh * tanh_c,
        "dc": dc,
        "dc0": dc_next,
    }


def lstm_x_gradient(dz, kernel, x_dropout=None):
    """Return dx (T, B, D), given dz (T, B, 4U), as `lstm_backward` does.

    With the recurrent kernel and h's dropout it is what dz sends back to h (T, B, U).
    """
    return _for_all_steps(from_gates, dz, kernel, x_dropout)


def lstm_gradient_shares(x, h, dz, x_dropout=None, h_dropout=None):
    """Return what each timestep adds to the gradients of the weights.

    Parameters
    ----------
    x : ndarray (T, B, D)
    h : ndarray (T+1, B, U)
    dz : ndarray (T, B, 4U)
    x_dropout, h_dropout
        As in `lstm_forward`.

    Returns
    -------
    dict of str to ndarray
        dkernel (T, D, 4U), drecurrent_kernel (T, U, 4U), dbias (T, 4U): summed over T, they are
        the gradients that `lstm_backward` gives out.
    """
    T = range(len(dz))
    return {
        "dkernel": np.stack([kernel_gradient(x[t], dz[t], x_dropout) for t in T]),
        "drecurrent_kernel": np.stack([kernel_gradient(h[t], dz[t], h_dropout) for t in T]),
        "dbias": dz.sum(axis=1),
    }

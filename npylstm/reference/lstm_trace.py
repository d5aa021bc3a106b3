"""A sequence taken apart after it was run: every gate of every step, every gradient and its shares.

The states say all: given h and c of all steps, the gates of all steps can be computed at once, and
so can, given dh and dz, nearly all that the backward went through; only dc goes step by step.  The
equations are those of `reference.lstm`.

Shapes are those of `reference.lstm`: x (T, B, D) · h, c (T+1, B, U) · z_i, …, i, …, dh, dc
(T, B, U) · dz (T, B, 4U) · mask (T, B), 1 for steps that count, else 0.
"""

import numpy as np

from .activations import sigmoid, tanh
from .lstm import from_gates, gates_forward, gates_slopes, split_gates, to_gates

_IN_CACHE = 1 << 14  # numbers of an array; some ten arrays of so many fit into a level-2 cache


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
    z_blocks = split_gates(z)
    gates = [np.empty_like(c[1:]) for _ in range(5)]
    phi, sigma = activation.forward, recurrent_activation.forward
    with np.errstate(over="ignore"):  # exp(-z) may be inf, for a gate that is 0
        for t in _parts_of(c[1:]):
            _, _, *values = gates_forward(*(block[t] for block in z_blocks), c[t], phi, sigma)
            for gate, value in zip(gates, values, strict=True):
                gate[t] = value
    names = "z_i", "z_f", "z_g", "z_o", "i", "f", "g", "o", "tanh_c"
    return dict(zip(names, (*z_blocks, *gates), strict=True))


def _parts_of(steps):
    """Yield slices of timesteps so short that what is computed in between stays in the cache."""
    T, B, U = steps.shape
    n = max(1, _IN_CACHE // max(1, B * U))
    for start in range(0, T, n):
        yield slice(start, min(start + n, T))


def _for_all_steps(product, a, weights, dropout):
    """Take a product (T, B, ·) as one of T * B rows, which is faster than T of B rows."""
    if dropout is not None:
        return product(a, weights, dropout)
    T, B, width = a.shape
    rows = product(a.reshape(T * B, width), weights)
    return rows.reshape(T, B, rows.shape[-1])


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
    z = [gates[name] for name in ("z_i", "z_f", "z_g", "z_o")]
    i, f, g, o, tanh_c = (gates[name] for name in ("i", "f", "g", "o", "tanh_c"))
    di, df, dg, do, dc = (np.empty_like(dh) for _ in range(5))
    backwards = activation.backward, recurrent_activation.backward
    dc_next = 0
    for part in reversed(list(_parts_of(dh))):
        values = [array[part] for array in (*z, c, c[1:], i, f, g, o, tanh_c)]
        *_, to_c = gates_slopes(*values, *backwards)
        dh_used, f_passed = dh[part], f[part]
        from_h = dh_used * to_c
        if mask is not None:  # c of a skipped step is neither shown in h nor forgotten
            counts = mask[part][..., None]
            dh_used, from_h = counts * dh_used, counts * from_h
            f_passed = np.where(counts != 0, f_passed, 1)
        for t in reversed(range(len(from_h))):
            dc_t = dc[part][t] = from_h[t] + dc_next
            dc_next = dc_t * f_passed[t]
        dc_used = dc[part] if mask is None else counts * dc[part]
        di[part], df[part], dg[part] = dc_used * g[part], dc_used * c[part], dc_used * i[part]
        do[part] = dh_used * tanh_c[part]
    return {"di": di, "df": df, "dg": dg, "do": do, "dc": dc, "dc0": dc_next}


def lstm_x_gradient(dz, kernel, x_dropout=None):
    """Return dx (T, B, D), given dz (T, B, 4U), as `lstm_backward` does.

    With the recurrent kernel and h's dropout it is what dz sends back to h (T, B, U).
    """
    return _for_all_steps(from_gates, dz, kernel, x_dropout)


def lstm_h_gradient(dh_above, dz, recurrent_kernel, h_dropout=None):
    """Return dh (T, B, U), all of it: what comes from above, and from the gates of the next step.

    Parameters
    ----------
    dh_above : ndarray (T, B, U)
        That of `lstm_backward`.  There may be no mask.
    dz : ndarray (T, B, 4U)
    recurrent_kernel, h_dropout
        As in `lstm_forward`.
    """
    dh = dh_above.copy()
    dh[:-1] += lstm_x_gradient(dz[1:], recurrent_kernel, h_dropout)
    return dh


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
    return {
        "dkernel": _shares(x, dz, x_dropout),
        "drecurrent_kernel": _shares(h[:-1], dz, h_dropout),
        "dbias": dz.sum(axis=1),
    }


def _shares(a, dz, dropout):
    if dropout is None:
        return a.swapaxes(1, 2) @ dz
    blocks = zip(dropout, split_gates(dz), strict=True)
    return np.concatenate([_shares(a * scale, block, None) for scale, block in blocks], axis=-1)

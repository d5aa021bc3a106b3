"""The LSTM whose gates each see x and h with a dropout mask of their own.

A slower way than that of `lstm`: the products are taken gate by gate, of copies of x and h that
have been multiplied by the masks, and the equations of `reference.lstm` run over the sums
afterwards.  Nothing is dropped where the masks are ones.

Shapes: T timesteps, B samples, D features, U units · masks (4, B, D) and (4, B, U) · what is left
of x (4, T, B, D) and h (4, T, B, U) · z and then dz (T, B, 4, U) · L lanes.
"""

from ..plan import Start
from ..reference import activations
from ..reference.lstm import gates_backward, gates_forward, gates_slopes, masked_backward
from . import products, tile
from .elementwise import copy as copy_of
from .elementwise import elementwise, fill_with_zeros
from .format import host_format
from .frame import (
    ADD_DX,
    CARRY,
    DH_FROM,
    DROPOUT_MASK,
    GATES,
    H_DROPPED,
    MASK,
    MODE,
    ONE,
    PACKED_BACK,
    PACKED_X,
    REVERSE,
    STATE_DROPOUT_MASK,
    STATE_GRADIENTS,
    SUMS,
    THREADS,
    USE_BIAS,
    X_DROPPED,
    B,
    C,
    D,
    H,
    T,
    U,
    W,
    X,
)
from .jit import jit, share, stopped
from .lstm import states_of
from .masks import counts
from .registers import heights_of
from .shaping import dropout_masks

_CARRIED = int(Start.CARRIED)


def dropped_lstm_forward(dtype, activation, recurrent_activation):
    """Return the forward kernel; it leaves z in the gates."""
    form = host_format(dtype)
    L, wide, heights = form.lanes, 4 * form.lanes, heights_of(form, 4)
    copy, (start, carry_over) = copy_of(form), states_of(form)
    multiply = elementwise(form, lambda x, mask: x * mask, 2, 1)
    product = products.product_tile(form, heights, 4)
    phi, sigma = _forwards(activation, recurrent_activation)

    def equations(z_i, z_f, z_g, z_o, c_prev):
        h, c, *_ = gates_forward(z_i, z_f, z_g, z_o, c_prev, phi, sigma)
        return h, c

    equations = elementwise(form, equations, 5, 2)

    @jit
    def drop(frame, first, last, source, width, mask, b, to, step):
        # What is left of samples first, …, last - 1, of b in all, for each gate.
        n, at = (last - first) * width, first * width
        for g in range(4):
            of_gate, there = mask + g * b * width + at, to + g * step + at
            multiply(n, frame.arena, source + at, frame.masks, of_gate, frame.workspace, there)

    @jit
    def to_gates(frame, first, last, array, a, gate_step, width, w, u, init, init_at, step, z):
        # z = init + a @ W for samples first, …, last - 1, where each gate has an a of its own.
        for g in range(4):
            for at in range(0, u, wide):
                q = first
                while q < last:
                    here, left = g * u + at, u - at
                    to = z + q * 4 * u + here
                    start = init_at + q * step + here
                    q += product(
                        last - q, array, a + g * gate_step + q * width, width, 0,
                        frame.parameters, w + here, 4 * u, L, 0, width, 1,
                        init, start, step, left if init_at >= 0 else 0,
                        frame.workspace, to, 4 * u, L, left,
                    )  # fmt: skip

    def kernel(row, frame, k):
        table, arena, workspace = frame.table, frame.arena, frame.workspace
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        h, c, w, drawn = table[row, H], table[row, C], table[row, W], dropout_masks(frame)
        first, last = share(b, k, frame.settings[THREADS])
        bias = w + (d + u) * 4 * u if table[row, USE_BIAS] else -1
        start(row, frame, first, last)
        for s in range(t):
            x_s = table[row, X] + (t - 1 - s if table[row, REVERSE] else s) * b * d
            h_s, z = h + s * b * u, table[row, GATES] + s * b * 4 * u
            xs, x_at, x_step = arena, x_s, 0
            if table[row, DROPOUT_MASK] >= 0:
                xs, x_at, x_step = workspace, table[row, X_DROPPED] + s * b * d, t * b * d
                drop(frame, first, last, x_s, d, drawn + table[row, DROPOUT_MASK], b, x_at, x_step)
            hs, h_at, h_step = arena, h_s, 0
            if table[row, STATE_DROPOUT_MASK] >= 0:
                hs, h_at, h_step = workspace, table[row, H_DROPPED] + s * b * u, t * b * u
                mask = drawn + table[row, STATE_DROPOUT_MASK]
                drop(frame, first, last, h_s, u, mask, b, h_at, h_step)
            r = w + d * 4 * u
            to_gates(frame, first, last, xs, x_at, x_step, d, w, u, frame.parameters, bias, 0, z)
            to_gates(frame, first, last, hs, h_at, h_step, u, r, u, workspace, z, 4 * u, z)
            for q in range(first, last):
                here, z_q = h_s + q * u, z + q * 4 * u
                c_q = c + s * b * u + q * u
                if table[row, MASK] >= 0 and not counts(row, frame, s, q):
                    copy(u, arena, here, arena, here + b * u)
                    copy(u, arena, c_q, arena, c_q + b * u)
                else:
                    equations(
                        *(u, workspace, z_q, workspace, z_q + u, workspace, z_q + 2 * u),
                        *(workspace, z_q + 3 * u, arena, c_q),
                        *(arena, here + b * u, arena, c_q + b * u),
                    )
            if stopped(frame):
                return
        if table[row, MODE] == _CARRIED:
            carry_over(row, frame, first, last)

    return kernel


def _forwards(activation, recurrent_activation):
    """Return both activations' functions, the faster ones where they are traced."""

    def of(name):
        function = activations.BY_NAME[name].forward
        return lambda z: (tile.faster(function) if hasattr(z, "builder") else function)(z)

    return of(activation), of(recurrent_activation)


def from_gates(form):
    """Return a helper that carries dz back through a transposed kernel, gate by gate.

    ``(row, frame, first, last, dz, packed, width, mask, to)``: rows first, …, last - 1 of `width`
    numbers in the workspace are added to; `mask` is where in the dropout masks the first gate's
    starts, for these rows, or -1.
    """
    L, P = form.lanes, products.BACK_PIECES * form.lanes
    product = products.product_tile(
        form, heights_of(form, products.BACK_PIECES), products.BACK_PIECES
    )
    plus = elementwise(form, lambda a, b: a + b, 2, 1)
    plus_masked = elementwise(form, lambda a, b, mask: a + b * mask, 3, 1)

    @jit
    def back(row, frame, first, last, dz, packed, width, mask, to):
        table, workspace = frame.table, frame.workspace
        u, sums = table[row, U], table[row, SUMS] + first * width
        b, blocks, n = table[row, B], (u + L - 1) // L, (last - first) * width
        rest = u % L
        for g in range(4):
            for at in range(0, width, P):
                # Whole blocks of L units, and then the last few: no number of another gate is read.
                lines = packed + at * blocks * 4 * L + g * L * P
                q = first
                while q < last:
                    here = table[row, SUMS] + q * width + at
                    q += product(
                        last - q, workspace, dz + q * 4 * u + g * u, 4 * u, L,
                        workspace, lines, P, L, 4 * L * P,
                        L, u // L, workspace, here, 0, 0, workspace, here, width, L, width - at,
                    )  # fmt: skip
                q = first
                while rest and q < last:
                    here = table[row, SUMS] + q * width + at
                    q += product(
                        last - q, workspace, dz + q * 4 * u + g * u + u - rest, 4 * u, 0,
                        workspace, lines + u // L * 4 * L * P, P, L, 0, rest, 1,
                        workspace, here, width, width - at,
                        workspace, here, width, L, width - at,
                    )  # fmt: skip
            there = to + first * width
            if mask >= 0:
                kept = mask + (g * b + first) * width
                plus_masked(
                    *(n, workspace, there, workspace, sums, frame.masks, kept),
                    *(workspace, there),
                )
            else:
                plus(n, workspace, there, workspace, sums, workspace, there)

    return back


def dropped_lstm_backward(dtype, activation, recurrent_activation):
    """Return the kernel that carries dh and dc back through time and leaves dz in the gates."""
    form = host_format(dtype)
    copy, zero, back = copy_of(form), fill_with_zeros(form), from_gates(form)
    plus = elementwise(form, lambda a, b: a + b, 2, 1)
    names = activation, recurrent_activation
    phi, sigma = _forwards(*names)
    backwards = [activations.BY_NAME[name].backward for name in names]

    def equations(dh, dc, z_i, z_f, z_g, z_o, c_prev, mask):
        z = z_i, z_f, z_g, z_o
        _, c, *gates, tanh_c = gates_forward(*z, c_prev, phi, sigma)
        slopes = gates_slopes(*z, c_prev, c, *gates, tanh_c, *backwards)
        *dz, dc_prev = gates_backward(dh, dc, *slopes, gates[1])
        return masked_backward(mask, dh, dc, *dz, dc_prev)

    equations = elementwise(form, equations, 7, 6, 1)

    def kernel(row, frame, k):
        table, workspace, g = frame.table, frame.workspace, frame.gradient_arena
        t, b, u, h, c = table[row, T], table[row, B], table[row, U], table[row, H], table[row, C]
        first, last = share(b, k, frame.settings[THREADS])
        n, at = (last - first) * u, first * u
        # dc, dh, and what passes over a masked step of dh.
        dc, dh, passed = table[row, CARRY], table[row, CARRY] + b * u, table[row, CARRY] + 2 * b * u
        mask = -1
        if table[row, STATE_DROPOUT_MASK] >= 0:
            mask = dropout_masks(frame) + table[row, STATE_DROPOUT_MASK]
        zero(n, workspace, dc + at)
        zero(n, workspace, passed + at)
        if table[row, STATE_GRADIENTS]:
            copy(n, g, c + t * b * u + at, workspace, dc + at)
        for s in range(t - 1, -2, -1):
            dz = table[row, GATES] + s * b * 4 * u
            from_above = h + (s + 1) * b * u + at
            copy(n, workspace, passed + at, workspace, dh + at)
            if s < t - 1:
                packed = table[row, PACKED_BACK]
                back(row, frame, first, last, dz + b * 4 * u, packed, u, mask, dh)
            if s < 0:
                break
            if s >= table[row, DH_FROM]:
                plus(n, workspace, dh + at, g, from_above, workspace, dh + at)
            for q in range(first, last):
                here, z = q * u, dz + q * 4 * u
                marks, mark = workspace, ONE
                if table[row, MASK] >= 0:
                    step = t - 1 - s if table[row, REVERSE] else s
                    marks, mark = frame.arena, table[row, MASK] + step * b + q
                equations(
                    *(u, workspace, dh + here, workspace, dc + here),
                    *(workspace, z, workspace, z + u, workspace, z + 2 * u, workspace, z + 3 * u),
                    *(frame.arena, c + s * b * u + here),
                    *(workspace, z, workspace, z + u, workspace, z + 2 * u, workspace, z + 3 * u),
                    *(workspace, dc + here, workspace, passed + here, marks, mark),
                )
            if stopped(frame):
                return
        if table[row, STATE_GRADIENTS]:
            plus(n, g, h + at, workspace, dh + at, g, h + at)
            plus(n, g, c + at, workspace, dc + at, g, c + at)

    return kernel


def dropped_lstm_weight_gradients(dtype):
    """Return the kernel that sums the weights' gradients over all steps, gate by gate."""
    form = host_format(dtype)
    L, wide, heights = form.lanes, 4 * form.lanes, heights_of(form, 4)
    add = products.product_tile(form, heights, 4, columns=True)

    def kernel(row, frame, k):
        table, dz = frame.table, frame.table[row, GATES]
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        blocks = (u + wide - 1) // wide
        first, last = share(4 * blocks, k, frame.settings[THREADS])
        for part in range(2 + table[row, USE_BIAS]):
            for task in range(first, last):
                g, at = task // blocks, task % blocks * wide
                if part == 0:
                    a, lines, to = frame.arena, d, table[row, W]
                    start, a_step, a_outer = table[row, X], d, b * d
                    if table[row, DROPOUT_MASK] >= 0:
                        a, start = frame.workspace, table[row, X_DROPPED] + g * t * b * d
                    elif table[row, REVERSE]:
                        start, a_outer = start + (t - 1) * b * d, -b * d
                elif part == 1:
                    a, lines, to = frame.arena, u, table[row, W] + d * 4 * u
                    start, a_step, a_outer = table[row, H], u, b * u
                    if table[row, STATE_DROPOUT_MASK] >= 0:
                        a, start = frame.workspace, table[row, H_DROPPED] + g * t * b * u
                else:
                    a, lines, to = frame.workspace, 1, table[row, W] + (d + u) * 4 * u
                    start, a_step, a_outer = ONE, 0, 0
                m = 0
                while m < lines:
                    here = to + m * 4 * u + g * u + at
                    m += add(
                        lines - m, a, start + m, a_step, a_outer,
                        frame.workspace, dz + g * u + at, 4 * u, L, b * 4 * u, b, t,
                        frame.gradients, here, 4 * u, 0,
                        frame.gradients, here, 4 * u, L, u - at,
                    )  # fmt: skip
            if stopped(frame):
                return

    return kernel


def dropped_lstm_x_gradient(dtype):
    """Return the kernel that makes dx from dz."""
    form = host_format(dtype)
    copy, zero, back = copy_of(form), fill_with_zeros(form), from_gates(form)
    plus = elementwise(form, lambda a, b: a + b, 2, 1)

    def kernel(row, frame, k):
        table, workspace = frame.table, frame.workspace
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        first, last = share(b, k, frame.settings[THREADS])
        n, at, mask = (last - first) * d, first * d, -1
        dx = table[row, SUMS] + b * d
        if table[row, DROPOUT_MASK] >= 0:
            mask = dropout_masks(frame) + table[row, DROPOUT_MASK]
        for s in range(t):
            dz = table[row, GATES] + s * b * 4 * u
            x = table[row, X] + (t - 1 - s if table[row, REVERSE] else s) * b * d + at
            zero(n, workspace, dx + at)
            back(row, frame, first, last, dz, table[row, PACKED_X], d, mask, dx)
            if table[row, ADD_DX]:
                plus(
                    *(n, frame.gradient_arena, x, workspace, dx + at),
                    *(frame.gradient_arena, x),
                )
            else:
                copy(n, workspace, dx + at, frame.gradient_arena, x)

    return kernel

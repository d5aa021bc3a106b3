"""Kernels of the small rows: activations, dropout, and those that only move numbers about.

Each is shared out by rows of U numbers; `reference.activations` and `reference.shaping` have the
equations.
"""

from ..plan import MERGE_MODES
from ..reference import activations
from .elementwise import elementwise
from .frame import (
    ADD_DX,
    ADD_DX2,
    MASK,
    MASK_SIZE,
    REVERSE,
    STEP,
    THREADS,
    TRAINING,
    X2,
    B,
    D,
    T,
    U,
    X,
    Y,
)
from .jit import jit, share
from .losses import exponentials
from .tile import faster
from .vector import host_format


# ------------------------------------------------------------------------------------- activations
def activation_forward(dtype, activation):
    """Return the kernel ``y = f(z)``, element by element."""
    function = activations.BY_NAME[activation].forward

    def forward(z):
        return (faster(function) if hasattr(z, "builder") else function)(z)

    apply = elementwise(host_format(dtype), forward, 1, 1)

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        first, last = share(table[row, B], k, frame.settings[THREADS])
        at, n = first * table[row, U], (last - first) * table[row, U]
        apply(n, arena, table[row, X] + at, arena, table[row, Y] + at)

    return kernel


def activation_backward(dtype, activation):
    """Return the kernel ``dz = f'(z) dy``."""
    function = activations.BY_NAME[activation].backward
    form = host_format(dtype)
    write = elementwise(form, function, 3, 1)
    add = elementwise(form, lambda dy, z, y, dz: dz + function(dy, z, y), 4, 1)

    def kernel(row, frame, k):
        table, arena, gradient = frame.table, frame.arena, frame.gradient_arena
        first, last = share(table[row, B], k, frame.settings[THREADS])
        at, n = first * table[row, U], (last - first) * table[row, U]
        z, y = table[row, X] + at, table[row, Y] + at
        if table[row, ADD_DX]:
            add(n, gradient, y, arena, z, arena, y, gradient, z, gradient, z)
        else:
            write(n, gradient, y, arena, z, arena, y, gradient, z)

    return kernel


def softmax_forward(dtype):
    """Return the kernel of softmax over each row of U numbers."""
    exp_row = exponentials(host_format(dtype))

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        u = table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for q in range(first, last):
            z, y = table[row, X] + q * u, table[row, Y] + q * u
            top = arena[z]
            for j in range(1, u):
                if arena[z + j] > top:
                    top = arena[z + j]
            total = exp_row(u, arena, z, top, arena, y)
            for j in range(u):
                arena[y + j] /= total

    return kernel


def softmax_backward(dtype):
    """Return the kernel ``dz = y (dy - sum(dy y))``."""

    def kernel(row, frame, k):
        table, y, d = frame.table, frame.arena, frame.gradient_arena
        u = table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for q in range(first, last):
            dz, at = table[row, X] + q * u, table[row, Y] + q * u
            along = y[at] * d[at]
            for j in range(1, u):
                along += y[at + j] * d[at + j]
            for j in range(u):
                old = d[dz + j] if table[row, ADD_DX] else y[at] * 0
                d[dz + j] = old + y[at + j] * (d[at + j] - along)

    return kernel


# ----------------------------------------------------------------------------------------- dropout
@jit
def mask_of(row, frame):
    """Return where this batch's mask of a dropout row starts."""
    return frame.settings[STEP] * frame.settings[MASK_SIZE] + frame.table[row, MASK]


def dropout_forward(dtype):
    """Return the kernel ``y = x mask`` while training, ``y = x`` otherwise.

    The masks, with the scale already in them, are drawn before the call.
    """

    def kernel(row, frame, k):
        table, arena, u = frame.table, frame.arena, frame.table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        x, y, mask = table[row, X], table[row, Y], mask_of(row, frame)
        if frame.settings[TRAINING]:
            for j in range(first * u, last * u):
                arena[y + j] = arena[x + j] * frame.masks[mask + j]
        else:
            for j in range(first * u, last * u):
                arena[y + j] = arena[x + j]

    return kernel


def dropout_backward(dtype):
    """Return the kernel ``dx = dy mask``."""

    def kernel(row, frame, k):
        table, d, u = frame.table, frame.gradient_arena, frame.table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        x, y, mask = table[row, X], table[row, Y], mask_of(row, frame)
        for j in range(first * u, last * u):
            dx = d[y + j] * frame.masks[mask + j] if frame.settings[TRAINING] else d[y + j]
            d[x + j] = d[x + j] + dx if table[row, ADD_DX] else dx

    return kernel


# ------------------------------------------------------------------------------ moving things about
def repeat_forward(dtype):
    """Return the kernel that repeats a vector (B, U) at T timesteps."""

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        size = table[row, B] * table[row, U]
        first, last = share(table[row, T], k, frame.settings[THREADS])
        for t in range(first, last):
            for j in range(size):
                arena[table[row, Y] + t * size + j] = arena[table[row, X] + j]

    return kernel


def repeat_backward(dtype):
    """Return the kernel that sums the gradient over T timesteps."""

    def kernel(row, frame, k):
        table, d, u = frame.table, frame.gradient_arena, frame.table[row, U]
        size = table[row, B] * u
        first, last = share(table[row, B], k, frame.settings[THREADS])
        x, y = table[row, X], table[row, Y]
        for j in range(first * u, last * u):
            d[x + j] = d[x + j] + d[y + j] if table[row, ADD_DX] else d[y + j]
        for t in range(1, table[row, T]):
            for j in range(first * u, last * u):
                d[x + j] += d[y + t * size + j]

    return kernel


def merge_forward(dtype, mode):
    """Return the kernel that merges two directions (T, B, U) and (T, B, D)."""
    concat, total, product = (MERGE_MODES.index(m) == mode for m in ("concat", "sum", "mul"))
    half = host_format(dtype).dtype.type(0.5)

    def kernel(row, frame, k):
        table, a = frame.table, frame.arena
        t, b, u, d = table[row, T], table[row, B], table[row, U], table[row, D]
        first, last = share(t * b, k, frame.settings[THREADS])
        for r in range(first, last):
            other = ((t - 1 - r // b) * b + r % b) if table[row, REVERSE] else r
            ahead, back = table[row, X] + r * u, table[row, X2] + other * d
            y = table[row, Y] + r * (u + d if concat else u)
            for j in range(u):
                if concat:
                    a[y + j] = a[ahead + j]
                elif total:
                    a[y + j] = a[ahead + j] + a[back + j]
                elif product:
                    a[y + j] = a[ahead + j] * a[back + j]
                else:
                    a[y + j] = (a[ahead + j] + a[back + j]) * half
            if concat:
                for j in range(d):
                    a[y + u + j] = a[back + j]

    return kernel


def merge_backward(dtype, mode):
    """Return the kernel that hands a merged gradient on to both directions."""
    concat, total, product = (MERGE_MODES.index(m) == mode for m in ("concat", "sum", "mul"))
    half = host_format(dtype).dtype.type(0.5)

    def kernel(row, frame, k):
        table, a, g = frame.table, frame.arena, frame.gradient_arena
        t, b, u, d = table[row, T], table[row, B], table[row, U], table[row, D]
        first, last = share(t * b, k, frame.settings[THREADS])
        for r in range(first, last):
            other = ((t - 1 - r // b) * b + r % b) if table[row, REVERSE] else r
            ahead, back = table[row, X] + r * u, table[row, X2] + other * d
            y = table[row, Y] + r * (u + d if concat else u)
            for j in range(u):
                if concat or total:
                    value = g[y + j]
                elif product:
                    value = g[y + j] * a[back + j]
                else:
                    value = g[y + j] * half
                g[ahead + j] = g[ahead + j] + value if table[row, ADD_DX] else value
            for j in range(d):
                if concat:
                    value = g[y + u + j]
                elif total:
                    value = g[y + j]
                elif product:
                    value = g[y + j] * a[ahead + j]
                else:
                    value = g[y + j] * half
                g[back + j] = g[back + j] + value if table[row, ADD_DX2] else value

    return kernel


def reverse_forward(dtype):
    """Return the kernel that turns a sequence (T, B, U) round."""

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        t, size = table[row, T], table[row, B] * table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            for j in range(size):
                arena[table[row, Y] + s * size + j] = arena[table[row, X] + (t - 1 - s) * size + j]

    return kernel


def reverse_backward(dtype):
    """Return the kernel that turns its gradient round."""

    def kernel(row, frame, k):
        table, d = frame.table, frame.gradient_arena
        t, size = table[row, T], table[row, B] * table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            x, y = table[row, X] + s * size, table[row, Y] + (t - 1 - s) * size
            for j in range(size):
                d[x + j] = d[x + j] + d[y + j] if table[row, ADD_DX] else d[y + j]

    return kernel


def move_axis_forward(dtype):
    """Return the kernel that turns (T, B, U) into (B, T, U)."""

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        t, b, u = table[row, T], table[row, B], table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            for q in range(b):
                for j in range(u):
                    arena[table[row, Y] + (q * t + s) * u + j] = arena[
                        table[row, X] + (s * b + q) * u + j
                    ]

    return kernel


def move_axis_backward(dtype):
    """Return the kernel that turns its gradient back."""

    def kernel(row, frame, k):
        table, d = frame.table, frame.gradient_arena
        t, b, u = table[row, T], table[row, B], table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            for q in range(b):
                x, y = table[row, X] + (s * b + q) * u, table[row, Y] + (q * t + s) * u
                for j in range(u):
                    d[x + j] = d[x + j] + d[y + j] if table[row, ADD_DX] else d[y + j]

    return kernel

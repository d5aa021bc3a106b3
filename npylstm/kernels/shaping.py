"""Kernels of the small rows: activations, dropout, and those that only move numbers about.

Each is shared out by rows of U numbers; `reference.activations` and `reference.shaping` have the
equations.
"""

from ..plan import MERGE_MODES
from ..reference import activations
from .elementwise import copy as copy_of
from .elementwise import elementwise
from .format import host_format
from .frame import (
    ADD_DX,
    ADD_DX2,
    DROPOUT_MASK,
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
def dropout_masks(frame):
    """Return where this batch's dropout masks start; where nothing is dropped, all have one."""
    return frame.settings[STEP] * frame.settings[MASK_SIZE] if frame.settings[TRAINING] else 0


def dropout_forward(dtype):
    """Return the kernel ``y = x mask`` while training, ``y = x`` otherwise.

    The masks, with the scale already in them, are drawn before the call.
    """
    form = host_format(dtype)
    multiply, copy = elementwise(form, lambda x, mask: x * mask, 2, 1), copy_of(form)

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        first, last = share(table[row, B], k, frame.settings[THREADS])
        at, n = first * table[row, U], (last - first) * table[row, U]
        mask = dropout_masks(frame) + table[row, DROPOUT_MASK] + at
        for _ in range(table[row, T]):  # the same is dropped T times
            x, y = table[row, X] + at, table[row, Y] + at
            if frame.settings[TRAINING]:
                multiply(n, arena, x, frame.masks, mask, arena, y)
            else:
                copy(n, arena, x, arena, y)
            at += table[row, B] * table[row, U]

    return kernel


def dropout_backward(dtype):
    """Return the kernel ``dx = dy mask``."""
    form = host_format(dtype)
    write = elementwise(form, lambda dy, mask: dy * mask, 2, 1)
    add = elementwise(form, lambda dx, dy, mask: dx + dy * mask, 3, 1)
    hand_on = handed_on(form)

    def kernel(row, frame, k):
        table, d = frame.table, frame.gradient_arena
        first, last = share(table[row, B], k, frame.settings[THREADS])
        at, n = first * table[row, U], (last - first) * table[row, U]
        mask = dropout_masks(frame) + table[row, DROPOUT_MASK] + at
        for _ in range(table[row, T]):
            x, y = table[row, X] + at, table[row, Y] + at
            if not frame.settings[TRAINING]:
                hand_on(n, d, y, x, table[row, ADD_DX])
            elif table[row, ADD_DX]:
                add(n, d, x, d, y, frame.masks, mask, d, x)
            else:
                write(n, d, y, frame.masks, mask, d, x)
            at += table[row, B] * table[row, U]

    return kernel


# ------------------------------------------------------------------------------ moving things about
def handed_on(form):
    """Return a helper ``(n, gradients, dy, dx, add)``: dx = dy, or dx += dy."""
    copy, plus = copy_of(form), elementwise(form, lambda a, b: a + b, 2, 1)

    @jit
    def hand_on(n, gradients, dy, dx, add):
        if add:
            plus(n, gradients, dx, gradients, dy, gradients, dx)
        else:
            copy(n, gradients, dy, gradients, dx)

    return hand_on


def repeat_forward(dtype):
    """Return the kernel that repeats a vector (B, U) at T timesteps."""
    copy = copy_of(host_format(dtype))

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        size = table[row, B] * table[row, U]
        first, last = share(table[row, T], k, frame.settings[THREADS])
        for t in range(first, last):
            copy(size, arena, table[row, X], arena, table[row, Y] + t * size)

    return kernel


def repeat_backward(dtype):
    """Return the kernel that sums the gradient over T timesteps."""
    hand_on = handed_on(host_format(dtype))

    def kernel(row, frame, k):
        table, u = frame.table, frame.table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        x, y = table[row, X] + first * u, table[row, Y] + first * u
        for t in range(table[row, T]):
            here = y + t * table[row, B] * u
            hand_on((last - first) * u, frame.gradient_arena, here, x, t > 0 or table[row, ADD_DX])

    return kernel


# What merges two directions, and the slope along one of them, given the other.
_MERGED = {
    "concat": (lambda a, b: a, lambda dy, other: dy),
    "sum": (lambda a, b: a + b, lambda dy, other: dy),
    "mul": (lambda a, b: a * b, lambda dy, other: dy * other),
    "ave": (lambda a, b: (a + b) * 0.5, lambda dy, other: dy * 0.5),
}


def merge_forward(dtype, mode):
    """Return the kernel that merges two directions (T, B, U) and (T, B, D)."""
    concat = MERGE_MODES[mode] == "concat"
    form = host_format(dtype)
    copy = copy_of(form)
    merge = elementwise(form, _MERGED[MERGE_MODES[mode]][0], 2, 1)

    def kernel(row, frame, k):
        table, a = frame.table, frame.arena
        t, b, u, d = table[row, T], table[row, B], table[row, U], table[row, D]
        first, last = share(t * b, k, frame.settings[THREADS])
        for r in range(first, last):
            other = ((t - 1 - r // b) * b + r % b) if table[row, REVERSE] else r
            ahead, back = table[row, X] + r * u, table[row, X2] + other * d
            y = table[row, Y] + r * (u + d if concat else u)
            if concat:
                copy(u, a, ahead, a, y)
                copy(d, a, back, a, y + u)
            else:
                merge(u, a, ahead, a, back, a, y)

    return kernel


def merge_backward(dtype, mode):
    """Return the kernel that hands a merged gradient on to both directions."""
    concat = MERGE_MODES[mode] == "concat"
    form = host_format(dtype)
    hand_on = handed_on(form)
    slope = _MERGED[MERGE_MODES[mode]][1]
    write = elementwise(form, slope, 2, 1)
    add = elementwise(form, lambda dx, dy, other: dx + slope(dy, other), 3, 1)

    @jit
    def one_way(n, frame, dy, other, dx, added):
        if added:
            add(
                *(n, frame.gradient_arena, dx, frame.gradient_arena, dy, frame.arena, other),
                *(frame.gradient_arena, dx),
            )
        else:
            write(
                *(n, frame.gradient_arena, dy, frame.arena, other, frame.gradient_arena, dx),
            )

    def kernel(row, frame, k):
        table, g = frame.table, frame.gradient_arena
        t, b, u, d = table[row, T], table[row, B], table[row, U], table[row, D]
        first, last = share(t * b, k, frame.settings[THREADS])
        for r in range(first, last):
            other = ((t - 1 - r // b) * b + r % b) if table[row, REVERSE] else r
            ahead, back = table[row, X] + r * u, table[row, X2] + other * d
            y = table[row, Y] + r * (u + d if concat else u)
            if concat:
                hand_on(u, g, y, ahead, table[row, ADD_DX])
                hand_on(d, g, y + u, back, table[row, ADD_DX2])
            else:
                one_way(u, frame, y, back, ahead, table[row, ADD_DX])
                one_way(d, frame, y, ahead, back, table[row, ADD_DX2])

    return kernel


def reverse_forward(dtype):
    """Return the kernel that turns a sequence (T, B, U) round."""
    copy = copy_of(host_format(dtype))

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        t, size = table[row, T], table[row, B] * table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            copy(size, arena, table[row, X] + (t - 1 - s) * size, arena, table[row, Y] + s * size)

    return kernel


def reverse_backward(dtype):
    """Return the kernel that turns its gradient round."""
    hand_on = handed_on(host_format(dtype))

    def kernel(row, frame, k):
        table = frame.table
        t, size = table[row, T], table[row, B] * table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            x, y = table[row, X] + s * size, table[row, Y] + (t - 1 - s) * size
            hand_on(size, frame.gradient_arena, y, x, table[row, ADD_DX])

    return kernel


def move_axis_forward(dtype):
    """Return the kernel that turns (T, B, U) into (B, T, U)."""
    copy = copy_of(host_format(dtype))

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        t, b, u = table[row, T], table[row, B], table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            for q in range(b):
                x, y = table[row, X] + (s * b + q) * u, table[row, Y] + (q * t + s) * u
                copy(u, arena, x, arena, y)

    return kernel


def move_axis_backward(dtype):
    """Return the kernel that turns its gradient back."""
    hand_on = handed_on(host_format(dtype))

    def kernel(row, frame, k):
        table = frame.table
        t, b, u = table[row, T], table[row, B], table[row, U]
        first, last = share(t, k, frame.settings[THREADS])
        for s in range(first, last):
            for q in range(b):
                x, y = table[row, X] + (s * b + q) * u, table[row, Y] + (q * t + s) * u
                hand_on(u, frame.gradient_arena, y, x, table[row, ADD_DX])

    return kernel

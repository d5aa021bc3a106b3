"""Kernels of masks: masking timesteps, giving outputs out again at those, and embeddings.

`reference.shaping` and `reference.embedding` have the equations.  A mask is a number for each
timestep of each sample, (T, B): 0 where it is to be passed over, else 1.
"""

import numpy as np

from .elementwise import copy as copy_of
from .elementwise import elementwise, fill_with_zeros
from .format import host_format
from .frame import (
    ADD_DX,
    MASK,
    MODE,
    NOT_FINITE,
    REVERSE,
    SIZES,
    THREADS,
    B,
    D,
    T,
    U,
    W,
    X,
    Y,
)
from .jit import jit, least, share


@jit
def counts(row, frame, t, q):
    """Return whether timestep t of sample q counts, as an LSTM or what follows it reads them."""
    table = frame.table
    b = table[row, B]
    step = table[row, T] - 1 - t if table[row, REVERSE] else t
    return frame.arena[table[row, MASK] + step * b + q] != 0


# ----------------------------------------------------------------------------------------- masking
def masking_forward(dtype, value):
    """Return the kernel that finds out which rows of U numbers are not all of a value."""
    form = host_format(dtype)
    copy, zero, value = copy_of(form), fill_with_zeros(form), np.dtype(dtype).type(value)

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        u, mask = table[row, U], table[row, MASK]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for r in range(first, last):
            x, y, kept = table[row, X] + r * u, table[row, Y] + r * u, 0
            for j in range(u):
                if arena[x + j] != value:
                    kept = 1
            arena[mask + r] = kept
            if kept:
                copy(u, arena, x, arena, y)
            else:
                zero(u, arena, y)

    return kernel


def masking_backward(dtype):
    """Return the kernel that lets gradients through where rows were not masked."""
    form = host_format(dtype)
    copy, zero = copy_of(form), fill_with_zeros(form)
    plus = elementwise(form, lambda a, b: a + b, 2, 1)

    def kernel(row, frame, k):
        table, g = frame.table, frame.gradient_arena
        u = table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for r in range(first, last):
            x, y = table[row, X] + r * u, table[row, Y] + r * u
            kept = frame.arena[table[row, MASK] + r] != 0
            if kept and table[row, ADD_DX]:
                plus(u, g, x, g, y, g, x)
            elif kept:
                copy(u, g, y, g, x)
            elif not table[row, ADD_DX]:
                zero(u, g, x)

    return kernel


# -------------------------------------------------------------------------- outputs at masked steps
def hold_forward(dtype):
    """Return the kernel that gives out the last output again at masked steps, or zeros."""
    form = host_format(dtype)
    copy, zero = copy_of(form), fill_with_zeros(form)

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        b, u = table[row, B], table[row, U]
        first, last = share(b, k, frame.settings[THREADS])
        for t in range(table[row, T]):
            for q in range(first, last):
                at = (t * b + q) * u
                y = table[row, Y] + at
                if counts(row, frame, t, q):
                    copy(u, arena, table[row, X] + at, arena, y)
                elif t == 0 or table[row, MODE]:
                    zero(u, arena, y)
                else:
                    copy(u, arena, y - b * u, arena, y)

    return kernel


def hold_backward(dtype):
    """Return the kernel that brings the gradients of what was given out again back to it."""
    form = host_format(dtype)
    copy, zero = copy_of(form), fill_with_zeros(form)
    plus = elementwise(form, lambda a, b: a + b, 2, 1)

    def kernel(row, frame, k):
        table, g = frame.table, frame.gradient_arena
        b, u = table[row, B], table[row, U]
        first, last = share(b, k, frame.settings[THREADS])
        for t in range(table[row, T] - 1, -1, -1):
            for q in range(first, last):
                at = (t * b + q) * u
                x, y = table[row, X] + at, table[row, Y] + at
                kept = counts(row, frame, t, q)
                if kept and table[row, ADD_DX]:
                    plus(u, g, x, g, y, g, x)
                elif kept:
                    copy(u, g, y, g, x)
                else:
                    if not table[row, ADD_DX]:
                        zero(u, g, x)
                    if t > 0 and not table[row, MODE]:
                        plus(u, g, y - b * u, g, y, g, y - b * u)

    return kernel


# --------------------------------------------------------------------------------------- embedding
@jit
def index_of(row, frame, q, s):
    """Return the integer of sample q at timestep s; 0, and a note, if no row stands for it."""
    table = frame.table
    number, index = frame.arena[table[row, X] + q * table[row, T] + s], 0
    if number >= 0 and number < table[row, D]:
        index = np.int64(number)
    if index != number:
        frame.sync[NOT_FINITE] = 1
    return index


def embedding_forward(dtype):
    """Return the kernel that looks up rows of a table, for x (B, T) and y (T, B, U).

    Numbers that no row stands for are noted as not finite, and taken for 0.
    """
    copy = copy_of(host_format(dtype))

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        t, b, u, mask = table[row, T], table[row, B], table[row, U], table[row, MASK]
        first, last = share(b, k, frame.settings[THREADS])
        for q in range(first, last):
            for s in range(t):
                index = index_of(row, frame, q, s)
                here = table[row, Y] + (s * b + q) * u
                copy(u, frame.parameters, table[row, W] + index * u, arena, here)
                if mask >= 0:
                    arena[mask + s * b + q] = 1 if index != 0 else 0

    return kernel


def embedding_gradients(dtype):
    """Return the kernel that sums up each row's gradient; threads share out the columns.

    If the optimizer goes by them, it sums up their squares or absolute values as well.
    """
    form = host_format(dtype)
    L, zero = form.lanes, fill_with_zeros(form)
    plus = elementwise(form, lambda a, b: a + b, 2, 1)
    plus_squares = elementwise(form, lambda a, b: a + b * b, 2, 1)
    plus_absolute = elementwise(form, lambda a, b: a + np.absolute(b), 2, 1)

    def kernel(row, frame, k):
        table, g, sizes = frame.table, frame.gradients, frame.sizes
        which = frame.settings[SIZES]
        t, b, u, w = table[row, T], table[row, B], table[row, U], table[row, W]
        first, last = share((u + L - 1) // L, k, frame.settings[THREADS])
        first, last = first * L, least(last * L, u)
        if first >= last:
            return
        for line in range(table[row, D]):
            zero(last - first, g, w + line * u + first)
            if which:
                zero(last - first, sizes, w + line * u + first)
        for s in range(t):
            for q in range(b):
                to = w + index_of(row, frame, q, s) * u + first
                dy = table[row, Y] + (s * b + q) * u + first
                plus(last - first, g, to, frame.gradient_arena, dy, g, to)
                if which == 1:
                    plus_squares(last - first, sizes, to, frame.gradient_arena, dy, sizes, to)
                elif which == 2:
                    plus_absolute(last - first, sizes, to, frame.gradient_arena, dy, sizes, to)

    return kernel

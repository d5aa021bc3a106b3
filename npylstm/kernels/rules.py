"""The kernels of penalties and constraints; the equations are those of the reference.

The numbers that they take lie in the workspace.  The value of a penalty is a sum of pieces of a
fixed size, each in its place behind the values of the loss, so that it does not depend on how many
threads there are.
"""

import math

import numpy as np

from ..plan import Op
from ..reference import constraints, regularizers
from .elementwise import copy as copy_of
from .elementwise import elementwise, fill_with_zeros, summed
from .format import host_format
from .frame import (
    ADD_DX,
    N_NUMBERS,
    NUMBERS,
    OP,
    PENALTY_PIECE,
    ROOM,
    THREADS,
    VALUES,
    B,
    T,
    U,
    W,
    X,
)
from .jit import barrier, jit, least, share

_WEIGHT = int(Op.WEIGHT_PENALTY)
_N_TAKEN = {"l1": 1, "l2": 1, "l1_l2": 2}  # numbers


# --------------------------------------------------------------- penalties that are a sum of terms
def penalty_forward(dtype, terms):
    """Return the kernel that sums up a penalty's terms; see `reference.regularizers`."""
    function, taken = regularizers.TERMS[terms], _N_TAKEN[terms]
    total = summed(
        host_format(dtype), lambda x, *numbers: function(x, *numbers[:taken])[0], 1, N_NUMBERS
    )

    def kernel(row, frame, k):
        table = frame.table
        x, _, x_at, n = _penalized(row, frame)
        first, last = share((n + PENALTY_PIECE - 1) // PENALTY_PIECE, k, frame.settings[THREADS])
        for piece in range(first, last):
            start = piece * PENALTY_PIECE
            frame.workspace[table[row, VALUES] + piece] = total(
                least(PENALTY_PIECE, n - start),
                x,
                x_at + start,
                frame.workspace,
                table[row, NUMBERS],
            )

    return kernel


def penalty_backward(dtype, terms):
    """Return the kernel that writes or adds the slopes of a penalty's terms."""
    form = host_format(dtype)
    function, taken = regularizers.TERMS[terms], _N_TAKEN[terms]
    write = elementwise(form, lambda x, *numbers: function(x, *numbers[:taken])[1], 1, 1, N_NUMBERS)
    add = elementwise(
        form, lambda x, dx, *numbers: dx + function(x, *numbers[:taken])[1], 2, 1, N_NUMBERS
    )

    def kernel(row, frame, k):
        table, workspace = frame.table, frame.workspace
        x, dx, x_at, size = _penalized(row, frame)
        # Whole vectors for each thread, so that no number is computed otherwise than by one.
        first, last = share((size + 63) // 64, k, frame.settings[THREADS])
        n, at = least(last * 64, size) - first * 64, x_at + first * 64
        if table[row, ADD_DX]:
            add(n, x, at, dx, at, dx, at, workspace, table[row, NUMBERS])
        else:
            write(n, x, at, dx, at, workspace, table[row, NUMBERS])

    return kernel


@jit
def _penalized(row, frame):
    # The array that a penalty is on, that of its gradients, where in both, and how many numbers.
    table = frame.table
    n = table[row, B] * table[row, U]
    if table[row, OP] == _WEIGHT:
        return frame.parameters, frame.gradients, table[row, W], n
    return frame.arena, frame.gradient_arena, table[row, X], table[row, T] * n


# ------------------------------------------------------------------------------ orthogonal vectors
@jit
def _places(row, frame, n, m):
    # Unit vectors (n, m), their gradients (n, m), signs of the cosines (n, n), 1 / lengths (n,).
    units = frame.table[row, ROOM]
    return units, units + n * m, units + 2 * n * m, units + 2 * n * m + n * n


@jit
def _share_of(row, frame, n):
    # By what the sum over all pairs, each of which comes twice, is multiplied.
    pairs = n * (n - 1)
    return frame.workspace[frame.table[row, NUMBERS]] / (pairs if pairs > 0 else 1)


def orthogonal_forward(dtype, columns):
    """Return the kernel of ``|cos|`` between rows (or columns); see `reference.regularizers`."""
    form = host_format(dtype)
    number = form.dtype.type
    zero, one, steepest = number(0), number(1), number(1 / regularizers.EPSILON)
    dot, copy = summed(form, lambda a, b: a * b, 2), copy_of(form)

    def kernel(row, frame, k):
        table, w = frame.table, frame.workspace
        x, _, x_at, _ = _penalized(row, frame)
        n, m = table[row, B], table[row, U]
        if columns:
            n, m = m, n
        units, _, signs, inverses = _places(row, frame, n, m)
        first, last = share(n, k, frame.settings[THREADS])
        for i in range(first, last):
            unit = units + i * m
            if columns:
                for j in range(m):
                    w[unit + j] = x[x_at + j * n + i]
            else:
                copy(m, x, x_at + i * m, w, unit)
            inverse = one / math.sqrt(dot(m, w, unit, w, unit))
            inverse = steepest if inverse > steepest else inverse
            w[inverses + i] = inverse
            for j in range(m):
                w[unit + j] *= inverse
        if barrier(frame):
            return
        part = number(_share_of(row, frame, n))
        for i in range(first, last):
            total = zero
            for j in range(n):
                cosine = dot(m, w, units + i * m, w, units + j * m)
                if i == j:
                    cosine = zero
                total += abs(cosine)
                w[signs + i * n + j] = one if cosine > zero else -one if cosine < zero else cosine
            w[table[row, VALUES] + i] = total * part

    return kernel


def orthogonal_backward(dtype, columns):
    """Return the kernel of its gradient."""
    form = host_format(dtype)
    number = form.dtype.type
    zero, two, steepest = number(0), number(2), number(1 / regularizers.EPSILON)
    dot, clear = summed(form, lambda a, b: a * b, 2), fill_with_zeros(form)
    add = elementwise(form, lambda x, y, factor: y + factor * x, 2, 1, 1)

    def kernel(row, frame, k):
        table, w = frame.table, frame.workspace
        _, dx, x_at, _ = _penalized(row, frame)
        n, m = table[row, B], table[row, U]
        if columns:
            n, m = m, n
        units, dunits, signs, inverses = _places(row, frame, n, m)
        part = number(two * _share_of(row, frame, n))
        first, last = share(n, k, frame.settings[THREADS])
        for i in range(first, last):
            unit, dunit = units + i * m, dunits + i * m
            clear(m, w, dunit)
            for j in range(n):
                add(m, w, units + j * m, w, dunit, w, dunit, w, signs + i * n + j)
            inverse = w[inverses + i]
            along = dot(m, w, dunit, w, unit) if inverse < steepest else zero
            for j in range(m):
                to = x_at + (j * n + i if columns else i * m + j)
                slope = part * (inverse * (w[dunit + j] - along * w[unit + j]))
                dx[to] = (dx[to] if table[row, ADD_DX] else zero) + slope

    return kernel


# ------------------------------------------------------------------------------------- constraints
def non_neg(dtype):
    """Return the kernel that puts 0 in the place of what is less."""
    apply = elementwise(host_format(dtype), constraints.non_neg, 1, 1)

    def kernel(row, frame, k):
        table, w = frame.table, frame.parameters
        size = table[row, B] * table[row, U]
        first, last = share((size + 63) // 64, k, frame.settings[THREADS])
        at = table[row, W] + first * 64
        apply(least(last * 64, size) - first * 64, w, at, w, at)

    return kernel


def constrain_norms(dtype, scale, columns):
    """Return the kernel that brings the columns of a weight, or its rows, to another length."""
    form, scale_of = host_format(dtype), constraints.SCALES[scale]
    taken = {"max_norm": 1, "unit_norm": 0, "min_max_norm": 3}[scale]
    scales = elementwise(
        form,
        lambda squares, *numbers: scale_of(np.sqrt(squares), *numbers[:taken]),
        1,
        1,
        N_NUMBERS,
    )
    chosen = (_columns_to_norms if columns else _rows_to_norms)(form, scales)

    def kernel(row, frame, k):
        chosen(row, frame, k)

    return kernel


def _columns_to_norms(form, scales):
    clear = fill_with_zeros(form)
    add_squares = elementwise(form, lambda w, squares: squares + w * w, 2, 1)
    multiply = elementwise(form, lambda w, scale: w * scale, 2, 1)

    @jit
    def by_column(row, frame, k):
        table, w, room = frame.table, frame.parameters, frame.workspace
        b, u = table[row, B], table[row, U]
        # Whole vectors for each thread, so that no number is computed otherwise than by one.
        first, last = share((u + 63) // 64, k, frame.settings[THREADS])
        n, start = least(last * 64, u) - first * 64, table[row, W] + first * 64
        norms = table[row, ROOM] + first * 64
        clear(n, room, norms)
        for at in range(start, start + b * u, u):
            add_squares(n, w, at, room, norms, room, norms)
        scales(n, room, norms, room, norms, room, table[row, NUMBERS])
        for at in range(start, start + b * u, u):
            multiply(n, w, at, room, norms, w, at)

    return by_column


def _rows_to_norms(form, scales):
    squares = summed(form, lambda w: w * w, 1)
    multiply = elementwise(form, lambda w, scale: w * scale, 1, 1, 1)

    @jit
    def by_row(row, frame, k):
        table, w, room = frame.table, frame.parameters, frame.workspace
        u = table[row, U]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for q in range(first, last):
            at, norm = table[row, W] + q * u, table[row, ROOM] + q
            room[norm] = squares(u, w, at)
            scales(1, room, norm, room, norm, room, table[row, NUMBERS])
            multiply(u, w, at, w, at, room, norm)

    return by_row

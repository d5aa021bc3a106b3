"""The register tiles of matrix products, and of what they read: packed, transposed weights.

A tile multiplies a few rows with a few vectors.  It is made for several heights and called with the
number of rows that are left to do: it takes the greatest height that fits and returns it.  The twin
of each tile, in plain Python, does the same with arrays.
"""

from math import ceil

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .emit import (
    I64,
    Pieces,
    Rows,
    accumulate,
    at,
    counted,
    load,
    multiply_add,
    prefetch,
    store,
    sum_each,
    tile,
    times,
    transposed,
)
from .registers import gates_together, groups

CHAINS = 4  # partial sums of a single row
BACK_PIECES = 2  # vectors that a tile takes side by side where weights are transposed


# --------------------------------------------------------------------------------------- c = a @ b
def product_tile(
    form, heights, pieces, of_four=False, chains=1, columns=False, strips=False, asks=False,
    of_gates=False,
):  # fmt: skip
    """Return a tile ``c = init + a @ b`` of a few rows and `pieces` vectors.

    Strides are those of `emit.Rows` and `emit.Pieces`; `a_stride` is from row to row of a, whose
    numbers lie side by side; with `columns` from number to number, and the rows lie side by side.
    With `strips` a is what `strip_tile` has laid out, and has no stride.
    `left` says how many numbers of a row of c there are from here on, `init_left` how many of init
    (0: zeros).  With `of_four` the pieces are those of the four gates: b_piece is from one group of
    gates to the next, and each has `left` numbers.  With `asks` it asks the cache for a line of
    `soon` with each of b, and not for those of b.  With `of_gates` a lies as gates do, and b is
    packed in whole vectors.
    """
    L, G = form.lanes, gates_together(form)

    def twin(
        rows, a, a_at, a_stride, a_outer, b, b_at, b_step, b_piece, b_outer, n, n_outer,
        init, init_at, init_row, init_left, c, c_at, c_row, c_piece, left, soon=None, soon_at=0,
    ):  # fmt: skip
        a_row, a_step = (1, rows if strips else a_stride) if columns or strips else (a_stride, 1)
        a_rows = strided(a, a_at, (rows, n_outer, n), (a_row, a_outer, a_step))
        width = L if of_four else min(left, pieces * L)
        shape = (4 // G, G, L) if of_four else (1, 1, width)
        strides = (b_outer, b_step, b_piece, L, 1)
        b_pieces = strided(b, b_at, (n_outer, n, *shape), strides)
        sums = np.zeros((rows, pieces * L), c.dtype)
        products = np.einsum("rok,okgvl->rgvl", a_rows, b_pieces).reshape(rows, -1)
        sums[:, : products.shape[1]] = products
        sums = sums.reshape(rows, pieces, L)
        for r in range(rows):
            for v in range(pieces):
                less = 0 if of_four else v * L
                first = read(init, init_at + r * init_row + v * c_piece, init_left - less, L)
                write(c, c_at + r * c_row + v * c_piece, left - less, first + sums[r, v])

    def emit(
        builder, rows, a, a_stride, a_outer, b, b_step, b_piece, b_outer, n, n_outer,
        init, init_row, init_left, c, c_row, c_piece, left, soon=None,
    ):  # fmt: skip
        a_row, a_step = G * L if of_gates else a_stride, I64(1)
        if columns or strips:
            a_row, a_step = I64(1), I64(rows) if strips else a_stride
        a_rows = Rows(a, a_row, a_step, a_outer)

        def of_b(v):
            return ((v // G, b_piece), (v % G, L)) if of_four else ((v, b_piece),)

        def sum_up(group):
            def each_place(pointer, row, count):
                for r in range(rows):
                    for v in group:
                        less = 0 if of_four else v * L
                        place = at(builder, pointer, (r, row), (v, c_piece))
                        yield place, builder.sub(count, I64(less))

            firsts = each_place(init, init_row, init_left)
            sums = in_rows([load(builder, form, *place) for place in firsts], rows)
            if columns or strips:  # the sums lie far apart: the next tile's first are asked for
                following = at(builder, init, (rows, init_row))
                for v in group:
                    ask_for(builder, at(builder, following, (v, c_piece)), rows, init_row)
            whole = of_four or of_gates
            lefts = None if whole else [builder.sub(left, I64(v * L)) for v in group]
            b_pieces = [at(builder, b, *of_b(v)) for v in group]
            b_pieces = Pieces(b_pieces, b_step, b_outer, lefts, soon)
            sums = accumulate(builder, form, sums, a_rows, b_pieces, n, n_outer, chains)
            for value, place in zip(sum(sums, []), each_place(c, c_row, left), strict=True):
                store(builder, form, value, *place)

        for group in groups(form, rows, pieces):
            sum_up(group)

    return tile(heights, twin, emit, without=() if asks else ("soon", "soon_at"))


def dot_tile(form):
    """Return a tile ``c = init + lines @ v``: L dot products of n numbers each.

    `left` says how many lines there are from here on.
    """
    L = form.lanes

    def twin(
        rows, v, v_at, n, lines, lines_at, line, init, init_at, init_left, c, c_at, left
    ):  # fmt: skip
        count = max(0, min(left, L))
        sums = np.zeros(L, c.dtype)
        sums[:count] = strided(lines, lines_at, (count, n), (line, 1)) @ v[v_at : v_at + n]
        write(c, c_at, left, read(init, init_at, init_left, L) + sums)

    def emit(builder, rows, v, n, lines, line, init, init_left, c, left):
        last = builder.sub(left, I64(1))
        pointers = []
        for j in range(L):  # past the last line it is read again, and not kept
            inside = builder.icmp_signed("<", I64(j), left)
            pointers.append(at(builder, lines, (builder.select(inside, I64(j), last), line)))

        def part(o, sums):
            start = builder.mul(o, I64(L))
            lanes = builder.sub(n, start)
            vector = load(builder, form, builder.gep(v, [start]), lanes)
            weights = [
                load(builder, form, builder.gep(pointer, [start]), lanes) for pointer in pointers
            ]
            return [
                multiply_add(builder, vector, weight, total)
                for weight, total in zip(weights, sums, strict=True)
            ]

        chunks = builder.sdiv(builder.add(n, I64(L - 1)), I64(L))
        sums = counted(builder, chunks, [form.constant(0)] * L, part)
        first = load(builder, form, init, init_left)
        store(builder, form, builder.fadd(first, sum_each(builder, form, sums)), c, left)

    return tile((1,), twin, emit)


# ---------------------------------------------------------------------------------------- packing
def pack_tile(form, pieces):
    """Return a tile that lays out a line of a few matrices, U numbers each, for as many blocks.

    Of each block, which starts `block` numbers after the one before, it writes one vector of each
    matrix side by side; where U is no multiple of the lanes, zeros fill the last ones.
    """
    L = form.lanes

    def twin(rows, source, source_at, U, to, to_at, block):
        for nb in range(ceil(U / L)):
            for g in range(pieces):
                line = read(source, source_at + g * U + nb * L, U - nb * L, L)
                write(to, to_at + nb * block + g * L, L, line)

    def emit(builder, rows, source, U, to, block):
        def each(nb, carried):
            left = builder.sub(U, times(builder, nb, L))
            for g in range(pieces):
                vector = load(builder, form, at(builder, source, (nb, L), (g, U)), left)
                store(builder, form, vector, at(builder, to, (nb, block), (g, L)))
            return carried

        blocks = builder.sdiv(builder.add(U, I64(L - 1)), I64(L))
        counted(builder, blocks, [], each)

    return tile((1,), twin, emit)


def strip_tile(form, heights):
    """Return a tile that lays out a few columns as tiles of `strips` read them.

    The numbers of each of n rows lie side by side, those of the next row follow; they are rows
    `first` and so on of the strip.
    """

    def twin(rows, source, source_at, source_row, n, to, to_at, first):
        strided(to, to_at + first * rows, (n, rows), (rows, 1))[...] = strided(
            source, source_at, (n, rows), (source_row, 1)
        )

    def emit(builder, rows, source, source_row, n, to, first):
        wide = form._replace(lanes=rows)
        to = at(builder, to, (first, rows))

        def row(k, carried):
            numbers = load(builder, wide, at(builder, source, (k, source_row)))
            store(builder, wide, numbers, at(builder, to, (k, rows)))
            return carried

        counted(builder, n, [], row)

    return tile(heights, twin, emit)


def transpose_tile(form):
    """Return a tile that writes the transpose of `lines` lines of `left` numbers, up to L each.

    Line l of the result, `to_step` after the one before, holds the lth number of each line; the
    rest of the L by L square is filled with zeros.
    """
    L = form.lanes

    def twin(rows, source, source_at, source_step, lines, left, to, to_at, to_step):
        square = np.zeros((L, L), to.dtype)
        for j in range(min(L, lines)):
            square[j] = read(source, source_at + j * source_step, left, L)
        strided(to, to_at, (L, L), (to_step, 1))[...] = square.T

    def emit(builder, rows, source, source_step, lines, left, to, to_step):
        vectors = []
        for j in range(L):
            lanes = builder.select(builder.icmp_signed("<", I64(j), lines), left, I64(0))
            vectors.append(load(builder, form, at(builder, source, (j, source_step)), lanes))
        for j, vector in enumerate(transposed(builder, form, vectors)):
            store(builder, form, vector, at(builder, to, (j, to_step)))

    return tile((1,), twin, emit)


# ------------------------------------------------------------------------------------ small parts
def in_rows(values, rows):
    """Return a list in so many parts, one after the other."""
    many = len(values) // rows
    return [values[r * many : (r + 1) * many] for r in range(rows)]


def ask_for(builder, pointer, rows, stride, write=False):
    """Ask the cache for a vector of each of some rows, which are wanted later."""
    for r in range(rows):
        prefetch(builder, at(builder, pointer, (r, stride)), write)


# What tiles read and write by address, in plain Python.
def strided(array, start, shape, strides):
    """Return a view of a flat array, in plain Python what tiles read by address."""
    item = array.itemsize
    return as_strided(array[start:], shape, [step * item for step in strides])


def read(array, start, left, lanes):
    """Return up to `left` numbers of an array, and zeros, as a vector."""
    vector = np.zeros(lanes, array.dtype)
    n = max(0, min(left, lanes))
    vector[:n] = array[start : start + n]
    return vector


def write(array, start, left, vector):
    """Write up to `left` numbers of a vector to an array."""
    n = max(0, min(left, len(vector)))
    array[start : start + n] = vector[:n]

"""The register tiles: a block of rows times packed weights, finished in the registers.

A tile multiplies a few rows with the weights of one block of units (as many as a vector has lanes)
for all four gates at once, and puts the sums through the equations of `reference.lstm` before they
leave the registers: `gates_forward`, `gates_slopes` and `gates_backward` are called with `Vector`s
in the place of arrays and so emit the code themselves.  The twin of each tile, in plain Python,
calls them with arrays.

A tile is made for several heights and called with the number of rows that are left to do: it takes
the greatest height that fits and returns it.

Layouts
-------
L lanes of a vector, NB = ceil(U / L) blocks of units.

weights (NB, D + U + 1, 4, L): packed kernel, recurrent kernel and bias of each block, its four
gates side by side; or, unpacked, the layer's own (D + U + 1, 4, U) · gates (NB, T, B, 4, L): what
forward leaves for backward, which leaves dz there · weights_back (NU, NB, 4, L, P): the recurrent
kernel transposed, for NU blocks of P = 2 L units.  Lanes past the last unit hold zeros.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..reference.lstm import gates_backward, gates_forward, gates_slopes, masked_backward
from .emit import (
    I64,
    Pieces,
    Rows,
    accumulate,
    at,
    counted,
    keep,
    load,
    multiply_add,
    prefetch,
    stack,
    store,
    sum_each,
    tile,
    times,
    transposed,
    where_some,
)
from .vector import Vector, host_registers, join, splat, split
from .vector_math import FASTER

_TOGETHER = 2  # rows whose equations are computed side by side
_CHAINS = 4  # partial sums of a single row
BACK_PIECES = 2  # vectors of units that a backward tile takes side by side


def heights(form, pieces):
    """Return how many rows tiles of so many pieces take: as many as fit the registers, but 6."""
    fit = max(6, (host_registers(form.features) - 4) // pieces)
    return tuple(n for n in (14, 6, 4, 2, 1) if n <= fit)


def groups(form, rows, pieces):
    """Return the pieces in groups, as even as can be, whose sums fit the registers."""
    fit = (host_registers(form.features) - 4) // rows
    many = -(-pieces // -(-pieces // fit))
    return [range(first, min(first + many, pieces)) for first in range(0, pieces, many)]


# --------------------------------------------------------------------------------------- c = a @ b
def product_tile(
    form, heights, pieces, same_lanes=False, chains=1, columns=False, asks=False, of_gates=False
):  # fmt: skip
    """Return a tile ``c = init + a @ b`` of a few rows and `pieces` vectors.

    Strides are those of `emit.Rows` and `emit.Pieces`; `a_stride` is from row to row of a, whose
    numbers lie side by side; with `columns` from number to number, and the rows lie side by side.
    `left` says how many numbers of a row of c there are from here on, `init_left` how many of init
    (0: zeros).  With `same_lanes` the pieces are not side by side, and each has `left` numbers.
    With `asks` it asks the cache for a line of `soon` with each of b, and not for those of b.  With
    `of_gates` a lies as gates do, and b is packed in whole vectors.
    """
    L = form.lanes

    def twin(
        rows, a, a_at, a_stride, a_outer, b, b_at, b_step, b_piece, b_outer, n, n_outer,
        init, init_at, init_row, init_left, c, c_at, c_row, c_piece, left, soon=None, soon_at=0,
    ):  # fmt: skip
        a_row, a_step = (1, a_stride) if columns else (a_stride, 1)
        a_rows = _strided(a, a_at, (rows, n_outer, n), (a_row, a_outer, a_step))
        width = L if same_lanes else min(left, pieces * L)
        shape = (n_outer, n, pieces, L) if same_lanes else (n_outer, n, 1, width)
        b_pieces = _strided(b, b_at, shape, (b_outer, b_step, b_piece, 1))
        sums = np.zeros((rows, pieces * L), c.dtype)
        products = np.einsum("rok,okvl->rvl", a_rows, b_pieces).reshape(rows, -1)
        sums[:, : products.shape[1]] = products
        sums = sums.reshape(rows, pieces, L)
        for r in range(rows):
            for v in range(pieces):
                less = 0 if same_lanes else v * L
                first = _load(init, init_at + r * init_row + v * c_piece, init_left - less, L)
                _store(c, c_at + r * c_row + v * c_piece, left - less, first + sums[r, v])

    def emit(
        builder, rows, a, a_stride, a_outer, b, b_step, b_piece, b_outer, n, n_outer,
        init, init_row, init_left, c, c_row, c_piece, left, soon=None,
    ):  # fmt: skip
        a_row = 4 * L if of_gates else a_stride
        a_row, a_step = (I64(1), a_stride) if columns else (a_row, I64(1))
        a_rows = Rows(a, a_row, a_step, a_outer)
        for group in groups(form, rows, pieces):

            def each_piece(pointer, row, count, group=group):
                for r in range(rows):
                    line = at(builder, pointer, (r, row))
                    for v in group:
                        less = 0 if same_lanes else v * L
                        yield r, at(builder, line, (v, c_piece)), builder.sub(count, I64(less))

            sums = [[] for _ in range(rows)]
            for r, pointer, lanes in each_piece(init, init_row, init_left):
                sums[r].append(load(builder, form, pointer, lanes))
            if columns:  # sums that lie far apart: what the next tile starts from is asked for now
                following = at(builder, init, (rows, init_row))
                for v in group:
                    ask_for(builder, at(builder, following, (v, c_piece)), rows, init_row)
            whole = same_lanes or of_gates
            lefts = None if whole else [builder.sub(left, I64(v * L)) for v in group]
            of_b = at(builder, b, (group[0], b_piece))
            b_pieces = Pieces(of_b, b_step, b_piece, b_outer, lefts, soon)
            sums = accumulate(builder, form, sums, a_rows, b_pieces, n, n_outer, chains)
            sums = (value for row in sums for value in row)
            for (_, pointer, lanes), value in zip(each_piece(c, c_row, left), sums, strict=True):
                store(builder, form, value, pointer, lanes)

    return tile(heights, twin, emit, without=() if asks else ("soon", "soon_at"))


# ------------------------------------------------------------------------------------ the forward
def forward_tile(form, heights, activation, recurrent_activation, saved, unpacked=False):
    """Return a tile that takes a few samples one timestep ahead, for one block of units.

    `saved` says what is left in `gates`: "gates", "z" (for activations whose backward needs it) or
    "" for nothing.  The sums start from `init`: the bias, or the sums over the lines of the weights
    that were taken before.  `left` says how many units there are from here on.  `unpacked` weights
    are read as they lie, for a single row.
    """
    L, chains = form.lanes, _CHAINS if unpacked else 1

    def equations(z, c_prev, phi, sigma):
        h, c, *gates, _ = gates_forward(*z, c_prev, phi, sigma)
        return h, c, {"gates": gates, "z": z, "": []}[saved]

    def twin(
        rows, x, x_at, x_row, n_x, of_x, of_x_at, h, h_at, U, n_h, of_h, of_h_at, step, piece,
        init, init_at, init_row, init_left, c, c_at, h_next, h_next_at, c_next, c_next_at,
        gates, gates_at, left,
    ):  # fmt: skip
        of_x = _strided(of_x, of_x_at, (n_x, 4, L), (step, piece, 1))
        of_h = _strided(of_h, of_h_at, (n_h, 4, L), (step, piece, 1))
        z = np.einsum("rk,kgl->grl", _strided(x, x_at, (rows, n_x), (x_row, 1)), of_x)
        z = z + np.einsum("rk,kgl->grl", _strided(h, h_at, (rows, n_h), (U, 1)), of_h)
        for g, r in np.ndindex(4, rows):
            z[g, r] += _load(init, init_at + r * init_row + g * piece, init_left, L)
        z[:, :, max(0, left) :] = 0
        for r in range(rows):
            c_prev = _load(c, c_at + r * U, left, L)
            phi, sigma = activation.forward, recurrent_activation.forward
            new_h, new_c, kept = equations(list(z[:, r]), c_prev, phi, sigma)
            _store(h_next, h_next_at + r * U, left, new_h)
            _store(c_next, c_next_at + r * U, left, new_c)
            for g, value in enumerate(kept):
                _store(gates, gates_at + (4 * r + g) * L, L, value)

    def emit(
        builder, rows, x, x_row, n_x, of_x, h, U, n_h, of_h, step, piece,
        init, init_row, init_left, c, h_next, c_next, gates, left,
    ):  # fmt: skip
        sums = Sums(builder, form, rows, 4)
        for group in groups(form, rows, 4):
            part = []
            for r in range(rows):
                line = at(builder, init, (r, init_row))
                gates_of = [at(builder, line, (g, piece)) for g in group]
                part.append([load(builder, form, pointer, init_left) for pointer in gates_of])
            lefts = [left] * len(group) if unpacked else None
            for a, a_row, n, weights in ((x, x_row, n_x, of_x), (h, U, n_h, of_h)):
                a_rows, of_group = Rows(a, a_row, I64(1)), at(builder, weights, (group[0], piece))
                b_pieces = Pieces(of_group, step, piece, 0, lefts)
                part = accumulate(builder, form, part, a_rows, b_pieces, n, chains=chains)
            sums.add(group, part)

        def finish(rows, z):
            z = [keep_in_rows(value, left, form) for value in z]
            c_prev = load_rows(builder, form, c, rows, U, left)
            phi, sigma = faster(activation.forward), faster(recurrent_activation.forward)
            new_h, new_c, kept = equations(z, c_prev, phi, sigma)
            store_rows(new_h, form, h_next, rows, U, left)
            store_rows(new_c, form, c_next, rows, U, left)
            for g, value in enumerate(kept):
                store_rows(value, form, at(builder, gates, (g, L)), rows, 4 * L)

        sums.each_row(finish)

    return tile(heights, twin, emit)


# ----------------------------------------------------------------------------------- the backward
def backward_tile(form, heights, activation, recurrent_activation, saved, masked=False):
    """Return a tile that carries the gradients of a few samples one timestep back, for 2 L units.

    dh is what comes from above, plus the next step's dz (`n_next` blocks of it, or 0 after the last
    step) times the transposed recurrent kernel.  `carry` holds dc.  With `masked`, what goes past a
    step is added to dh of the step before, which lies `before` numbers ahead of this one's.
    """
    L, P = form.lanes, BACK_PIECES

    def twin(
        rows, dz_next, dz_next_at, n_next, block, weights_back, weights_back_at,
        dh, dh_at, dh_left, U, c, c_at, c_next, c_next_at,
        carry, carry_at, carry_row, gates, gates_at, left, mask, mask_at, before,
    ):  # fmt: skip
        dz = _strided(dz_next, dz_next_at, (rows, n_next, 4 * L), (4 * L, block, 1))
        back = _strided(
            weights_back, weights_back_at, (n_next, 4 * L, P * L), (4 * P * L * L, P * L, 1)
        )
        sums = np.einsum("rok,okl->rl", dz, back)
        for r in range(rows):
            for v in range(P):
                unit, lanes = r * U + v * L, left - v * L
                from_above = _load(dh, dh_at + unit, dh_left - v * L, L)
                place = gates_at + v * block + 4 * r * L
                passing = (mask[mask_at + r], dh, dh_at + unit - before, lanes) if masked else ()
                _gates_back(
                    from_above + sums[r, v * L : (v + 1) * L],
                    *(carry, carry_at + r * carry_row + v * L, gates, place),
                    *(_load(c, c_at + unit, lanes, L), _load(c_next, c_next_at + unit, lanes, L)),
                    *(L, activation, recurrent_activation, saved, *passing),
                )

    def emit(
        builder, rows, dz_next, n_next, block, weights_back, dh, dh_left, U,
        c, c_next, carry, carry_row, gates, left, mask, before,
    ):  # fmt: skip
        for v in range(P):  # what the equations will read has left the cache since the forward
            ask_for(builder, at(builder, c, (v, L)), rows, U)
            ask_for(builder, at(builder, c_next, (v, L)), rows, U)
            ask_for(builder, at(builder, carry, (v, L)), rows, carry_row)
            for g in range(4):
                ask_for(builder, at(builder, gates, (v, block), (g, L)), rows, 4 * L, write=True)

        def from_above():
            lefts = [builder.sub(dh_left, I64(v * L)) for v in range(P)]
            places = [at(builder, dh, (r, U), (v, L)) for r in range(rows) for v in range(P)]
            return [
                load(builder, form, place, left)
                for place, left in zip(places, lefts * rows, strict=True)
            ]

        dhs = where_some(builder, form, dh_left, from_above)
        dhs = [dhs[r * P : (r + 1) * P] for r in range(rows)]
        dz = Rows(dz_next, 4 * L, I64(1), block)
        back = Pieces(weights_back, P * L, L, 4 * P * L * L)
        dhs = accumulate(builder, form, dhs, dz, back, I64(4 * L), n_next)

        def finish(rows, dhs):
            for v, dh_value in enumerate(dhs):
                lanes = builder.sub(left, I64(v * L))
                c_values = [
                    load_rows(builder, form, at(builder, pointer, (v, L)), rows, U, lanes)
                    for pointer in (c, c_next)
                ]
                passing = ()
                if masked:
                    dh_before = at(builder, dh, (v, L), (-1, before))
                    passing = (each_row(builder, form, mask, rows), dh_before, U, lanes)
                _emit_gates_back(
                    *(builder, form, dh_value, at(builder, carry, (v, L)), rows, carry_row),
                    *(at(builder, gates, (v, block)), *c_values),
                    *(activation, recurrent_activation, saved, *passing),
                )

        sums = Sums(builder, form, rows, P)
        sums.add(range(P), dhs)
        sums.each_row(finish)

    return tile(heights, twin, emit)


def backward_row_tile(form, activation, recurrent_activation, saved, masked=False):
    """Return a tile that carries the gradients of one sample a timestep back, for L units.

    With one row there is nothing to pack for: the recurrent kernel is read as it lies, each line a
    dot product with dz.
    """
    L = form.lanes

    def twin(
        rows, dz_next, dz_next_at, n_next, block, kernel, kernel_at, dh, dh_at, dh_left, U,
        c, c_at, c_next, c_next_at, carry, carry_at, gates, gates_at, left, mask, mask_at,
    ):  # fmt: skip
        passing = (mask[mask_at], dh, dh_at - U, left) if masked else ()
        dz = _strided(dz_next, dz_next_at, (n_next, 4, L), (block, L, 1))
        sums = np.zeros(L, kernel.dtype)
        lines = max(0, min(left, L))
        for g in range(4):
            gate = _strided(kernel, kernel_at + g * U, (lines, U), (4 * U, 1))
            sums[:lines] += gate[:, : n_next * L] @ dz[:, g].reshape(-1)[: gate.shape[1]]
        _gates_back(
            _load(dh, dh_at, dh_left, L) + sums,
            *(carry, carry_at, gates, gates_at),
            *(_load(c, c_at, left, L), _load(c_next, c_next_at, left, L)),
            *(L, activation, recurrent_activation, saved, *passing),
        )

    def emit(
        builder, rows, dz_next, n_next, block, kernel, dh, dh_left, U,
        c, c_next, carry, gates, left, mask,
    ):  # fmt: skip
        last = builder.sub(left, I64(1))
        line = builder.mul(U, I64(4))
        lines = []
        for j in range(L):  # past the last unit the last line is read again, and not kept
            inside = builder.icmp_signed("<", I64(j), left)
            lines.append(at(builder, kernel, (builder.select(inside, I64(j), last), line)))

        def part(o, sums):
            for g in range(4):
                dz = load(builder, form, at(builder, dz_next, (o, block), (g, L)))
                column = builder.add(builder.mul(I64(g), U), builder.mul(o, I64(L)))
                lanes = builder.sub(U, builder.mul(o, I64(L)))
                weights = [
                    load(builder, form, builder.gep(pointer, [column]), lanes) for pointer in lines
                ]
                sums = [
                    multiply_add(builder, dz, weight, total)
                    for weight, total in zip(weights, sums, strict=True)
                ]
            return sums

        sums = counted(builder, n_next, [form.constant(0)] * L, part)
        total = keep(builder, form, sum_each(builder, form, sums), left)
        from_above = where_some(builder, form, dh_left, lambda: [load(builder, form, dh, dh_left)])
        one = [I64(0)]
        dh_value = Vector(builder, builder.fadd(*from_above, total), form)
        c_values = [load_rows(builder, form, pointer, one, U, left) for pointer in (c, c_next)]
        passing = ()
        if masked:
            passing = (each_row(builder, form, mask, one), at(builder, dh, (-1, U)), U, left)
        _emit_gates_back(
            *(builder, form, dh_value, carry, one, I64(0), gates, *c_values),
            *(activation, recurrent_activation, saved, *passing),
        )

    return tile((1,), twin, emit)


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
        sums[:count] = _strided(lines, lines_at, (count, n), (line, 1)) @ v[v_at : v_at + n]
        _store(c, c_at, left, _load(init, init_at, init_left, L) + sums)

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


def _equations_back(dh, dc, kept, c_prev, c, activation, recurrent_activation, saved, forwards):
    phi, sigma = forwards
    if saved == "z":
        z = kept
        _, _, *gates, tanh_c = gates_forward(*z, c_prev, phi, sigma)
    else:
        z, gates, tanh_c = [None] * 4, kept, phi(c)
    slopes = gates_slopes(
        *(*z, c_prev, c, *gates, tanh_c),
        *(activation.backward, recurrent_activation.backward),
    )
    return gates_backward(dh, dc, *slopes, gates[1])


def _gates_back(dh, carry, carry_at, gates, gates_at, c_prev, c, L, phi, sigma, saved, *passing):
    kept = [gates[gates_at + g * L : gates_at + (g + 1) * L].copy() for g in range(4)]
    dc = carry[carry_at : carry_at + L].copy()
    forwards = phi.forward, sigma.forward
    *dz, dc_prev = _equations_back(dh, dc, kept, c_prev, c, phi, sigma, saved, forwards)
    if passing:
        mask, before, before_at, left = passing
        *dz, dc_prev, passed = masked_backward(mask, dh, dc, *dz, dc_prev)
        _store(before, before_at, left, _load(before, before_at, left, L) + passed)
    _store(carry, carry_at, L, dc_prev)
    for g, value in enumerate(dz):
        _store(gates, gates_at + g * L, L, value)


def _emit_gates_back(
    builder, form, dh, carry, rows, carry_row, gates, c_prev, c, phi, sigma, saved, *passing
):
    L = form.lanes
    kept = [load_rows(builder, form, at(builder, gates, (g, L)), rows, 4 * L) for g in range(4)]
    dc = load_rows(builder, form, carry, rows, carry_row)
    forwards = faster(phi.forward), faster(sigma.forward)
    *dz, dc_prev = _equations_back(dh, dc, kept, c_prev, c, phi, sigma, saved, forwards)
    if passing:
        mask, before, before_row, left = passing
        *dz, dc_prev, passed = masked_backward(mask, dh, dc, *dz, dc_prev)
        passed = passed + load_rows(builder, form, before, rows, before_row, left)
        store_rows(passed, form, before, rows, before_row, left)
    store_rows(dc_prev, form, carry, rows, carry_row)
    for g, value in enumerate(dz):
        store_rows(value, form, at(builder, gates, (g, L)), rows, 4 * L)


# ---------------------------------------------------------------------------------------- packing
def copy_tile(form):
    """Return a tile that copies up to `left` numbers and fills the rest of a vector with zeros."""
    L = form.lanes

    def twin(rows, source, source_at, left, to, to_at):
        _store(to, to_at, L, _load(source, source_at, left, L))

    def emit(builder, rows, source, left, to):
        store(builder, form, load(builder, form, source, left), to)

    return tile((1,), twin, emit)


def transpose_tile(form):
    """Return a tile that writes the transpose of `lines` lines of `left` numbers, up to L each.

    Line l of the result, `to_step` after the one before, holds the lth number of each line; the
    rest of the L by L square is filled with zeros.
    """
    L = form.lanes

    def twin(rows, source, source_at, source_step, lines, left, to, to_at, to_step):
        square = np.zeros((L, L), to.dtype)
        for j in range(min(L, lines)):
            square[j] = _load(source, source_at + j * source_step, left, L)
        _strided(to, to_at, (L, L), (to_step, 1))[...] = square.T

    def emit(builder, rows, source, source_step, lines, left, to, to_step):
        vectors = []
        for j in range(L):
            lanes = builder.select(builder.icmp_signed("<", I64(j), lines), left, I64(0))
            vectors.append(load(builder, form, at(builder, source, (j, source_step)), lanes))
        for j, vector in enumerate(transposed(builder, form, vectors)):
            store(builder, form, vector, at(builder, to, (j, to_step)))

    return tile((1,), twin, emit)


# ------------------------------------------------------------------------------------ small parts
def faster(function):
    """Return the function to trace in the place of one of the reference's."""
    return FASTER.get(function, function)


class Sums:
    """What a tile has summed up for some rows, and what is to be done with it.

    The sums of a single row stay in registers, those of several go by way of the stack.
    """

    def __init__(self, builder, form, rows, pieces):
        self._builder, self._form, self._rows, self._pieces = builder, form, rows, pieces
        self._memory = stack(builder, form, rows * pieces) if rows > 1 else None
        self._single = []

    def add(self, pieces, sums):
        """Keep what was summed up for some of the pieces, a list for each row."""
        if self._rows == 1:
            self._single += sums[0]
            return
        for r, row in enumerate(sums):
            for v, value in zip(pieces, row, strict=True):
                place = at(self._builder, self._memory, (v * self._rows + r, self._form.lanes))
                store(self._builder, self._form, value, place)

    def each_row(self, finish):
        """Emit ``finish(rows, sums of these rows)`` for all rows, a few of them side by side.

        The equations are long chains of operations each of which waits for the one before, so a
        processor needs several of them to be busy.
        """
        builder, form, n_rows, L = self._builder, self._form, self._rows, self._form.lanes
        if n_rows == 1:
            finish([I64(0)], [Vector(builder, value, form) for value in self._single])
            return

        def side_by_side(first, together):
            wide = form._replace(lanes=together * L)
            line = at(builder, self._memory, (first, L))
            values = [
                load(builder, wide, at(builder, line, (v, n_rows * L))) for v in range(self._pieces)
            ]
            rows = [builder.add(first, I64(r)) for r in range(together)]
            finish(rows, [Vector(builder, value, wide) for value in values])

        together = min(_TOGETHER, n_rows)

        def each(number, carried):
            side_by_side(times(builder, number, together), together)
            return carried

        counted(builder, I64(n_rows // together), [], each)
        if n_rows % together:
            side_by_side(I64(n_rows - n_rows % together), n_rows % together)


def ask_for(builder, pointer, rows, stride, write=False):
    """Ask the cache for a vector of each of some rows, which are wanted later."""
    for r in range(rows):
        prefetch(builder, at(builder, pointer, (r, stride)), write)


def load_rows(builder, form, pointer, rows, stride, left=None):
    """Return a vector of each of some rows, side by side as one `Vector`."""
    values = [load(builder, form, at(builder, pointer, (r, stride)), left) for r in rows]
    return join([Vector(builder, value, form) for value in values])


def each_row(builder, form, pointer, rows):
    """Return a number of each of some rows in all lanes of its vector, as one `Vector`."""
    numbers = [builder.load(builder.gep(pointer, [r])) for r in rows]
    return join([Vector(builder, splat(builder, n, form).value, form) for n in numbers])


def store_rows(vector, form, pointer, rows, stride, left=None):
    """Write what `load_rows` has read."""
    builder = vector.builder
    for r, part in zip(rows, split(vector, len(rows)), strict=True):
        store(builder, form, part.value, at(builder, pointer, (r, stride)), left)


def keep_in_rows(vector, left, form):
    """Return vectors side by side with zeros beyond the first `left` lanes of each."""
    parts = split(vector, vector.format.lanes // form.lanes)
    kept = [keep(part.builder, form, part.value, left) for part in parts]
    return join([part.new(value) for part, value in zip(parts, kept, strict=True)])


def _strided(array, start, shape, strides):
    """Return a view of a flat array, in plain Python what tiles read by address."""
    item = array.itemsize
    return as_strided(array[start:], shape, [step * item for step in strides])


def _load(array, start, left, lanes):
    vector = np.zeros(lanes, array.dtype)
    n = max(0, min(left, lanes))
    vector[:n] = array[start : start + n]
    return vector


def _store(array, start, left, vector):
    n = max(0, min(left, len(vector)))
    array[start : start + n] = vector[:n]

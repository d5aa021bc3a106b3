"""The register tiles: a block of rows times packed weights, finished in the registers.

A tile multiplies a few rows with the weights of one block of units (as many as a vector has lanes)
for all four gates at once, and puts the sums through the equations of `reference.lstm` before they
leave the registers: `gates_forward`, `gates_slopes` and `gates_backward` are called with `Vector`s
in the place of arrays and so emit the code themselves.  The twin of each tile, in plain Python,
calls them with arrays.

Like those of `products`, a tile is made for several heights and does as many rows as it can.

Layouts
-------
L lanes of a vector, NB = ceil(U / L) blocks of units.

weights (NB, D + U + 1, 4, L): packed kernel, recurrent kernel and bias of each block, its four
gates side by side; or, unpacked, the layer's own (D + U + 1, 4, U) · gates (NB, T, B, 4, L): what
forward leaves for backward, which leaves dz there · weights_back (NU, NB, 4, L, P): the recurrent
kernel transposed, for NU blocks of P = 2 L units.  Lanes past the last unit hold zeros.
"""

import numpy as np

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
    stack,
    store,
    sum_each,
    tile,
    times,
    where_some,
)
from .products import (
    BACK_PIECES,
    CHAINS,
    ask_for,
    groups,
    in_rows,
    read,
    strided,
    write,
)
from .vector import Vector, join, splat, split
from .vector_math import FASTER

_TOGETHER = 2  # rows whose equations are computed side by side


# ------------------------------------------------------------------------------------ the forward
def forward_tile(form, heights, activation, recurrent_activation, saved, unpacked=False):
    """Return a tile that takes a few samples one timestep ahead, for one block of units.

    `saved` says what is left in `gates`: "gates", "z" (for activations whose backward needs it) or
    "" for nothing.  The sums start from `init`: the bias, or the sums over the lines of the weights
    that were taken before.  `left` says how many units there are from here on.  `unpacked` weights
    are read as they lie, for a single row.
    """
    L, chains = form.lanes, CHAINS if unpacked else 1

    def equations(z, c_prev, phi, sigma):
        h, c, *gates, _ = gates_forward(*z, c_prev, phi, sigma)
        return h, c, {"gates": gates, "z": z, "": []}[saved]

    def twin(
        rows, x, x_at, x_row, n_x, of_x, of_x_at, h, h_at, U, n_h, of_h, of_h_at, step, piece,
        init, init_at, init_row, init_left, c, c_at, h_next, h_next_at, c_next, c_next_at,
        gates, gates_at, left,
    ):  # fmt: skip
        of_x = strided(of_x, of_x_at, (n_x, 4, L), (step, piece, 1))
        of_h = strided(of_h, of_h_at, (n_h, 4, L), (step, piece, 1))
        z = np.einsum("rk,kgl->grl", strided(x, x_at, (rows, n_x), (x_row, 1)), of_x)
        z = z + np.einsum("rk,kgl->grl", strided(h, h_at, (rows, n_h), (U, 1)), of_h)
        for g, r in np.ndindex(4, rows):
            z[g, r] += read(init, init_at + r * init_row + g * piece, init_left, L)
        z[:, :, max(0, left) :] = 0
        for r in range(rows):
            c_prev = read(c, c_at + r * U, left, L)
            phi, sigma = activation.forward, recurrent_activation.forward
            new_h, new_c, kept = equations(list(z[:, r]), c_prev, phi, sigma)
            write(h_next, h_next_at + r * U, left, new_h)
            write(c_next, c_next_at + r * U, left, new_c)
            for g, value in enumerate(kept):
                write(gates, gates_at + (4 * r + g) * L, L, value)

    def emit(
        builder, rows, x, x_row, n_x, of_x, h, U, n_h, of_h, step, piece,
        init, init_row, init_left, c, h_next, c_next, gates, left,
    ):  # fmt: skip
        sums = Sums(builder, form, rows, 4)
        for group in groups(form, rows, 4):
            places = [
                at(builder, init, (r, init_row), (g, piece)) for r in range(rows) for g in group
            ]
            part = in_rows([load(builder, form, place, init_left) for place in places], rows)
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
        dz = strided(dz_next, dz_next_at, (rows, n_next, 4 * L), (4 * L, block, 1))
        back = strided(
            weights_back, weights_back_at, (n_next, 4 * L, P * L), (4 * P * L * L, P * L, 1)
        )
        sums = np.einsum("rok,okl->rl", dz, back)
        for r in range(rows):
            for v in range(P):
                unit, lanes = r * U + v * L, left - v * L
                from_above = read(dh, dh_at + unit, dh_left - v * L, L)
                place = gates_at + v * block + 4 * r * L
                passing = (mask[mask_at + r], dh, dh_at + unit - before, lanes) if masked else ()
                _gates_back(
                    from_above + sums[r, v * L : (v + 1) * L],
                    *(carry, carry_at + r * carry_row + v * L, gates, place),
                    *(read(c, c_at + unit, lanes, L), read(c_next, c_next_at + unit, lanes, L)),
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

        dhs = in_rows(where_some(builder, form, dh_left, from_above), rows)
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
        dz = strided(dz_next, dz_next_at, (n_next, 4, L), (block, L, 1))
        sums = np.zeros(L, kernel.dtype)
        lines = max(0, min(left, L))
        for g in range(4):
            gate = strided(kernel, kernel_at + g * U, (lines, U), (4 * U, 1))
            sums[:lines] += gate[:, : n_next * L] @ dz[:, g].reshape(-1)[: gate.shape[1]]
        _gates_back(
            read(dh, dh_at, dh_left, L) + sums,
            *(carry, carry_at, gates, gates_at),
            *(read(c, c_at, left, L), read(c_next, c_next_at, left, L)),
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
        write(before, before_at, left, read(before, before_at, left, L) + passed)
    write(carry, carry_at, L, dc_prev)
    for g, value in enumerate(dz):
        write(gates, gates_at + g * L, L, value)


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

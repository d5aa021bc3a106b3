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

G of the four gates lie side by side, as many as fit the registers: 4, or 2 where these are few.
weights (NB, 4 / G, D + U + 1, G, L): packed kernel, recurrent kernel and bias of each block; or,
unpacked, the layer's own (D + U + 1, 4, U) · gates (NB, 4 / G, T, B, G, L): what forward leaves for
backward, which leaves dz there · weights_back (NU, NB, 4, L, P): the recurrent kernel transposed,
for NU blocks of P = 2 L units.  Lanes past the last unit hold zeros.
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
    sum_each,
    tile,
    times,
    where_some,
)
from .products import (
    BACK_PIECES,
    CHAINS,
    ask_for,
    in_rows,
    read,
    strided,
    write,
)
from .registers import gates_together, groups
from .rows import Sums, each_row, gate_at, keep_in_rows, load_rows, store_rows
from .vector import Vector
from .vector_math import FASTER


# ------------------------------------------------------------------------------------ the forward
def forward_tile(form, heights, activation, recurrent_activation, saved, unpacked=False):
    """Return a tile that takes a few samples one timestep ahead, for one block of units.

    `saved` says what is left in `gates`: "gates", "z" (for activations whose backward needs it) or
    "" for nothing.  The sums start from `init`: the bias, or the sums over the lines of the weights
    that were taken before.  `left` says how many units there are from here on.  `unpacked` weights
    are read as they lie, for a single row.  `group` and `gates_group` are from one group of gates
    to the next.
    """
    L, G, chains = form.lanes, gates_together(form), CHAINS if unpacked else 1

    def equations(z, c_prev, phi, sigma):
        h, c, *gates, _ = gates_forward(*z, c_prev, phi, sigma)
        return h, c, {"gates": gates, "z": z, "": []}[saved]

    def twin(
        rows, x, x_at, x_row, n_x, of_x, of_x_at, h, h_at, U, n_h, of_h, of_h_at,
        step, piece, group, init, init_at, init_row, init_left,
        c, c_at, h_next, h_next_at, c_next, c_next_at, gates, gates_at, gates_group, left,
    ):  # fmt: skip
        lanes, strides = (4 // G, G, L), (step, group, piece, 1)
        of_x = strided(of_x, of_x_at, (n_x, *lanes), strides).reshape(n_x, 4, L)
        of_h = strided(of_h, of_h_at, (n_h, *lanes), strides).reshape(n_h, 4, L)
        z = np.einsum("rk,kgl->grl", strided(x, x_at, (rows, n_x), (x_row, 1)), of_x)
        z = z + np.einsum("rk,kgl->grl", strided(h, h_at, (rows, n_h), (U, 1)), of_h)
        for g, r in np.ndindex(4, rows):
            first = init_at + r * init_row + g // G * group + g % G * piece
            z[g, r] += read(init, first, init_left, L)
        z[:, :, max(0, left) :] = 0
        for r in range(rows):
            c_prev = read(c, c_at + r * U, left, L)
            phi, sigma = activation.forward, recurrent_activation.forward
            new_h, new_c, kept = equations(list(z[:, r]), c_prev, phi, sigma)
            write(h_next, h_next_at + r * U, left, new_h)
            write(c_next, c_next_at + r * U, left, new_c)
            for g, value in enumerate(kept):
                write(gates, gates_at + r * G * L + g // G * gates_group + g % G * L, L, value)

    def emit(
        builder, rows, x, x_row, n_x, of_x, h, U, n_h, of_h, step, piece, group,
        init, init_row, init_left, c, h_next, c_next, gates, gates_group, left,
    ):  # fmt: skip
        def of_gate(pointer, g):
            return at(builder, pointer, (g // G, group), (g % G, piece))

        sums = Sums(builder, form, rows, 4)
        for some in groups(form, rows, 4):
            places = [
                of_gate(at(builder, init, (r, init_row)), g) for r in range(rows) for g in some
            ]
            part = in_rows([load(builder, form, place, init_left) for place in places], rows)
            lefts = [left] * len(some) if unpacked else None
            for a, a_row, n, weights in ((x, x_row, n_x, of_x), (h, U, n_h, of_h)):
                pieces = Pieces([of_gate(weights, g) for g in some], step, 0, lefts)
                a_rows = Rows(a, a_row, I64(1))
                part = accumulate(builder, form, part, a_rows, pieces, n, chains=chains)
            sums.add(some, part)

        phi, sigma = faster(activation.forward), faster(recurrent_activation.forward)
        # With few registers each activation has a loop of its own, which does not fill them.
        activated = G < 4 and saved != "z"
        if activated:
            for some, function in ((range(2), sigma), (range(2, 3), phi), (range(3, 4), sigma)):
                sums.apply(some, function, left)

        def finish(rows, z):
            c_prev = load_rows(builder, form, c, rows, U, left)
            if activated:  # only the cell state is still to be
                rest = (lambda value: value if value is z[2] else phi(value)), lambda gate: gate
                new_h, new_c, kept = equations(z, c_prev, *rest)
            else:
                z = [keep_in_rows(value, left, form) for value in z]
                new_h, new_c, kept = equations(z, c_prev, phi, sigma)
            store_rows(new_h, form, h_next, rows, U, left)
            store_rows(new_c, form, c_next, rows, U, left)
            for g, value in enumerate(kept):
                store_rows(value, form, gate_at(builder, form, gates, g, gates_group), rows, G * L)

        sums.each_row(finish)

    return tile(heights, twin, emit)


# ----------------------------------------------------------------------------------- the backward
def backward_tile(form, heights, activation, recurrent_activation, saved, masked=False):
    """Return a tile that carries the gradients of a few samples one timestep back, for 2 L units.

    dh is what comes from above, plus the next step's dz (`n_next` groups of its gates, or 0 after
    the last step) times the transposed recurrent kernel.  `group` is from one group to the next.
    `carry` holds dc.  With `masked`, what goes past a step is added to dh of the step before, which
    lies `before` numbers ahead of this one's.
    """
    L, P, G = form.lanes, BACK_PIECES, gates_together(form)

    def twin(
        rows, dz_next, dz_next_at, n_next, group, weights_back, weights_back_at,
        dh, dh_at, dh_left, U, c, c_at, c_next, c_next_at,
        carry, carry_at, carry_row, gates, gates_at, left, mask, mask_at, before,
    ):  # fmt: skip
        dz = strided(dz_next, dz_next_at, (rows, n_next, G * L), (G * L, group, 1))
        back = strided(
            weights_back, weights_back_at, (n_next, G * L, P * L), (G * P * L * L, P * L, 1)
        )
        sums = np.einsum("rok,okl->rl", dz, back)
        for r in range(rows):
            for v in range(P):
                unit, lanes = r * U + v * L, left - v * L
                from_above = read(dh, dh_at + unit, dh_left - v * L, L)
                place = gates_at + v * (4 // G) * group + r * G * L
                passing = (mask[mask_at + r], dh, dh_at + unit - before, lanes) if masked else ()
                _gates_back(
                    from_above + sums[r, v * L : (v + 1) * L],
                    *(carry, carry_at + r * carry_row + v * L, gates, place, group, G),
                    *(read(c, c_at + unit, lanes, L), read(c_next, c_next_at + unit, lanes, L)),
                    *(L, activation, recurrent_activation, saved, *passing),
                )

    def emit(
        builder, rows, dz_next, n_next, group, weights_back, dh, dh_left, U,
        c, c_next, carry, carry_row, gates, left, mask, before,
    ):  # fmt: skip
        for v in range(P):  # what the equations will read has left the cache since the forward
            ask_for(builder, at(builder, c, (v, L)), rows, U)
            ask_for(builder, at(builder, c_next, (v, L)), rows, U)
            ask_for(builder, at(builder, carry, (v, L)), rows, carry_row)
            for g in range(4):
                place = gate_at(builder, form, gates, 4 * v + g, group)
                ask_for(builder, place, rows, G * L, write=True)

        def from_above():
            lefts = [builder.sub(dh_left, I64(v * L)) for v in range(P)]
            places = [at(builder, dh, (r, U), (v, L)) for r in range(rows) for v in range(P)]
            return [
                load(builder, form, place, left)
                for place, left in zip(places, lefts * rows, strict=True)
            ]

        dhs = in_rows(where_some(builder, form, dh_left, from_above), rows)
        dz = Rows(dz_next, G * L, I64(1), group)
        lines = [at(builder, weights_back, (v, L)) for v in range(P)]
        back = Pieces(lines, P * L, G * P * L * L)
        dhs = accumulate(builder, form, dhs, dz, back, I64(G * L), n_next)

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
                    *(at(builder, gates, (v * (4 // G), group)), group, *c_values),
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
    L, G = form.lanes, gates_together(form)

    def twin(
        rows, dz_next, dz_next_at, n_next, group, kernel, kernel_at, dh, dh_at, dh_left, U,
        c, c_at, c_next, c_next_at, carry, carry_at, gates, gates_at, left, mask, mask_at,
    ):  # fmt: skip
        passing = (mask[mask_at], dh, dh_at - U, left) if masked else ()
        shape, strides = (n_next, 4 // G, G, L), (4 // G * group, group, L, 1)
        dz = strided(dz_next, dz_next_at, shape, strides).reshape(n_next, 4, L)
        sums = np.zeros(L, kernel.dtype)
        lines = max(0, min(left, L))
        for g in range(4):
            gate = strided(kernel, kernel_at + g * U, (lines, U), (4 * U, 1))
            sums[:lines] += gate[:, : n_next * L] @ dz[:, g].reshape(-1)[: gate.shape[1]]
        _gates_back(
            read(dh, dh_at, dh_left, L) + sums,
            *(carry, carry_at, gates, gates_at, group, G),
            *(read(c, c_at, left, L), read(c_next, c_next_at, left, L)),
            *(L, activation, recurrent_activation, saved, *passing),
        )

    def emit(
        builder, rows, dz_next, n_next, group, kernel, dh, dh_left, U,
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
                dz_block = at(builder, dz_next, (o, times(builder, group, 4 // G)))
                dz = load(builder, form, gate_at(builder, form, dz_block, g, group))
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
            *(builder, form, dh_value, carry, one, I64(0), gates, group, *c_values),
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


def _gates_back(
    dh, carry, carry_at, gates, gates_at, group, G, c_prev, c, L, phi, sigma, saved, *passing
):
    places = [gates_at + g // G * group + g % G * L for g in range(4)]
    kept = [gates[place : place + L].copy() for place in places]
    dc = carry[carry_at : carry_at + L].copy()
    forwards = phi.forward, sigma.forward
    *dz, dc_prev = _equations_back(dh, dc, kept, c_prev, c, phi, sigma, saved, forwards)
    if passing:
        mask, before, before_at, left = passing
        *dz, dc_prev, passed = masked_backward(mask, dh, dc, *dz, dc_prev)
        write(before, before_at, left, read(before, before_at, left, L) + passed)
    write(carry, carry_at, L, dc_prev)
    for place, value in zip(places, dz, strict=True):
        write(gates, place, L, value)


def _emit_gates_back(
    builder, form, dh, carry, rows, carry_row, gates, group, c_prev, c, phi, sigma, saved, *passing
):
    row = gates_together(form) * form.lanes
    places = [gate_at(builder, form, gates, g, group) for g in range(4)]
    kept = [load_rows(builder, form, place, rows, row) for place in places]
    dc = load_rows(builder, form, carry, rows, carry_row)
    forwards = faster(phi.forward), faster(sigma.forward)
    *dz, dc_prev = _equations_back(dh, dc, kept, c_prev, c, phi, sigma, saved, forwards)
    if passing:
        mask, before, before_row, left = passing
        *dz, dc_prev, passed = masked_backward(mask, dh, dc, *dz, dc_prev)
        passed = passed + load_rows(builder, form, before, rows, before_row, left)
        store_rows(passed, form, before, rows, before_row, left)
    store_rows(dc_prev, form, carry, rows, carry_row)
    for place, value in zip(places, dz, strict=True):
        store_rows(value, form, place, rows, row)


# ------------------------------------------------------------------------------------ small parts
def faster(function):
    """Return the function to trace in the place of one of the reference's."""
    return FASTER.get(function, function)

"""What a tile does with its sums: the equations, row by row or a few rows side by side."""

from .emit import I64, at, counted, keep, load, stack, store, times
from .registers import gates_together
from .vector import Vector, join, splat, split


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

    def apply(self, pieces, function, left):
        """Put some of the pieces, with zeros beyond the first `left`, through a function."""
        builder, form = self._builder, self._form

        def applied(value):
            return function(Vector(builder, keep(builder, form, value, left), form)).value

        def each(number, carried):
            number = builder.add(number, I64(pieces[0] * self._rows))
            place = at(builder, self._memory, (number, form.lanes))
            store(builder, form, applied(load(builder, form, place)), place)
            return carried

        if self._rows == 1:
            for v in pieces:
                self._single[v] = applied(self._single[v])
        else:
            counted(builder, I64(len(pieces) * self._rows), [], each, compact=True)

    def each_row(self, finish):
        """Emit ``finish(rows, sums of these rows)`` for all rows.

        The equations are long chains of operations each of which waits for the one before, so a
        processor needs those of several rows to be busy: two rows side by side; or, where there are
        too few registers for that, a loop so short that the processor sees the next rows coming.
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

        together = 2 if gates_together(form) == 4 else 1

        def each(number, carried):
            side_by_side(times(builder, number, together), together)
            return carried

        counted(builder, I64(n_rows // together), [], each, compact=together == 1)
        if n_rows % together:
            side_by_side(I64(n_rows - n_rows % together), n_rows % together)


def gate_at(builder, form, gates, g, group):
    """Return the pointer to a gate, of which groups lie so far apart."""
    G = gates_together(form)
    return at(builder, gates, (g // G, group), (g % G, form.lanes))


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

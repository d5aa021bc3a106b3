"""LLVM IR in the few forms that tiles need: loops, loads, stores, products, transposes.

`accumulate` is the product that every tile is made of: rows of one matrix times pieces of another,
summed in registers.  Everything here takes an `ir.IRBuilder` and emits where it stands.
"""

import inspect
from typing import NamedTuple

from llvmlite import ir
from numba import types

from . import vector
from .jit import I64, emitted, with_parameters
from .vector import Vector, splat

_POINTERS = 8  # how many pointers to rows fit the registers
_EARLY = 2048  # how many bytes early the right matrix is asked for from the L2 cache
_AHEAD = 8  # how many numbers early a column is
_LINE = 64  # bytes of one, in which two of AVX2's vectors lie side by side
_UNROLLED, _FEW = 4, 12  # turns of a loop of so few products that its own count takes long
_READ_AGAIN, _OF = 10, 14  # how many of so many rows; with more the loads are what is waited for


def tile(heights, twin, emit, without=()):
    """Return a function ``(rows left, …) -> rows done``, emitted, or its twin in plain Python.

    Parameters
    ----------
    heights : tuple of int
        How many rows it can do at once, the greatest number first.
    twin : callable
        ``twin(rows, …)``.  Each array among its parameters is followed by ``<name>_at``, where in
        it to start.
    emit : callable
        ``emit(builder, rows, …)`` with the same names: pointers for the arrays, already moved on,
        64-bit integers for all else.
    without : tuple of str
        Parameters, the last ones, that this tile does not take.
    """

    def takes(height, left):
        return height <= left and left != _uneven(heights, height)

    names = [name for name in inspect.signature(twin).parameters if name not in without][1:]

    def interpreted(rows_left, *arguments):
        rows = next(height for height in heights if takes(height, rows_left))
        twin(rows, *arguments)
        return rows

    def typed(typing, rows_left, *arguments):
        signature = types.intp(
            types.intp, *(a if isinstance(a, types.Array) else types.intp for a in arguments)
        )

        def generate(context, builder, signature, values):
            rows_left, *values = values
            named = {}
            for name, kind, value in zip(names, signature.args[1:], values, strict=True):
                if isinstance(kind, types.Array):
                    named[name] = context.make_array(kind)(context, builder, value).data
                elif name.endswith("_at"):
                    pointer = name.removesuffix("_at")
                    named[pointer] = builder.gep(named[pointer], [value])
                else:
                    named[name] = value
            return _tallest(builder, heights, rows_left, lambda rows: emit(builder, rows, **named))

        return signature, generate

    return emitted(interpreted)(with_parameters(typed, ["rows_left", *names]))


def _uneven(heights, height):
    """Return the number of rows of which two lower tiles take as many: 4 and 4, not 6 and 2.

    Two rows take as long as four: each sum waits for the one before.
    """
    return height + 2 if height - 2 in heights and height - 2 > 2 else 0


def _tallest(builder, heights, rows_left, emit):
    """Emit one of the heights, the greatest that fits; return it."""
    done = builder.append_basic_block("tile.done")
    results = []
    for height in heights:
        if height > 1:
            takes = builder.append_basic_block(f"tile.{height}")
            otherwise = builder.append_basic_block("tile.lower")
            fits = builder.icmp_signed(">=", rows_left, I64(height))
            if uneven := _uneven(heights, height):
                fits = builder.and_(fits, builder.icmp_signed("!=", rows_left, I64(uneven)))
            builder.cbranch(fits, takes, otherwise)
            builder.position_at_end(takes)
        emit(height)
        results.append((I64(height), builder.block))
        builder.branch(done)
        if height > 1:
            builder.position_at_end(otherwise)
    builder.position_at_end(done)
    rows = builder.phi(I64)
    for height, block in results:
        rows.add_incoming(height, block)
    return rows


# ------------------------------------------------------------------------------------ small forms
def times(builder, a, b):
    """Return a * b for 64-bit integers, either of which may be a Python int."""
    if isinstance(a, int) and isinstance(b, int):
        return I64(a * b)
    a, b = (I64(n) if isinstance(n, int) else n for n in (a, b))
    return builder.mul(a, b)


def at(builder, pointer, *steps):
    """Return the pointer moved on by (index, stride) pairs."""
    for index, stride in steps:
        if index is not None and not (isinstance(index, int) and index == 0):
            pointer = builder.gep(pointer, [times(builder, index, stride)])
    return pointer


def counted(builder, n, carried, body, compact=False):
    """Emit ``for k in range(n): carried = body(k, carried)``; return the last `carried`.

    `carried` is a list of IR values; n may turn out to be 0.  A `compact` loop stays one turn long:
    LLVM unrolls others, also where the registers are all in use already.
    """
    before = builder.block
    loop = builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", n, I64(0)), loop, after)
    builder.position_at_end(loop)
    k = builder.phi(I64)
    k.add_incoming(I64(0), before)
    values = [builder.phi(value.type) for value in carried]
    for value, first in zip(values, carried, strict=True):
        value.add_incoming(first, before)
    new = body(k, values)
    following = builder.add(k, I64(1))
    end = builder.block
    k.add_incoming(following, end)
    for value, next_value in zip(values, new, strict=True):
        value.add_incoming(next_value, end)
    back = builder.cbranch(builder.icmp_signed("<", following, n), loop, after)
    if compact:
        back.set_metadata("llvm.loop", _compact(builder.module))
    builder.position_at_end(after)
    results = []
    for first, last in zip(carried, new, strict=True):
        result = builder.phi(first.type)
        result.add_incoming(first, before)
        result.add_incoming(last, end)
        results.append(result)
    return results


def _compact(module):
    """Return the metadata that tells LLVM not to unroll a loop."""
    disable = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    loop = module.add_metadata([I64(len(module.metadata)), disable])
    loop.operands = (loop, disable)  # LLVM takes it for a loop's if it points to itself
    return loop


def unrolled(builder, n, carried, body):
    """Emit the same as `counted`, several turns of the loop at a time."""

    def turns(k, values):
        for turn in range(_UNROLLED):
            values = body(builder.add(times(builder, k, _UNROLLED), I64(turn)), values)
        return values

    if isinstance(n, ir.Constant) and n.constant % _UNROLLED == 0:
        return counted(builder, I64(n.constant // _UNROLLED), carried, turns)
    whole = builder.sdiv(n, I64(_UNROLLED))
    carried = counted(builder, whole, carried, turns)
    done = times(builder, whole, _UNROLLED)
    rest = builder.sub(n, done)
    return counted(builder, rest, carried, lambda k, values: body(builder.add(k, done), values))


def load(builder, form, pointer, left=None):
    """Return the vector at a pointer; with `left`, of no more than so many numbers, and zeros."""
    if left is None:
        return vector.load(builder, pointer, form).value
    return vector.load_first(builder, pointer, form, left).value


def where_some(builder, form, count, loads):
    """Return the vectors that ``loads()`` emits if count > 0; if not, as many zeros.

    Processors do read no lane of a vector, but slowly (100 ns on Zen 3) where memory was never
    written to, which then has no page.
    """
    before, end = builder.block, builder.append_basic_block("some.end")
    some = builder.append_basic_block("some")
    builder.cbranch(builder.icmp_signed(">", count, I64(0)), some, end)
    builder.position_at_end(some)
    loaded, after = loads(), builder.block
    builder.branch(end)
    builder.position_at_end(end)
    results = [builder.phi(form.vector_type) for _ in loaded]
    for result, value in zip(results, loaded, strict=True):
        result.add_incoming(form.constant(0), before)
        result.add_incoming(value, after)
    return results


def store(builder, form, value, pointer, left=None):
    """Write a vector to a pointer; with `left`, no more of it than so many numbers."""
    whole = Vector(builder, value, form)
    if left is None:
        vector.store(whole, pointer)
    else:
        vector.store_first(whole, pointer, left)


def keep(builder, form, value, left):
    """Return a vector with zeros beyond its first `left` lanes."""
    return builder.select(vector.first_lanes(builder, left, form), value, form.constant(0))


def opaque(builder, pointer):
    """Return a pointer of which LLVM does not know where it comes from.

    It computes pointers that are a stride apart from each other, again and again inside a loop,
    which keeps a few registers free that nobody needs, and takes a tenth of the instructions.
    """
    return builder.asm(ir.FunctionType(pointer.type, [pointer.type]), "", "=r,0", [pointer], False)


def prefetch(builder, pointer, write=False):
    """Ask for the cache line at a pointer, which may also lead nowhere."""
    byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
    how = [ir.Constant(integer, number) for number in (int(write), 3, 1)]  # 3: to be kept; 1: data
    function = vector.declare(builder, "llvm.prefetch.p0", ir.VoidType(), [byte, *[integer] * 3])
    builder.call(function, [builder.bitcast(pointer, byte), *how])


def multiply_add(builder, a, b, c):
    """Return a * b + c, rounded once where the processor can."""
    fused = ("contract",)
    return builder.fadd(builder.fmul(a, b, flags=fused), c, flags=fused)


def stack(builder, form, many):
    """Return a pointer to room for so many vectors, on the function's stack."""
    with builder.goto_entry_block():
        room = builder.alloca(form.vector_type, size=I64(many))
    room.align = form.lanes * form.dtype.itemsize
    return builder.bitcast(room, form.scalar_type.as_pointer())


# ---------------------------------------------------------------------------------------- products
class Rows(NamedTuple):
    """The left matrix of a product: element (r, k) of outer part o.

    Its address is ``pointer + r * row + k * step + o * outer``.
    """

    pointer: ir.Value
    row: ir.Value
    step: ir.Value
    outer: ir.Value | int = 0


class Pieces(NamedTuple):
    """The right matrix: vector piece v of row k of outer part o.

    Its address is ``pointers[v] + k * step + o * outer``.
    """

    pointers: list
    step: ir.Value
    outer: ir.Value | int = 0
    lefts: list | None = None  # how many numbers of each piece there are; None: whole vectors
    soon: ir.Value | None = None  # what to ask the cache for with row 0, and so on; None: of these


def accumulate(builder, form, sums, a, b, n, n_outer=None, chains=1):
    """Emit ``sums[r][v] += a[r, k] * b[k, v]`` over n values of k, in each of n_outer parts.

    Parameters
    ----------
    sums : list of list of IR vectors
        One row for each row of `a`, one vector for each piece of `b`.
    a : Rows
    b : Pieces
    n, n_outer : IR integer
    chains : int
        Split the sum over k into as many partial sums, which the processor can add up side by side.
        For a single row; with several rows there is enough to do as it is.

    Returns
    -------
    list of list of IR vectors
        Every sum is made in the order of k, whatever the number of rows; `chains` changes it.
    """
    n_rows, n_pieces = len(sums), len(sums[0])
    many, size = n_rows * n_pieces, form.lanes * form.dtype.itemsize
    flat = [value for row in sums for value in row]
    read_again = _rows_read_again(form, n_rows, n_pieces, a)
    far = isinstance(a.row, int) and n_outer is not None and n_rows > 1  # gates: part by part
    loop = unrolled if n_rows >= 6 and many <= _FEW and b.lefts is None else counted

    def part(o, flat):
        rows = [at(builder, a.pointer, (r, a.row), (o, a.outer)) for r in range(n_rows)]
        if n_rows <= _POINTERS and not isinstance(a.row, (int, ir.Constant)):
            rows = [opaque(builder, row) for row in rows]
        if far:  # what the next part will read
            for r in range(n_rows):
                following = (r, a.row), (builder.add(o, I64(1)), a.outer)
                prefetch(builder, at(builder, a.pointer, *following))
        again = [opaque(builder, rows[0]) for _ in range(n_pieces if read_again else 0)]
        pieces = [at(builder, pointer, (o, b.outer)) for pointer in b.pointers]

        def step(k, values):
            values, again = values[:many], values[many:]
            line = [at(builder, piece, (k, b.step)) for piece in pieces]
            lefts = b.lefts or [None] * n_pieces
            if b.soon is not None:
                prefetch(builder, at(builder, b.soon, (k, b.step)))
            elif b.lefts is None:
                for v in range(0, n_pieces, max(1, _LINE // size)):
                    prefetch(builder, at(builder, line[v], (_EARLY // (n_pieces * size), b.step)))
            if not isinstance(a.step, ir.Constant):  # a column: each number in a line of its own
                for row in (rows[0], rows[-1])[:n_rows]:  # which may lie in two
                    prefetch(builder, at(builder, row, (builder.add(k, I64(_AHEAD)), a.step)))
            loaded = [
                load(builder, form, place, left) for place, left in zip(line, lefts, strict=True)
            ]
            new = []
            for r, row in enumerate(rows):
                if r < read_again:
                    numbers = [builder.load(at(builder, one, (r, a.row))) for one in again]
                else:
                    numbers = [builder.load(at(builder, row, (k, a.step)))] * n_pieces
                for v, (number, piece) in enumerate(zip(numbers, loaded, strict=True)):
                    x = splat(builder, number, form).value
                    new.append(multiply_add(builder, x, piece, values[r * n_pieces + v]))
            return new + [opaque(builder, at(builder, one, (1, a.step))) for one in again]

        if chains == 1:
            return loop(builder, n, [*flat, *again], step)[:many]
        return _chained(builder, form, n, flat, step, chains)

    flat = part(0, flat) if n_outer is None else counted(builder, n_outer, flat, part)
    return [flat[r * n_pieces : (r + 1) * n_pieces] for r in range(n_rows)]


def _rows_read_again(form, n_rows, n_pieces, a):
    """Return of how many rows the numbers are read once for each piece, and not once for all.

    AVX-512 can multiply by a number in memory that it puts in all lanes itself, which saves the
    instruction that does so, and LLVM makes use of that where a number is read for one product
    only.  So it gets a pointer for each piece, of which it cannot know that they are the same.
    They are moved on step by step: with an index in its address, the one instruction is two again.
    """
    fits = "avx512f" in form.features and isinstance(a.row, int) and (n_rows, n_pieces) == (_OF, 2)
    return _READ_AGAIN if fits else 0


def _chained(builder, form, n, values, step, chains):
    many = len(values)
    partial = [*values, *[form.constant(0)] * (many * (chains - 1))]

    def steps(k, partial):
        new = []
        for chain in range(chains):
            part = partial[chain * many : (chain + 1) * many]
            new += step(builder.add(times(builder, k, chains), I64(chain)), part)
        return new

    whole = builder.sdiv(n, I64(chains))
    partial = counted(builder, whole, partial, steps)
    done = times(builder, whole, chains)
    rest = builder.sub(n, done)
    first = counted(builder, rest, partial[:many], lambda k, part: step(builder.add(k, done), part))
    sums = [first] + [partial[c * many : (c + 1) * many] for c in range(1, chains)]
    while len(sums) > 1:
        sums = [
            [builder.fadd(x, y) for x, y in zip(*pair, strict=True)]
            for pair in zip(sums[::2], sums[1::2], strict=True)
        ]
    return sums[0]


# ----------------------------------------------------------------------------- across the lanes
def sum_each(builder, form, vectors):
    """Return one vector whose lane j is the sum of all lanes of ``vectors[j]``.

    As many vectors as lanes; pairs of them are folded into one, with half as many sums left to do
    each time.
    """
    lanes = form.lanes
    distance = 1
    while len(vectors) > 1:
        keep, swap = [], []
        for lane in range(lanes):
            side = lanes if (lane // distance) % 2 else 0
            keep.append(side + lane)
            swap.append(side + (lane ^ distance))
        vectors = [
            builder.fadd(_shuffle(builder, x, y, keep), _shuffle(builder, x, y, swap))
            for x, y in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        distance *= 2
    return vectors[0]


def transposed(builder, form, vectors):
    """Return the transpose of a square of vectors: lane i of vector j goes to lane j of i."""
    lanes = form.lanes
    distance = 1
    vectors = list(vectors)
    while distance < lanes:
        upper, lower = [], []
        for lane in range(lanes):
            odd = (lane // distance) % 2
            upper.append(lanes + lane - distance if odd else lane)
            lower.append(lanes + lane if odd else lane + distance)
        new = list(vectors)
        for j in range(lanes):
            if not (j // distance) % 2:
                x, y = vectors[j], vectors[j + distance]
                new[j] = _shuffle(builder, x, y, upper)
                new[j + distance] = _shuffle(builder, x, y, lower)
        vectors = new
        distance *= 2
    return vectors


def _shuffle(builder, x, y, lanes):
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    return builder.shuffle_vector(x, y, mask)

"""The limits: how many float32 operations a second this machine can do at all.

Two loops, each on one thread or on several at once.  "registers": fused multiply-adds on vectors
that never leave the registers, with enough of them independent of each other that none waits for
another.  "cache": the inner loop of a matrix product, which multiplies a few rows with a few
vectors and reads both from the L1 cache: what a product can reach when all else costs nothing.  On
an idle core the two differ little.  Where somebody else works on the other half of the core,
instructions and caches have to be shared, and the second is what is left.

A fused multiply-add counts as two operations, here and wherever times are turned into GFLOP/s.
"""

import functools
import threading
import time

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# 4 cycles until a result can be used, 2 units: 8 would do.  12 leave registers to spare with 16.
CHAINS = 12
DEPTH = 32  # rows of the product's right matrix, 8 KiB with vectors of 16
STEPS = 4  # of them that one turn of the loop takes
LOOPS = ("registers", "cache")


def lanes():
    """Return how many float32 a vector register of this CPU holds."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx") else 4


def measure(threads, seconds=0.1, repeats=5):
    """Return the GFLOP/s of one thread and of all together: the best of some repeats.

    Whatever disturbs a repeat makes it slower and never faster, so the best is the machine's.

    Parameters
    ----------
    threads : int
    seconds : float
        How long a repeat lasts, about.
    repeats : int

    Returns
    -------
    dict
        "one" and "all", and "cache", which is of all threads too.
    """

    def best(loop, count):
        return max(speed(loop, count, seconds) for _ in range(repeats))

    return {
        "one": best("registers", 1),
        "all": best("registers", threads),
        "cache": best("cache", threads),
    }


def now(threads, seconds=0.03):
    """Return the GFLOP/s of all threads in either loop, as they are at this moment."""
    return {loop: speed(loop, threads, seconds) for loop in LOOPS}


def speed(loop, threads, seconds):
    """Return the GFLOP/s that so many threads reach in one of the loops."""
    run, flops = _loop(loop)
    n = max(1, int(seconds / _seconds_of_one(loop)))
    return threads * flops * n / _seconds(run, n, threads) / 1e9


@functools.cache
def _seconds_of_one(loop):
    """Return the seconds that one turn of a loop takes, about."""
    run, _ = _loop(loop)
    n = 100_000
    return min(_seconds(run, n, 1) for _ in range(5)) / n


def _seconds(run, n, count):
    """Return the time from when all of `count` threads are ready until the last is done."""
    ready = threading.Barrier(count + 1)

    def work():
        ready.wait()
        run(n)

    workers = [threading.Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()
    start = time.perf_counter()
    ready.wait()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


@functools.cache
def _loop(name):
    """Return a function that does so many turns of a loop, and the operations of one turn."""
    steps = 1
    if name == "registers":
        # x = x * 0.5 + 1 goes to 2: no overflow, no denormals.
        emit, vectors, arrays = _in_registers, CHAINS, [np.array([0.5, 1.0], "float32")] * 2
    else:
        rows, pieces = (6, 4) if lanes() == 16 else (6, 2)  # what 32 registers hold, and 16
        emit, vectors, steps = functools.partial(_from_cache, rows, pieces), rows * pieces, STEPS
        signs = np.tile(np.array([1.0, -1.0], "float32"), DEPTH // 2)  # so that sums stay small
        arrays = [np.repeat(signs, rows), np.ones(DEPTH * pieces * lanes(), "float32")]
    turns = _intrinsic(emit, vectors, steps)

    @njit(nogil=True)
    def loop(a, b, n):
        return turns(a, b, n)

    loop(*arrays, 1)
    return functools.partial(loop, *arrays), 2 * steps * vectors * lanes()


def _intrinsic(emit, count, steps):
    """Return ``(a, b, n)`` that carries `count` vectors through n turns of what `emit` emits.

    A turn is as many steps, each of which has a number of its own.
    """
    vector = ir.VectorType(ir.FloatType(), lanes())

    @intrinsic
    def turns(typing_context, a, b, n):
        def generate(context, builder, signature, arguments):
            name = f"llvm.fma.v{lanes()}f32"
            kind = ir.FunctionType(vector, [vector] * 3)
            fma = cgutils.get_or_insert_function(builder.module, kind, name)
            a, b = (
                context.make_array(kind)(context, builder, value).data
                for kind, value in zip(signature.args[:2], arguments[:2], strict=True)
            )
            n = arguments[2]
            before = builder.block
            body, after = builder.append_basic_block("body"), builder.append_basic_block("done")
            turn = emit(builder, vector, a, b)
            builder.branch(body)
            builder.position_at_end(body)
            k = builder.phi(n.type)
            sums = [builder.phi(vector) for _ in range(count)]
            results = sums
            for step in range(steps):
                number = builder.add(builder.mul(k, k.type(steps)), k.type(step))
                results = [builder.call(fma, [x, y, z]) for x, y, z in turn(number, results)]
            next_k = builder.add(k, n.type(1))
            k.add_incoming(n.type(0), before)
            k.add_incoming(next_k, body)
            for number, (phi, result) in enumerate(zip(sums, results, strict=True)):
                phi.add_incoming(vector([float(number)] * lanes()), before)  # none is spared
                phi.add_incoming(result, body)
            builder.cbranch(builder.icmp_signed("<", next_k, n), body, after)
            builder.position_at_end(after)
            total = functools.reduce(builder.fadd, results)
            index = ir.IntType(32)
            each = [builder.extract_element(total, index(lane)) for lane in range(lanes())]
            return functools.reduce(builder.fadd, each)

        return types.float32(a, b, types.intp), generate

    return turns


def _in_registers(builder, vector, a, b):
    factor, summand = (
        _everywhere(builder, vector, builder.load(builder.gep(a, [ir.IntType(64)(index)])))
        for index in (0, 1)
    )
    return lambda k, sums: [(factor, value, summand) for value in sums]


def _from_cache(rows, pieces, builder, vector, a, b):
    def turn(k, sums):
        k = builder.and_(k, k.type(DEPTH - 1))
        line = builder.gep(b, [builder.mul(k, k.type(pieces * lanes()))])
        loaded = []
        for v in range(pieces):
            pointer = builder.gep(line, [k.type(v * lanes())])
            piece = builder.load(builder.bitcast(pointer, vector.as_pointer()))
            piece.align = 4
            loaded.append(piece)
        row = builder.gep(a, [builder.mul(k, k.type(rows))])
        products = []
        for r in range(rows):
            x = _everywhere(builder, vector, builder.load(builder.gep(row, [k.type(r)])))
            products += [(x, piece, sums[r * pieces + v]) for v, piece in enumerate(loaded)]
        return products

    return turn


def _everywhere(builder, vector, value):
    """Return a vector of one number in all lanes."""
    zero = ir.Constant(ir.IntType(32), 0)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, zero)
    nowhere = ir.Constant(vector, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, nowhere, zeros)

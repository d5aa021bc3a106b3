"""The limit: how many float32 operations a second this machine can do at all.

A loop of fused multiply-adds on vectors that never leave the registers, with enough of them
independent of each other that none waits for another, on one thread and on several at once.  A
fused multiply-add counts as two operations, here and wherever times are turned into GFLOP/s.
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
        "one" and "all".
    """
    loop = _loop()
    factors = np.array(
        [0.5, 1.0], "float32"
    )  # x = x * 0.5 + 1 goes to 2: no overflow, no denormals
    loop(factors, 1000)
    n = 1_000_000
    n = max(n, int(n * seconds / _seconds(loop, factors, n, 1)))
    flops = 2 * CHAINS * lanes() * n

    def best(count):
        runs = (_seconds(loop, factors, n, count) for _ in range(repeats))
        return count * flops / min(runs) / 1e9

    return {"one": best(1), "all": best(threads)}


def _seconds(loop, factors, n, count):
    """Return the time from when all of `count` threads are ready until the last is done."""
    ready = threading.Barrier(count + 1)

    def work():
        ready.wait()
        loop(factors, n)

    workers = [threading.Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()
    start = time.perf_counter()
    ready.wait()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


@functools.cache
def _loop():
    multiply_add = _multiply_add_loop(lanes())

    @njit(nogil=True)
    def loop(factors, n):
        return multiply_add(factors[0], factors[1], n)

    return loop


def _multiply_add_loop(width):
    """Return an intrinsic ``(a, b, n)`` that computes x = a * x + b, n times, in every chain."""
    vector = ir.VectorType(ir.FloatType(), width)

    @intrinsic
    def multiply_add(typing_context, a, b, n):
        def emit(context, builder, signature, arguments):
            fma = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{width}f32"
            )
            a, b = (_everywhere(builder, vector, value) for value in arguments[:2])
            n = arguments[2]
            integer = n.type
            before = builder.block
            body, after = builder.append_basic_block("fma"), builder.append_basic_block("done")
            builder.branch(body)
            builder.position_at_end(body)
            k = builder.phi(integer)
            chains = [builder.phi(vector) for _ in range(CHAINS)]
            results = [builder.call(fma, [a, chain, b]) for chain in chains]
            next_k = builder.add(k, ir.Constant(integer, 1))
            k.add_incoming(ir.Constant(integer, 0), before)
            k.add_incoming(next_k, body)
            for number, (chain, result) in enumerate(zip(chains, results, strict=True)):
                start = ir.Constant(
                    vector, [float(number)] * width
                )  # all different: none is spared
                chain.add_incoming(start, before)
                chain.add_incoming(result, body)
            builder.cbranch(builder.icmp_signed("<", next_k, n), body, after)
            builder.position_at_end(after)
            total = functools.reduce(builder.fadd, results)
            lanes = [
                builder.extract_element(total, ir.Constant(ir.IntType(32), lane))
                for lane in range(width)
            ]
            return functools.reduce(builder.fadd, lanes)

        return types.float32(types.float32, types.float32, types.intp), emit

    return multiply_add


def _everywhere(builder, vector, value):
    """Return a vector of one number in all lanes."""
    zero = ir.Constant(ir.IntType(32), 0)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, zero)
    nowhere = ir.Constant(vector, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, nowhere, zeros)

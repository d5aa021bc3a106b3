"""A thread that looks out for its next job without going to sleep.

To wake a thread that sleeps takes some hundred microseconds, longer than many a prediction; to tell
one that is awake, and to be told that it is done, takes three.
"""

from llvmlite import ir
from numba import types

from .frame import BOX_STATE, JOB, NOTHING, POSTED, UNDER_WAY
from .jit import I64, emitted, pause

_LOOKS = 40_000  # about a millisecond: what Python does between two calls, and more


def await_jobs(dtype):
    """Return the kernel that does what is posted in the letter box at the address ``row``.

    It returns when nothing has been posted for a while.
    """

    def kernel(row, frame, k):
        while do_next(row):
            pass

    return kernel


def _do_nothing(box):
    return False  # in plain Python there is one thread only


@emitted(_do_nothing)
def do_next(typing, box):
    """Wait for a job and do it; return whether there was one."""

    def emit(context, builder, signature, arguments):
        box = builder.inttoptr(arguments[0], I64.as_pointer())
        state, *job = (builder.gep(box, [I64(n)]) for n in (BOX_STATE, *range(*JOB)))
        before = builder.block
        look, take, again, do, done = (
            builder.append_basic_block(name) for name in ("look", "take", "again", "do", "done")
        )
        builder.branch(look)
        builder.position_at_end(look)
        looks = builder.phi(I64)
        looks.add_incoming(I64(0), before)
        seen = builder.load_atomic(state, "acquire", 8)
        builder.cbranch(builder.icmp_signed("==", seen, I64(POSTED)), take, again)
        builder.position_at_end(take)  # one of two threads that look into the same box gets it
        taken = builder.cmpxchg(state, I64(POSTED), I64(UNDER_WAY), "acq_rel", "acquire")
        builder.cbranch(builder.extract_value(taken, 1), do, again)
        builder.position_at_end(again)
        pause(builder)
        more = builder.add(looks, I64(1))
        looks.add_incoming(more, again)
        builder.cbranch(builder.icmp_signed("<", more, I64(_LOOKS)), look, done)
        builder.position_at_end(do)
        kernel, frame, number = (builder.load(place) for place in job)
        kind = ir.FunctionType(ir.VoidType(), [I64, I64, I64])
        builder.call(builder.inttoptr(kernel, kind.as_pointer()), [I64(0), frame, number])
        builder.store_atomic(I64(NOTHING), state, "release", 8)
        builder.branch(done)
        builder.position_at_end(done)
        some = builder.phi(ir.IntType(1))
        some.add_incoming(ir.Constant(ir.IntType(1), 0), again)
        some.add_incoming(ir.Constant(ir.IntType(1), 1), do)
        return some

    return types.boolean(types.int64), emit

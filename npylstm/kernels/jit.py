"""The few words that kernels need beside Python's own, each as machine code and as plain Python.

`jit` compiles a helper.  `view` gives a flat vector a shape.  `call` runs a kernel by its address,
`barrier` waits until all threads have come to the same line, `stopped` says whether to give up.
`share` deals tasks out evenly, `take` to whoever has time.
"""

import inspect
import math
import platform

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

from .frame import (
    ABANDONED,
    ARRIVED,
    DECIDED,
    FIELDS,
    GENERATION,
    INTEGERS,
    LINE,
    STOP,
    TABLES,
    TAKEN,
    THREADS,
    WIDTH,
    YIELD,
)
from .native import call_interpreted, jit_disabled

I64 = ir.IntType(64)
_ENDLESS = 1 << 40  # the length of arrays that come as bare addresses; no kernel asks for it


def jit(function):
    """Compile a helper of kernels; with the jit disabled, leave it as it is."""
    return njit(function, inline="always", error_model="numpy", fastmath={"contract"}, _nrt=False)


def emitted(twin):
    """Decorate a function ``(typing context, *types) -> signature, emitter`` that emits LLVM IR.

    Parameters
    ----------
    twin : callable
        The same in plain Python, used when the jit is disabled.
    """
    return lambda emitter: twin if jit_disabled() else intrinsic(emitter)


def with_parameters(function, names):
    """Give a function ``(typing, *arguments)`` named parameters, which Numba wants to see."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("typing", *names)]
    function.__signature__ = inspect.Signature(parameters)
    return function


# ------------------------------------------------------------------------------------------ arrays
def _array(context, builder, array_type, data, shape):
    array = context.make_array(array_type)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    strides, size = [], I64(item)
    for n in reversed(shape):
        strides.insert(0, size)
        size = builder.mul(size, n)
    context.populate_array(
        array, data=data, shape=shape, strides=strides, itemsize=I64(item), meminfo=None
    )
    return array._getvalue()


def _view(flat, offset, shape):
    return flat[offset : offset + math.prod(shape)].reshape(shape)


@emitted(_view)
def view(typing, flat, offset, shape):
    """Return the part of a flat vector that starts at `offset`, in this shape."""
    result = types.Array(flat.dtype, len(shape), "C")

    def emit(context, builder, signature, arguments):
        flat_value, start, shape_value = arguments
        data = context.make_array(flat)(context, builder, flat_value).data
        sizes = cgutils.unpack_tuple(builder, shape_value)
        return _array(context, builder, result, builder.gep(data, [start]), sizes)

    return result(flat, types.intp, types.UniTuple(types.intp, len(shape))), emit


class FrameType(types.Type):
    """A frame in machine code: the address of the addresses of its arrays."""

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype).name
        super().__init__(name=f"Frame({self.dtype})")

    def array_type(self, field):
        """Return the type of one of the frame's arrays."""
        number = getattr(types, self.dtype)
        item = types.int64 if field in INTEGERS else types.float64 if field == "totals" else number
        return types.Array(item, 2 if field in TABLES else 1, "C")


@register_model(FrameType)
class _FrameModel(models.PrimitiveModel):
    def __init__(self, manager, frame):
        super().__init__(manager, frame, I64)


@infer_getattr
class _FrameArrays(AttributeTemplate):
    key = FrameType

    def generic_resolve(self, frame, field):
        return frame.array_type(field) if field in FIELDS else None


@lower_getattr_generic(FrameType)
def _frame_array(context, builder, frame, value, field):
    kind = frame.array_type(field)
    pointer = _pointer(context, builder, frame, value, field)
    width = {"table": WIDTH, "segments": 2}.get(field)
    shape = [I64(_ENDLESS)] + [I64(width)] * (width is not None)
    return _array(context, builder, kind, pointer, shape)


def _pointer(context, builder, frame, value, field):
    """Return the pointer to one of a frame's arrays."""
    item = context.get_data_type(frame.array_type(field).dtype).as_pointer()
    place = builder.inttoptr(value, I64.as_pointer())
    place = builder.gep(place, [I64(FIELDS.index(field))])
    address = builder.load(place)
    address.set_metadata("invariant.load", builder.module.add_metadata([]))  # so it is loaded once
    return builder.inttoptr(address, item)


# ---------------------------------------------------------------------------- kernels and threads
@emitted(call_interpreted)
def call(typing, kernel, row, frame, k):
    """Run the kernel at an address; 0 stands for none."""

    def emit(context, builder, signature, arguments):
        number, row_value, frame_value, k_value = arguments
        with builder.if_then(builder.icmp_unsigned("!=", number, I64(0))):
            kernel_type = ir.FunctionType(ir.VoidType(), [I64, I64, I64])
            kernel = builder.inttoptr(number, kernel_type.as_pointer())
            builder.call(kernel, [row_value, frame_value, k_value])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, frame, types.int64), emit


def _stop_of_one(frame):
    return frame.sync[STOP] != 0


@emitted(_stop_of_one)
def stopped(typing, frame):
    """Return whether somebody has asked for an end, in the middle of things."""

    def emit(context, builder, signature, arguments):
        stop = _sync(context, builder, frame, arguments[0], STOP)
        return builder.icmp_signed("!=", _load_atomic(builder, stop), I64(0))

    return types.boolean(frame), emit


def _barrier_of_one(frame):
    frame.sync[TAKEN] = 0
    return frame.sync[STOP] != 0


@emitted(_barrier_of_one)
def barrier(typing, frame):
    """Wait until all threads are here; return whether to give up, the same answer to all.

    The last one to come looks whether somebody asked for an end, notes that nothing is taken
    (see `take`), and lets the others go.  They spin, and after a while offer their processor to
    whoever else wants it.  They give up by themselves if they are told that not all will come.
    """

    def emit(context, builder, signature, arguments):
        frame_value = arguments[0]

        def sync(index):
            return _sync(context, builder, frame, frame_value, index)

        def nothing_is_taken():
            with cgutils.for_range(builder, threads) as each:
                place = builder.gep(sync(TAKEN), [builder.mul(each.index, I64(LINE))])
                builder.store_atomic(I64(0), place, "monotonic", 8)

        threads = _setting(context, builder, frame, frame_value, THREADS)
        several = builder.icmp_signed(">", threads, I64(1))
        with builder.if_else(several) as (meet, alone):
            with alone:
                nothing_is_taken()
            with meet:
                generation = _load_atomic(builder, sync(GENERATION))
                before = builder.atomic_rmw("add", sync(ARRIVED), I64(1), "acq_rel")
                last = builder.icmp_signed("==", builder.add(before, I64(1)), threads)
                with builder.if_else(last) as (then, otherwise):
                    with then:
                        stop = _load_atomic(builder, sync(STOP))
                        builder.store_atomic(stop, sync(DECIDED), "monotonic", 8)
                        builder.store_atomic(I64(0), sync(ARRIVED), "monotonic", 8)
                        nothing_is_taken()
                        builder.atomic_rmw("add", sync(GENERATION), I64(1), "acq_rel")
                    with otherwise:
                        _spin(context, builder, frame, frame_value, generation)
        stop = builder.select(several, I64(DECIDED), I64(STOP))
        decided = _load_atomic(builder, builder.gep(sync(0), [stop]))
        decided = builder.or_(decided, _load_atomic(builder, sync(ABANDONED)))
        return builder.icmp_signed("!=", decided, I64(0))

    return types.boolean(frame), emit


_SPINS = 4000  # some ten microseconds


def _spin(context, builder, frame, frame_value, generation):
    """Wait for the next generation, or to be abandoned."""
    place, abandoned = (
        _sync(context, builder, frame, frame_value, index) for index in (GENERATION, ABANDONED)
    )
    entry = builder.block
    spin = builder.append_basic_block("spin")
    again = builder.append_basic_block("again")
    offer = builder.append_basic_block("offer")
    done = builder.append_basic_block("done")
    builder.branch(spin)
    builder.position_at_end(spin)
    spins = builder.phi(I64)
    spins.add_incoming(I64(0), entry)
    same = builder.icmp_signed("==", _load_atomic(builder, place), generation)
    awaited = builder.icmp_signed("==", _load_atomic(builder, abandoned), I64(0))
    builder.cbranch(builder.and_(same, awaited), again, done)
    builder.position_at_end(again)
    pause(builder)
    more = builder.add(spins, I64(1))
    spins.add_incoming(more, again)
    builder.cbranch(builder.icmp_signed("<", more, I64(_SPINS)), spin, offer)
    builder.position_at_end(offer)
    yield_type = ir.FunctionType(ir.IntType(32), [])
    number = _setting(context, builder, frame, frame_value, YIELD)
    builder.call(builder.inttoptr(number, yield_type.as_pointer()), [])
    spins.add_incoming(I64(0), offer)
    builder.branch(spin)
    builder.position_at_end(done)


def pause(builder):
    """Let the processor wait for a moment, and leave more to what else runs on its core."""
    if _X86:
        kind = ir.FunctionType(ir.VoidType(), [])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause")
        builder.call(function, [])


def _load_atomic(builder, pointer):
    return builder.load_atomic(pointer, "acquire", 8)


def _sync(context, builder, frame, frame_value, index):
    return _element(context, builder, frame, frame_value, "sync", index)


def _setting(context, builder, frame, frame_value, index):
    return builder.load(_element(context, builder, frame, frame_value, "settings", index))


def _element(context, builder, frame, frame_value, field, index):
    return builder.gep(_pointer(context, builder, frame, frame_value, field), [I64(index)])


def _share(n, k, threads):
    return n * k // threads, n * (k + 1) // threads


@emitted(_share)
def share(typing, n, k, threads):
    """Return the part (first, last + 1) of n things that is thread k's to do."""

    def emit(context, builder, signature, arguments):
        n, k, threads = arguments
        bounds = [
            builder.sdiv(builder.mul(n, part), threads) for part in (k, builder.add(k, I64(1)))
        ]
        return context.make_tuple(builder, signature.return_type, bounds)

    integer = types.int64
    return types.UniTuple(integer, 2)(integer, integer, integer), emit


def _fetch_and_add(frame, place, value):
    before = frame.sync[place]
    frame.sync[place] += value
    return before


@emitted(_fetch_and_add)
def fetch_and_add(typing, frame, place, value):
    """Add to a number that all threads see, ``frame.sync[place]``; return what it was before."""

    def emit(context, builder, signature, arguments):
        frame_value, place_value, value = arguments
        pointer = builder.gep(_sync(context, builder, frame, frame_value, 0), [place_value])
        return builder.atomic_rmw("add", pointer, value, "monotonic")

    return types.int64(frame, types.int64, types.int64), emit


_FROM_BACK = 1 << 32  # how many are taken from the back is counted in the upper half of a number


@jit
def take(frame, k, n):
    """Return one of n tasks that no thread has taken since the last barrier; -1 if none is left.

    A thread takes what is its share from front to back, so that it mostly meets the same ones
    again, in its own cache; then it helps the others, from the back of their shares.
    """
    threads = frame.settings[THREADS]
    taken, other = -1, 0
    while taken < 0 and other < threads:
        owner = (k + other) % threads
        first, last = share(n, owner, threads)
        count = fetch_and_add(frame, TAKEN + owner * LINE, _FROM_BACK if other else 1)
        from_front, from_back = count % _FROM_BACK, count // _FROM_BACK
        if from_front + from_back < last - first:
            taken = last - 1 - from_back if other else first + from_front
        other += 1
    return taken


@emitted(min)
def least(typing, a, b):
    """Return the lesser of two integers, without a call to another compiled function."""

    def emit(context, builder, signature, arguments):
        a, b = arguments
        return builder.select(builder.icmp_signed("<", a, b), a, b)

    return types.int64(types.int64, types.int64), emit


# ---------------------------------------------------------------------------------- tiny numbers
_X86 = platform.machine().lower() in ("x86_64", "amd64")
_ARM = platform.machine().lower() in ("aarch64", "arm64")
_FLUSH = 0x8040 if _X86 else 1 << 24  # MXCSR's FTZ and DAZ; FPCR's FZ


@emitted(lambda: 0)
def flush_denormals(typing):
    """Let the processor take denormal numbers for 0, and return how it took them before.

    Gradients that vanish over many timesteps end in them, and each would cost a hundred cycles.
    TensorFlow does the same.
    """

    def emit(context, builder, signature, arguments):
        before = _control(builder)
        _set_control(builder, builder.or_(before, I64(_FLUSH)))
        return before

    return types.int64(), emit


@emitted(lambda before: None)
def restore_denormals(typing, before):
    """Let the processor take denormal numbers as it did before."""

    def emit(context, builder, signature, arguments):
        _set_control(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), emit


def _control(builder):
    """Return the floating-point control register."""
    if _X86:
        place = cgutils.alloca_once(builder, ir.IntType(32))
        builder.call(_x86_control(builder, "stmxcsr", place), [place])
        return builder.zext(builder.load(place), I64)
    if _ARM:
        kind = ir.FunctionType(I64, [])
        name = "llvm.aarch64.get.fpcr"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
    return I64(0)


def _set_control(builder, value):
    if _X86:
        place = cgutils.alloca_once(builder, ir.IntType(32))
        builder.store(builder.trunc(value, ir.IntType(32)), place)
        builder.call(_x86_control(builder, "ldmxcsr", place), [place])
    elif _ARM:
        kind = ir.FunctionType(ir.VoidType(), [I64])
        name = "llvm.aarch64.set.fpcr"
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [value])


def _x86_control(builder, name, place):
    kind = ir.FunctionType(ir.VoidType(), [place.type])
    return cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")

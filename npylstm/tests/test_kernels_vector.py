"""Traced vectors and their math: compiled and called, against NumPy in more digits."""

import ctypes
import operator
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import binding, ir

from npylstm.kernels import vector, vector_math
from npylstm.kernels.format import Format, host_features, host_lanes, host_registers
from npylstm.kernels.vector import Vector, where
from npylstm.reference import activations, lstm

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")
FEATURES = host_features()

binding.initialize_native_target()
binding.initialize_native_asmprinter()


# ------------------------------------------------------------------------------------ the harness
def compiled(function, format, n_inputs=1, processor=None):
    """Compile a function of vectors into one of arrays, which loops over them.

    Parameters
    ----------
    function : callable
        From vectors to a vector or several.
    format : Format
    n_inputs : int
    processor : (str, str), optional
        Name and features of the processor to compile for; this one if None.

    Returns
    -------
    callable
        From arrays of one size, a multiple of the lanes, to an array or a tuple of arrays.
    """
    n_outputs = []

    def body(builder, count, pointers):
        integer, start = ir.IntType(64), builder.block
        loop, end = builder.append_basic_block("loop"), builder.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        at = builder.phi(integer)
        at.add_incoming(ir.Constant(integer, 0), start)
        here = [builder.gep(pointer, [at]) for pointer in pointers]
        outputs = function(*(vector.load(builder, one, format) for one in here[:n_inputs]))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for output, pointer in zip(outputs, here[n_inputs:], strict=False):
            vector.store(output, pointer)
        n_outputs.append(len(outputs))
        after = builder.add(at, ir.Constant(integer, format.lanes))
        at.add_incoming(after, builder.block)
        builder.cbranch(builder.icmp_signed("<", after, count), loop, end)
        builder.position_at_end(end)

    run = compiled_body(body, format, n_inputs + 64, processor)

    def call(*arrays):
        arrays = [np.ascontiguousarray(array, format.dtype) for array in arrays]
        size = arrays[0].size
        padded = [np.resize(array, size + -size % format.lanes) for array in arrays]
        outputs = [np.empty_like(padded[0]) for _ in range(n_outputs[0])]
        run(padded[0].size, *padded, *outputs)
        outputs = tuple(output[:size].reshape(arrays[0].shape) for output in outputs)
        return outputs if len(outputs) > 1 else outputs[0]

    return call


def compiled_body(body, format, n_pointers, processor=None):
    """Compile a function of a count and up to `n_pointers` arrays, whose IR `body` emits."""
    integer, pointer = ir.IntType(64), format.scalar_type.as_pointer()
    module = ir.Module()
    kind = ir.FunctionType(ir.VoidType(), [integer] + [pointer] * n_pointers)
    function = ir.Function(module, kind, "run")
    builder = ir.IRBuilder(function.append_basic_block("start"))
    body(builder, function.args[0], function.args[1:])
    builder.ret_void()
    name, features = processor or (
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
    )
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(cpu=name, features=features, opt=2, jit=True)
    parsed = binding.parse_assembly(str(module))
    parsed.verify()
    engine = binding.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    signature = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * n_pointers)
    call = signature(engine.get_function_address("run"))

    def run(count, *arrays, engine=engine):  # the code lives as long as its engine
        assert all(array.dtype == format.dtype for array in arrays)
        pointers = [array.ctypes.data for array in arrays]
        call(count, *pointers, *[None] * (n_pointers - len(arrays)))

    return run


def formats(dtype):
    """Return what to test a dtype with: (format, processor), every width with and without help.

    The last is for a processor that has nothing special, not even a fused multiply-add.
    """
    plain = ("x86-64" if platform.machine() in ("x86_64", "AMD64") else "generic", "")
    widest = host_lanes(dtype)
    narrowest = 16 // dtype.itemsize
    cases = []
    lanes = widest
    while lanes >= narrowest:
        cases += [(Format(dtype, lanes, FEATURES), None), (Format(dtype, lanes), None)]
        lanes //= 2
    cases.append((Format(dtype, narrowest), plain))
    return [
        pytest.param(*case, id=f"{case[0].suffix}-{'special' if case[0].features else 'general'}"
                     f"{'-baseline' if case[1] else ''}")
        for case in cases
    ]  # fmt: skip


EVERYWHERE = formats(FLOAT32) + formats(FLOAT64)
WIDEST = [Format(dtype, host_lanes(dtype), FEATURES) for dtype in (FLOAT32, FLOAT64)]
widest = pytest.mark.parametrize("format", WIDEST, ids=["float32", "float64"])


def last_place(wanted, dtype):
    """Return the unit in the last place that numbers have in a dtype, denormal ones included."""
    info = np.finfo(dtype)
    _, exponent = np.frexp(wanted)
    return np.ldexp(wanted.dtype.type(1), np.maximum(exponent - 1, info.minexp) - info.nmant)


def ulps(got, wanted, unit):
    """Return the largest error in units in the last place.

    What is equal after rounding, NaN included, has no error; a wrong NaN or inf an infinite one.
    """
    with np.errstate(all="ignore"):
        error = np.abs(got - wanted) / unit
        right = (got == wanted.astype(got.dtype)) | (np.isnan(got) & np.isnan(wanted))
    error[np.isnan(error)] = np.inf
    error[right] = 0
    return error.max()


def more_digits(name, x):
    """Return a function of x in the next larger dtype."""
    with np.errstate(all="ignore"):
        x = x.astype(np.float64 if x.dtype == FLOAT32 else np.longdouble)
        if name != "sigmoid":
            return getattr(np, name)(x)
        e = np.exp(-np.abs(x))
        return np.where(x < 0, e, 1) / (1 + e)


FUNCTIONS = ["exp", "expm1", "log", "log1p", "sigmoid", "tanh"]
# Where the functions change: the ends of their ranges, where results are denormal, powers of two.
CORNERS = [
    0,
    0.3466,
    0.5,
    0.5145434912949496,
    1,
    2,
    9,
    9.5,
    17.3,
    30,
    37,
    40,
    87.3,
    88.72,
    103.97,
    104,
    708.4,
    709.8,
    745.1,
]


def walk(dtype, rng):
    """Return numbers from all over the range of a dtype, denormal numbers, inf and NaN included."""
    near = [c * (1 + k * np.finfo(dtype).eps) for c in CORNERS for k in range(-50, 51)]
    special = [0.0, 5e-324, 1e-45, np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny]
    with np.errstate(over="ignore", under="ignore"):
        points = np.array([*near, *special], dtype)
    points = np.concatenate([points, -points, points - 1])
    if dtype == FLOAT32:
        bits = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32)
        around = [
            np.arange(2000),
            0x00800000 + np.arange(-2000, 2000),
            0x3F800000 + np.arange(-2000, 2000),
        ]
        around = np.concatenate(around).astype(np.uint32)
        return np.concatenate([points, *(b.view(dtype) for b in (bits, around, around | 2**31))])
    bits = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    middle = [rng.uniform(-end, end, 20_000) for end in (0.1, 1, 3, 50, 760)]
    return np.concatenate([points, bits.view(dtype), *middle, np.arange(2000).view(dtype)])


@pytest.fixture(scope="module")
def right():
    """Return a function that gives, once computed, the points of a walk and what is right there."""
    known = {}

    def at(name, dtype):
        if dtype not in known:
            known[dtype] = walk(dtype, np.random.default_rng(5))
        if (name, dtype) not in known:
            wanted = more_digits(name, known[dtype])
            known[name, dtype] = wanted, last_place(wanted, dtype)
        return known[dtype], *known[name, dtype]

    return at


# ------------------------------------------------------------------------------------ the functions
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("format, processor", EVERYWHERE)
def test_function(name, format, processor, right):
    if format.dtype == FLOAT64 and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("there is no dtype with more digits to compare with")
    x, wanted, unit = right(name, format.dtype)
    got = compiled(getattr(vector_math, name), format, processor=processor)(x)
    assert ulps(got, wanted, unit) <= (2.2 if processor else 2), name
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))


@widest
def test_special_values(format):
    def at(name, *x):
        return compiled(getattr(vector_math, name), format)(np.array(x)).tolist()

    inf = np.inf
    assert at("exp", -inf, inf, 0.0) == [0, inf, 1]
    assert at("expm1", -inf, inf) == [-1, inf]
    assert at("log", inf, 0.0, -0.0, 1.0) == [inf, -inf, -inf, 0]
    assert at("log1p", inf, -1.0) == [inf, -inf]
    assert np.isnan(at("log", -1.0, -inf, -1e-40)).all()
    assert np.isnan(at("log1p", -2.0, -inf)).all()
    assert at("sigmoid", -inf, inf, 0.0) == [0, 1, 0.5]
    assert at("tanh", -inf, inf) == [-1, 1]
    for name in ("tanh", "expm1", "log1p", "sqrt"):
        assert np.signbit(at(name, -0.0, 0.0)).tolist() == [True, False], name


def test_denormal_results():
    """What the naive formulas in float32 would flush to 0 or leave with few digits."""
    format = WIDEST[0]
    exp, sigmoid = (compiled(getattr(vector_math, name), format) for name in ("exp", "sigmoid"))
    x = np.array([-100, -103, -103.9, -88.5], "f")
    wanted = np.exp(x.astype("d")).astype("f")
    assert (wanted > 0).all()
    smallest = 1.5e-45
    np.testing.assert_allclose(exp(x), wanted, rtol=0, atol=smallest)
    np.testing.assert_allclose(sigmoid(x), wanted, rtol=0, atol=smallest)
    assert sigmoid(x)[0] == np.float32(3.783506e-44)


@pytest.mark.parametrize("format, processor", EVERYWHERE)
def test_logaddexp(format, processor, rng):
    wide = np.float64 if format.dtype == FLOAT32 else np.longdouble
    a, b = (30 * rng.normal(size=(2, 20_000))).astype(format.dtype)
    inf, nan = np.inf, np.nan
    a[:8], b[:8] = [inf, -inf, inf, nan, 1, 3, nan, -inf], [inf, -inf, -inf, 1, nan, 3, inf, 2]
    got = compiled(vector_math.logaddexp, format, 2, processor)(a, b)
    with np.errstate(invalid="ignore"):
        wanted = np.logaddexp(a.astype(wide), b.astype(wide))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    np.testing.assert_array_equal(got[:3], [inf, -inf, inf])
    # max(a, b) and the logarithm may cancel, so the error is one of the larger argument.
    larger = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1)
    finite = np.isfinite(wanted)
    got, wanted, larger = got[finite], wanted[finite], larger[finite]
    assert (np.abs(got - wanted) <= 2 * np.finfo(format.dtype).eps * larger).all()


@pytest.mark.parametrize("format, processor", EVERYWHERE)
@pytest.mark.parametrize("y", [0.5, 0.3, 2.0, 0.0])
def test_power(y, format, processor, rng):
    wide = np.float64 if format.dtype == FLOAT32 else np.longdouble
    x = np.exp(rng.uniform(-40, 40, 20_000)).astype(format.dtype)
    x[:2] = 0, 1
    y = format.dtype.type(y)
    wanted = x.astype(wide) ** y
    bound = (2 + 2 * np.abs(y * np.log(np.maximum(x, 1e-30)))) * last_place(wanted, format.dtype)
    for function in (lambda x: np.power(x, y), lambda x: np.power(x, x * 0 + y)):
        got = compiled(function, format, 1, processor)(x)
        assert (np.abs(got - wanted) <= bound).all()


def test_sign():
    x = np.array([-np.inf, -2, -0.0, 0, 1e-45, 3, np.inf, np.nan], FLOAT32)
    got = compiled(vector_math.sign, WIDEST[0], 1)(x)
    np.testing.assert_array_equal(got, np.sign(x))


@pytest.mark.parametrize("format, processor", EVERYWHERE)
@pytest.mark.parametrize("epsilon", [1e-7, 0.0, 0.1])
def test_quotient_by_root(epsilon, format, processor, rng):
    wide = np.float64 if format.dtype == FLOAT32 else np.longdouble
    v = np.exp(rng.uniform(-103, 88, 20_000)).astype(format.dtype)
    numerator = rng.normal(size=v.size).astype(format.dtype)
    quotient = compiled(
        lambda n, v: vector_math.quotient_by_root(n, v, epsilon), format, 2, processor
    )
    rounded = format.dtype.type(epsilon)
    wanted = numerator.astype(wide) / (np.sqrt(v.astype(wide)) + rounded)
    assert ulps(quotient(numerator, v), wanted, last_place(wanted, format.dtype)) <= 3
    special = np.array([0, -0.0, 1e-45, 1e-40, np.inf, np.nan, -1, -np.inf], format.dtype)
    for n in (1, -2, 0, np.inf, np.nan):
        numerator = np.full_like(special, n)
        with np.errstate(all="ignore"):
            wanted = numerator / (np.sqrt(special) + rounded)
        np.testing.assert_allclose(quotient(numerator, special), wanted, rtol=5e-7)


# -------------------------------------------------------------------------- the reference, traced
ELEMENTWISE = [one for one in activations.STANDARD if one is not activations.softmax]
by_name = pytest.mark.parametrize("activation", ELEMENTWISE, ids=lambda one: one.name)


def points(dtype, rng, *shape):
    """Return numbers of the size of pre-activations, some of them special."""
    z = (4 * rng.normal(size=shape)).astype(dtype)
    z.flat[:10] = [0, -0.0, 3, -3, 20, -20, 60, -60, 1e-6, -1e-6]
    return z


def close(got, wanted, dtype, steps):
    """Demand equality up to so many relative roundings, and a quarter as many of a number 1."""
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(got, wanted, rtol=steps * eps, atol=steps * eps / 4)


@by_name
@pytest.mark.parametrize("format, processor", EVERYWHERE)
def test_activation(activation, format, processor, rng):
    """A few roundings; where exp is given a rounded number, as many more as that is large."""
    z, dy = points(format.dtype, rng, 512), rng.normal(size=512).astype(format.dtype)
    with np.errstate(over="ignore"):
        y = activation.forward(z.astype(np.longdouble))
        got = compiled(activation.forward, format, 1, processor)(z)
        close(got, y.astype(format.dtype), format.dtype, 8)
        y = y.astype(format.dtype)
        dz = activation.backward(*(one.astype(np.longdouble) for one in (dy, z, y)))
        got = compiled(activation.backward, format, 3, processor)(dy, z, y)
        close(got, dz.astype(format.dtype), format.dtype, 16)


@by_name
@widest
def test_activation_of_nan(activation, format, rng):
    z = points(format.dtype, rng, 64)
    z[::3] = np.nan
    assert np.isnan(compiled(activation.forward, format)(z)[::3]).all()
    dy = rng.normal(size=64).astype(format.dtype)
    dy[::5] = np.nan
    with np.errstate(all="ignore"):
        y = activation.forward(z)
        wanted = activation.backward(dy, z, y)
    got = compiled(activation.backward, format, 3)(dy, z, y)
    assert np.isnan(got[::5]).all()
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))


@pytest.mark.parametrize("faster", [False, True], ids=["as-written", "faster"])
@pytest.mark.parametrize("format, processor", EVERYWHERE)
def test_gates(faster, format, processor, rng):
    sigmoid = activations.sigmoid.forward
    if faster:
        sigmoid = vector_math.FASTER[sigmoid]

    def forward(*inputs):
        return lstm.gates_forward(*inputs, recurrent_activation=sigmoid)

    inputs = [points(format.dtype, rng, 160) for _ in range(5)]
    for one in inputs:
        rng.shuffle(one)
    outputs = compiled(forward, format, 5, processor)(*inputs)
    wide = [one.astype(np.longdouble) for one in inputs]
    with np.errstate(over="ignore"):
        wanted = lstm.gates_forward(*wide)
    _, c, *gates = wanted = [one.astype(format.dtype) for one in wanted]
    for got, one in zip(outputs, wanted, strict=True):
        # c is a sum that may cancel, of products that may be large
        np.testing.assert_allclose(
            got, one, rtol=8 * np.finfo(format.dtype).eps, atol=4e1 * np.finfo(format.dtype).eps
        )
    slopes = compiled(lstm.gates_slopes, format, 11, processor)(*inputs, c, *gates)
    wanted = lstm.gates_slopes(*inputs, c, *gates)
    for got, one in zip(slopes, wanted, strict=True):
        close(got, one, format.dtype, 8)
    dh, dc = rng.normal(size=(2, 160)).astype(format.dtype)
    gradients = compiled(lstm.gates_backward, format, 8, processor)(dh, dc, *wanted, gates[1])
    for got, one in zip(gradients, lstm.gates_backward(dh, dc, *wanted, gates[1]), strict=True):
        np.testing.assert_allclose(
            got, one, rtol=8 * np.finfo(format.dtype).eps, atol=4e2 * np.finfo(format.dtype).eps
        )


# ------------------------------------------------------------------------------- the vector itself
@pytest.mark.parametrize("format, processor", EVERYWHERE)
def test_operators(format, processor, rng):
    """NumPy's results, for one operation at a time or two."""
    numbers = [-3, -1.5, -1, -0.5, 0, 0.5, 1, 2, 3, np.inf, -np.inf, np.nan]
    a, b = rng.choice(numbers, (2, 256)).astype(format.dtype)
    functions = [
        *(operator.add, operator.sub, operator.mul, operator.truediv),
        *(np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum),
        *(
            lambda a, b: 3 * a - b / 7,
            lambda a, b: 1 - a,
            lambda a, b: 2 / b,
            lambda a, b: -b + 0.1,
        ),
        *(lambda a, b: np.float64(0.1) * a, lambda a, b: b * np.int64(3), lambda a, b: abs(a)),
        *(lambda a, b: np.maximum(a, 0.5), lambda a, b: np.minimum(1, b), lambda a, b: +a),
        *(
            lambda a, b: np.sqrt(np.abs(a)),
            lambda a, b: np.reciprocal(b),
            lambda a, b: np.square(a),
        ),
        *(lambda a, b: np.where(a < b, a, 2), lambda a, b: np.where(a <= b, 1, b)),
        *(lambda a, b: np.where(a == b, a, 2), lambda a, b: np.where(a != b, 1, b)),
        *(lambda a, b: np.where((a > 0) & (b >= 1), 1, 0), lambda a, b: np.where(~(a > b), a, b)),
        *(lambda a, b: np.where((a > 0) | (b > 0), a, b), lambda a, b: np.where(0 < a, a, b)),
        *(lambda a, b: a * (b > 0), lambda a, b: (a > 1) * b, lambda a, b: np.clip(a, -1, 2)),
        *(
            lambda a, b: np.where(np.isnan(a), b, a),
            lambda a, b: np.where(np.logical_not(a < b), a, 1),
        ),
        lambda a, b: np.where((a > 0) ^ (b > 0), a, b),
    ]
    results = compiled(lambda a, b: tuple(f(a, b) for f in functions), format, 2, processor)(a, b)
    rtol = 2 * np.finfo(format.dtype).eps  # of `3 * a - b / 7`, which may be fused
    for number, (function, got) in enumerate(zip(functions, results, strict=True)):
        with np.errstate(all="ignore"):
            wanted = function(a, b).astype(format.dtype)
        np.testing.assert_allclose(got, wanted, rtol=rtol, err_msg=f"function {number}")


def test_products_are_fused_with_sums_by_rule(rng):
    """The product on the right, if the processor can: LLVM would choose by what stands around."""
    format, fuses = WIDEST[0], {"fma", "avx512f"} & FEATURES or platform.machine() == "aarch64"
    a, b, c, d = rng.normal(size=(4, 1600)).astype("f")
    got = compiled(
        lambda a, b, c, d: (a * b + c * d, a * b - c * d, a * b + c, a - c * d, -(a * b) + c),
        format,
        4,
    )(a, b, c, d)
    ab, cd = a.astype("g") * b, c.astype("g") * d  # both exact
    rounded_ab, rounded_cd = ab.astype("f"), cd.astype("f")
    if fuses:
        wanted = rounded_ab + cd, rounded_ab - cd, ab + c, a - cd, c - ab
    else:
        wanted = (
            rounded_ab + rounded_cd,
            rounded_ab - rounded_cd,
            rounded_ab + c,
            a - rounded_cd,
            c - rounded_ab,
        )
    for one, right in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, right.astype("f"))


def test_rebinding_operators(rng):
    def step(m, dw):
        m += (dw - m) * (1 - 0.9)
        m *= 2
        m -= 1
        m /= 3
        return m

    m, dw = rng.normal(size=(2, 32))
    got = compiled(step, WIDEST[1], 2)(m, dw)
    np.testing.assert_allclose(got, step(m.copy(), dw), rtol=1e-14, atol=1e-15)


def test_constants_are_rounded_once():
    for format in WIDEST:
        got = compiled(lambda x: x * 0 + 0.1, format)(np.ones(16))
        np.testing.assert_array_equal(got, format.dtype.type(0.1))


@st.composite
def tails(draw):
    dtype = draw(st.sampled_from([FLOAT32, FLOAT64]))
    lanes = host_lanes(dtype)
    return Format(dtype, lanes), draw(st.integers(0, lanes))


@given(tails())
def test_tail(tail):
    """Only the first numbers are read and written, whatever lies beyond them."""
    format, count = tail

    def body(builder, count, pointers):
        numbers = vector.load_first(builder, pointers[0], format, count)
        vector.store(numbers, pointers[2])
        vector.store_first(numbers + 1, pointers[1], count)

    x = np.arange(2, format.lanes + 2, dtype=format.dtype)
    y, read = np.full_like(x, -7), np.full_like(x, -7)
    compiled_body(body, format, 3)(count, x, y, read)
    there = np.arange(format.lanes) < count
    np.testing.assert_array_equal(read, np.where(there, x, 0))
    np.testing.assert_array_equal(y, np.where(there, x + 1, -7))


@pytest.mark.skipif(not hasattr(__import__("mmap").mmap, "madvise"), reason="needs POSIX memory")
@widest
def test_tail_at_the_end_of_memory(format):
    """A tail that ends where a page ends does not touch the next one, which is not there."""
    code = f"""
import ctypes, mmap
import numpy as np
from npylstm.kernels import vector
from npylstm.kernels.format import Format
from npylstm.tests.test_kernels_vector import compiled_body
format = Format(np.dtype("{format.dtype}"), {format.lanes})
def body(builder, count, pointers):
    numbers = vector.load_first(builder, pointers[0], format, count)
    vector.store_first(numbers + 1, pointers[0], count)
size = mmap.PAGESIZE
pages = mmap.mmap(-1, 2 * size)
start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), size, 0) == 0
x = np.frombuffer(pages, format.dtype, size // format.dtype.itemsize)[-3:]
x[:] = 1
compiled_body(body, format, 1)(3, x)
print(x.tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[2.0, 2.0, 2.0]", done.stderr


@pytest.mark.parametrize("format, processor", EVERYWHERE)
def test_reduce_and_splat(format, processor, rng):
    def body(builder, count, pointers):
        numbers = vector.load(builder, pointers[0], format)
        total, most = vector.reduce(numbers, operator.add), vector.reduce(numbers, np.maximum)
        builder.store(total, pointers[1])
        builder.store(most, builder.gep(pointers[1], [ir.Constant(ir.IntType(64), 1)]))
        first = builder.load(pointers[0])
        vector.store(vector.splat(builder, first, format) * 2, pointers[2])

    run = compiled_body(body, format, 3, processor)
    x = rng.normal(size=format.lanes).astype(format.dtype)
    halves = x
    while halves.size > 1:  # the order of the sum is part of the promise
        halves = halves[: halves.size // 2] + halves[halves.size // 2 :]
    results, doubled = np.zeros(2, format.dtype), np.zeros_like(x)
    run(0, x, results, doubled)
    assert results.tolist() == [halves[0], x.max()]
    np.testing.assert_array_equal(doubled, 2 * x[0])
    x[1] = np.nan
    run(0, x, results, doubled)
    assert np.isnan(results).all()


# ----------------------------------------------------------------------------- what cannot be done
def refused(function, error, match):
    with pytest.raises(error, match=match):
        compiled(function, WIDEST[0])


def test_what_cannot_be_traced():
    refused(np.sin, TypeError, "np.sin cannot be traced.*these can: absolute, add")
    refused(np.sum, TypeError, r"cannot be traced")
    refused(lambda z: np.max(z, axis=-1), TypeError, "cannot be traced")
    refused(lambda z: np.add.reduce(z), TypeError, "np.add.reduce cannot be traced")
    refused(lambda z: np.add(z, 1, dtype="f4"), TypeError, "np.add cannot be traced with dtype=")
    refused(lambda z: z + np.ones(3), TypeError, "np.add cannot be traced with ndarray")
    refused(lambda z: np.where(1, z, z), TypeError, "np.where chooses by a comparison, not by int")
    refused(lambda z: z if z > 0 else 0, TypeError, "np.where, & or |")
    refused(lambda z: z + "1", TypeError, "unsupported operand")
    refused(activations.softmax.forward, TypeError, "cannot be traced")


def test_formats_do_not_mix():
    other = Format(FLOAT32, 2)
    refused(lambda z: z + Vector(z.builder, other.constant(1), other), TypeError, "do not mix")


def test_where_needs_a_mask():
    with pytest.raises(TypeError, match="chooses by a comparison"):
        where(True, 1, 2)


# ------------------------------------------------------------------------------------ the processor
NUMBA_VARIABLES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")


@pytest.fixture
def without_settings(monkeypatch):
    for name in NUMBA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "features, lanes, registers",
    [("+avx512f,+avx2", 16, 32), ("+avx2,-avx512f", 8, None), ("", 4, None), ("-avx2", 4, None)],
)
def test_lanes(features, lanes, registers, without_settings):
    without_settings.setenv("NUMBA_CPU_FEATURES", features)
    assert (host_lanes("float32"), host_lanes("float64")) == (lanes, lanes // 2)
    many = platform.machine().lower() in ("aarch64", "arm64")
    assert host_registers() == (registers or (32 if many else 16))


def test_processor_settings(without_settings):
    here = {name for name, there in binding.get_host_cpu_features().items() if there}
    assert host_features() <= here
    without_settings.setenv("NUMBA_ENABLE_AVX", "0")
    assert host_features() == {name for name in here if not name.startswith("avx")}
    without_settings.setenv("NUMBA_CPU_NAME", "generic")
    assert host_features() == frozenset()
    without_settings.setenv("NUMBA_CPU_FEATURES", "+avx2,+fma")
    assert host_features() == {"avx2", "fma"}


@pytest.mark.parametrize(
    "settings", [{}, {"NUMBA_CPU_NAME": "generic"}, {"NUMBA_CPU_FEATURES": "+avx2,+fma"}]
)
def test_processor_is_the_one_that_numba_compiles_for(settings, without_settings):
    pytest.importorskip("numba")
    for name, value in settings.items():
        without_settings.setenv(name, value)
    code = (
        "from numba.core.registry import cpu_target as t\n"
        "print(t.target_context.codegen().magic_tuple()[2])"
    )
    numba = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    words = numba.stdout.strip().split(",")
    assert host_features() == {word[1:] for word in words if word.startswith("+")}


def test_import_needs_neither_numba_nor_kernels():
    code = (
        "import sys, npylstm\nassert 'llvmlite' not in sys.modules\n"
        "import npylstm.kernels.vector_math\nassert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=None)

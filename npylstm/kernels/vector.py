"""Traced vectors: called with them, the reference's functions emit LLVM IR instead of computing.

A `Vector` stands for the lanes of one vector register: some neighbouring numbers of an array, all
of one dtype.  It takes part in ``+ - * /``, comparisons and NumPy's functions, each of which adds
an instruction to an llvmlite builder and returns the `Vector` (or `Mask`) of what it will give.  So
the lines that compute with arrays are also the lines that the compiled kernels are made from.

A product to which something is added is fused with the sum, rounded once, if the processor can; of
two products the right one.  It is written down, not left to LLVM, so that an equation rounds alike
wherever it stands.  NaN, inf, denormals and the sign of zero go their way as in NumPy.
"""

import numpy as np
from llvmlite import ir

# -------------------------------------------------------------------------------------- the vector
NUMBERS = (int, float, np.bool_, np.integer, np.floating)


class Traced:
    """What `Vector` and `Mask` have in common: a place in the code to be, and NumPy's functions.

    Attributes
    ----------
    builder : llvmlite.ir.IRBuilder
        Where the instructions go.
    value : llvmlite.ir.Value
        What this stands for.
    format : Format
    """

    __slots__ = ("builder", "format", "value")
    __hash__ = None

    def __init__(self, builder, value, format):
        self.builder, self.value, self.format = builder, value, format

    def new(self, value):
        """Return the `Vector` of an IR value at the same place."""
        return Vector(self.builder, value, self.format)

    def like(self, other):
        """Return something as a `Vector` of this format, or NotImplemented."""
        if isinstance(other, Vector):
            if other.format != self.format:
                raise TypeError(f"vectors of {self.format} and {other.format} do not mix")
            return other
        if isinstance(other, Mask):
            return other.as_numbers()
        if isinstance(other, NUMBERS):
            return self.new(self.format.constant(other))
        return NotImplemented

    def __bool__(self):
        raise TypeError(
            "a traced value is not known yet, so it cannot decide an `if`, `and` or `or`; "
            "use np.where, & or |"
        )

    def __array__(self, *args, **kwargs):
        raise TypeError("a traced value has no numbers yet, so it cannot become an array")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        from .vector_math import UFUNCS  # here, because it is built on this file

        if method != "__call__":
            raise TypeError(f"np.{ufunc.__name__}.{method} cannot be traced; only plain calls can")
        if kwargs:
            raise TypeError(f"np.{ufunc.__name__} cannot be traced with {', '.join(kwargs)}=")
        return _call(f"np.{ufunc.__name__}", UFUNCS.get(ufunc), UFUNCS, inputs)

    def __array_function__(self, func, types, args, kwargs):
        from .vector_math import FUNCTIONS

        if kwargs:
            raise TypeError(f"np.{func.__name__} cannot be traced with {', '.join(kwargs)}=")
        return _call(f"np.{func.__name__}", FUNCTIONS.get(func), FUNCTIONS, args)


def _call(name, function, table, inputs):
    """Call what a table holds for one of NumPy's functions, or say what else can be used."""
    if function is None:
        known = ", ".join(sorted({one.__name__ for one in table}))
        raise TypeError(f"{name} cannot be traced, one element at a time; these can: {known}")
    for one in inputs:
        if not isinstance(one, (Traced, *NUMBERS)):
            raise TypeError(
                f"{name} cannot be traced with {type(one).__name__}; use vectors and numbers"
            )
    # As Python's numbers, because the operators of NumPy's own would lead back to here.
    return function(*(float(one) if isinstance(one, np.generic) else one for one in inputs))


def _arithmetic(emit, swapped=False):
    def operator(self, other):
        other = self.like(other)
        if other is NotImplemented:
            return NotImplemented
        return emit(other, self) if swapped else emit(self, other)

    return operator


def _sum(left, right):
    if right.factors is not None:
        return right.factors[0].intrinsic("llvm.fmuladd", right.factors[1], left)
    if left.factors is not None:
        return left.factors[0].intrinsic("llvm.fmuladd", left.factors[1], right)
    return left.new(left.builder.fadd(left.value, right.value))


def _difference(left, right):
    if left.factors is None and right.factors is None:
        return left.new(left.builder.fsub(left.value, right.value))
    return _sum(left, -right)


def _product(left, right):
    value = left.builder.fmul(left.value, right.value)
    return Vector(left.builder, value, left.format, (left, right))


def _quotient(left, right):
    return left.new(left.builder.fdiv(left.value, right.value))


def _comparison(sign):
    def operator(self, other):
        other = self.like(other)
        if other is NotImplemented:
            return NotImplemented
        # As in NumPy, NaN is unequal to everything; all other comparisons with it are false.
        emit = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
        return Mask(self.builder, emit(sign, self.value, other.value), self.format)

    return operator


class Vector(Traced):
    """The numbers in one vector register, as they will be when the traced code runs.

    Its operators take vectors of the same format, masks (as 0 and 1) and Python's and NumPy's
    numbers, which are rounded to the vector's dtype.

    Attributes
    ----------
    factors : (Vector, Vector) or None
        Of a product: what is added to it is fused with them.
    """

    __slots__ = ("factors",)

    def __init__(self, builder, value, format, factors=None):
        super().__init__(builder, value, format)
        self.factors = factors

    __add__ = _arithmetic(_sum)
    __radd__ = _arithmetic(_sum, swapped=True)
    __sub__ = _arithmetic(_difference)
    __rsub__ = _arithmetic(_difference, swapped=True)
    __mul__ = _arithmetic(_product)
    __rmul__ = _arithmetic(_product, swapped=True)
    __truediv__ = _arithmetic(_quotient)
    __rtruediv__ = _arithmetic(_quotient, swapped=True)
    __lt__ = _comparison("<")
    __le__ = _comparison("<=")
    __gt__ = _comparison(">")
    __ge__ = _comparison(">=")
    __eq__ = _comparison("==")
    __ne__ = _comparison("!=")

    def __neg__(self):
        factors = self.factors and (-self.factors[0], self.factors[1])
        return Vector(self.builder, self.builder.fneg(self.value), self.format, factors)

    def __pos__(self):
        return self

    def __abs__(self):
        return self.intrinsic("llvm.fabs")

    def intrinsic(self, name, *others):
        """Call an LLVM intrinsic that takes and gives vectors of this format.

        Parameters
        ----------
        name : str
            Without the ending for the type, such as "llvm.sqrt".
        *others : Vector or number
            The arguments after this vector.
        """
        arguments = [self.value, *(self.like(other).value for other in others)]
        kind = self.format.vector_type
        function = declare(
            self.builder, f"{name}.{self.format.suffix}", kind, [kind] * len(arguments)
        )
        return self.new(self.builder.call(function, arguments))

    def as_bits(self):
        """Return the IR value of the bits, as a vector of integers."""
        return self.builder.bitcast(self.value, self.format.integers_type)

    def from_bits(self, integers):
        """Return the `Vector` that a vector of integers holds the bits of."""
        return self.new(self.builder.bitcast(integers, self.format.vector_type))


class Mask(Traced):
    """One bit for each lane: what a comparison gives, and what np.where chooses by."""

    __slots__ = ()

    def as_numbers(self):
        """Return a `Vector` of ones and zeros."""
        return where(self, 1, 0)

    def _combined(self, instruction, other):
        if not isinstance(other, Mask):
            return NotImplemented
        emit = getattr(self.builder, instruction)
        return Mask(self.builder, emit(self.value, other.value), self.format)

    def __and__(self, other):
        return self._combined("and_", other)

    def __or__(self, other):
        return self._combined("or_", other)

    def __xor__(self, other):
        return self._combined("xor", other)

    def __invert__(self):
        return Mask(self.builder, self.builder.not_(self.value), self.format)

    def __mul__(self, other):
        return self.as_numbers() * other

    __rmul__ = __mul__


def where(mask, then, otherwise):
    """Return `then` in the lanes that a `Mask` names and `otherwise` in the others, as np.where."""
    if not isinstance(mask, Mask):
        raise TypeError(f"np.where chooses by a comparison, not by {type(mask).__name__}")
    then, otherwise = mask.like(then), mask.like(otherwise)
    return mask.new(mask.builder.select(mask.value, then.value, otherwise.value))


def declare(builder, name, result, arguments):
    """Return a function of the module under its name, declared there if it is not yet."""
    module = builder.module
    if name in module.globals:
        return module.globals[name]
    return ir.Function(module, ir.FunctionType(result, arguments), name)


# -------------------------------------------------------------------------- registers and memory
def splat(builder, scalar, format):
    """Return the `Vector` with one IR value, a number of the format's dtype, in every lane."""
    return Vector(builder, _in_all_lanes(builder, scalar, format.lanes), format)


def _in_all_lanes(builder, scalar, lanes):
    indices = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, indices)


def load(builder, pointer, format):
    """Return the `Vector` of the numbers at a pointer, which needs no more than their alignment."""
    value = builder.load(_to_vectors(builder, pointer, format))
    value.align = format.dtype.itemsize
    return Vector(builder, value, format)


def store(vector, pointer):
    """Write a `Vector`'s numbers to a pointer, which needs no more than their alignment."""
    instruction = vector.builder.store(
        vector.value, _to_vectors(vector.builder, pointer, vector.format)
    )
    instruction.align = vector.format.dtype.itemsize


def load_first(builder, pointer, format, count):
    """Return the `Vector` of the first `count` numbers at a pointer, and zeros.

    Nothing beyond them is touched.  `count` is an IR integer; any number will do.
    """
    if format.features & {"avx2", "avx512f"}:
        return _load_part(builder, pointer, format, count)
    with builder.if_else(_is_whole(builder, count, format), likely=True) as (whole, part):
        with whole:
            every, after_whole = load(builder, pointer, format), builder.block
        with part:
            some, after_part = _load_part(builder, pointer, format, count), builder.block
    result = builder.phi(format.vector_type)
    result.add_incoming(every.value, after_whole)
    result.add_incoming(some.value, after_part)
    return Vector(builder, result, format)


def store_first(vector, pointer, count):
    """Write the first `count` numbers of a `Vector`, and touch nothing beyond them."""
    builder, format = vector.builder, vector.format
    if "avx512f" in format.features:
        _store_part(vector, pointer, count)
        return
    with builder.if_else(_is_whole(builder, count, format), likely=True) as (whole, part):
        with whole:
            store(vector, pointer)
        with part:
            _store_part(vector, pointer, count)


def _is_whole(builder, count, format):
    """Return whether there are as many numbers as lanes, as there mostly are.

    Only AVX-512 writes parts of vectors as fast as whole ones, and only AVX2 reads them so, too.
    """
    return builder.icmp_signed(">=", count, ir.Constant(count.type, format.lanes))


def _load_part(builder, pointer, format, count):
    kind, pointer = format.vector_type, _to_vectors(builder, pointer, format)
    arguments = [
        pointer,
        ir.Constant(ir.IntType(32), format.dtype.itemsize),
        first_lanes(builder, count, format),
        format.constant(0),
    ]
    name = f"llvm.masked.load.{format.suffix}.p0"
    function = declare(builder, name, kind, [one.type for one in arguments])
    return Vector(builder, builder.call(function, arguments), format)


def _store_part(vector, pointer, count):
    builder, format = vector.builder, vector.format
    arguments = [
        vector.value,
        _to_vectors(builder, pointer, format),
        ir.Constant(ir.IntType(32), format.dtype.itemsize),
        first_lanes(builder, count, format),
    ]
    name = f"llvm.masked.store.{format.suffix}.p0"
    function = declare(builder, name, ir.VoidType(), [one.type for one in arguments])
    builder.call(function, arguments)


def _to_vectors(builder, pointer, format):
    return builder.bitcast(pointer, format.vector_type.as_pointer())


def first_lanes(builder, count, format):
    """Return the IR mask of the first `count` lanes: none if it is negative."""
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), format.lanes), list(range(format.lanes)))
    count = builder.trunc(count, ir.IntType(32)) if count.type.width > 32 else count
    return builder.icmp_signed("<", lanes, _in_all_lanes(builder, count, format.lanes))


def split(vector, n):
    """Return the n parts of a `Vector`, each with as many lanes as the others."""
    if n == 1:
        return [vector]
    form = vector.format._replace(lanes=vector.format.lanes // n)
    return [
        Vector(vector.builder, _lanes(vector, vector, range(start, start + form.lanes)), form)
        for start in range(0, vector.format.lanes, form.lanes)
    ]


def join(vectors):
    """Return vectors side by side as one, with all of their lanes: 1, 2, 4, … of them."""
    if len(vectors) == 1:
        return vectors[0]
    left, right = join(vectors[: len(vectors) // 2]), join(vectors[len(vectors) // 2 :])
    form = left.format._replace(lanes=2 * left.format.lanes)
    return Vector(left.builder, _lanes(left, right, range(form.lanes)), form)


def _lanes(left, right, numbers):
    kind = ir.VectorType(ir.IntType(32), len(numbers))
    mask = ir.Constant(kind, list(numbers))
    return left.builder.shuffle_vector(left.value, right.value, mask)


def reduce(vector, function):
    """Return one number for all lanes, an IR value: halves are combined until one number is left.

    Parameters
    ----------
    vector : Vector
    function : callable
        From two vectors to one, such as ``operator.add`` or ``np.maximum``.
    """
    while vector.format.lanes > 1:
        vector = function(*split(vector, 2))
    return vector.builder.extract_element(vector.value, ir.Constant(ir.IntType(32), 0))

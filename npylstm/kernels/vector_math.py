"""Elementary functions on traced vectors: straight-line code for float32 and float64.

Every function takes and returns a `Vector` and works element by element over the whole range of its
dtype, denormal numbers, inf and NaN included.  It errs by no more than 2 units in the last place,
also where the result is denormal (2.2 on processors that cannot multiply and add in one rounding).

The polynomials are minimax fits (Remez 1934) made for the intervals named beside them.  How the
arguments are reduced is told in Muller et al. 2018, "Handbook of Floating-Point Arithmetic", 10.
"""

import operator

import numpy as np
from llvmlite import ir

from ..reference import activations
from .vector import Vector, declare, join, split, where

# (expm1(r) - r) / r^2 for |r| <= ln(2)/2, lowest power first.  Relative error of expm1(r), and so
# of exp(r) too: 1.4e-8 and 1.8e-17.
EXPM1 = {
    32: (
        0.49999998154177029596,
        0.16666543620706532394,
        0.041667199842251658492,
        0.0083665206103763395888,
        0.0013882522057967986529,
    ),
    64: (
        0.50000000000000051793,
        0.16666666666666589286,
        0.04166666666657675564,
        0.0083333333333895467912,
        0.0013888888931564582111,
        0.00019841269719019783591,
        0.00002480150527411171231,
        2.7557407529738526756e-6,
        2.7626037777062497861e-7,
        2.5053779488518897758e-8,
    ),
}
# (2 atanh(s) - 2s) / s^3 in s^2, for |s| <= (sqrt(2) - 1) / (sqrt(2) + 1).  Relative error of the
# logarithm: 8.2e-10 and 1.3e-18.
ATANH = {
    32: (0.66666777054675294645, 0.39977449369300457461, 0.29874423035080887587),
    64: (
        0.66666666666667353845,
        0.3999999999940746078,
        0.28571428744147796997,
        0.22222198377830319614,
        0.18183575197830334175,
        0.15313754968329277591,
        0.14799073679615396814,
    ),
}
# ln(2) in two parts, the first with so few bits that its product with any exponent is exact (Cody &
# Waite 1980, chapter 6; the values of Cephes and of fdlibm).
LN2 = {
    32: (0.693359375, -2.12194440e-4),
    64: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
LOG2_E = 1.4426950408889634074
# Between these the exponential is neither 0 nor inf, and a little beyond.
EXP_RANGE = {32: (-104.0, 89.0), 64: (-746.0, 710.0)}


# -------------------------------------------------------------------------------------- the pieces
def horner(x, coefficients):
    """Return the polynomial with these coefficients, lowest power first (Horner 1819)."""
    *rest, result = coefficients
    for coefficient in reversed(rest):
        result = result * x + coefficient
    return result


def clip(x, low, high):
    """Return x, but no less than `low` and no more than `high`; NaN stays NaN."""
    x = where(x < low, low, x)
    return where(x > high, high, x)


def split_exponential(x, shift=0, factor=1, precise=True):
    """Split e^(factor x) into 2^n and e^r: factor x = n ln(2) + r with |r| <= ln(2)/2.

    Parameters
    ----------
    x : Vector
        Small enough that n + shift is the exponent of a normal number; NaN is welcome.
    shift : int or Vector
        Multiplies the power of two by 2^shift.
    factor : int
        1, -1, 2 or -2.
    precise : bool
        False takes ln(2) as the dtype has it, in one step less.

    Returns
    -------
    n, r, lost, power : Vector
        `lost` is what r lacks because it is rounded, None unless precise; `power` is 2^(n + shift).
    """
    format = x.format
    # Added to this number, another is rounded to an integer, which then lies in the lowest bits:
    # together with the exponent's bias, so that these bits have only to be moved to their place.
    magic = 1.5 * 2.0**format.mantissa_bits + format.exponent_bias + shift
    rounded = x * (factor * LOG2_E) + magic
    n = rounded - magic
    if precise:
        high, low = LN2[format.bits]
        coarse = x * factor - n * high
        r = coarse - n * low
        lost = (coarse - r) - n * low
    else:
        r, lost = x * factor - n * np.log(2), None
    place = format.integers(format.mantissa_bits)
    return n, r, lost, x.from_bits(x.builder.shl(rounded.as_bits(), place))


def exp_polynomial(r):
    """Return e^r for |r| <= ln(2)/2."""
    return horner(r, (1, 1, *EXPM1[r.format.bits]))


def expm1_polynomial(r, lost=None):
    """Return e^r - 1 for |r| <= ln(2)/2, with all of its digits; `lost` is what r lacks, if any."""
    square = r * r
    coefficients = EXPM1[r.format.bits]
    # In pairs (Estrin 1960): as many operations as Horner's, and half of them need not wait.
    pairs = [horner(r, coefficients[k : k + 2]) for k in range(0, len(coefficients), 2)]
    beyond = square * horner(square, pairs)
    return beyond + r if lost is None else beyond + lost + r


def has_approximations(format):
    """Return whether the processor can approximate 1/x and 1/sqrt(x) to 14 bits (AVX-512)."""
    size = min(512, format.lanes * format.bits)
    fits = size == 512 or (size in (128, 256) and "avx512vl" in format.features)
    return "avx512f" in format.features and fits


def approximate(x, function):
    """Return 1/x for "rcp14" and 1/sqrt(x) for "rsqrt14", with a relative error below 2^-14."""
    format = x.format
    if format.lanes * format.bits > 512:
        return join([approximate(part, function) for part in split(x, 2)])
    kind = "ps" if format.bits == 32 else "pd"
    all_lanes = ir.Constant(ir.IntType(max(8, format.lanes)), -1)
    arguments = [x.value, format.constant(0), all_lanes]
    name = f"llvm.x86.avx512.{function}.{kind}.{format.lanes * format.bits}"
    types = [argument.type for argument in arguments]
    return x.new(x.builder.call(declare(x.builder, name, format.vector_type, types), arguments))


def rough_reciprocal(d):
    """Return 1/d of a normal d, with at least half of the digits: one step of Newton is to follow.

    With AVX-512 the relative error is below 2^-14 in float32 and 2^-28 in float64, which is several
    times faster than the division that is used elsewhere.
    """
    if not has_approximations(d.format):
        return 1 / d
    q = approximate(d, "rcp14")
    if d.format.bits == 64:
        q = q + q * (1 - d * q)
    return q


def division_suffices(format):
    """Return whether quotients need no step of Newton's, neither for speed nor for their digits."""
    return format.bits == 32 and not has_approximations(format)


def with_sign(x, sign):
    """Return x, which is not negative, with the sign of `sign`: less to do than `copysign` has."""
    builder, format = x.builder, x.format
    sign_bit = builder.and_(sign.as_bits(), format.integers(-1 << (format.bits - 1)))
    return x.from_bits(builder.or_(x.as_bits(), sign_bit))


def copysign(x, sign):
    """Return x with the sign of `sign`."""
    return x.intrinsic("llvm.copysign", sign)


# ------------------------------------------------------------------------------- the exponentials
def exp(x):
    """Return e^x."""
    format = x.format
    # 2^n alone may be no normal number.  So part of the way is left to a second product, which
    # rounds only where the result is denormal.
    low, high = EXP_RANGE[format.bits]
    way = {32: 64, 64: 512}[format.bits]
    x = clip(x, low, high)
    shift = where(x < 0, way, -way)
    _, r, _, power = split_exponential(x, shift)
    return exp_polynomial(r) * power * where(x < 0, 2.0**-way, 2.0**way)


def expm1(x):
    """Return e^x - 1, with all of its digits where x is small."""
    low, high = {32: (-20.0, 89.0), 64: (-40.0, 710.0)}[x.format.bits]
    clipped = clip(x, low, high)
    top = 2.0**x.format.exponent_bias
    n, r, lost, power = split_exponential(clipped)
    huge = n > x.format.exponent_bias  # where 2^n is inf
    power = where(huge, top, power)
    result = power * expm1_polynomial(r, lost) + (power - 1)
    return copysign(result * where(huge, 2, 1), x)


def sigmoid(x):
    """Return 1 / (1 + e^-x), down to its smallest denormal number."""
    # 1 + e^-x is taken times `one`, so that it and its reciprocal are always normal numbers.
    shift = {32: 32, 64: 512}[x.format.bits]
    one = 2.0**-shift
    low, high = EXP_RANGE[x.format.bits][0], {32: 30.0, 64: 40.0}[x.format.bits]
    _, r, _, power = split_exponential(clip(x, low, high), -shift, factor=-1)
    rest = power * expm1_polynomial(r) + one
    if division_suffices(x.format):  # 1.9991 units at most, all numbers tried with FMA
        return one / (power + rest)
    # Newton's step takes the divisor, power + rest, in its two parts, before its sum is rounded.
    q = rough_reciprocal(power + rest)
    return (q + q * ((1 - q * rest) - q * power)) * one


def tanh(x):
    """Return the hyperbolic tangent, -E / (E + 2) where E = e^(-2|x|) - 1."""
    limit = {32: 9.5, 64: 20.0}[x.format.bits]
    size = abs(x)
    size = where(size > limit, limit, size)
    # In float32, ln(2) happens to be right in five more bits than there is room for.
    precise = x.format.bits == 64
    _, r, lost, power = split_exponential(size, factor=-2, precise=precise)
    part = expm1_polynomial(r, lost)
    if division_suffices(x.format):  # 1.9660 units at most, likewise
        return with_sign(((1 - power) - power * part) / ((1 + power) + power * part), x)
    rest = power - 1
    E = power * part + rest
    # Newton's step takes the divisor in its two parts, before its sum is rounded.
    q = rough_reciprocal(E + 2)
    result = E * q
    missing = (E - 2 * result) - E * result
    if precise:  # what E lost as it was rounded
        missing = missing + (power * part - (E - rest)) * (1 - result)
    return copysign(result + q * missing, x)


# --------------------------------------------------------------------------------- the logarithms
def split_logarithm(x):
    """Split a positive normal x into 2^exponent and a mantissa in [sqrt(1/2), sqrt(2))."""
    format, builder = x.format, x.builder
    one, root = format.bits_of(1), format.bits_of(np.sqrt(0.5))
    place = format.integers(format.mantissa_bits)
    mantissa_mask = format.integers(2**format.mantissa_bits - 1)
    bits = builder.add(x.as_bits(), format.integers(one - root))
    # The bits of 2^mantissa_bits, or-ed with a small integer, are the sum of the two.
    whole = 2.0**format.mantissa_bits
    exponent = builder.or_(builder.lshr(bits, place), format.integers(format.bits_of(whole)))
    mantissa = builder.add(builder.and_(bits, mantissa_mask), format.integers(root))
    return x.from_bits(exponent) - (whole + format.exponent_bias), x.from_bits(mantissa)


def log_sum(exponent, f, correction):
    """Return exponent ln(2) + ln(1 + f) + a small correction, as fdlibm's `e_log.c` sums it up."""
    ln2_high, ln2_low = LN2[f.format.bits]
    s = f / (2 + f)  # ln(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + R)
    z = s * s
    R = z * horner(z, ATANH[f.format.bits])
    half_square = f * f * 0.5
    tail = s * (half_square + R) + (exponent * ln2_low + correction)
    return exponent * ln2_high - ((half_square - tail) - f)


def log(x):
    """Return the natural logarithm: -inf for 0, NaN below."""
    format = x.format
    step = format.mantissa_bits + 1
    denormal = x < float(np.finfo(format.dtype).smallest_normal)
    exponent, mantissa = split_logarithm(where(denormal, x * 2.0**step, x))
    result = log_sum(exponent - where(denormal, step, 0), mantissa - 1, 0)
    return _outside_logarithm(x, x, result)


def log1p(x):
    """Return the natural logarithm of 1 + x, with all of its digits where x is small."""
    u = 1 + x
    exponent, mantissa = split_logarithm(u)
    near = exponent == 0
    # Rounding lost x - (u - 1) of x, which is given back unless x itself can be taken.
    lost = where(near, 0, (x - (u - 1)) / u)
    result = log_sum(exponent, where(near, x, mantissa - 1), lost)
    return _outside_logarithm(x, u, copysign(result, x))


def _outside_logarithm(x, u, result):
    """Return a result of u > 0, and what the logarithm is where u is not positive and finite."""
    result = where((u > 0) & (u < np.inf), result, where(u == 0, -np.inf, np.nan))
    return where((u == np.inf) | (x != x), x, result)


def logaddexp(a, b):
    """Return log(e^a + e^b)."""
    distance = where(a == b, 0, abs(a - b))  # inf - inf would be NaN
    return maximum(a, b) + log1p(exp(-distance))


# ---------------------------------------------------------------------------- what NumPy calls what
def sqrt(x):
    """Return the square root, rounded as IEEE 754 wants it."""
    return x.intrinsic("llvm.sqrt")


def maximum(a, b):
    """Return the larger of two, NaN if one is, as np.maximum."""
    return _extremum(operator.gt, a, b)


def minimum(a, b):
    """Return the smaller of two, NaN if one is, as np.minimum."""
    return _extremum(operator.lt, a, b)


def _extremum(wins, a, b):
    if not isinstance(a, Vector):
        a, b = b, a
    if isinstance(b, Vector):
        return where(a != a, a, where(wins(a, b), a, b))
    if b != b:
        return a * b
    return where(wins(b, a), b, a)  # one instruction: this order gives a where it is NaN


def reciprocal(x):
    """Return 1 / x."""
    return 1 / x


def square(x):
    """Return x times x."""
    return x * x


def sign(x):
    """Return 1 or -1; 0 and NaN stay what they are."""
    return where(x > 0, 1, where(x < 0, -1, x))


def power(x, y):
    """Return x^y of an x that is not negative; it errs by about 1 + |y ln(x)| units.

    Parameters
    ----------
    x : Vector
    y : Vector or number
    """
    if isinstance(y, Vector):
        return where(y == 0, 1, exp(y * log(x)))
    exact = {0: lambda: where(x == x, 1, 1), 1: lambda: x, 2: lambda: x * x}
    return exact[y]() if y in exact else exp(y * log(x))


def isnan(x):
    """Return the `Mask` of the lanes that are NaN."""
    return x != x


UFUNCS = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: abs,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_,
    np.bitwise_xor: operator.xor,
    np.invert: operator.invert,
    np.logical_and: operator.and_,
    np.logical_or: operator.or_,
    np.logical_not: operator.invert,
    np.exp: exp,
    np.expm1: expm1,
    np.log: log,
    np.log1p: log1p,
    np.logaddexp: logaddexp,
    np.maximum: maximum,
    np.minimum: minimum,
    np.isnan: isnan,
    np.reciprocal: reciprocal,
    np.power: power,
    np.sign: sign,
    np.sqrt: sqrt,
    np.square: square,
    np.tanh: tanh,
}
FUNCTIONS = {np.where: where, np.clip: clip}

FASTER = {activations.sigmoid.forward: sigmoid}
"""Functions of the reference -> a `Vector` function with the same result, in fewer instructions."""


# --------------------------------------------------------------------------------- for optimizers
def quotient_by_root(numerator, v, epsilon):
    """Return numerator / (sqrt(v) + epsilon): the step of Adam (Kingma & Ba 2015, section 2).

    Parameters
    ----------
    numerator, v : Vector
    epsilon : number or Vector
        0, or between 2^-100 and 2^100.

    Returns
    -------
    Vector
        In float32 with AVX-512 both the root and the quotient are approximations, refined by one
        step of Newton's method each: together within 3 units in the last place of the exact value.
        Otherwise the formula as it stands.  What comes of 0, inf and NaN is the same in both.
    """
    if not (has_approximations(v.format) and v.format.bits == 32):
        return numerator / (sqrt(v) + epsilon)
    inverse = approximate(v, "rsqrt14")
    root = v * inverse
    root = root + root * (0.5 - root * (0.5 * inverse))
    d = where((v == 0) | (v == np.inf), v, root) + epsilon  # the root would be 0 * inf
    q = approximate(d, "rcp14")
    refined = q + q * (1 - d * q)
    return numerator * where((d == 0) | (d == np.inf), q, refined)

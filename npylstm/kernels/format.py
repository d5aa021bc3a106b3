"""What a vector register holds: numbers of which dtype, how many, and on what processor."""

import os
import platform
from typing import NamedTuple

import numpy as np
from llvmlite import ir


class Format(NamedTuple):
    """What a vector is made of, and for what processor.

    Attributes
    ----------
    dtype : numpy.dtype
        float32 or float64.
    lanes : int
        How many numbers one vector has: 2, 4, 8, 16, or several times a register's.
    features : frozenset of str
        The processor features (LLVM's names) whose special instructions may be used.  Without any,
        the code runs wherever LLVM can compile it.
    """

    dtype: np.dtype
    lanes: int
    features: frozenset[str] = frozenset()

    @property
    def bits(self):
        """Bits of one number: 32 or 64."""
        return 8 * self.dtype.itemsize

    @property
    def mantissa_bits(self):
        """Bits of the mantissa that are stored: 23 or 52."""
        return np.finfo(self.dtype).nmant

    @property
    def exponent_bias(self):
        """What is added to the exponent as it is stored: 127 or 1023."""
        return np.finfo(self.dtype).maxexp - 1

    @property
    def scalar_type(self):
        """The IR type of one number."""
        return ir.FloatType() if self.bits == 32 else ir.DoubleType()

    @property
    def vector_type(self):
        """The IR type of a vector."""
        return ir.VectorType(self.scalar_type, self.lanes)

    @property
    def integers_type(self):
        """The IR type of a vector's bits."""
        return ir.VectorType(ir.IntType(self.bits), self.lanes)

    @property
    def mask_type(self):
        """The IR type of a mask: one bit a lane."""
        return ir.VectorType(ir.IntType(1), self.lanes)

    @property
    def suffix(self):
        """What the name of an LLVM intrinsic on such vectors ends with, such as v16f32."""
        return f"v{self.lanes}f{self.bits}"

    def constant(self, number):
        """Return the IR constant of a number, rounded to the dtype, in every lane."""
        with np.errstate(over="ignore"):
            number = float(self.dtype.type(number))
        return ir.Constant(self.vector_type, [number] * self.lanes)

    def integers(self, number):
        """Return the IR constant of an integer in every lane."""
        return ir.Constant(self.integers_type, [int(number)] * self.lanes)

    def bits_of(self, number):
        """Return the bits of a number of the dtype, as an int."""
        return int(self.dtype.type(number).view(f"u{self.dtype.itemsize}"))


def host_format(dtype):
    """Return the `Format` of a dtype that suits this machine best."""
    features = host_features()
    return Format(np.dtype(dtype), host_lanes(dtype, features), features)


def host_features():
    """Return the names of the processor features that Numba compiles for, a frozenset of str.

    Those that LLVM finds on this machine, unless Numba's environment variables say otherwise:
    NUMBA_CPU_FEATURES gives them all, as in "+avx2,+fma"; NUMBA_CPU_NAME=generic means none; and
    NUMBA_ENABLE_AVX=0 takes away AVX (Numba's `core/config.py` and `core/codegen.py`).
    """
    from llvmlite import binding

    name = os.environ.get("NUMBA_CPU_NAME")
    listed = os.environ.get("NUMBA_CPU_FEATURES")
    if listed is None and str(name).lower() == "generic":
        listed = ""
    if listed is not None:
        words = [word.strip() for word in listed.split(",")]
        return frozenset(word[1:] for word in words if word.startswith("+"))
    try:
        found = {feature for feature, there in binding.get_host_cpu_features().items() if there}
    except RuntimeError:  # LLVM does not know this processor
        return frozenset()
    # Processors on which Numba leaves AVX alone, because it does not pay or is not really there.
    slow = {"corei7-avx", "core-avx-i", "sandybridge", "ivybridge", "nocona"}
    default = (name or binding.get_host_cpu_name()) not in slow
    if not int(os.environ.get("NUMBA_ENABLE_AVX", default)):
        found = {feature for feature in found if not feature.startswith("avx")}
    return frozenset(found)


def host_lanes(dtype, features=None):
    """Return how many numbers of a dtype one vector register holds.

    Parameters
    ----------
    dtype : float32 or float64
    features : frozenset of str, optional
        Of the processor in question; this machine's if None.
    """
    features = host_features() if features is None else features
    size = 64 if "avx512f" in features else 32 if "avx2" in features else 16  # bytes
    return size // np.dtype(dtype).itemsize


def host_registers(features=None):
    """Return how many vector registers a processor has; `features` as in `host_lanes`."""
    features = host_features() if features is None else features
    many = "avx512f" in features or platform.machine().lower() in ("aarch64", "arm64")
    return 32 if many else 16

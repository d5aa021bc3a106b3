"""Machine code: compiled by Numba once, kept on disk, loaded without Numba.

A kernel is a Python function ``kernel(row, frame, k)`` that a builder makes for a dtype and
whatever else it is specialized for.  `address` gives the machine code of it, from memory, from disk
or from Numba, in this order.  A file on disk is named by a hash of everything that the code depends
on, the sources of the kernels and of the equations included, so a stale one cannot be found.

Every kernel is also a plain Python function: with ``NUMBA_DISABLE_JIT=1`` that is what runs, open
to a debugger.
"""

import ctypes
import functools
import hashlib
import importlib
import importlib.metadata
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from .compilation import CLOSE_TOGETHER, compile_all, host_target, target_machine

# Where the builder of each kernel is.  A builder takes what `address` is asked for by keyword.
_MODULES = {
    "lstm": ("lstm_pack", "lstm_forward", "lstm_backward"),
    "lstm_gradients": ("lstm_weight_gradients", "lstm_x_gradient"),
    "dense": ("dense_pack", "dense_forward", "dense_weight_gradients", "dense_x_gradient"),
    "losses": ("loss",),
    "metrics": ("metric", "counts"),
    "optimizers": ("accumulate", "clip", "update", "average"),
    "lstm_dropout": (
        *("dropped_lstm_forward", "dropped_lstm_backward"),
        *("dropped_lstm_weight_gradients", "dropped_lstm_x_gradient"),
    ),
    "masks": (
        *("masking_forward", "masking_backward", "hold_forward", "hold_backward"),
        *("embedding_forward", "embedding_gradients"),
    ),
    "rules": (
        *("penalty_forward", "penalty_backward", "orthogonal_forward", "orthogonal_backward"),
        *("non_neg", "constrain_norms"),
    ),
    "shaping": (
        *("activation_forward", "activation_backward", "softmax_forward", "softmax_backward"),
        *("dropout_forward", "dropout_backward", "repeat_forward", "repeat_backward"),
        *("merge_forward", "merge_backward", "reverse_forward", "reverse_backward"),
        *("move_axis_forward", "move_axis_backward"),
    ),
    "normalization": (
        *("layer_normalization_forward", "layer_normalization_weight_gradients"),
        "layer_normalization_x_gradient",
    ),
    "waiting": ("await_jobs",),
    "loop": ("run", "batches", "gather", "scatter", "back", "count"),
}
AWAIT_JOBS = ("await_jobs", {"dtype": "float32"})  # which has no dtype, but all have one
_MODULE_OF = {kernel: module for module, kernels in _MODULES.items() for kernel in kernels}

_HERE = Path(__file__).parent
_LOCK = threading.RLock()
_loaded = {}  # what is in memory: specification -> address
_engine = None


@functools.cache  # asked for with every call of a kernel
def jit_disabled():
    """Return whether kernels run as plain Python, as ``NUMBA_DISABLE_JIT=1`` asks."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def address(kernel, **specification):
    """Return the address of one kernel's machine code; see `addresses`."""
    return addresses([(kernel, specification)])[0]


def addresses(requests):
    """Return the addresses of the machine code of some kernels.

    What has to be compiled is compiled together, which takes less time than one by one.

    Parameters
    ----------
    requests : list of (str, dict)
        The kernels' names, and what their builders take, the dtype's name first of all.

    Returns
    -------
    list of int
        Of C functions ``void (int64 row, int64 *frame, int64 k)``; with the jit disabled, numbers
        that stand for the Python functions.
    """
    names = [f"{kernel} {sorted(made_for.items())}" for kernel, made_for in requests]
    with _LOCK:
        missing = {}
        for name, request in zip(names, requests, strict=True):
            if name not in _loaded and not _find(name, *request):
                missing[name] = request
        if missing:
            _compile(missing)
        return [_loaded[name] for name in names]


def entry(kernel, **specification):
    """Return a kernel as a Python callable ``(row, frame address, k)`` that runs without the GIL.

    With the jit disabled it takes the frame itself in the place of its address.
    """
    number = address(kernel, **specification)
    if jit_disabled():
        return _interpreted[number]
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(number)


def _after_fork():
    global _LOCK
    _LOCK = threading.RLock()  # whoever held it is not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _find(name, kernel, specification):
    """Load a kernel that need not be compiled; return whether there is one."""
    if jit_disabled():
        _interpreted.append(build(kernel, specification))
        _loaded[name] = len(_interpreted) - 1
        return True
    symbol = _symbol(name)
    code = _read(_folder() / f"{symbol}.o", symbol)
    if code is not None:
        _loaded[name] = _load(code, symbol)
    return code is not None


def _symbol(name):
    return "npylstm_" + hashlib.sha256(name.encode()).hexdigest()[:24]


def _compile(missing):
    """Compile kernels, keep them on disk, and load them."""
    start = time.perf_counter()
    codes = compile_all({_symbol(name): request for name, request in missing.items()})
    for name in missing:
        symbol = _symbol(name)
        _write(_folder() / f"{symbol}.o", symbol, codes[symbol])
        _loaded[name] = _load(codes[symbol], symbol)
    _compiled.append(([kernel for kernel, _ in missing.values()], time.perf_counter() - start))


def build(kernel, specification):
    """Return a kernel's Python function."""
    module = importlib.import_module(f"{__package__}.{_MODULE_OF[kernel]}")
    return getattr(module, kernel)(**specification)


# ----------------------------------------------------------------------------- plain Python instead
_interpreted = [None]  # 0 stands for no kernel, as in machine code


def call_interpreted(number, row, frame, k):
    """Call the Python function that a number from `address` stands for, if any."""
    if number:
        _interpreted[number](row, frame, k)


_compiled = []


def announce():
    """Say on stderr what was compiled since the last time, and how long it took."""
    if _compiled:
        names = ", ".join(dict.fromkeys(name for names, _ in _compiled for name in names))
        seconds = sum(time for _, time in _compiled)
        _compiled.clear()
        print(
            f"npylstm: compiled {names} in {seconds:.1f} s, for good: {_folder()}", file=sys.stderr
        )


# ---------------------------------------------------------------------------------------- loading
def _load(code, symbol):
    from llvmlite import binding

    global _engine
    if _engine is None:
        machine = target_machine()
        empty, together = binding.parse_assembly(""), CLOSE_TOGETHER or None
        _engine = binding.create_mcjit_compiler(empty, machine, use_lmm=together)
    _engine.add_object_file(binding.ObjectFileRef.from_data(code))
    _engine.finalize_object()
    return _engine.get_function_address(symbol)


# ------------------------------------------------------------------------------------------ files
def cache_root():
    """Return the folder of all compiled kernels: $NPYLSTM_CACHE_DIR, or the user's cache folder."""
    if os.environ.get("NPYLSTM_CACHE_DIR"):
        return Path(os.environ["NPYLSTM_CACHE_DIR"])
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "npylstm"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "npylstm" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "npylstm"


@functools.cache
def _folder():
    return cache_root() / fingerprint()


@functools.cache
def fingerprint():
    """Return a hash of everything that machine code depends on.

    That is the sources of the kernels, of the equations that are traced into them and of the tables
    that they read; the compilers' versions; the processor and what it is taken for.
    """
    import llvmlite

    digest = hashlib.sha256()
    package = _HERE.parent
    sources = [*_HERE.glob("*.py"), *(package / "reference").glob("*.py"), package / "plan.py"]
    for source in sorted(sources):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    numba_version = importlib.metadata.version("numba")
    target = host_target()
    for part in (numba_version, llvmlite.__version__, sys.version, *target.values()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:24]


def _read(file, symbol):
    """Return the code in a file, or None if there is none, or not all of it."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    seal = _seal(symbol, b"")
    code = content[: -len(seal)]
    return code if content[len(code) :] == _seal(symbol, code) else None


def _write(file, symbol, code):
    """Write a file in one move, so that another process sees all of it or none."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(code + _seal(symbol, code))
        os.replace(temporary, file)
    except OSError as error:  # a read-only disk costs time at the next start, nothing else
        print(f"npylstm: compiled code could not be kept: {error}", file=sys.stderr)


def _seal(symbol, code):
    """Return what stands behind the code in a file, so that damage is seen."""
    return hashlib.sha256(symbol.encode() + b"\0" + code).digest()

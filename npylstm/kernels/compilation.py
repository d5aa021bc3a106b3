"""From a kernel's Python function to an object file: Numba's work, then LLVM's.

Numba is at work in Python most of the time, and LLVM does one thing at a time in a process, so
threads would wait for each other.  Where many kernels are missing, as before a first epoch, other
processes compile some of them.
"""

import contextlib
import os
import pickle
import platform
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

_ENOUGH = 4  # kernels that are worth a process more, which needs half a second to start
_HELPERS = 3  # the most of them: the longest kernel takes a fourth of the time of all
_PATIENCE = 60  # seconds that one has for its last kernel, which takes two


def compile_all(requests):
    """Compile some kernels, with the help of other processes if that takes less time.

    Parameters
    ----------
    requests : dict of {str: (str, dict)}
        For each symbol the kernel's name, and what its builder takes.

    Returns
    -------
    dict of {str: bytes}
        The object files.
    """
    waiting, codes, helpers = deque(requests.items()), {}, []
    try:
        with contextlib.suppress(OSError):  # where no process can be started, none helps
            for _ in range(_worthwhile(len(requests))):
                helpers.append(_Helper(waiting, codes))
        _work_off(waiting, codes, compile_one)
        for helper in helpers:
            helper.join(_PATIENCE)
    finally:
        for helper in helpers:
            helper.process.kill()
    left = deque(one for one in requests.items() if one[0] not in codes)  # by a helper that failed
    _work_off(left, codes, compile_one)
    return codes


def compile_one(symbol, request):
    """Return the object file of one kernel."""
    from .native import build

    _, specification = request
    return emit_object(lower(build(*request), symbol, specification["dtype"]), symbol)


def _work_off(waiting, codes, compiler):
    while waiting:
        try:
            symbol, request = waiting.popleft()
        except IndexError:  # somebody else has taken the last one
            break
        codes[symbol] = compiler(symbol, request)


# --------------------------------------------------------------------------------- more processes
def _worthwhile(n):
    """Return how many processes are to help with n kernels."""
    from ..threads import get_num_threads

    if not Path(sys.executable or "").name.lower().startswith("python"):
        return 0  # a program that has Python inside cannot be started as Python
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing and multiprocessing.parent_process() is not None:
        return 0  # one of many processes, as a rule, which have the cores in use
    return min(get_num_threads() - 1, (os.cpu_count() or 1) - 1, n // _ENOUGH, _HELPERS)


class _Helper(threading.Thread):
    """A process that compiles, and the thread that hands it one kernel after the other.

    Whatever goes wrong with it, it only leaves undone what it was at.
    """

    def __init__(self, waiting, codes):
        super().__init__(daemon=True)
        self.waiting, self.codes = waiting, codes
        path = [str(folder) for folder in sys.path]  # so that it finds this very package
        code = f"import sys; sys.path[:] = {path}; from {__name__} import serve; serve()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.start()

    def run(self):
        with contextlib.suppress(Exception), self.process:
            _work_off(self.waiting, self.codes, self.ask)

    def ask(self, symbol, request):
        pickle.dump((symbol, request), self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)


def serve():
    """Compile what comes by standard input, until there is no more."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who has started this one ends it
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    with contextlib.suppress(EOFError):
        while True:
            pickle.dump(compile_one(*pickle.load(sys.stdin.buffer)), answers)
            answers.flush()


# ------------------------------------------------------------------------------------- one kernel
def lower(function, symbol, dtype):
    """Return the LLVM IR of ``function(row, frame, k)`` as text that defines C function `symbol`.

    This is Numba's part of the work, all of it in Python.
    """
    from numba.core import compiler, cpu, registry, types
    from numba.core.codegen import CPUCodeLibrary

    from .jit import FrameType

    class Text(CPUCodeLibrary):
        """Takes the code as it is; what else Numba would do with it is done in `emit_object`."""

        def add_ir_module(self, module):
            self.text = str(module)

    flags = compiler.Flags()
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    flags.no_compile = True
    flags.nrt = False  # kernels allocate nothing, so their code needs none of Numba's runtime
    flags.fastmath = cpu.FastMathOptions({"contract"})
    target = registry.cpu_target
    target.typing_context.refresh()
    target.target_context.refresh()
    library = Text(target.target_context.codegen(), symbol)
    result = compiler.compile_extra(
        *(target.typing_context, target.target_context, function),
        *((types.int64, FrameType(dtype), types.int64), types.void, flags, {}, library),
    )
    return library.text + _entry_ir(symbol, result.fndesc.llvm_func_name)


def emit_object(text, symbol):
    """Return the object file (bytes) that LLVM makes of a kernel's IR."""
    from llvmlite import binding

    module = binding.parse_assembly(text)
    for unit in module.functions:
        if unit.name != symbol and not unit.is_declaration:
            unit.linkage = "internal"
    module.verify()
    machine = target_machine()
    tuning = binding.create_pipeline_tuning_options(speed_level=1)
    passes = binding.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    _check_declarations(module, symbol)
    return machine.emit_object(module)


def _entry_ir(symbol, inner):
    """Return a C function around Numba's calling convention, as LLVM IR."""
    return f"""
define void @{symbol}(i64 %row, i64 %frame, i64 %k) {{
  %result = alloca ptr
  %status = call i32 @{inner}(ptr %result, ptr null, i64 %row, i64 %frame, i64 %k)
  ret void
}}
"""


def _check_declarations(module, symbol):
    """Refuse code that needs more of the process than the C library's math."""
    needed = {f.name for f in module.functions if f.is_declaration}
    needed = {name for name in needed if not name.startswith("llvm.")}
    if needed - _MATH:
        raise RuntimeError(f"kernel {symbol!r} calls {sorted(needed - _MATH)}")


_MATH = {
    name + suffix
    for name in ("fma", "exp", "pow", "log", "log1p", "sqrt", "memcpy", "memset", "memmove")
    for suffix in ("", "f")
}


# Where a kernel's code and constants are loaded into one piece of memory, an instruction can read a
# constant where it is; else that takes two more.
CLOSE_TOGETHER = sys.platform == "linux" and platform.machine() == "x86_64"


def target_machine():
    """Return what LLVM is to make machine code for: this processor, as `host_target` says."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    options = {"reloc": "static" if target.name.startswith("x86") else "default"}  # as Numba has it
    if CLOSE_TOGETHER:
        options["codemodel"] = "small"
    return target.create_target_machine(**host_target(), opt=3, jit=True, **options)


def host_target():
    """Return the processor's name and features, as Numba takes them, for LLVM."""
    from llvmlite import binding

    from .format import host_features

    name = os.environ.get("NUMBA_CPU_NAME") or binding.get_host_cpu_name()
    listed = os.environ.get("NUMBA_CPU_FEATURES", "" if name.lower() == "generic" else None)
    if listed is None:
        ours = host_features()
        known = sorted(binding.get_host_cpu_features())
        listed = ",".join(("+" if one in ours else "-") + one for one in known)
    return {"cpu": name, "features": listed}

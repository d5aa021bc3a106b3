"""Which backend runs the plans: modules with the same functions, chosen by name.

`numpy_backend` runs a plan row by row with the functions of `reference`: slow, and open to a
debugger.  A backend is a module with `prepare`, `forward`, `backward`, `loss_and_gradients`,
`train`, `evaluate`, `predict` and `quick`; nothing else in the package knows which one is in use.
"""

import contextlib
import functools
import importlib
import importlib.util
import os

_NAMES = ("numpy", "numba")
_loaded = {}
_chosen = None
_HELD = object()  # what is chosen while `hold` has its way
_afterwards = None  # and what will be chosen then


def set_backend(name):
    """Choose the backend for everything that runs from now on.

    Parameters
    ----------
    name : {"numpy", "numba"}

    Raises
    ------
    ValueError
        For an unknown name.
    ImportError
        If this installation cannot run the backend.  There is no silent fall-back.
    """
    _load(name)
    _choose(name)


def get_backend():
    """Return the name of the backend in use: set_backend's, else $NPYLSTM_BACKEND, else "numba".

    While a breakpoint of `npylstm.debug` is set it is "numpy", whatever is chosen.
    """
    return "numpy" if _chosen is _HELD else _chosen or _from_environment()


@functools.cache
def _from_environment():
    return os.environ.get("NPYLSTM_BACKEND") or "numba"


@contextlib.contextmanager
def using_backend(name):
    """Use a backend inside a ``with`` block, and the former one again after it."""
    before = _afterwards if _chosen is _HELD else _chosen
    set_backend(name)
    try:
        yield
    finally:
        _choose(before)


def _choose(name):
    global _chosen, _afterwards
    if _chosen is _HELD:
        _afterwards = name
    else:
        _chosen = name


def hold(module):
    """Let one module run everything until `let_go`; what is chosen meanwhile counts after that."""
    global _chosen, _afterwards
    if _chosen is not _HELD:
        _loaded[_HELD] = module
        _chosen, _afterwards = _HELD, _chosen


def let_go():
    """Use the backend again that is chosen."""
    global _chosen, _afterwards
    if _chosen is _HELD:
        _chosen, _afterwards = _afterwards, None


def current():
    """Return the module of the backend in use."""
    name = _chosen or _from_environment()
    return _loaded.get(name) or _load(name)


def _load(name):
    if name in _loaded:
        return _loaded[name]
    if name not in _NAMES:
        raise ValueError(f"unknown backend {name!r}; choose one of {', '.join(map(repr, _NAMES))}")
    module = f"{__name__}.{name}_backend"
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"backend {name!r} is not part of this version of npylstm; use set_backend('numpy') or "
            "NPYLSTM_BACKEND=numpy"
        )
    _loaded[name] = importlib.import_module(module)
    return _loaded[name]

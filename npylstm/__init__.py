"""npylstm: an LSTM engine in NumPy, with the face of Keras and proved against it."""

from importlib import import_module
from typing import TYPE_CHECKING

from . import (
    activations,
    callbacks,
    compat,
    config,
    constraints,
    debug,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    reference,
    regularizers,
    utils,
)
from .backends import get_backend, set_backend, using_backend
from .layers import Input
from .models import Sequential
from .threads import get_num_threads, set_num_threads

if TYPE_CHECKING:
    from . import diagnostics, parity, plots
    from .explaining import explain
    from .tracing import Trace

preprocessing = compat.install_old_modules(utils)

__version__ = "0.1.0"

__all__ = [
    "Input",
    "Sequential",
    "Trace",
    "activations",
    "callbacks",
    "config",
    "constraints",
    "debug",
    "diagnostics",
    "explain",
    "get_backend",
    "get_num_threads",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "parity",
    "plots",
    "preprocessing",
    "reference",
    "regularizers",
    "set_backend",
    "set_num_threads",
    "using_backend",
    "utils",
]

_IMPORTED_WHEN_ASKED_FOR = {
    "Trace": ".tracing",
    "diagnostics": ".diagnostics",
    "explain": ".explaining",
    "parity": ".parity",
    "plots": ".plots",
}


def __getattr__(name):
    """Import what few programs need when it is first asked for."""
    if name not in _IMPORTED_WHEN_ASKED_FOR:
        raise AttributeError(f"module 'npylstm' has no attribute {name!r}")
    module = import_module(_IMPORTED_WHEN_ASKED_FOR[name], __name__)
    return getattr(module, name, module)


def __dir__():
    return sorted({*globals(), *__all__})

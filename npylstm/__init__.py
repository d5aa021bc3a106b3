"""npylstm: an LSTM engine in NumPy, with the face of Keras and proved against it."""

from . import (
    activations,
    callbacks,
    compat,
    config,
    constraints,
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
    "get_backend",
    "get_num_threads",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "preprocessing",
    "reference",
    "regularizers",
    "set_backend",
    "set_num_threads",
    "using_backend",
    "utils",
]

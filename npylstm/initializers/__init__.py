"""How weights start: the initializers of Keras 3, drawn with NumPy.

Every initializer is called with a shape and a dtype and returns a new array.

Formulas: Keras 3's `keras/src/initializers`.  Glorot and Bengio, "Understanding the difficulty of
training deep feedforward neural networks" (2010); He et al., "Delving deep into rectifiers" (2015);
LeCun et al., "Efficient backprop" (1998); Saxe et al., "Exact solutions to the nonlinear dynamics
of learning in deep linear neural networks" (2014).
"""

import inspect

import numpy as np

from .. import config as defaults
from ..errors import unknown_name
from .base import Initializer, as_shape
from .constant_values import Constant, Identity, Ones, Zeros
from .random_values import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

# Keras also offers every class under its lower-case name.
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
glorot_normal, he_normal, lecun_normal = GlorotNormal, HeNormal, LecunNormal
glorot_uniform, he_uniform, lecun_uniform = GlorotUniform, HeUniform, LecunUniform
variance_scaling = VarianceScaling

_BY_LOWER_CASE_NAME = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "identity": Identity,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "orthogonal": Orthogonal,
}
_BY_NAME = {
    **_BY_LOWER_CASE_NAME,
    **{cls.__name__: cls for cls in _BY_LOWER_CASE_NAME.values()},
    "zero": Zeros,
    "one": Ones,
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}


def get(identifier, default=None):
    """Return the initializer that is meant by a name, a dict, a class, an array or a function.

    Parameters
    ----------
    identifier : str, dict, Initializer, type, numpy.ndarray, callable or None
        A name such as ``"glorot_uniform"`` or ``"GlorotUniform"``; a dict with `class_name` and
        `config`, as `serialize` or Keras makes it; an instance or a class; an array to start from;
        or any function ``f(shape, dtype)`` that returns an array.

    default : the same
        What None means.

    Returns
    -------
    callable or None
        Called with a shape and a dtype, it returns an array.

    Raises
    ------
    ValueError
        If a name is unknown.
    TypeError
        If the identifier is none of these.
    """
    if identifier is None:
        return None if default is None else get(default)
    if isinstance(identifier, str):
        return _class_named(identifier)()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, np.ndarray):
        return _from_values(identifier)
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise TypeError(
        "an initializer must be a name, a dict with class_name and config, an Initializer, an "
        f"array or a function f(shape, dtype); got {identifier!r}"
    )


def serialize(initializer):
    """Return an initializer as a dict that `get` and Keras's own `get` both read.

    Parameters
    ----------
    initializer : Initializer

    Returns
    -------
    dict
        With `class_name` and `config`.

    Raises
    ------
    TypeError
        If it has no configuration, as a plain function has none.
    """
    if not isinstance(initializer, Initializer):
        raise TypeError(
            f"expected an Initializer, got {initializer!r}, which has no configuration to write "
            "down; subclass npylstm.initializers.Initializer and define get_config"
        )
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


def deserialize(config):
    """Build an initializer from a dict with `class_name` and, if it takes any, `config`.

    Parameters
    ----------
    config : dict
        What `serialize` returned; Keras's own form, with more entries, is read as well.

    Returns
    -------
    Initializer

    Raises
    ------
    ValueError
        If there is no class name, or an unknown one.
    """
    if "class_name" not in config:
        raise ValueError(
            "expected a dict such as {'class_name': 'GlorotUniform', 'config': {'seed': 1}}, got "
            f"{config!r}"
        )
    return _class_named(config["class_name"]).from_config(config.get("config") or {})


def _class_named(name):
    """Return the class of that name, or say which names there are."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    raise unknown_name("initializer", name, _BY_LOWER_CASE_NAME)


def _from_values(values):
    """Return an initializer that gives a copy of these values, for their own shape only."""

    def given_values(shape, dtype=None):
        if as_shape(shape) != values.shape:
            raise ValueError(f"the initial values have shape {values.shape}, expected {shape}")
        return values.astype(dtype or defaults.floatx())

    return given_values

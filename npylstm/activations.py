"""Activations by name, as Keras names them."""

from .errors import unknown_name
from .reference.activations import (
    BY_NAME,
    Activation,
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    leaky_relu,
    legacy_hard_sigmoid,
    linear,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)

__all__ = [
    "Activation",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "legacy_hard_sigmoid",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

_BY_NAME = BY_NAME | {"swish": silu}


def get(identifier):
    """Return the Activation that a name, an Activation, a callable or None stands for.

    Parameters
    ----------
    identifier : str, Activation, callable or None
        A plain callable ``z -> y`` can predict; to train with it, pass
        ``Activation(name, forward, backward)``.  None is "linear".

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything that is not callable.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str):
        if identifier in _BY_NAME:
            return _BY_NAME[identifier]
        raise unknown_name("activation", identifier, _BY_NAME)
    if callable(identifier):
        return Activation(getattr(identifier, "__name__", "custom"), identifier)
    raise TypeError(f"an activation must be a name or a callable, got {identifier!r}")

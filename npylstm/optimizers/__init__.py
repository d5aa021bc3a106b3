"""Optimizers with Keras's arguments, defaults and arithmetic, and learning-rate schedules.

An optimizer says what a step is, as numbers (`plan.Update`), and counts the steps; the step itself
is taken by a backend, over the model's flat vectors.
"""

from ..errors import unknown_name
from . import schedules
from .adagrad import Adadelta, Adagrad
from .adam import Adam, Adamax, AdamW, Nadam
from .base import Optimizer
from .ftrl import Ftrl
from .lion import Lion
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "get",
    "schedules",
]

_BY_NAME = {
    optimizer.__name__.lower(): optimizer
    for optimizer in (SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Lion, Adagrad, Adadelta, Ftrl)
}


def get(identifier):
    """Return the Optimizer that a name, a dict of `class_name` and `config`, or one stands for.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict) and isinstance(identifier.get("class_name"), str):
        name = identifier["class_name"].lower()
        if name not in _BY_NAME:
            raise unknown_name("optimizer", name, _BY_NAME)
        return _BY_NAME[name].from_config(identifier.get("config") or {})
    if isinstance(identifier, str):
        if identifier.lower() in _BY_NAME:
            return _BY_NAME[identifier.lower()]()
        raise unknown_name("optimizer", identifier, _BY_NAME)
    raise TypeError(f"an optimizer must be a name or an Optimizer, got {identifier!r}")

"""Regularizers: what large weights or outputs cost, under Keras's names.

Their penalties are part of the loss: of what `fit` logs, of what `evaluate` returns, and of all
gradients.  The penalty on a layer's outputs is divided by the number of samples in the batch.
"""

import inspect
import math

import numpy as np

from . import config
from .errors import is_number, unknown_name
from .reference.regularizers import BY_NAME, Penalty


class Regularizer:
    """What all regularizers have in common: a value, its gradient, a configuration.

    To write your own, derive from this class and override `__call__` and `gradient`; a model with
    it is trained on the NumPy backend.
    """

    _axes: int | None = None  # that x must have; None if any will do

    def __call__(self, x):
        """Return the penalty.

        Parameters
        ----------
        x : array
            Weights, or outputs with the samples first.

        Returns
        -------
        scalar
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x)")

    def gradient(self, x):
        """Return the derivative of the penalty with respect to each element of x, in x's shape."""
        raise NotImplementedError(
            f"{type(self).__name__} must define gradient(x), the derivative of what it returns for "
            "x, to be trained with"
        )

    def penalty(self):
        """Return the Penalty that a backend computes; None for none."""
        name = type(self).__name__
        return Penalty(
            name, (), lambda x: (self(x), x), lambda dvalue, x: dvalue * self.gradient(x)
        )

    def check_axes(self, axes, what):
        """Raise ValueError unless `what`, which has so many axes, can be penalized."""
        if self._axes is not None and axes != self._axes:
            raise ValueError(
                f"{self!r} compares the vectors of a matrix, which has {self._axes} axes; {what} "
                f"has {axes}; use L1, L2 or L1L2 for it"
            )

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Build a regularizer from what `get_config` returned."""
        return cls(**config)

    def __repr__(self):
        """Show the class and its arguments, as one would write the call."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class _Standard(Regularizer):
    """One of those whose equations are in `reference.regularizers`."""

    def _term(self):
        """Return its name there, and its numbers; None if it is always 0."""
        raise NotImplementedError

    def penalty(self):
        term = self._term()
        if term is None:
            return None
        name, numbers = term
        # Keras makes float32 of a factor before it makes what the weights are of it.
        return Penalty(name, tuple(float(np.float32(n)) for n in numbers), *BY_NAME[name])

    def _forward(self, x):
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(config.floatx())
        self.check_axes(x.ndim, "the array")
        penalty = self.penalty()
        if penalty is None:
            return x.dtype.type(0), lambda dvalue: np.zeros_like(x)
        with np.errstate(divide="ignore"):
            value, cache = penalty.forward(x, *penalty.numbers)
        return value, lambda dvalue: penalty.backward(dvalue, cache)

    def __call__(self, x):
        return self._forward(x)[0]

    def gradient(self, x):
        return self._forward(x)[1](1)


class L1(_Standard):
    """Penalty ``l1 * sum(|x|)``: drives weights that matter little to 0.

    Parameters
    ----------
    l1 : float
        At least 0.
    """

    def __init__(self, l1=0.01):
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def _term(self):
        return "l1", (self.l1,)

    def get_config(self):
        """Return l1."""
        return {"l1": self.l1}


class L2(_Standard):
    """Penalty ``l2 * sum(x**2)``: keeps all weights small.

    Parameters
    ----------
    l2 : float
        At least 0.
    """

    def __init__(self, l2=0.01):
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def _term(self):
        return "l2", (self.l2,)

    def get_config(self):
        """Return l2."""
        return {"l2": self.l2}


class L1L2(_Standard):
    """Penalty ``l1 * sum(|x|) + l2 * sum(x**2)``.

    Parameters
    ----------
    l1, l2 : float
        At least 0; the default is no penalty, by the name "l1_l2", too.
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def _term(self):
        if not self.l1 and not self.l2:
            return None
        if not self.l1 or not self.l2:
            return ("l1", (self.l1,)) if self.l1 else ("l2", (self.l2,))
        return "l1_l2", (self.l1, self.l2)

    def get_config(self):
        """Return l1 and l2."""
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(_Standard):
    """Penalty on vectors that point the same way: the mean of ``|cos|`` over pairs of them.

    Parameters
    ----------
    factor : float
        At least 0; what the mean is multiplied by.
    mode : {"rows", "columns"}
        Which vectors of the matrix.

    Raises
    ------
    ValueError
        For another mode or factor; and when it is put on a bias, or on outputs that are sequences.

    Notes
    -----
    Where there is only one vector there are no pairs, and no penalty.
    """

    _axes = 2

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode must be 'rows' or 'columns', got {mode!r}")
        self.mode = mode

    def _term(self):
        return f"orthogonal_{self.mode}", (self.factor,)

    def get_config(self):
        """Return factor and mode."""
        return {"factor": self.factor, "mode": self.mode}


# Keras also offers every class under its lower-case name.
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_BY_NAME = {
    "l1": L1,
    "l2": L2,
    "l1_l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}
_ALSO = {"l1l2": L1L2, **{cls.__name__: cls for cls in _BY_NAME.values()}}


def get(identifier, axes=None):
    """Return the regularizer that a name, a dict, an instance, a class or None stands for.

    Parameters
    ----------
    identifier : str, dict, Regularizer, type or None
        Names are those of the classes, and "l1", "l2", "l1_l2", "orthogonal_regularizer".  A dict
        has a name as `class_name`, and `config`: Keras's own form, with more entries, is read.
    axes : int or None
        How many axes the weight has that it is for, if that is known.

    Returns
    -------
    Regularizer or None

    Raises
    ------
    ValueError
        For an unknown name, or if it cannot be taken of such a weight.
    TypeError
        For anything else, a function of the user's included: its derivative is needed, too.
    """
    if identifier is None:
        return None
    config = {}
    if isinstance(identifier, dict) and "class_name" in identifier:
        identifier, config = identifier["class_name"], identifier.get("config") or {}
    if isinstance(identifier, str):
        if identifier not in _BY_NAME and identifier not in _ALSO:
            raise unknown_name("regularizer", identifier, _BY_NAME)
        identifier = (_BY_NAME | _ALSO)[identifier]
    if inspect.isclass(identifier):
        identifier = identifier(**config)
    if not isinstance(identifier, Regularizer):
        hint = ""
        if callable(identifier):
            hint = (
                "; a function alone does not tell its derivative: derive a class from "
                "npylstm.regularizers.Regularizer that defines __call__(x) and gradient(x)"
            )
        raise TypeError(f"a regularizer must be a name or a Regularizer, got {identifier!r}{hint}")
    if axes is not None:
        identifier.check_axes(axes, "a weight such as a bias" if axes == 1 else "this weight")
    return identifier


def _factor(name, value):
    if not (is_number(value) and value >= 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")
    return float(value)

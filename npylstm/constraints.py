"""Constraints: where weights may be, under Keras's names.

They are applied after every batch of training, to what the optimizer has made of the weights (and
to the running mean, where it has replaced them), and not to the weights that a model starts with.
"""

import inspect

import numpy as np

from . import config
from .errors import at_least_zero, fraction, unknown_name
from .reference.constraints import Projection, project


class Constraint:
    """What all constraints have in common: a call, a configuration.

    To write your own, derive from this class and override `__call__`, or pass a function; a model
    with it is trained on the NumPy backend.
    """

    def __call__(self, w):
        """Return what becomes of a weight, in its shape.

        Parameters
        ----------
        w : array
        """
        return w

    def projection(self):
        """Return the Projection that a backend computes."""
        return Projection(type(self).__name__, function=self)

    def check_axes(self, axes):
        """Raise ValueError unless it can be applied to a weight of so many axes."""

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Build a constraint from what `get_config` returned."""
        return cls(**config)

    def __repr__(self):
        """Show the class and its arguments, as one would write the call."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class _Standard(Constraint):
    """One of those whose equations are in `reference.constraints`."""

    axis: int | tuple[int, ...] | None = None

    def __call__(self, w):
        w = np.asarray(w)
        w = w if w.dtype.kind == "f" else w.astype(config.floatx())
        self.check_axes(w.ndim)
        return project(w, self.projection())

    def check_axes(self, axes):
        for axis in () if self.axis is None else np.atleast_1d(self.axis):
            if not -axes <= axis < axes:
                raise ValueError(
                    f"{self!r} takes norms along axis {axis}, but the weight has "
                    f"{axes} {'axis' if axes == 1 else 'axes'}; use axis=0 or axis=None"
                )


class MaxNorm(_Standard):
    """No vector of the weight is longer than `max_value` (Srivastava et al. 2014, 5.1).

    Parameters
    ----------
    max_value : float
        At least 0.
    axis : int, tuple of int or None
        Along which the vectors lie.  The default, 0, takes the weights that come into each unit:
        the columns of a kernel (D, 4U), so each gate of each unit for itself, and all of a bias.
        None takes all weights together.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = at_least_zero("max_value", max_value)
        self.axis = _axis(axis)

    def projection(self):
        """Return the Projection that a backend computes."""
        return Projection("max_norm", (float(self.max_value),), self.axis)

    def get_config(self):
        """Return max_value and axis."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(_Standard):
    """No weight is less than 0."""

    def projection(self):
        """Return the Projection that a backend computes."""
        return Projection("non_neg")


class UnitNorm(_Standard):
    """Every vector of the weight has the length 1.

    Parameters
    ----------
    axis : int, tuple of int or None
        As of `MaxNorm`.
    """

    def __init__(self, axis=0):
        self.axis = _axis(axis)

    def projection(self):
        """Return the Projection that a backend computes."""
        return Projection("unit_norm", (), self.axis)

    def get_config(self):
        """Return axis."""
        return {"axis": self.axis}


class MinMaxNorm(_Standard):
    """Every vector of the weight is from `min_value` to `max_value` long, or on its way there.

    Parameters
    ----------
    min_value, max_value : float
        At least 0, the first not above the second.
    rate : float
        In [0, 1]: how much of the way is made at a time.
    axis : int, tuple of int or None
        As of `MaxNorm`.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = at_least_zero("min_value", min_value)
        self.max_value = at_least_zero("max_value", max_value)
        if min_value > max_value:
            raise ValueError(
                f"min_value must not be above max_value, got {min_value!r} and {max_value!r}"
            )
        self.rate = fraction("rate", rate)
        self.axis = _axis(axis)

    def projection(self):
        """Return the Projection that a backend computes."""
        numbers = tuple(map(float, (self.min_value, self.max_value, self.rate)))
        return Projection("min_max_norm", numbers, self.axis)

    def get_config(self):
        """Return min_value, max_value, rate and axis."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


# Keras also offers every class under its lower-case name.
max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

_BY_NAME = {
    "max_norm": MaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    "min_max_norm": MinMaxNorm,
}
_CLASSES = {cls.__name__: cls for cls in _BY_NAME.values()}


def get(identifier, axes=None):
    """Return the constraint that a name, a dict, an instance, class or function stands for.

    Parameters
    ----------
    identifier : str, dict, Constraint, type, callable or None
        Names are those of the classes, and "max_norm", "non_neg", "unit_norm", "min_max_norm".  A
        dict has a name as `class_name`, and `config`, as Keras's own form has.  A function
        ``w -> w`` takes an array and returns one of its shape.
    axes : int or None
        How many axes the weight has that it is for, if that is known.

    Returns
    -------
    callable or None

    Raises
    ------
    ValueError
        For an unknown name, or if it cannot be applied to such a weight.
    TypeError
        For anything that is not callable.
    """
    if identifier is None:
        return None
    config = {}
    if isinstance(identifier, dict) and "class_name" in identifier:
        identifier, config = identifier["class_name"], identifier.get("config") or {}
    if isinstance(identifier, str):
        if identifier not in _BY_NAME and identifier not in _CLASSES:
            raise unknown_name("constraint", identifier, _BY_NAME)
        identifier = (_BY_NAME | _CLASSES)[identifier]
    if inspect.isclass(identifier):
        identifier = identifier(**config)
    if not callable(identifier):
        raise TypeError(
            "a constraint must be a name, a Constraint or a function of the weight, got "
            f"{identifier!r}"
        )
    if axes is not None and isinstance(identifier, Constraint):
        identifier.check_axes(axes)
    return identifier


def projection(constraint):
    """Return the Projection of a constraint, or of a function of the user's."""
    if isinstance(constraint, Constraint):
        return constraint.projection()
    return Projection(getattr(constraint, "__name__", "custom"), function=constraint)


def _axis(axis):
    if axis is None:
        return None
    axes = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    if not all(hasattr(a, "__index__") and not isinstance(a, bool) for a in axes):
        raise TypeError(f"axis must be an integer, a tuple of them or None, got {axis!r}")
    return tuple(map(int, axes)) if isinstance(axis, list | tuple) else int(axis)

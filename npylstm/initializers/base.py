"""What all initializers have in common."""

import operator


class Initializer:
    """What all initializers have in common: a call, a configuration, a readable form.

    To write your own, override `__call__`, and `get_config` if the constructor takes arguments.
    """

    def __call__(self, shape, dtype=None):
        """Return a new array.

        Parameters
        ----------
        shape : tuple of int
        dtype : str or numpy.dtype, optional
            `npylstm.config.floatx()` unless given, which is float32 unless changed.

        Returns
        -------
        numpy.ndarray
            Of the given shape and dtype.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Build an initializer from what `get_config` returned."""
        return cls(**config)

    def clone(self):
        """Return a new initializer with the same configuration."""
        return self.from_config(self.get_config())

    def __repr__(self):
        """Show the class and its arguments, as one would write the call."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def as_shape(shape):
    """Return the shape as a tuple of plain ints, or say what is wrong with it."""
    try:
        return tuple(operator.index(size) for size in shape)
    except TypeError:
        raise ValueError(f"shape must be a tuple of sizes such as (3, 4), got {shape!r}") from None

"""Input: what shape a model takes."""

from .. import config
from ..errors import known_arguments


@known_arguments
class Input:
    """The shape of what goes into a model; the first thing in a `Sequential`.

    Parameters
    ----------
    shape : tuple of int or None
        Without the batch axis: ``(timesteps, features)``.  None leaves an axis open.
    batch_size : int or None
        How many samples every batch has; needed by stateful layers, else best left open.
    dtype : {"float32", "float64"} or None
        Accepted for Keras's sake: each layer computes in its own dtype.
    batch_shape : tuple or None
        ``(batch_size, *shape)``, in place of the two.
    name : str or None

    Raises
    ------
    ValueError
        If the shape is missing or impossible.
    """

    def __init__(self, shape=None, batch_size=None, dtype=None, batch_shape=None, name=None):
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input takes either shape=(timesteps, features) or batch_shape=")
        if batch_shape is None:
            batch_shape = (batch_size, *(shape if isinstance(shape, tuple | list) else (shape,)))
        elif batch_size is not None:
            raise ValueError("batch_shape already holds the batch size; leave batch_size out")
        self.batch_shape = tuple(batch_shape) if isinstance(batch_shape, tuple | list) else ()
        if len(self.batch_shape) < 2 or not all(map(_is_size, self.batch_shape)):
            raise ValueError(
                "a shape is a tuple such as (timesteps, features), each a positive integer or "
                f"None, got {batch_shape!r}"
            )
        self.dtype = config.floatx() if dtype is None else config.check_float(dtype)
        self.name = name or "input"

    def __repr__(self):
        return f"<Input {self.batch_shape}>"


def _is_size(size):
    return size is None or (hasattr(size, "__index__") and size >= 1)

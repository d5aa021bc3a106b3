"""RepeatVector: a vector at each of n timesteps."""

from ..errors import positive_integer
from ..plan import Op
from .base import Layer


class RepeatVector(Layer):
    """Repeat a vector n times: (samples, features) -> (samples, n, features).

    Parameters
    ----------
    n : int
    **options
        `name` and `dtype`, as for every layer.
    """

    arguments = ("n",)
    _rank = 2

    def __init__(self, n, **options):
        super().__init__(**options)
        self.n = positive_integer("n", n)

    def compute_output_shape(self, input_shape):
        """Return ``(samples, n, features)``."""
        return (input_shape[0], self.n, input_shape[1])

    def lower(self, plan, x):
        """Append a REPEAT row: B vectors of U features at T timesteps."""
        B, U = x.shape
        y = plan.tensor(self.n, B, U)
        plan.row(Op.REPEAT, x=x, y=y, T=self.n, B=B, U=U)
        return y

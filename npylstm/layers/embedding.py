"""Embedding: a vector for each integer."""

import numpy as np

from .. import compat, constraints, initializers, regularizers
from ..errors import positive_integer
from ..plan import Op
from .base import Layer


class Embedding(Layer):
    """Turn integers, such as the numbers of words or letters, into vectors that are learnt.

    Parameters
    ----------
    input_dim : int
        V, how many integers there are: they go from 0 to V - 1.
    output_dim : int
        E, the size of each vector.
    embeddings_initializer : str, initializer or callable
    embeddings_regularizer : str, Regularizer or None
    embeddings_constraint : str, Constraint, callable or None
    mask_zero : bool
        Whether 0 stands for nothing, and timesteps at which it comes are masked.
    weights : array (V, E), a list of it, or None
        To start from, such as vectors learnt elsewhere.
    **options
        `name` and `dtype`, as for every layer.

    Notes
    -----
    Weights: embeddings (V, E).  Shapes: (B, T) integers -> (B, T, E).
    """

    arguments = (
        "input_dim",
        "output_dim",
        "embeddings_initializer",
        "embeddings_regularizer",
        "embeddings_constraint",
        "mask_zero",
    )
    _rank = 2
    _axes = "(samples, timesteps) of integers"

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        weights=None,
        **options,
    ):
        compat.input_length_as_shape(options)
        super().__init__(**options)
        self.input_dim = positive_integer("input_dim", input_dim)
        self.output_dim = positive_integer("output_dim", output_dim)
        if self.input_dim > 2 ** (np.finfo(self.dtype).nmant + 1):
            raise ValueError(
                f"input_dim is {input_dim}, and {self.dtype} cannot tell such integers apart; "
                "pass dtype='float64'"
            )
        self.embeddings_initializer = initializers.get(embeddings_initializer, "uniform")
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer, axes=2)
        self.embeddings_constraint = constraints.get(embeddings_constraint, axes=2)
        self.mask_zero = bool(mask_zero)
        if weights is not None:
            self.build()
            self.set_weights(list(weights) if isinstance(weights, list | tuple) else [weights])

    def build(self, input_shape=(None, None)):
        """Create the weights, unless they exist; they are the same for batches of all shapes."""
        super().build(input_shape)

    @property
    def embeddings(self):
        """The vectors (V, E): a view."""
        return self.weight("embeddings")

    def check_input_shape(self, input_shape):
        """Raise ValueError unless it is (samples, timesteps)."""
        if len(input_shape) == 3:
            raise ValueError(
                f"layer {self.name!r} takes an array {self._axes}, got shape {tuple(input_shape)}; "
                "if the last axis has a single integer, take it away: x[..., 0]"
            )
        if len(input_shape) != 2:
            raise ValueError(self._wrong_rank(input_shape))

    def check_values(self, x):
        """Raise ValueError unless all numbers are integers that there is a vector for."""
        wrong = (x != np.floor(x)) | (x < 0) | (x >= self.input_dim)
        if wrong.any():
            value = x[wrong][0]
            hint = "; give Embedding a greater input_dim if there are more" if value >= 1 else ""
            hint = hint if value == np.floor(value) else ""
            raise ValueError(
                f"layer {self.name!r} takes integers from 0 to {self.input_dim - 1}, got "
                f"{value:g}{hint}"
            )

    def open_shape(self, shape):
        """Return the batch shape to build for: any number of samples, of any length."""
        return (None, None)

    def weight_specs(self, input_shape):
        """Return embeddings."""
        shape = (self.input_dim, self.output_dim)
        return {"embeddings": (shape, self.embeddings_initializer)}

    def compute_output_shape(self, input_shape):
        """Return ``(samples, timesteps, output_dim)``."""
        return (*input_shape, self.output_dim)

    def compute_mask(self, x, mask=None):
        """Return which integers are not 0, (samples, timesteps); None without `mask_zero`."""
        return np.asarray(x) != 0 if self.mask_zero else None

    def lower(self, plan, x):
        """Append an EMBEDDING row: x (B, T) integers in [0, D), y (T, B, U)."""
        B, T = x.shape
        y = plan.tensor(T, B, self.output_dim)
        if self.mask_zero:
            plan.masks[y.offset] = plan.tensor(T, B)
        plan.row(
            Op.EMBEDDING, x=x, y=y, w=self.segment("embeddings"), T=T, B=B, D=self.input_dim,
            U=self.output_dim, mask=plan.mask_of(y),
        )  # fmt: skip
        return y

"""Losses with Keras's names, arguments, clipping and reduction.

The math is in `reference.losses`; a loss here knows its names and which targets it takes.
"""

from .data import check_equal_lengths, float_array, sample_weights, targets
from .errors import known_arguments, unknown_name
from .plan import LossOp
from .reference import losses as reference
from .reference.activations import sigmoid, softmax


class Loss:
    """The mean, over samples and timesteps, of a value for each.

    Parameters
    ----------
    name : str or None

    Attributes
    ----------
    sparse : bool
        Whether targets are integer labels (...,) and not arrays (..., K).
    probabilities : bool
        Whether targets are in [0, 1].
    """

    sparse = False
    probabilities = False
    _op: LossOp

    def __init__(self, *, name=None):
        self.name = name or self._op.name.lower()

    def op(self, last_activation=None):
        """Return the LossOp to run, and whether it starts before the last activation.

        Parameters
        ----------
        last_activation : Activation or None
            What the model ends in.

        Returns
        -------
        op : LossOp
        fused : bool
        """
        return self._op, False

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the loss of predictions (..., K) as a float.

        Parameters
        ----------
        y_true : array (..., K), or integer labels (...,) for a sparse loss
        y_pred : array (..., K)
        sample_weight : array (B,) or (B, T), or None

        Raises
        ------
        TypeError, ValueError
            If they do not fit.
        """
        y_pred = float_array(y_pred, "y_pred", None, finite=False)
        y_true = targets(y_true, self, y_pred.shape, y_pred.dtype)
        check_equal_lengths(y_true=y_true, y_pred=y_pred)
        weight = sample_weights(sample_weight, None, y_true, y_pred.shape, y_pred.dtype)
        op, _ = self.op()
        values, _ = reference.BY_NAME[op.name.lower()][0](y_true, y_pred)
        if weight is not None:
            weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        return float(reference.weighted_mean_forward(values, weight)[0])


@known_arguments
class MeanSquaredError(Loss):
    """``mean((y_true - y_pred)**2)``."""

    _op = LossOp.MEAN_SQUARED_ERROR


@known_arguments
class MeanAbsoluteError(Loss):
    """``mean(abs(y_true - y_pred))``."""

    _op = LossOp.MEAN_ABSOLUTE_ERROR


class _Crossentropy(Loss):
    """A cross-entropy, of probabilities or of logits.

    Parameters
    ----------
    from_logits : bool
        Whether the model ends in logits.  If it ends in softmax or sigmoid, the loss is computed
        from what goes into that, whichever of the two it is, as Keras does.
    name : str or None
    """

    probabilities = True
    _logits_op: LossOp

    def __init__(self, from_logits=False, *, name=None):
        super().__init__(name=name)
        self.from_logits = bool(from_logits)

    def op(self, last_activation=None):
        """Return the LossOp to run, and whether it starts before the last activation."""
        if last_activation in (softmax, sigmoid):
            return self._logits_op, True
        return (self._logits_op if self.from_logits else self._op), False


@known_arguments
class CategoricalCrossentropy(_Crossentropy):
    """``-sum(y_true * log(p))``, for targets that are one-hot or probabilities (..., K)."""

    _op = LossOp.CATEGORICAL_CROSSENTROPY
    _logits_op = LossOp.SOFTMAX_CROSSENTROPY


@known_arguments
class SparseCategoricalCrossentropy(_Crossentropy):
    """``-log(p[label])``, for integer labels (...,) in [0, K)."""

    sparse = True
    _op = LossOp.SPARSE_CATEGORICAL_CROSSENTROPY
    _logits_op = LossOp.SPARSE_SOFTMAX_CROSSENTROPY


@known_arguments
class BinaryCrossentropy(_Crossentropy):
    """``-mean(y log(p) + (1 - y) log(1 - p))``, for targets (..., K) of 0 and 1."""

    _op = LossOp.BINARY_CROSSENTROPY
    _logits_op = LossOp.SIGMOID_CROSSENTROPY


_BY_NAME = {
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
}


def get(identifier):
    """Return the Loss that a name or a Loss stands for.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else.
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, str):
        name = identifier.lower() if identifier.isupper() else identifier
        if name in _BY_NAME:
            return _BY_NAME[name]()
        if identifier in (cls.__name__ for cls in _BY_NAME.values()):
            return next(cls for cls in _BY_NAME.values() if cls.__name__ == identifier)()
        raise unknown_name("loss", identifier, _BY_NAME)
    raise TypeError(f"a loss must be a name or a Loss, got {identifier!r}")

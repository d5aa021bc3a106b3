"""Losses with Keras's names, arguments, clipping and reduction.

The math is in `reference.losses`; a loss here knows its names and which targets it takes.
"""

import numpy as np

from .backends.in_python import aligned_weight
from .configured import Configured
from .data import check_equal_lengths, float_array, sample_weights, targets
from .errors import at_least_zero, fraction, is_number, known_arguments, positive, unknown_name
from .plan import LossOp, Objective, Reduction
from .reference import losses as reference
from .reference.activations import sigmoid, softmax

REDUCTIONS = {
    "sum_over_batch_size": Reduction.MEAN,
    "mean": Reduction.MEAN,
    "sum": Reduction.SUM,
    "mean_with_sample_weight": Reduction.MEAN_BY_WEIGHT,
    "none": None,
    None: None,
}


class Loss(Configured):
    """The mean, over samples and timesteps, of a value for each.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"} or None
        What the values, each times its weight, become: the sum over their number (the first two),
        the sum, the sum over that of the weights; or they stay as they are, and train no model.
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

    def __init__(self, reduction="sum_over_batch_size", *, name=None):
        if reduction not in REDUCTIONS:
            raise unknown_name("reduction", reduction, [r for r in REDUCTIONS if r])
        self.reduction = reduction
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

    def numbers(self):
        """Return what the loss takes beside targets and outputs: a tuple of floats."""
        return ()

    def smoothing(self, n_outputs):
        """Return by what targets are multiplied, and what is added to them then."""
        return 1.0, 0.0

    def objective(self, last_activation, metric_ops, n_outputs):
        """Return the `plan.Objective` of a model that ends in so many outputs.

        Raises
        ------
        ValueError
            If the values are not reduced to one number.
        """
        reduction = REDUCTIONS[self.reduction]
        if reduction is None:
            raise ValueError(
                f"{self.name} with reduction={self.reduction!r} gives a number for each sample, "
                "and a model is trained by one: pass reduction='sum_over_batch_size' or 'sum'"
            )
        op, fused = self.op(last_activation)
        return Objective(
            op, fused, metric_ops, self.numbers(), self.smoothing(n_outputs), reduction
        )

    def values(self, y_true, y_pred):
        """Return a value for each row (...,) of targets and outputs that fit."""
        op, _ = self.op()
        y_true = reference.smooth(y_true, *self.smoothing(y_pred.shape[-1]))
        return reference.BY_NAME[op.name.lower()][0](y_true, y_pred, *self.numbers())[0]

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the loss of predictions (..., K).

        Parameters
        ----------
        y_true : array (..., K), or integer labels (...,) for a sparse loss
        y_pred : array (..., K)
        sample_weight : array (B,) or (B, T), a number for all, or None

        Returns
        -------
        float; without a reduction ndarray (...,)

        Raises
        ------
        TypeError, ValueError
            If they do not fit.
        """
        y_pred = float_array(y_pred, "y_pred", None, finite=False)
        y_true = targets(y_true, self, y_pred.shape, y_pred.dtype)
        check_equal_lengths(y_true=y_true, y_pred=y_pred)
        if is_number(sample_weight):
            sample_weight = np.full(len(y_pred), sample_weight)
        weight = sample_weights(sample_weight, None, y_true, y_pred.shape, y_pred.dtype)
        values = self.values(y_true, y_pred)
        weight = aligned_weight(self.name, values, weight)
        reduction = REDUCTIONS[self.reduction]
        if reduction is None:
            return values if weight is None else values * weight
        return float(reference.weighted_mean_forward(values, weight, reduction.name.lower())[0])


@known_arguments
class MeanSquaredError(Loss):
    """``mean((y_true - y_pred)**2)``."""

    _op = LossOp.MEAN_SQUARED_ERROR


@known_arguments
class MeanAbsoluteError(Loss):
    """``mean(abs(y_true - y_pred))``."""

    _op = LossOp.MEAN_ABSOLUTE_ERROR


@known_arguments
class MeanAbsolutePercentageError(Loss):
    """``100 mean(abs(y_true - y_pred) / abs(y_true))``."""

    _op = LossOp.MEAN_ABSOLUTE_PERCENTAGE_ERROR


@known_arguments
class MeanSquaredLogarithmicError(Loss):
    """``mean((log(1 + y_true) - log(1 + y_pred))**2)``."""

    _op = LossOp.MEAN_SQUARED_LOGARITHMIC_ERROR


@known_arguments
class Huber(Loss):
    """Half the squared error up to `delta`, a straight line beyond (Huber 1964).

    Parameters
    ----------
    delta : float
        Greater than 0.
    reduction, name
        As in `Loss`.
    """

    _op = LossOp.HUBER

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", *, name=None):
        super().__init__(reduction, name=name or "huber_loss")
        self.delta = float(positive("delta", delta))

    def numbers(self):
        """Return delta."""
        return (self.delta,)


@known_arguments
class LogCosh(Loss):
    """``mean(log(cosh(y_pred - y_true)))``."""

    _op = LossOp.LOG_COSH


@known_arguments
class Poisson(Loss):
    """``mean(y_pred - y_true log(y_pred))``."""

    _op = LossOp.POISSON


@known_arguments
class KLDivergence(Loss):
    """``sum(y_true log(y_true / y_pred))``, for targets that are probabilities (..., K)."""

    probabilities = True
    _op = LossOp.KL_DIVERGENCE


@known_arguments
class CosineSimilarity(Loss):
    """Minus the cosine of the angle between targets and outputs, in [-1, 1].

    Parameters
    ----------
    axis : int
        -1: along the outputs.
    reduction, name
        As in `Loss`.
    """

    _op = LossOp.COSINE_SIMILARITY

    def __init__(self, axis=-1, reduction="sum_over_batch_size", *, name=None):
        super().__init__(reduction, name=name)
        self.axis = _last_axis(axis)


class _Crossentropy(Loss):
    """A cross-entropy, of probabilities or of logits.

    Parameters
    ----------
    from_logits : bool
        Whether the model ends in logits.  If it ends in softmax or sigmoid, the loss is computed
        from what goes into that, whichever of the two it is, as Keras does.
    label_smoothing : float
        In [0, 1]: how far targets are moved towards all classes being alike.
    axis : int
        -1: along the classes.
    reduction, name
        As in `Loss`.
    """

    probabilities = True
    _logits_op: LossOp

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        *,
        name=None,
    ):
        super().__init__(reduction, name=name)
        self.from_logits = bool(from_logits)
        self.label_smoothing = fraction("label_smoothing", label_smoothing)
        self.axis = _last_axis(axis)

    def op(self, last_activation=None):
        """Return the LossOp to run, and whether it starts before the last activation."""
        if last_activation in (softmax, sigmoid):
            return self._logits_op, True
        return (self._logits_op if self.from_logits else self._op), False

    def smoothing(self, n_outputs):
        """Return by what targets are multiplied, and what is added to them then."""
        return 1.0 - self.label_smoothing, self.label_smoothing / n_outputs


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

    def __init__(self, from_logits=False, axis=-1, reduction="sum_over_batch_size", *, name=None):
        super().__init__(from_logits, 0.0, axis, reduction, name=name)


@known_arguments
class BinaryCrossentropy(_Crossentropy):
    """``-mean(y log(p) + (1 - y) log(1 - p))``, for targets (..., K) of 0 and 1."""

    _op = LossOp.BINARY_CROSSENTROPY
    _logits_op = LossOp.SIGMOID_CROSSENTROPY

    def smoothing(self, n_outputs):
        """Return by what targets are multiplied, and what is added to them then."""
        return 1.0 - self.label_smoothing, 0.5 * self.label_smoothing


@known_arguments
class BinaryFocalCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy that counts less where the prediction is right (Lin et al. 2017).

    Parameters
    ----------
    apply_class_balancing : bool
        Whether ones weigh `alpha` and zeros ``1 - alpha``.
    alpha : float
    gamma : float
        How much less; 0 makes it plain cross-entropy.
    from_logits, label_smoothing, axis, reduction, name
        As in `BinaryCrossentropy`.  Of a softmax, Keras mixes its logits and its outputs here; we
        take the outputs.
    """

    _op = LossOp.BINARY_FOCAL_CROSSENTROPY
    _logits_op = LossOp.SIGMOID_FOCAL_CROSSENTROPY

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        *,
        name=None,
    ):
        super().__init__(from_logits, label_smoothing, axis, reduction, name=name)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha, self.gamma = fraction("alpha", alpha), at_least_zero("gamma", gamma)

    def op(self, last_activation=None):
        """Return the LossOp to run, and whether it starts before the last activation."""
        if self.from_logits:
            return self._logits_op, False
        return (self._logits_op, True) if last_activation == sigmoid else (self._op, False)

    def numbers(self):
        """Return gamma, and what ones and zeros weigh."""
        weights = (self.alpha, 1 - self.alpha) if self.apply_class_balancing else (1.0, 1.0)
        return (self.gamma, *weights)


@known_arguments
class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """Cross-entropy that counts less where the prediction is right (Lin et al. 2017).

    Parameters
    ----------
    alpha : float
        Multiplies the loss.
    gamma : float
        How much less; 0 makes it plain cross-entropy.
    from_logits, label_smoothing, axis, reduction, name
        As in `CategoricalCrossentropy`; but here a softmax before it is not passed over.
    """

    _op = LossOp.CATEGORICAL_FOCAL_CROSSENTROPY
    _logits_op = LossOp.SOFTMAX_FOCAL_CROSSENTROPY

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        *,
        name=None,
    ):
        super().__init__(from_logits, label_smoothing, axis, reduction, name=name)
        self.alpha, self.gamma = at_least_zero("alpha", alpha), at_least_zero("gamma", gamma)

    def op(self, last_activation=None):
        """Return the LossOp to run; it starts at the outputs."""
        return (self._logits_op if self.from_logits else self._op), False

    def numbers(self):
        """Return alpha and gamma."""
        return self.alpha, self.gamma


# ------------------------------------------------------------------------------- the user's own
@known_arguments
class CustomLoss(Loss):
    """A loss of two Python functions, which see a batch at a time, batch-major.

    Parameters
    ----------
    value : callable
        ``value(y_true, y_pred)``: the losses of samples (B,), or of timesteps (B, T); or one number
        for the batch, which weights cannot be given to.
    derivative : callable or None
        ``derivative(y_true, y_pred)``: of each value along the outputs that it is made of, of the
        shape of `y_pred`, (B, ..., K).  Without one the loss evaluates but does not train.
        `check_derivative` tells whether it is right.
    name : str or None
        None is the name of `value`.
    reduction
        As in `Loss`.
    sparse : bool
        Whether targets are integer labels (B, ...), and not arrays (B, ..., K).

    Notes
    -----
    Forward, backward and update run as always, the two functions in between: one batch at a time.
    """

    _op = LossOp.CUSTOM

    def __init__(
        self, value, derivative=None, name=None, reduction="sum_over_batch_size", *, sparse=False
    ):
        for what, function in (("value", value), ("derivative", derivative)):
            if not callable(function) and (what == "value" or function is not None):
                raise TypeError(f"{what} must be a function of y_true and y_pred, got {function!r}")
        name = name or getattr(value, "__name__", type(value).__name__)
        super().__init__(reduction, name=name)
        self.value, self.derivative, self.sparse = value, derivative, bool(sparse)

    def objective(self, last_activation, metric_ops, n_outputs):  # noqa: D102
        return super().objective(last_activation, metric_ops, n_outputs)._replace(custom=self)

    def values(self, y_true, y_pred):
        """Return what `value` does: an array whose axes are the first ones of y_pred."""
        values = _real(self.name, "value", self.value(y_true, y_pred), y_pred.dtype)
        if values.shape != y_pred.shape[: values.ndim]:
            raise ValueError(
                f"loss {self.name!r} returned the shape {values.shape} for outputs of shape "
                f"{y_pred.shape}; expected a value for each sample, {y_pred.shape[:1]}, or more of "
                "these axes"
            )
        return values

    def slopes(self, y_true, y_pred):
        """Return what `derivative` does: an array of y_pred's shape."""
        slopes = _real(self.name, "derivative", self.derivative(y_true, y_pred), y_pred.dtype)
        if slopes.shape != y_pred.shape:
            raise ValueError(
                f"the derivative of loss {self.name!r} has the shape {slopes.shape}, expected that "
                f"of the outputs, {y_pred.shape}"
            )
        return slopes


def _real(name, what, result, dtype):
    array = np.asarray(result)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"the {what} of loss {name!r} must be real numbers, got {result!r}")
    return array.astype(dtype, copy=False)


def check_derivative(value, derivative, y_true, y_pred, tolerance=1e-5):
    """Compare the derivative of a custom loss with central differences, in float64.

    Parameters
    ----------
    value, derivative : callable
        As in `CustomLoss`.
    y_true : array
        As `value` takes it.
    y_pred : array (B, ..., K)
        A few numbers: each is moved in turn.
    tolerance : float

    Returns
    -------
    float
        The largest error, relative to the largest slope (or 1, if that is larger).

    Raises
    ------
    ValueError
        If it is above `tolerance`.
    """
    y_true, y_pred = np.asarray(y_true), np.array(y_pred, np.float64)
    loss = CustomLoss(value, derivative)
    slopes, step = loss.slopes(y_true, y_pred.copy()), 1e-6
    differences = np.empty_like(slopes)
    for index in np.ndindex(y_pred.shape):
        sums = []
        for sign in (1, -1):
            moved = y_pred.copy()
            moved[index] += sign * step
            sums.append(loss.values(y_true, moved))
        differences[index] = (sums[0] - sums[1]).sum() / (2 * step)
    errors = np.absolute(slopes - differences) / max(1.0, np.absolute(differences).max())
    worst = tuple(map(int, np.unravel_index(errors.argmax(), errors.shape)))
    if not errors[worst] <= tolerance:
        raise ValueError(
            f"the derivative of {loss.name!r} is {slopes[worst]:.6g} at index {worst}, where "
            f"differences of its values say {differences[worst]:.6g}"
        )
    return float(errors[worst])


def _last_axis(axis):
    if axis != -1:
        raise ValueError(f"axis must be -1, the last one, got {axis!r}; transpose what you pass")
    return axis


_CLASSES = (
    *(MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError),
    *(MeanSquaredLogarithmicError, Huber, LogCosh, Poisson, KLDivergence, CosineSimilarity),
    *(CategoricalCrossentropy, SparseCategoricalCrossentropy, BinaryCrossentropy),
    *(BinaryFocalCrossentropy, CategoricalFocalCrossentropy),
)
_BY_NAME = {loss._op.name.lower(): loss for loss in _CLASSES} | {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "logcosh": LogCosh,
    "kld": KLDivergence,
    "kullback_leibler_divergence": KLDivergence,
}


_BY_FUNCTION: dict = {}


def _function(cls):
    """Return the function that goes by the name of a loss: a value for each row, not reduced."""

    def values(y_true, y_pred, *arguments, **options):
        return cls(*arguments, reduction=None, **options)(y_true, y_pred)

    values.__name__ = values.__qualname__ = cls._op.name.lower()
    values.__doc__ = f"Return a value (...,) for each row; the arguments are `{cls.__name__}`'s."
    _BY_FUNCTION[values] = cls
    return values


# Keras also offers every loss as a function.
mean_squared_error = mse = _function(MeanSquaredError)
mean_absolute_error = mae = _function(MeanAbsoluteError)
mean_absolute_percentage_error = mape = _function(MeanAbsolutePercentageError)
mean_squared_logarithmic_error = msle = _function(MeanSquaredLogarithmicError)
huber, log_cosh, poisson = _function(Huber), _function(LogCosh), _function(Poisson)
kl_divergence, cosine_similarity = _function(KLDivergence), _function(CosineSimilarity)
categorical_crossentropy = _function(CategoricalCrossentropy)
sparse_categorical_crossentropy = _function(SparseCategoricalCrossentropy)
binary_crossentropy = _function(BinaryCrossentropy)
binary_focal_crossentropy = _function(BinaryFocalCrossentropy)
categorical_focal_crossentropy = _function(CategoricalFocalCrossentropy)


def get(identifier):
    """Return the Loss that a name, a Loss or a function ``f(y_true, y_pred)`` stands for.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else.
    """
    if isinstance(identifier, Loss):
        return identifier
    identifier = _BY_FUNCTION.get(identifier, identifier) if callable(identifier) else identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, str):
        name = identifier.lower() if identifier.isupper() else identifier
        if name in _BY_NAME:
            return _BY_NAME[name]()
        if identifier in (cls.__name__ for cls in _BY_NAME.values()):
            return next(cls for cls in _BY_NAME.values() if cls.__name__ == identifier)()
        raise unknown_name("loss", identifier, _BY_NAME)
    if callable(identifier) and not isinstance(identifier, type):
        return CustomLoss(identifier)
    raise TypeError(
        f"a loss must be a name, a Loss or a function f(y_true, y_pred), got {identifier!r}"
    )

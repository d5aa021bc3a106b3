"""Gradient descent."""

from ..errors import fraction
from ..plan import UpdateOp
from .base import Optimizer, checked


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    momentum : float
        In [0, 1].
    nesterov : bool
        Look ahead along the momentum (Sutskever et al. 2013).
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.SGD

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **options):
        super().__init__(learning_rate, **checked(SGD, options))
        self.momentum = fraction("momentum", momentum)
        self.nesterov = bool(nesterov)
        self.slot_names = ("velocity",) if momentum else ()

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.sgd_numbers`."""
        return {"momentum": self.momentum, "nesterov": self.nesterov}

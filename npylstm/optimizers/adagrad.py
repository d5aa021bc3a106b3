"""Adagrad and Adadelta: a rate for each parameter, by its past gradients."""

from ..errors import at_least_zero, fraction, positive
from ..plan import UpdateOp
from .base import Optimizer, checked


class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares (Duchi et al. 2011).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    initial_accumulator_value : float
        What the sums start at.
    epsilon : float
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.ADAGRAD
    slot_names = ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **options):
        super().__init__(learning_rate, **checked(Adagrad, options))
        self.initial_accumulator_value = at_least_zero(
            "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = positive("epsilon", epsilon)
        self.slot_starts = {"accumulator": initial_accumulator_value}

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.adagrad_numbers`."""
        return {"epsilon": self.epsilon}


class Adadelta(Optimizer):
    """Steps as large as those before, by the size of the gradient (Zeiler 2012).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        Multiplies each step; 1 in the paper.
    rho : float
        How much of the running means a step keeps.
    epsilon : float
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.ADADELTA
    slot_names = ("mean_square", "mean_square_step")

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **options):
        super().__init__(learning_rate, **checked(Adadelta, options))
        self.rho = fraction("rho", rho)
        self.epsilon = positive("epsilon", epsilon)

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.adadelta_numbers`."""
        return {"rho": self.rho, "epsilon": self.epsilon}

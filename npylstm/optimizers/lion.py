"""Lion."""

from ..errors import fraction, positive
from ..plan import UpdateOp
from .base import Optimizer, checked


class Lion(Optimizer):
    """Step by the sign of a running mean (Chen et al. 2023).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    beta_1 : float
        How much of the running mean is in the direction of a step; more than 0.
    beta_2 : float
        How much of the running mean a step keeps.
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.LION
    slot_names = ("m",)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **options):
        super().__init__(learning_rate, **checked(Lion, options))
        self.beta_1 = positive("beta_1", fraction("beta_1", beta_1))
        self.beta_2 = fraction("beta_2", beta_2)

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.lion_numbers`."""
        return {"beta_1": self.beta_1, "beta_2": self.beta_2}

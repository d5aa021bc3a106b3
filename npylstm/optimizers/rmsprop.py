"""RMSprop."""

from ..errors import fraction, positive
from ..plan import UpdateOp
from .base import Optimizer, checked


class RMSprop(Optimizer):
    """Divide the gradient by the root of the running mean of its square.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    rho : float
        How much of the running mean a step keeps.
    momentum : float
    epsilon : float
    centered : bool
        Take the squared mean gradient off the mean squared one.
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.RMSPROP

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        **options,
    ):
        super().__init__(learning_rate, **checked(RMSprop, options))
        self.rho = fraction("rho", rho)
        self.momentum = fraction("momentum", momentum)
        self.epsilon = positive("epsilon", epsilon)
        self.centered = bool(centered)
        names = ["mean_square"]
        if momentum:
            names.append("momentum_step")
        if centered:
            names.append("mean_gradient")
        self.slot_names = tuple(names)

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.rmsprop_numbers`."""
        return {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon}

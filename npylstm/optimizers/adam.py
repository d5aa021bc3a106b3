"""Adam and its relatives."""

from ..errors import fraction, positive
from ..plan import UpdateOp
from .base import Optimizer, checked


class _AdamLike(Optimizer):
    """What Adam and its relatives have in common: two running means, or the like."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
        super().__init__(learning_rate, **checked(type(self), options))
        self.beta_1 = fraction("beta_1", beta_1)
        self.beta_2 = fraction("beta_2", beta_2)
        self.epsilon = positive("epsilon", epsilon)

    def hyperparameters(self):
        """Return the numbers of the step in `reference.optimizers`."""
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class Adam(_AdamLike):
    """Adam (Kingma & Ba 2015), with Keras's place for epsilon.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    beta_1, beta_2 : float
        How much of the running means of the gradient and of its square a step keeps.
    epsilon : float
    amsgrad : bool
        Divide by the largest mean square so far (Reddi et al. 2018).
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.ADAM
    slot_names = ("m", "v")

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **options,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)
        if amsgrad:
            self.slot_names = ("m", "v", "v_max")


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    weight_decay : float
    beta_1, beta_2, epsilon, amsgrad
        As in `Adam`.
    **options
        Those of `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **options,
    ):
        if weight_decay is None:
            raise ValueError("weight_decay must be a number, got None; without it, use Adam")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options
        )


class Adamax(_AdamLike):
    """Adam with the largest recent gradient in place of a mean square (Kingma & Ba 2015).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    beta_1, beta_2 : float
        How much of the running mean and of the running maximum a step keeps.
    epsilon : float
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.ADAMAX
    slot_names = ("m", "u")


class Nadam(_AdamLike):
    """Adam with Nesterov's look ahead (Dozat 2016).

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    beta_1, beta_2 : float
        How much of the running means of the gradient and of its square a step keeps.
    epsilon : float
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.NADAM
    slot_names = ("m", "v")

"""Ftrl."""

from ..errors import at_least_zero, is_number
from ..plan import UpdateOp
from .base import Optimizer, checked


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013), with L1, L2 and shrinkage.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
    learning_rate_power : float
        How the rate falls with the sum of squared gradients; at most 0, where it does not.
    initial_accumulator_value : float
        What the sums of squared gradients start at.
    l1_regularization_strength, l2_regularization_strength : float
    l2_shrinkage_regularization_strength : float
        A penalty on the size of the parameters, where the L2 above steadies them.
    beta : float
        The paper's β; 0 leaves the rate to the sum alone.
    **options
        Those of `Optimizer`.
    """

    op = UpdateOp.FTRL
    slot_names = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        **options,
    ):
        super().__init__(learning_rate, **checked(Ftrl, options))
        if not (is_number(learning_rate_power) and learning_rate_power <= 0):
            raise ValueError(
                f"learning_rate_power must be a number of at most 0, got {learning_rate_power!r}"
            )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = at_least_zero(
            "initial_accumulator_value", initial_accumulator_value
        )
        strengths = {
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        for name, strength in strengths.items():
            setattr(self, name, at_least_zero(name, strength))
        self._strengths = strengths
        self.slot_starts = {"accumulator": initial_accumulator_value}

    def hyperparameters(self):
        """Return the numbers of `reference.optimizers.ftrl_numbers`."""
        return {"learning_rate_power": self.learning_rate_power, **self._strengths}

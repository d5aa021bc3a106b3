"""Evaluate with the running mean of the weights while training goes on with the weights."""

from ..errors import known_arguments
from .base import Callback


@known_arguments
class SwapEMAWeights(Callback):
    """Let the running mean of the weights be the weights while the model is evaluated.

    For an optimizer with ``use_ema=True``.  Validation, `evaluate` and `predict` swap the two, and
    swap them back when they are done.

    Parameters
    ----------
    swap_on_epoch : bool, default False
        Whether they are swapped at the end of each epoch too, until the next begins: callbacks that
        come after this one, such as `ModelCheckpoint`, then find the mean in the model.

    Raises
    ------
    ValueError
        From the hooks, if the optimizer keeps no mean, or has not taken a step yet.

    Notes
    -----
    Source: Keras 3's `keras/src/callbacks/swap_ema_weights.py`.  In two things it is not followed:
    Keras 3.15 does not swap back after `predict`; and with `swap_on_epoch`, when training ends
    before the last epoch, it leaves the weights, not their mean, in the model.
    """

    def __init__(self, swap_on_epoch=False):
        self.swap_on_epoch = swap_on_epoch
        self._swapped = None  # weights and mean, while each is in the other's place
        self._last_mean = None

    def on_train_begin(self, logs=None):
        """Swap back what a run that was interrupted has left."""
        self._swap(False)

    def on_epoch_begin(self, epoch, logs=None):
        """Train the weights, not their mean."""
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch, logs=None):
        """Show the mean to the callbacks that follow."""
        if self.swap_on_epoch:
            self._swap(True)
            self._last_mean = self.model.memory.parameters.copy()

    def on_train_end(self, logs=None):
        """Leave the mean in the model, as an optimizer that keeps one does.

        It has put there what it keeps: after a swap, the weights.
        """
        if self._swapped is not None:
            for array in self._swapped:
                array[...] = self._last_mean
        self._swapped = self._last_mean = None

    def on_test_begin(self, logs=None):
        """Evaluate the mean."""
        self._swap(True)

    def on_test_end(self, logs=None):
        """Swap back."""
        self._swap(False)

    def on_predict_begin(self, logs=None):
        """Predict with the mean."""
        self._swap(True)

    def on_predict_end(self, logs=None):
        """Swap back."""
        self._swap(False)

    def _swap(self, mean_in_model):
        """Let the model have the mean, or the weights, in place."""
        if mean_in_model == (self._swapped is not None):
            return
        weights, mean = self._swapped or (self.model.memory.parameters, self._mean())
        weights[...], mean[...] = mean.copy(), weights.copy()
        self._swapped = (weights, mean) if mean_in_model else None

    def _mean(self):
        optimizer = self.model.optimizer
        if not optimizer.use_ema:
            raise ValueError(
                f"SwapEMAWeights needs an optimizer with use_ema=True; this {optimizer.name} has "
                "use_ema=False"
            )
        if optimizer.memory is not self.model.memory or not optimizer.batches:
            raise ValueError(
                "SwapEMAWeights finds no running mean of the weights: the optimizer has not taken "
                "a step yet; train first"
            )
        return optimizer.update().average.values

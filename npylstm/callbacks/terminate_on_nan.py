"""Stop when the loss is no longer a number."""

import math

from ..errors import known_arguments
from .base import Callback


@known_arguments
class TerminateOnNaN(Callback):
    """Stop training as soon as the running loss is NaN or infinite.

    Being asked after every batch, it makes training run one batch at a time.

    Parameters
    ----------
    raise_error : bool, default False
        Whether to raise instead of ending `fit` in good order.

    Raises
    ------
    RuntimeError
        From `on_batch_end`, if `raise_error` is set and the loss is not finite.
    """

    def __init__(self, raise_error=False):
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        """Look at the loss so far."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"the loss is {loss} at batch {batch}; a lower learning rate or clipnorm=1.0 in "
                "the optimizer may keep it finite"
            )
        print(f"Batch {batch}: the loss is {loss}, terminating training", flush=True)
        self.model.stop_training = True

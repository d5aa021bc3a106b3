"""The hooks that a callback may override."""

from ..errors import unknown_arguments

# Which hooks force the training loop to come back after every single batch.
BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}
# And which to come back after every epoch.
EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_progress", *BATCH_HOOKS["train"])


class Callback:
    """Base of all callbacks: override the hooks you need.

    Overriding a batch hook (`on_train_batch_end`, `on_batch_end`, ...) makes the loop run one batch
    at a time, which a small model feels; `on_progress` and the epoch hooks cost little.

    Attributes
    ----------
    params : dict
        `verbose`, `epochs` and `steps` (batches an epoch, None if unknown) of the running call.
    model : Sequential
        The model in training.

    Notes
    -----
    `logs` holds Python floats by name, sorted by name: running averages since the start of the
    epoch in batch hooks, those of the whole epoch, with ``val_...``, in `on_epoch_end`.  All
    callbacks of a call are given the same dict, so what one adds in `on_epoch_end`, such as the
    learning rate, later ones and the history see.
    """

    # On the class, so that a subclass need not call `super().__init__()`.
    params = None
    _model = None
    # Whether its batch hooks run last before a batch and first after it: for one that has to see
    # what all others do to the model in between.
    next_to_batch = False

    @property
    def model(self):
        """The model that the callback is attached to, or None."""
        return self._model

    def set_params(self, params):
        """Take the parameters of the call that is about to begin."""
        self.params = params

    def set_model(self, model):
        """Take the model that the callback watches."""
        self._model = model

    def on_train_begin(self, logs=None):
        """Run when `fit` begins."""

    def on_train_end(self, logs=None):
        """Run when `fit` ends, with the last epoch's logs."""

    def on_epoch_begin(self, epoch, logs=None):
        """Run when an epoch begins; `epoch` counts from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """Run when an epoch has ended, validation included; `epoch` counts from 0."""

    def on_train_batch_begin(self, batch, logs=None):
        """Run before a training batch; `batch` counts from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """Run after a training batch; `batch` counts from 0 in each epoch."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch, logs=None):
        """Run before a training batch: the older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """Run after a training batch: the older name of `on_train_batch_end`."""

    def on_test_begin(self, logs=None):
        """Run when `evaluate`, or the validation of an epoch, begins."""

    def on_test_end(self, logs=None):
        """Run when `evaluate`, or the validation of an epoch, ends."""

    def on_test_batch_begin(self, batch, logs=None):
        """Run before an evaluation batch; `batch` counts from 0."""

    def on_test_batch_end(self, batch, logs=None):
        """Run after an evaluation batch; `batch` counts from 0."""

    def on_predict_begin(self, logs=None):
        """Run when `predict` begins."""

    def on_predict_end(self, logs=None):
        """Run when `predict` ends."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Run before a prediction batch; `batch` counts from 0."""

    def on_predict_batch_end(self, batch, logs=None):
        """Run after a prediction batch, with its predictions as ``logs["outputs"]``."""

    def on_progress(self, step, logs=None):
        """Run some 20 times a second and after the last batch; not in Keras.

        Parameters
        ----------
        step : int
            How many batches of this epoch are done.
        logs : dict, optional
            Running averages since the start of the epoch; empty in `predict`.
        """

    def wants_batches(self, mode):
        """Return whether this callback must be called at every batch.

        Parameters
        ----------
        mode : {"train", "test", "predict"}

        Returns
        -------
        bool
            True if a batch hook of that mode is overridden, on the class or on the instance.
        """
        return self._overrides(BATCH_HOOKS[mode], Callback)

    def wants_epochs(self):
        """Return whether this callback must be called between two epochs of training.

        Those that need not are told of several epochs when all of them are over.

        Returns
        -------
        bool
            True if a hook that runs during an epoch, or at its begin or end, is overridden.
        """
        return self._overrides(EPOCH_HOOKS, Callback)

    def _overrides(self, hooks, base):
        """Return whether one of the hooks is another than that of the class `base`."""
        return any(
            getattr(getattr(self, hook), "__func__", None) is not getattr(base, hook)
            for hook in hooks
        )


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Called as ``f(epoch, logs)``.
    on_train_begin, on_train_end : callable, optional
        Called as ``f(logs)``.
    on_train_batch_begin, on_train_batch_end : callable, optional
        Called as ``f(batch, logs=logs)``.
    **kwargs
        Any other hook of `Callback` by name, such as `on_test_end`; other names become attributes.

    Raises
    ------
    TypeError
        If a name begins with ``on_`` and is no hook, or a hook is not callable.

    Examples
    --------
    >>> losses = []
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
    >>> callback.on_epoch_end(0, {"loss": 0.5})
    >>> losses
    [0.5]
    """

    def __init__(
        self,
        on_epoch_begin=None,
        on_epoch_end=None,
        on_train_begin=None,
        on_train_end=None,
        on_train_batch_begin=None,
        on_train_batch_end=None,
        **kwargs,
    ):
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, value in hooks.items():
            if name.startswith("on_"):
                if value is None:
                    continue
                _require_hook(name, value)
            setattr(self, name, value)


def _require_hook(name, function):
    """Raise unless `name` is a hook and `function` can be called."""
    known = [hook for hook in dir(Callback) if hook.startswith("on_")]
    if name not in known:
        raise unknown_arguments("LambdaCallback", [name], known)
    if not callable(function):
        raise TypeError(f"{name} must be a function or None, got {function!r}")

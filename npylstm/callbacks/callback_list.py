"""Many callbacks, called as one."""

import inspect

import numpy as np

from .base import Callback
from .history import History


class CallbackList(Callback):
    """The callbacks of one `fit`, `evaluate` or `predict`, called in order.

    Parameters
    ----------
    callbacks : Callback or (nested) list of Callback, optional
        The user's, called in this order.
    model : Sequential, optional
        Given to every callback.
    params : dict, optional
        `verbose`, `epochs` and `steps`, given to every callback.
    add_history : bool, default True
        Whether a `History` follows the user's callbacks, unless there is one among them.

    Attributes
    ----------
    callbacks : list of Callback
    history : History or None
        The record that becomes `model.history` when training begins.

    Raises
    ------
    TypeError
        If something in `callbacks` is not a `Callback`.
    """

    def __init__(self, callbacks=None, model=None, params=None, add_history=True):
        self.callbacks = list(_flatten(callbacks))
        self._require_callbacks()
        records = [callback for callback in self.callbacks if isinstance(callback, History)]
        if add_history and not records:
            records = [History()]
            self.callbacks += records
        self.history = records[-1] if records else None
        self.set_model(model)
        self.set_params(params)

    def append(self, callback):
        """Add one more callback at the end; it is given the model and the parameters."""
        self.callbacks.append(callback)
        self._require_callbacks()
        callback.set_model(self.model)
        callback.set_params(self.params)

    @property
    def wants_train_batches(self):
        """Whether a callback must be called at every training batch."""
        return self.wants_batches("train")

    @property
    def wants_test_batches(self):
        """Whether a callback must be called at every evaluation batch."""
        return self.wants_batches("test")

    @property
    def wants_predict_batches(self):
        """Whether a callback must be called at every prediction batch."""
        return self.wants_batches("predict")

    def wants_batches(self, mode):
        """Return whether a callback must be called at every batch of a mode."""
        return any(callback.wants_batches(mode) for callback in self.callbacks)

    def wants_epochs(self):
        """Return whether a callback must be called between two epochs of training."""
        return any(callback.wants_epochs() for callback in self.callbacks)

    def set_params(self, params):
        """Give every callback the parameters of the call that is about to begin."""
        self.params = params or {}
        for callback in self.callbacks:
            callback.set_params(self.params)

    def set_model(self, model):
        """Give every callback the model."""
        self._model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def on_train_begin(self, logs=None):
        """Attach the record to the model and tell every callback that training begins."""
        if self.history is not None and self.model is not None:
            self.model.history = self.history
        self._call("on_train_begin", logs)

    def on_train_end(self, logs=None):
        """Tell every callback that training has ended."""
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch, logs=None):
        """Tell every callback that an epoch begins."""
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch, logs=None):
        """Tell every callback that an epoch has ended."""
        self._call("on_epoch_end", logs, epoch)

    def on_train_batch_begin(self, batch, logs=None):
        """Tell every callback that a training batch begins."""
        self._call("on_train_batch_begin", logs, batch)

    def on_train_batch_end(self, batch, logs=None):
        """Tell every callback that a training batch has ended."""
        self._call("on_train_batch_end", logs, batch)

    def on_batch_begin(self, batch, logs=None):
        """Call the older hook of every callback."""
        self._call("on_batch_begin", logs, batch)

    def on_batch_end(self, batch, logs=None):
        """Call the older hook of every callback."""
        self._call("on_batch_end", logs, batch)

    def on_test_begin(self, logs=None):
        """Tell every callback that evaluation begins."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs=None):
        """Tell every callback that evaluation has ended."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Tell every callback that an evaluation batch begins."""
        self._call("on_test_batch_begin", logs, batch)

    def on_test_batch_end(self, batch, logs=None):
        """Tell every callback that an evaluation batch has ended."""
        self._call("on_test_batch_end", logs, batch)

    def on_predict_begin(self, logs=None):
        """Tell every callback that prediction begins."""
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs=None):
        """Tell every callback that prediction has ended."""
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch, logs=None):
        """Tell every callback that a prediction batch begins."""
        self._call("on_predict_batch_begin", logs, batch)

    def on_predict_batch_end(self, batch, logs=None):
        """Tell every callback that a prediction batch has ended."""
        self._call("on_predict_batch_end", logs, batch)

    def on_progress(self, step, logs=None):
        """Tell every callback how many batches are done."""
        self._call("on_progress", logs, step)

    def _call(self, hook, logs, *position):
        """Call one hook of every callback with one shared dict of logs."""
        logs = _plain(logs)
        by_keyword = "batch" in hook  # as Keras does, so users may name the others as they like
        callbacks = self.callbacks
        if by_keyword:
            after = hook.endswith("end")
            callbacks = sorted(callbacks, key=lambda one: one.next_to_batch, reverse=after)
        for callback in callbacks:
            function = getattr(callback, hook)
            if by_keyword:
                function(*position, logs=logs)
            else:
                function(*position, logs)

    def _require_callbacks(self):
        """Raise if something in the list is not a callback."""
        for callback in self.callbacks:
            if inspect.isclass(callback) and issubclass(callback, Callback):
                raise TypeError(
                    f"callbacks must be instances: got the class {callback.__name__}, expected "
                    f"{callback.__name__}(...)"
                )
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks must derive from npylstm.callbacks.Callback, got {callback!r}; for "
                    "plain functions there is LambdaCallback"
                )


def _flatten(callbacks):
    """Yield the callbacks of a nested list one by one."""
    if callbacks is None:
        return
    if not isinstance(callbacks, list | tuple):
        yield callbacks
        return
    for item in callbacks:
        yield from _flatten(item)


def _plain(logs):
    """Return the logs sorted by name, as Python floats where they are numbers."""
    return {name: _as_float(value) for name, value in sorted((logs or {}).items())}


def _as_float(value):
    if type(value) is float:
        return value
    if np.ndim(value) > 0:  # such as the outputs of a prediction batch
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value

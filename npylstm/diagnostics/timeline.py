"""Why does my stateful model forget, or not forget?  What became of its states, batch by batch."""

from typing import NamedTuple

import numpy as np

from ..callbacks import Callback
from ..errors import index, integer, positive_integer
from .timeline_words import words


class LayerTimeline(NamedTuple):
    """What one layer carried, over N batches.

    Attributes
    ----------
    begin : ndarray (N,) of str
        How each batch came by its states: "first", the record begins with it; "carried", they are
        those that the batch before left; "reset", they are zeros and were not before; "set", they
        are others: something set them, or ran the model in between.
    h_begin, c_begin, h_end, c_end : ndarray (N,)
        Norms over the units, their mean over the samples, before and after each batch.  What there
        was before a reset is the end of the batch before.
    unit_h, unit_c : ndarray (N, k)
        The chosen units of the chosen sample, after each batch.
    now : str
        "carried", "reset" or "set": what has happened since the last batch.
    """

    begin: np.ndarray
    h_begin: np.ndarray
    c_begin: np.ndarray
    h_end: np.ndarray
    c_end: np.ndarray
    unit_h: np.ndarray
    unit_c: np.ndarray
    now: str


class Timeline(NamedTuple):
    """What stateful layers carried over N batches.

    Attributes
    ----------
    mode : ndarray (N,) of str
        "train", "test" or "predict".
    run, epoch, batch : ndarray (N,) of int
        Which call of `fit`, `evaluate` or `predict` a batch belongs to, its epoch and its number in
        there, all from 0.
    units : tuple of int
        The chosen ones.
    sample : int
    layers : dict of str to LayerTimeline
        By path, such as "lstm" or "bidirectional/forward_lstm".
    words : str
    """

    mode: np.ndarray
    run: np.ndarray
    epoch: np.ndarray
    batch: np.ndarray
    units: tuple
    sample: int
    layers: dict
    words: str

    def __str__(self):
        return self.words


class StateTimeline(Callback):
    """Keep a record of the states of all stateful layers, before and after each batch.

    It sees resets, whoever makes them and wherever: ``reset_states()`` in a callback or between two
    calls of `fit`.  Given to several calls, it goes on where it was.  It looks at every batch, so
    that they run one by one.

    Parameters
    ----------
    units : int or sequence of int
        Whose values are to be kept, beside the norms.
    sample : int
        The sample of the batch whose units these are.

    Attributes
    ----------
    timeline : Timeline
        Until now.

    Raises
    ------
    TypeError
        If a unit or the sample is no integer.
    ValueError, IndexError
        From `fit` and the like, before anything is run: if no layer of the model is stateful, or
        there is no such unit or sample.

    Examples
    --------
    >>> import numpy as np, npylstm
    >>> from npylstm.layers import LSTM, Input
    >>> model = npylstm.Sequential([Input(batch_shape=(1, 2, 3)), LSTM(4, stateful=True)])
    >>> watch = StateTimeline()
    >>> for _ in range(2):
    ...     _ = model.predict(np.ones((3, 2, 3)), batch_size=1, verbose=0, callbacks=[watch])
    ...     model.reset_states()
    >>> print(watch.timeline)
    lstm: states were carried over 4 of 5 times; reset twice, each time before batch 0 or after \
the last one
    """

    next_to_batch = True

    def __init__(self, units=(), sample=0):
        units = units if np.iterable(units) else [units]
        self.units = tuple(integer("unit", unit) for unit in units)
        self.sample = integer("sample", sample)
        self._places = []  # (mode, run, epoch, batch), one a batch
        self._rows = {}  # path -> one row a batch: how it began, four norms, units' h and c
        self._last = {}  # path -> (h, c) after the last batch
        self._run, self._epoch = -1, 0
        self._in_fit = False

    def set_model(self, model):
        """Take the model, after checking that there is something to look at."""
        if model is not None:
            self._check(model)
        super().set_model(model)

    def _check(self, model):
        paths = _stateful_paths(model)
        if not paths:
            raise ValueError(
                f"no layer of {model.name!r} carries states from batch to batch; make one with "
                "stateful=True and a fixed batch size"
            )
        is_other = self.model not in (None, model) and self.model.memory is not model.memory
        if self._places and (is_other or set(paths) != set(self._rows)):
            raise ValueError(
                f"this StateTimeline has watched the states of {self.model!r}; watch those of "
                f"{model!r} with another one"
            )
        for path in paths:
            B, U = model.memory.state(f"{path}/h").shape
            index(f"sample of {path!r}", self.sample, B)
            for unit in self.units:
                index(f"unit of {path!r}", unit, U)

    # ------------------------------------------------------------------------------ where we are
    def on_train_begin(self, logs=None):
        """Begin with another run."""
        self._run, self._epoch, self._in_fit = self._run + 1, 0, True

    def on_train_end(self, logs=None):
        """Leave the run."""
        self._in_fit = False

    def on_epoch_begin(self, epoch, logs=None):
        """Note the epoch."""
        self._epoch = epoch

    def on_test_begin(self, logs=None):
        """Begin with another run, unless it is the validation of an epoch."""
        if not self._in_fit:
            self._run, self._epoch = self._run + 1, 0

    def on_predict_begin(self, logs=None):
        """Begin with another run."""
        self._run, self._epoch, self._in_fit = self._run + 1, 0, False

    # ---------------------------------------------------------------------------------- the states
    def on_train_batch_begin(self, batch, logs=None):
        """Look at the states."""
        self._begin("train", batch)

    def on_train_batch_end(self, batch, logs=None):
        """Look at the states."""
        self._end()

    def on_test_batch_begin(self, batch, logs=None):
        """Look at the states."""
        self._begin("test", batch)

    def on_test_batch_end(self, batch, logs=None):
        """Look at the states."""
        self._end()

    def on_predict_batch_begin(self, batch, logs=None):
        """Look at the states."""
        self._begin("predict", batch)

    def on_predict_batch_end(self, batch, logs=None):
        """Look at the states."""
        self._end()

    def _states(self):
        memory = self.model.memory
        return {
            path: [memory.state(f"{path}/{state}").copy() for state in "hc"]
            for path in _stateful_paths(self.model)
        }

    def _begin(self, mode, batch):
        self._place = (mode, self._run, self._epoch, batch)
        self._before = self._states()

    def _end(self):
        after = self._states()
        for path, states in self._before.items():
            norms = [_norm(state) for state in (*states, *after[path])]
            units = [state[self.sample, list(self.units)] for state in after[path]]
            row = (_since(self._last.get(path), states), *norms, *units)
            self._rows.setdefault(path, []).append(row)
        self._places.append(self._place)
        self._last = after

    @property
    def timeline(self):
        """The record until now."""
        mode, *numbers = zip(*self._places, strict=True) if self._places else ([], [], [], [])
        now = self._states() if self._places else {}
        layers = {}
        for path, rows in self._rows.items():
            since = _since(self._last[path], now.get(path, self._last[path]))
            layers[path] = LayerTimeline(*map(np.array, zip(*rows, strict=True)), since)
        numbers = [np.array(number, int) for number in numbers]
        places = np.array(mode, str), *numbers
        return Timeline(*places, self.units, self.sample, layers, words(*places, layers))


def state_timeline(model, x, batch_size=None, reset_every=None, units=(), sample=0):
    """Run a stateful model over data, batch by batch, and return what became of its states.

    The states that the model carries are where it starts; they are put back at the end.

    Parameters
    ----------
    model : Sequential
        Built, with a stateful layer.
    x : array (N, T, D), iterator, or dataset
        As `predict` takes it.
    batch_size : int or None
    reset_every : int or None
        Reset the states before batch 0 and after so many batches: those of one sequence.
    units, sample
        See `StateTimeline`.

    Returns
    -------
    Timeline

    Raises
    ------
    TypeError, ValueError, IndexError, RuntimeError
        As `predict` and `StateTimeline` do.
    """
    callbacks = [StateTimeline(units, sample)]
    if reset_every is not None:
        callbacks.append(_ResetEvery(positive_integer("reset_every", reset_every)))
    states = model.memory.states.copy() if model.built else None
    try:
        model.predict(x, batch_size, verbose=0, callbacks=callbacks)
        callbacks[0]._last = callbacks[0]._states()
        return callbacks[0].timeline
    finally:
        if states is not None:
            model.memory.states[...] = states


class _ResetEvery(Callback):
    """Reset the states before every so many batches."""

    def __init__(self, batches):
        self.batches = batches

    def on_predict_batch_begin(self, batch, logs=None):
        if batch % self.batches == 0:
            self.model.reset_states()


def _stateful_paths(model):
    """Return the paths of what carries states in a model, which may share its memory."""
    names = {layer.path for layer in model.layers}
    paths = [path.removesuffix("/h") for path in model.memory.state_segments if path[-2:] == "/h"]
    return [path for path in paths if path.split("/")[0] in names]


def _norm(state):
    return float(np.linalg.norm(state.astype("float64"), axis=-1).mean())


def _since(before, after):
    """Return how states came about, given those that the last batch left."""
    if before is None:
        return "first"
    if all(np.array_equal(b, a, equal_nan=True) for b, a in zip(before, after, strict=True)):
        return "carried"
    return "set" if any(state.any() for state in after) else "reset"

"""What `fit`, `evaluate` and `predict` are fed with, epoch after epoch.

`Arrays` are all there and checked, so the backend can run through many batches of them in one call.
A `Stream` hands over one batch after another: a generator, an iterator, anything that can be
iterated over, or a dataset that is asked for its batches by number.
"""

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from . import seeding
from .errors import positive_integer

_END = object()
_CONSEQUENCES = {
    "steps_per_epoch": "training ends",
    "validation_steps": "no more epochs are validated",
    "steps": "that was all",
}


class Arrays:
    """Samples, cut into batches.

    Parameters
    ----------
    samples : Samples
        Checked.
    batch_size : int
        At most as many as there are samples.
    shuffle : bool or "batch"
        Whether each pass through the samples is in a new order; with "batch" only within batches.
    steps : int or None
        Batches an epoch; the next epoch goes on where one ends, as in Keras.  None is all.

    Attributes
    ----------
    n_batches : int
        How many an epoch is said to have.
    is_even : bool
        Whether all epochs are the same samples, in whole batches.
    shuffles : bool
        Whether random numbers are drawn for each pass.
    """

    def __init__(self, samples, batch_size, shuffle=False, steps=None):
        self.samples, self.batch_size = samples, batch_size
        self.n_batches = steps or math.ceil(len(samples.x) / batch_size)
        self.is_even = steps is None and len(samples.x) % batch_size == 0
        self.shuffles = bool(shuffle)
        self._shuffle, self._steps = shuffle, steps
        self._left = np.arange(0)

    def need(self):
        """Do nothing: that there are samples was checked."""

    def first(self):
        """Do nothing: that they fit was checked."""

    def reset(self):
        """Begin a new pass with the next epoch."""
        self._left = np.arange(0)

    def has_more(self):
        """Return whether there is anything for another epoch."""
        return True

    def epoch(self):
        """Return which samples come in this epoch (n,), in order."""
        if not len(self._left):
            self._left = self._order()
        n = len(self._left) if self._steps is None else self._steps * self.batch_size
        order, self._left = self._left[:n], self._left[n:]
        batches = math.ceil(len(order) / self.batch_size)
        if self._steps is not None and batches < self._steps:
            _warn(
                f"the samples ran out after {batches} of {self._steps} batches: what comes next "
                "begins with the first"
            )
        return order

    def _order(self):
        n = len(self.samples.x)
        if not self._shuffle:
            return np.arange(n)
        if self._shuffle != "batch":
            return seeding.generator().permutation(n)
        starts = range(0, n, self.batch_size)
        batches = [np.arange(start, min(start + self.batch_size, n)) for start in starts]
        return np.concatenate([seeding.generator().permutation(batch) for batch in batches])


class Stream:
    """Batches that somebody else makes.

    Parameters
    ----------
    source : iterator, iterable or dataset
        See `comes_in_batches`.
    check : callable
        ``check(x, y, sample_weight) -> Samples``, for each batch.
    steps : int or None
        Batches an epoch; the next epoch goes on where one ends.  None is all there are.
    shuffle : bool
        Whether a dataset is asked for its batches in a new order in each pass.
    names : tuple of str
        What to call the source and the steps in an error.

    Attributes
    ----------
    n_batches : int or None
        How many an epoch is said to have, if that is known.
    is_even : bool
        False: there is no knowing.

    Raises
    ------
    ValueError
        If it never ends, and `steps` are not given.
    """

    is_even = False

    def __init__(self, source, check, steps=None, shuffle=False, names=("x", "steps_per_epoch")):
        self._source, self._check, self._steps, self._shuffle = source, check, steps, shuffle
        self._name, self._steps_name = names
        self._is_dataset = _is_dataset(source)
        self._is_iterator = not self._is_dataset and hasattr(source, "__next__")
        never_ends = isinstance(source, itertools.cycle | itertools.repeat)
        if steps is None and (never_ends or (self._is_dataset and self._length() is None)):
            raise ValueError(
                f"{self._name} is a {type(source).__name__} without an end, and an epoch must have "
                f"one: pass {self._steps_name}"
            )
        self.n_batches = steps or self._length()
        self._batches = None  # what is left of the present pass
        self._held = []  # a batch that was looked at
        self._taken = 0  # of the present pass
        self._has_warned = False

    def first(self):
        """Check that there is a batch, and that it fits.

        Raises
        ------
        ValueError, TypeError
            If not.
        """
        self.need()
        self._checked(self._source[0] if self._is_dataset else self._peek(), 0)

    def need(self):
        """Raise ValueError if there is no batch at all."""
        empty = self._length() == 0 if self._is_dataset else self._peek() is _END
        if empty:
            raise ValueError(
                f"{self._name} has no batches: the {type(self._source).__name__} is "
                + ("at its end; make a new one" if self._is_iterator else "empty")
            )

    def reset(self):
        """Begin a new pass with the next epoch; an iterator can only go on."""
        self._hook("on_epoch_end")  # in Keras too, datasets hear it before the first epoch
        if self._taken and not self._is_iterator:
            self._start_over()

    def has_more(self):
        """Return whether there is a batch for another epoch; warn once if not."""
        if not self._is_iterator or self._peek() is not _END:
            return True
        self._warn_of_the_end()
        return False

    def epoch(self):
        """Yield the batches of one epoch, as Samples."""
        self._hook("on_epoch_begin")
        if self._steps is None and self._taken and not self._is_iterator:
            self._start_over()
        for step in itertools.count() if self._steps is None else range(self._steps):
            batch = self._next()
            if batch is _END and self._taken and not step and not self._is_iterator:
                self._start_over()  # the epoch before took the last batch
                batch = self._next()
            if batch is _END:
                self._ran_out(step)
                break
            self._taken += 1
            yield self._checked(batch, step)
        self._hook("on_epoch_end")

    def _ran_out(self, step):
        if self._steps is None:
            return
        short = f" after {step} of {self._steps}"
        if self._is_iterator:
            self._warn_of_the_end(short)
        else:
            _warn(f"{self._name} ran out of batches{short}: what comes next begins with the first")
            self._start_over()

    def _warn_of_the_end(self, short=""):
        if not self._has_warned:
            _warn(
                f"{self._name} ran out of batches{short}, so {_CONSEQUENCES[self._steps_name]}: a "
                f"{type(self._source).__name__} is passed through once; let it make more of them, "
                "or pass a npylstm.utils.PyDataset"
            )
        self._has_warned = True

    # ------------------------------------------------------------------------------ the next batch
    def _peek(self):
        """Return what `_next` will."""
        if not self._held:
            self._held.append(self._next())
        return self._held[0]

    def _next(self):
        """Return the next batch of this pass, or _END."""
        if self._held:
            return self._held.pop()
        if self._batches is None:
            self._batches = iter(self._numbered() if self._is_dataset else self._source)
        return next(self._batches, _END)

    def _start_over(self):
        self._batches, self._held, self._taken = None, [], 0

    def _numbered(self):
        n = self._length()
        if n is None:
            order = itertools.count()
        else:
            order = seeding.generator().permutation(n).tolist() if self._shuffle else range(n)
        return (self._source[number] for number in order)

    def _length(self):
        """Return how many batches a pass has, or None."""
        if hasattr(self._source, "num_batches"):
            return self._source.num_batches
        try:
            return len(self._source)
        except TypeError:  # an iterator, or something that only knows by trying
            return None

    def _checked(self, batch, step):
        where = f"in batch {step} of {self._name}: "
        try:
            return self._check(*_unpacked(batch))
        except (TypeError, ValueError) as error:
            raise type(error)(where + str(error)) from None

    def _hook(self, name):
        if self._is_dataset and hasattr(self._source, name):
            getattr(self._source, name)()


def comes_in_batches(source):
    """Return whether something makes batches, and is no array or list of samples.

    True for iterators (generators among them), for other things that can be iterated over and are
    neither sequences nor array-like, and for datasets like `keras.utils.PyDataset`, which have
    `__getitem__`, and `__len__` or `num_batches`.
    """
    if isinstance(source, Sequence | Mapping | set | frozenset | str | bytes | np.ndarray | type):
        return False
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        return False
    return hasattr(source, "__iter__") or _is_dataset(source)


def _is_dataset(source):
    has_number = hasattr(type(source), "__len__") or hasattr(type(source), "num_batches")
    return hasattr(type(source), "__getitem__") and has_number


def steps(name, value):
    """Return a number of steps, or None; raise TypeError or ValueError for anything else."""
    return None if value is None else positive_integer(name, value)


def refuse(name, source, **arguments):
    """Raise ValueError if something is given that a batch brings along itself."""
    for argument, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"{name} is a {type(source).__name__}, whose batches are (x, y) or "
                f"(x, y, sample_weight): leave {argument} out and put it in there"
            )


def _unpacked(batch):
    if isinstance(batch, list | tuple) and 1 <= len(batch) <= 3:
        return (*batch, None, None)[:3]
    if hasattr(batch, "__array__"):
        return batch, None, None
    of = f" of {len(batch)}" if isinstance(batch, list | tuple) else ""
    raise TypeError(
        f"a batch must be a tuple (x, y), (x, y, sample_weight) or (x,), got a "
        f"{type(batch).__name__}{of}"
    )


def _warn(message):
    warnings.warn(message, stacklevel=2)

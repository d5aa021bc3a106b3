"""A base for datasets that make their batches when they are asked for them."""

from .errors import known_arguments


@known_arguments
class PyDataset:
    """Batches by number, for `fit`, `evaluate` and `predict`.

    A subclass has `__getitem__`, which returns batch i as ``(x, y)``, ``(x, y, sample_weight)`` or
    x, and `__len__`, which returns the number of batches.  One without an end overrides
    `num_batches` to return None instead.  The class itself is not needed: anything with these
    methods will do.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size : int, bool, int
        Taken for Keras's sake: batches are made one after the other, where they are needed.

    Notes
    -----
    Source: Keras 3's `keras/src/trainers/data_adapters/py_dataset_adapter.py`.  Unlike Keras, `fit`
    does not ask for batches ahead of time, but for batch 0 once before it begins.

    Examples
    --------
    >>> import numpy as np
    >>> class Lengths(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, i):
    ...         x = np.ones((4, 5 + i, 1))  # 4 samples of 5, 6 and 7 timesteps
    ...         return x, x.sum(axis=1)
    >>> [x.shape for x, y in Lengths()]
    [(4, 5, 1), (4, 6, 1), (4, 7, 1)]
    """

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        """Return batch `index`, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} must have __getitem__(i): batch i")

    @property
    def num_batches(self):
        """The number of batches, or None if there is no end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__} must have __len__, the number of batches, or a property "
                "num_batches that is None"
            )
        return len(self)

    def __iter__(self):
        """Yield the batches of one pass."""
        index = 0
        while self.num_batches is None or index < self.num_batches:
            yield self[index]
            index += 1

    def on_epoch_begin(self):
        """Run before the first batch of an epoch is asked for."""

    def on_epoch_end(self):
        """Run after the last batch of an epoch; once before the first epoch, too, as in Keras."""

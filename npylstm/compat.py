"""What code written for Keras 2 needs in order to run: the one place that knows the old names.

- ``LSTM(32, input_shape=(T, D))`` and ``batch_input_shape=(B, T, D)`` on a first layer;
- ``Embedding(1000, 64, input_length=10)``;
- ``history["acc"]`` beside ``history["accuracy"]``;
- ``npylstm.utils.Sequence``, the older name of `PyDataset`;
- ``npylstm.utils.np_utils`` and ``npylstm.preprocessing.sequence`` as importable modules.
"""

import sys
import types


def pop_batch_shape(arguments):
    """Take Keras 2's shape arguments out of a layer's keyword arguments.

    Parameters
    ----------
    arguments : dict
        A layer's remaining keyword arguments; `input_dim`, `input_shape`, `batch_input_shape`
        and `batch_shape` are removed from it.

    Returns
    -------
    tuple or None
        The batch shape, such as ``(None, 3, 1)`` or ``(1, 3, 1)``, if one was given.
    """
    features = arguments.pop("input_dim", None)
    shape = arguments.pop("input_shape", None if features is None else (features,))
    if shape is not None and not isinstance(shape, tuple | list):
        shape = (shape,)
    batch_shape = arguments.pop("batch_input_shape", None) or arguments.pop("batch_shape", None)
    if batch_shape is not None:
        return tuple(batch_shape)
    return None if shape is None else (None, *shape)


def input_length_as_shape(arguments):
    """Turn an Embedding's `input_length` among its keyword arguments into its input shape."""
    length = arguments.pop("input_length", None)
    if length is not None:
        arguments["input_shape"] = (length,)


class HistoryDict(dict):
    """A dict of metric curves that also answers to the names of Keras 2: `acc`, `val_acc`."""

    _NEW_NAMES = {"acc": "accuracy", "val_acc": "val_accuracy"}

    def __missing__(self, name):
        new_name = self._NEW_NAMES.get(name)
        if new_name not in self:
            raise KeyError(f"{name!r} was not recorded; recorded are {sorted(self)}")
        return self[new_name]


def install_old_modules(utils):
    """Register the module paths of Keras 2 that Keras 3 dropped, as names for `npylstm.utils`."""
    sequence = types.ModuleType("npylstm.preprocessing.sequence", "Keras 2's home of pad_sequences")
    sequence.pad_sequences = utils.pad_sequences
    preprocessing = types.ModuleType("npylstm.preprocessing", "Keras 2's preprocessing package")
    preprocessing.sequence = sequence
    utils.np_utils = types.ModuleType("npylstm.utils.np_utils", "Keras 2's home of to_categorical")
    utils.np_utils.to_categorical = utils.to_categorical
    utils.Sequence = utils.PyDataset
    for module in (sequence, preprocessing, utils.np_utils):
        sys.modules[module.__name__] = module
    return preprocessing

"""Layers: what a model is built of, with Keras's names and arguments, one file a layer."""

from .base import Layer
from .bidirectional import Bidirectional
from .dense import Dense
from .dropout import Dropout
from .embedding import Embedding
from .input import Input
from .lstm import LSTM
from .masking import Masking
from .repeat_vector import RepeatVector
from .time_distributed import TimeDistributed

__all__ = [
    "LSTM",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Input",
    "Layer",
    "Masking",
    "RepeatVector",
    "TimeDistributed",
]

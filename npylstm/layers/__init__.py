"""Layers: what a model is built of, with Keras's names and arguments, one file a layer."""

from .activation import Activation
from .base import Layer
from .bidirectional import Bidirectional
from .dense import Dense
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .input import Input
from .layer_normalization import LayerNormalization
from .lstm import LSTM
from .lstm_cell import LSTMCell
from .masking import Masking
from .repeat_vector import RepeatVector
from .reshape import Reshape
from .rnn import RNN
from .stacked_rnn_cells import StackedRNNCells
from .time_distributed import TimeDistributed

__all__ = [
    "LSTM",
    "RNN",
    "Activation",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "LSTMCell",
    "Layer",
    "LayerNormalization",
    "Masking",
    "RepeatVector",
    "Reshape",
    "StackedRNNCells",
    "TimeDistributed",
]

"""Every number of a run by its name: what `model.trace` and `layer.trace` give out."""

from .layer_traces import LayerTrace, LSTMTrace
from .trace import Trace

__all__ = ["LSTMTrace", "LayerTrace", "Trace"]

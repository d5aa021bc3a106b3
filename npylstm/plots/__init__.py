"""Pictures of training, of tensors, and of what happens inside an LSTM, drawn with matplotlib.

Every function draws one figure and returns its `Axes`; ``ax.figure.savefig("loss.png")`` writes it.
The figures are made without pyplot, so they need no screen and leave nothing open behind them.
"""

from .cells import cell
from .curves import histories, history
from .figures import figure
from .tensors import flow, shapes, tensor
from .timelines import state_timeline
from .traces import gates, gradient_flow, states

__all__ = [
    "cell",
    "figure",
    "flow",
    "gates",
    "gradient_flow",
    "histories",
    "history",
    "shapes",
    "state_timeline",
    "states",
    "tensor",
]

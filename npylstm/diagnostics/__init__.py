"""What is wrong with this LSTM?  Questions to a trace, answered in numbers and one line of words.

Each function takes a trace (of one LSTM, or of a model that has one) and returns a named tuple of
arrays; printed, it is its `words`.  `StateTimeline` watches the states that stateful layers carry
while a model runs.
"""

from .gradients import GradientNorm, NormOverTime, gradient_norm
from .memory import MemoryHalfLife, memory_half_life
from .timeline import LayerTimeline, StateTimeline, Timeline, state_timeline
from .units import DeadUnits, GateSaturation, dead_units, gate_saturation

__all__ = [
    "DeadUnits",
    "GateSaturation",
    "GradientNorm",
    "LayerTimeline",
    "MemoryHalfLife",
    "NormOverTime",
    "StateTimeline",
    "Timeline",
    "dead_units",
    "gate_saturation",
    "gradient_norm",
    "memory_half_life",
    "state_timeline",
]

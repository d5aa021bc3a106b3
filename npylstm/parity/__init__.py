"""Are two models the same?  npylstm beside Keras, or beside npylstm: where they part, and why.

    report = compare(ours, theirs, x, y)     # ours: npylstm; theirs: Keras or npylstm
    print(report)                            # report.agrees, report.write("report.html")

Keras is imported by `keras_side` alone, and only when it is asked for.
"""

from .causes import Cause
from .comparison import compare
from .differences import Row
from .divergence import Divergence
from .keras_side import load
from .ours_from_keras import from_keras
from .report import Report

__all__ = ["Cause", "Divergence", "Report", "Row", "compare", "from_keras", "load"]

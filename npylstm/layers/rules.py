"""Regularizers and constraints as op rows."""

import math

from .. import constraints
from ..plan import Op


def lower_weight(plan, segment, regularizer, constraint):
    """Append a WEIGHT_PENALTY and a CONSTRAINT row for a weight of B rows of U numbers.

    They come before all rows that use the weight, so that backward the penalty's gradient is added
    to one that is there.
    """
    B, U = segment.shape if len(segment.shape) == 2 else (1, math.prod(segment.shape))
    penalty = None if regularizer is None else regularizer.penalty()
    if penalty is not None:
        plan.row(Op.WEIGHT_PENALTY, w=segment, B=B, U=U, mode=plan.penalty(penalty, segment))
    if constraint is not None:
        projection = constraints.projection(constraint)
        mode = plan.projection(projection, segment)
        plan.row(Op.CONSTRAINT, w=segment, B=B, U=U, mode=mode)


def lower_activity(plan, layer, outputs):
    """Append an ACTIVITY_PENALTY row for each output: (T, B, U), of D samples in a batch."""
    penalty = layer.activity_regularizer.penalty()
    if penalty is None:
        return
    for output in outputs if isinstance(outputs, list) else [outputs]:
        T, B, *inner = output.shape if len(output.shape) > 2 else (1, *output.shape)
        axes = len(output.shape) + (B != plan.batch_size)  # within TimeDistributed, one more
        layer.activity_regularizer.check_axes(axes, f"the output of layer {layer.name!r}")
        plan.row(
            Op.ACTIVITY_PENALTY, x=output, T=T, B=B, U=math.prod(inner), D=plan.batch_size,
            mode=plan.penalty(penalty, output),
        )  # fmt: skip

"""A model run forward and back by hand: from any output gradient to every gradient there is.

Other libraries give out the gradients of the input and of the initial states too.  npylstm makes
them in a program prepared with ``keep=True``; a caller writes the gradients that come from above
into the plan's gradient arena, zero elsewhere, and finds the others there after `backward`.
"""

from typing import NamedTuple

import numpy as np

from npylstm import backends
from npylstm.layout import lower_all
from npylstm.plan import Op


class Result(NamedTuple):
    """Outputs and gradients, batch-major; h, c, dh0, dc0 (R, B, U) of R recurrent layers."""

    output: np.ndarray
    h: np.ndarray
    c: np.ndarray
    dx: np.ndarray
    dh0: np.ndarray
    dc0: np.ndarray
    dweights: list[np.ndarray]


def forward_and_back(model, x, h0, c0, d_output, dh, dc, mask=None):
    """Return the Result of a built Sequential model of LSTM layers on the current backend.

    `x` (B, T, D) and `d_output` (B, T, ...) are batch-major.  `h0, c0, dh, dc` (R, B, U) are the
    initial states, and the loss's gradients with respect to the last ones, of every LSTM in the
    order of the plan's rows: layer by layer, in each the forward direction before the other.
    `mask` (B, T) of bool says which timesteps count; None for all.
    """
    masked = mask is not None
    plan = lower_all(model.layers, model.memory, x.shape, initial_state=True, mask=masked)
    program = backends.current().prepare(plan, keep=True)
    program.x[...] = x
    plan.write_mask(mask)
    recurrent = [row for row in plan.rows if row["op"] == Op.LSTM]

    def states(arena, name, step):
        """Return the views (B, U) of the states of each LSTM before its first or after its last."""
        views = []
        for row in recurrent:
            T, B, U = (int(row[axis]) for axis in "TBU")
            views.append(arena(int(row[name]) + (T if step == "last" else 0) * B * U, (B, U)))
        return views

    for name, values in (("h", h0), ("c", c0)):
        for view, value in zip(states(plan.values, name, "first"), values, strict=True):
            view[...] = value
    backends.current().forward(program, training=False)
    output = plan.batch_major_values(plan.outputs[0]).copy()
    h, c = (np.array(states(plan.values, name, "last")) for name in "hc")

    plan.gradient_arena[...] = 0
    model.memory.gradients[...] = 0
    plan.gradients(*plan.outputs[0])[...] = d_output.swapaxes(0, 1)
    for name, values in (("h", dh), ("c", dc)):
        for view, value in zip(states(plan.gradients, name, "last"), values, strict=True):
            view += value  # the last output has a gradient already
    backends.current().backward(program)
    dx = plan.gradients(*plan.x).swapaxes(0, 1).copy()
    dh0, dc0 = (np.array(states(plan.gradients, name, "first")) for name in "hc")
    dweights = [model.memory.gradient(path).copy() for path in model.memory.weight_segments]
    return Result(output, h, c, dx, dh0, dc0, dweights)

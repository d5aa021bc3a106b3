"""What each kind of row needs: its kernels, and the room that they work in.

One function for each `Op`: it asks the program for kernels and room and notes both in the row's
line of the table; see `frame` for what stands where.
"""

from math import ceil

import numpy as np

from ..plan import Op, Start
from . import frame as fr

# Bytes of weights above which threads share out the units of an LSTM, and not the samples.
_SPLIT_FORWARD, _SPLIT_BACKWARD = 1 << 18, 1 << 20
_SPLIT_BATCH = 32  # samples below which they do so backward, where gates have to change hands
_FROM_OUTPUT = {"linear", "sigmoid", "tanh", "exponential"}  # their backward does not ask for z


def _lstm(program, row, line, wanted):
    T, B, D, U = (int(row[axis]) for axis in "TBDU")
    L = program.lanes
    NB, P = ceil(U / L), 2 * L
    names = [program.plan.activations[row[f"{r}activation"]].name for r in ("", "recurrent_")]
    saved = ("gates" if set(names) <= _FROM_OUTPUT else "z") if program.keeps else ""
    if row["rate"] or row["recurrent_rate"]:
        return _dropped_lstm(program, row, line, wanted, names)
    single = B == 1
    settings = {
        "activation": names[0], "recurrent_activation": names[1], "saved": saved, "single": single,
        "masked": bool(row["mask"] >= 0),
    }  # fmt: skip
    program.operations += 8 * T * B * (D + U) * U * (3 if program.keeps else 1)
    line[fr.FORWARD] = program.kernel("lstm_forward", **settings)
    weights = (D + U) * 4 * U * program.plan.memory.dtype.itemsize
    line[fr.SPLIT_FORWARD] = weights > _SPLIT_FORWARD and NB > 1
    line[fr.SPLIT_BACKWARD] = weights > _SPLIT_BACKWARD and NB > 1 and B < _SPLIT_BATCH
    program.parallel = max(program.parallel, NB if line[fr.SPLIT_FORWARD] else B)
    states = program.keeps and program.objective is None
    packs = False
    if not single:
        line[fr.PACKED], packs = program.room(NB * (D + U + 1) * 4 * L), True
    if packs and D + U > fr.WHOLE:
        line[fr.PARTIAL] = program.room(fr.MAX_THREADS * fr.GROUP * 4 * L)
    if program.keeps:
        line[fr.GATES] = program.room(ceil(U / P) * 2 * T * B * 4 * L)  # tiles go back two by two
        line[fr.CARRY] = program.room(B * ceil(U / P) * P)
        line[fr.STATE_GRADIENTS] = states
        if (T > 1 and not single) or states:
            line[fr.PACKED_BACK], packs = program.room(ceil(U / P) * NB * 4 * L * P), True
        line[fr.BACKWARD] = program.kernel("lstm_backward", **settings)
        line[fr.WEIGHT_GRADIENTS] = program.kernel("lstm_weight_gradients")
        line[fr.COLUMNS] = program.room((D + U + 1) * min(T * B, fr.BLOCK + B))
        if T == 1 and row["mode"] == Start.ZEROS:
            recurrent_kernel = int(line[fr.W]) + D * 4 * U
            program.unmoved.append(slice(recurrent_kernel, recurrent_kernel + U * 4 * U))
        if wanted[0]:
            line[fr.PACKED_X], packs = program.room(ceil(D / P) * NB * 4 * L * P), True
        if wanted[0] or states:
            line[fr.X_GRADIENT] = program.kernel("lstm_x_gradient")
    if packs:
        line[fr.PACK] = program.kernel("lstm_pack")


def _dropped_lstm(program, row, line, wanted, names):
    """Lower an LSTM whose gates each see x and h with a dropout mask of their own."""
    T, B, D, U = (int(row[axis]) for axis in "TBDU")
    P, NB = 2 * program.lanes, ceil(U / program.lanes)
    program.operations += 8 * T * B * (D + U) * U * (3 if program.keeps else 1)
    generator = program.plan.generators[row["generator"]]
    line[fr.DROPOUT_MASK] = line[fr.STATE_DROPOUT_MASK] = -1
    for rate, width, mask, dropped in (
        (row["rate"], D, fr.DROPOUT_MASK, fr.X_DROPPED),
        (row["recurrent_rate"], U, fr.STATE_DROPOUT_MASK, fr.H_DROPPED),
    ):
        if rate:
            line[mask] = program.draw(generator, rate, (4, B, width))
            line[dropped] = program.room(4 * T * B * width)
    line[fr.GATES] = program.room((T + 1) * B * 4 * U)
    settings = {"activation": names[0], "recurrent_activation": names[1]}
    line[fr.FORWARD] = program.kernel("dropped_lstm_forward", **settings)
    if program.keeps:
        line[fr.STATE_GRADIENTS] = program.objective is None
        line[fr.CARRY] = program.room(3 * B * U)
        line[fr.SUMS] = program.room(2 * B * max(D, U))
        line[fr.PACKED_BACK] = program.room(ceil(U / P) * NB * 4 * program.lanes * P)
        line[fr.BACKWARD] = program.kernel("dropped_lstm_backward", **settings)
        line[fr.WEIGHT_GRADIENTS] = program.kernel("dropped_lstm_weight_gradients")
        if wanted[0]:
            line[fr.PACKED_X] = program.room(ceil(D / P) * NB * 4 * program.lanes * P)
            line[fr.X_GRADIENT] = program.kernel("dropped_lstm_x_gradient")
        line[fr.PACK] = program.kernel("lstm_pack")


def _dense(program, row, line, wanted):
    N, D, K = (int(row[axis]) for axis in "BDU")
    L = program.lanes
    pieces = min(4, ceil(K / L)) if K <= 2 * L else 4
    single = N == 1
    program.operations += 2 * N * D * K * (3 if program.keeps else 1)
    line[fr.FORWARD] = program.kernel("dense_forward", pieces=pieces, single=single)
    if program.keeps:
        line[fr.WEIGHT_GRADIENTS] = program.kernel("dense_weight_gradients", pieces=pieces)
        if wanted[0]:
            line[fr.X_GRADIENT] = program.kernel("dense_x_gradient", single=single)
            if not single:
                line[fr.PACKED_X] = program.room(ceil(D / (2 * L)) * ceil(K / L) * L * 2 * L)
                line[fr.PACK] = program.kernel("dense_pack")


def _activation(program, row, line, wanted):
    name = program.plan.activations[row["activation"]].name
    kernels = ("softmax", {}) if name == "softmax" else ("activation", {"activation": name})
    _both_ways(program, line, wanted, *kernels)


def _dropout(program, row, line, wanted):
    generator = program.plan.generators[row["generator"]]
    shape = (int(row["B"]), int(row["U"]))
    line[fr.DROPOUT_MASK] = program.draw(generator, row["rate"], shape)
    _both_ways(program, line, wanted, "dropout", {})


def _merge(program, row, line, wanted):
    _both_ways(program, line, wanted, "merge", {"mode": int(row["mode"])})


def _layer_normalization(program, row, line, wanted):
    scale, center = bool(row["D"]), bool(row["use_bias"])
    weights = {"scale": scale, "center": center}
    line[fr.GATES] = program.room(4 * int(row["B"]))
    line[fr.FORWARD] = program.kernel(
        "layer_normalization_forward", epsilon=float(row["rate"]), **weights
    )
    if program.keeps and (scale or center):
        kernel = program.kernel("layer_normalization_weight_gradients", **weights)
        line[fr.WEIGHT_GRADIENTS] = kernel
    if wanted and wanted[0]:
        line[fr.X_GRADIENT] = program.kernel("layer_normalization_x_gradient", scale=scale)


def _moving(name):
    return lambda program, row, line, wanted: _both_ways(program, line, wanted, name, {})


def _penalty(program, row, line, wanted):
    of_weight = row["op"] == Op.WEIGHT_PENALTY
    name, numbers, *_ = program.plan.penalties[row["mode"]][0]
    line[fr.NUMBERS] = program.constants(np.divide(numbers, 1 if of_weight else row["D"]))
    line[fr.VALUES] = program.n_values
    if name.startswith("orthogonal"):
        columns = name == "orthogonal_columns"
        n, m = int(row["B"]), int(row["U"])
        n, m = (m, n) if columns else (n, m)
        line[fr.ROOM] = program.room(2 * n * m + n * n + n)  # see kernels.rules
        program.n_values += n
        program.operations += 4 * n * n * m
        name, made_for = "orthogonal", {"columns": columns}
    else:
        size = int(row["B"] * row["U"] * (1 if of_weight else row["T"]))
        program.n_values += ceil(size / fr.PENALTY_PIECE)
        name, made_for = "penalty", {"terms": name}
    line[fr.FORWARD] = program.kernel(f"{name}_forward", **made_for)
    if of_weight or wanted[0]:
        line[fr.X_GRADIENT] = program.kernel(f"{name}_backward", **made_for)


def _constraint(program, row, line, wanted):
    (name, numbers, axis, _), segment = program.plan.projections[row["mode"]]
    if name == "non_neg":
        line[fr.CONSTRAIN] = program.kernel("non_neg")
        return
    line[fr.NUMBERS] = program.constants(numbers)
    axes = range(len(segment.shape)) if axis is None else np.atleast_1d(axis)
    axes = {int(a) % len(segment.shape) for a in axes}
    if len(axes) == len(segment.shape):  # all of it is one vector
        line[fr.B], line[fr.U] = 1, row["B"] * row["U"]
    columns = axes == {0} and len(segment.shape) == 2
    line[fr.ROOM] = program.room(int(line[fr.U] if columns else line[fr.B]))
    line[fr.CONSTRAIN] = program.kernel("constrain_norms", scale=name, columns=columns)


def _both_ways(program, line, wanted, name, settings):
    line[fr.FORWARD] = program.kernel(f"{name}_forward", **settings)
    if wanted and any(wanted):
        line[fr.X_GRADIENT] = program.kernel(f"{name}_backward", **settings)


def _masking(program, row, line, wanted):
    line[fr.FORWARD] = program.kernel("masking_forward", value=float(row["rate"]))
    if wanted and wanted[0]:
        line[fr.X_GRADIENT] = program.kernel("masking_backward")


def _embedding(program, row, line, wanted):
    program.looks_up = True
    line[fr.FORWARD] = program.kernel("embedding_forward")
    if program.keeps:
        line[fr.WEIGHT_GRADIENTS] = program.kernel("embedding_gradients")
        start = int(line[fr.W])
        if start not in _penalized(program):  # else all of its gradient comes together first
            program.placed.append(slice(start, start + int(row["D"] * row["U"])))


def _penalized(program):
    """Return where the weights with a penalty start."""
    rows = program.rows[program.rows["op"] == Op.WEIGHT_PENALTY]
    return set(rows["w"].tolist())


LOWER = {
    Op.LSTM: _lstm,
    Op.DENSE: _dense,
    Op.ACTIVATION: _activation,
    Op.DROPOUT: _dropout,
    Op.REPEAT: _moving("repeat"),
    Op.MERGE: _merge,
    Op.REVERSE: _moving("reverse"),
    Op.MOVE_AXIS: _moving("move_axis"),
    Op.MASKING: _masking,
    Op.EMBEDDING: _embedding,
    Op.HOLD: _moving("hold"),
    Op.WEIGHT_PENALTY: _penalty,
    Op.ACTIVITY_PENALTY: _penalty,
    Op.CONSTRAINT: _constraint,
    Op.LAYER_NORMALIZATION: _layer_normalization,
}

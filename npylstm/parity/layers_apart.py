"""A layer whose outputs part, looked into: the place, and the change that explains it."""

import numpy as np

from .causes import Cause, dense_causes, lstm_causes
from .differences import DIFFERS, apart, bound_of, distance, largest, row
from .divergence import Divergence, first_number_apart, first_step_apart, trace_bounds

_SAMPLES_TO_TRY = 4  # how many samples a guess is tried on


def randomness(theirs, x, output):
    """Return dropout as the cause if their layer gives other numbers every time; else nothing."""
    again = theirs.tensors(x)
    again = np.asarray(again[0] if is_list(again) else again)
    # Some round otherwise the second time, when their threads or the data's place are others.
    if distance(again, output) <= 100 * bound_of(0, largest(output), output.dtype):
        return []
    zeros = float((output == 0).mean())
    return [
        Cause(
            "dropout",
            "dropout left on: called again with the same input, their layer gives other "
            f"numbers; {zeros:.0%} of its output is zero",
        )
    ]


def look_into(ours, theirs, x, masks, outputs, name):
    """Return the Divergences of a layer whose outputs part."""
    random = randomness(theirs, x, outputs[0]) if masks[1] is None else []
    if random:
        place = place_apart(ours.run(x)[0], outputs[0])
        return [Divergence(name, "output", *place, {}, random, 1)]
    found = []
    if ours.kind == "LSTM":
        found = look_into_recurrence(ours, theirs, x, masks, name)
    elif ours.kind == "Dense":
        found = _dense(ours, theirs, x, outputs[0], name)
    elif ours.kind == "Bidirectional":
        found = look_into_recurrence(ours, theirs, x, masks, name)
        found = found or _merging(ours, theirs, x, outputs[0], name)
    elif ours.kind == "TimeDistributed":
        part, other = ours.inner()["layer"], theirs.inner()["layer"]
        if part.kind == other.kind:
            found = _each_timestep(part, other, x, outputs[0], name)
    if found:
        return found
    return [unexplained(ours.run(x, masks[0]), outputs, name)]


def look_into_recurrence(ours, theirs, x, masks, name):
    """Return the Divergences of an LSTM layer, or of both directions, found step by step."""
    if ours.kind == "Bidirectional":
        inner = theirs.inner()
        return [
            divergence
            for direction, part in ours.inner().items()
            for divergence in _lstm(part, inner[direction], x, masks, f"{name}/{part.name}")
        ]
    return _lstm(ours, theirs, x, masks, name) if ours.kind == "LSTM" else []


def _lstm(ours, theirs, x, masks, name):
    recurrence = ours.recurrence()
    here, there = ours.trace(x, masks[0]), theirs.trace(x, masks[1])
    if here.h.shape != there.h.shape:
        return []
    place = first_step_apart(recurrence, x, here, there, masks[1])
    if place is None:
        return []
    t, sample, unit, gates = place
    chosen = [sample, *(k for k in range(len(x)) if k != sample)][:_SAMPLES_TO_TRY]
    few = np.ascontiguousarray(x[chosen])
    target = there._replace(
        h=there.h[:, chosen], gates={n: g[:, chosen] for n, g in there.gates.items()}
    )
    own_mask, their_mask = (None if m is None else m[chosen] for m in masks)

    def is_rounding(changed, values):
        bounds = trace_bounds(changed, few, target, their_mask)["h"]
        return bool((apart(values.h, target.h) <= bounds).all())

    causes, tried = lstm_causes(
        recurrence, theirs.weights(), few, target, t, is_rounding, own_mask, their_mask
    )
    numbers = (float(values.h[t, sample, unit]) for values in (here, there))
    return [Divergence(name, "h", t, sample, unit, *numbers, gates, causes, tried)]


def _dense(ours, theirs, x, output, name):
    here = ours.run(x)[0]
    if here.shape != output.shape:
        return []
    bound = 100 * np.sqrt(ours.terms(x.shape)) * bound_of(0, largest(here, output), output.dtype)
    causes, tried = dense_causes(ours, theirs.weights(), x, lambda y: distance(y, output) <= bound)
    place = place_apart(here, output)
    return [Divergence(name, "output", *place, {}, causes, tried)]


def _each_timestep(ours, theirs, x, output, name):
    flat, flat_output = (a.reshape(-1, *a.shape[2:]) for a in (x, output))
    path, masks = f"{name}/{ours.name}", (None, None)
    found = look_into(ours, theirs, flat, masks, [flat_output], path)
    T = x.shape[1]
    return [
        d._replace(sample=d.sample // T, timestep=d.sample % T)
        if d.timestep is None and d.sample is not None
        else d
        for d in found
    ]


def _merging(ours, theirs, x, output, name):
    """Both directions agree: look at how they are put together."""
    here = ours.run(x)[0]
    if here.shape != output.shape:
        return []
    ahead, back = (part.trace(x).h.swapaxes(0, 1) for part in ours.inner().values())
    if output.ndim == 2:
        ahead, back = ahead[:, -1], back[:, -1]
    in_time = back[:, ::-1] if output.ndim == 3 else back
    merged = {
        "concat": lambda a, b: np.concatenate([a, b], axis=-1),
        "sum": np.add,
        "mul": np.multiply,
        "ave": lambda a, b: (a + b) / 2,
    }
    bound = 1000 * bound_of(0, largest(output), output.dtype)
    causes, tried = [], 0
    for mode, merge in merged.items():
        for order, values in (("", in_time), (", the backward outputs as they come", back)):
            tried += 1
            result = merge(ahead, values)
            if result.shape == output.shape and distance(result, output) <= bound:
                text = (
                    f"merging: ours is {ours.merge_mode!r}; the difference vanishes with "
                    f"{mode!r}{order}"
                )
                causes.append(Cause("merge_mode", text))
    return [Divergence(name, "output", *place_apart(here, output), {}, causes, tried)]


def unexplained(ours, theirs, name):
    """Return a Divergence of which only the place is known, or that of the order of outputs."""
    for one, other in zip(ours, theirs, strict=False):
        if one.shape != other.shape:
            text = f"shapes: ours is {one.shape}, theirs {other.shape}"
            cause = [Cause("shape", text)]
            return Divergence(name, "output", None, None, None, np.nan, np.nan, {}, cause, 0)
        found = row(name, "output", one, other)
        if found.verdict == DIFFERS:
            causes = []
            if one.ndim == 3 and distance(one[:, ::-1], other) <= 100 * found.bound:
                text = "order: the difference vanishes with our outputs in reverse order"
                causes = [Cause("output_order", text)]
            return Divergence(name, "output", *place_apart(one, other), {}, causes, 1)
    return Divergence(name, "output", None, None, None, np.nan, np.nan, {}, [], 0)


def place_apart(ours, theirs):
    """Return the place of the largest of the first differences; see `first_number_apart`."""
    bound = 100 * bound_of(0, largest(ours, theirs), theirs.dtype)
    return first_number_apart(ours, theirs, min(bound, distance(ours, theirs) / 2))


def is_list(values):
    """Return whether a layer has given several outputs."""
    return isinstance(values, list | tuple)

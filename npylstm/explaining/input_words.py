"""The section on the input: what the axes of x are, its first numbers, and what looks odd."""

import numpy as np

from ..layers import LayerNormalization
from .writer import number

_HEAD, _WIDE = 4, 5  # timesteps and features of the first sample that are shown before the dots
_LARGE, _LARGE_INTEGER = 10, 2


def write(w, flow):
    """Write a Flow's section on the input with a Writer."""
    _axes(w, flow)
    _numbers(w, flow)
    w.say("first_sample")
    w.table(_table(w, flow))
    _hints(w, flow)


def _axes(w, flow):
    shape = flow.shape
    N, *rest = shape
    if len(shape) == 2 and flow.takes_integers():
        w.say("axes_integers", shape=shape, N=N, T=rest[0])
    elif len(shape) == 2:
        w.say("axes_2", shape=shape, N=N, D=rest[0])
    elif len(shape) == 3 and not flow.takes_integers():
        w.say("axes_3", shape=shape, N=N, T=rest[0], D=rest[1])
    elif len(shape) == 4:
        w.say("axes_4", shape=shape, N=N, T=rest[0], t=rest[1], D=rest[2])
    else:
        w.say("axes_other", shape=shape, N=N)


def _numbers(w, flow):
    given, computed = str(flow.x.dtype), str(flow.model.dtype)
    if given == computed:
        w.say("dtype_same", dtype=given)
    else:
        w.say("dtype_other", dtype=given, computed=computed)
    x = _finite(flow)
    if not x.size:
        return
    if flow.takes_integers():
        w.say("distinct", low=number(x.min()), high=number(x.max()), n=len(np.unique(x)))
    else:
        w.say("values", low=number(x.min()), high=number(x.max()), mean=number(x.mean()))


def _finite(flow):
    x = flow.x.astype(np.float64)
    return x[np.isfinite(x)]


# -------------------------------------------------------------------------- the first sample
def _table(w, flow):
    """Return rows of texts: a timestep each, a feature a column; dots for what is left out."""
    sample = flow.x[0]
    if sample.ndim == 1 and flow.takes_integers():
        sample, heads = sample[:, None], [w.text("integer")]
    else:
        sample = np.atleast_2d(sample)
        heads = [_head(w, flow, k) for k in _picked(sample.shape[-1], _WIDE)]
    rows = sample.reshape(-1, sample.shape[-1])
    table = [["", *heads]]
    for t in _picked(len(rows), _HEAD):
        if t is None:
            table.append(["…"] * (1 + len(heads)))
            continue
        cells = ["…" if k is None else number(rows[t, k]) for k in _picked(rows.shape[1], _WIDE)]
        table.append([_label(w, flow, t), *cells])
    return table


def _head(w, flow, k):
    if k is None:
        return "…"
    return f"[{k}]" if flow.takes_integers() else w.text("feature", k=k)


def _label(w, flow, row):
    """Return what a row of numbers is, given its number among all rows of the sample."""
    axes = len(flow.shape) - 2  # of timesteps
    if axes < 1 and not flow.takes_integers():
        return w.text("value")
    if axes == 2:
        return w.text("inner_timestep", k=row // flow.shape[2], j=row % flow.shape[2])
    if axes > 2:
        return str([int(k) for k in np.unravel_index(row, flow.shape[1:-1])])
    return w.text("timestep", k=row)


def _picked(n, first):
    """Return the first indices, None for the dots and the last one; all of them if they are few."""
    return list(range(n)) if n <= first + 2 else [*range(first), None, n - 1]


# ------------------------------------------------------------------------------------------ hints
def _hints(w, flow):
    _not_finite(w, flow)
    steps = [stop for stop in flow.recurrent() if stop.shape[1] == 1 and not stop.layer.stateful]
    if len(flow.shape) == 3 and flow.shape[1] == 1 and steps:
        if flow.shape[2] > 1:
            _features_for_timesteps(w, flow)
        w.hint("single_step")
    T = flow.shape[1] if len(flow.shape) > 1 else 0
    if flow.shape[0] == 1 and T > 1 and flow.recurrent():
        w.hint("one_sample", T=T, window=max(2, min(10, T // 2)))
    if not flow.takes_integers():
        _large(w, flow)
    if flow.recurrent() and not flow.masks():
        _padding(w, flow)


def _not_finite(w, flow):
    wrong = np.argwhere(~np.isfinite(flow.values))
    if len(wrong):
        w.hint("not_finite", n=len(wrong), index=", ".join(map(str, wrong[0].tolist())))


def _features_for_timesteps(w, flow):
    N, _, D = flow.shape
    row = flow.x[0, 0]
    numbers = ["…" if k is None else number(row[k]) for k in _picked(D, _WIDE)]
    w.hint("features_for_timesteps", N=str(N), D=str(D), row=f"[{', '.join(numbers)}]")


def _large(w, flow):
    if isinstance(flow.stops[0].layer, LayerNormalization):
        return
    x, padding = flow.values.astype(np.float64), flow.is_padding()
    if padding is not None:
        x = x[~padding]
    x = x[np.isfinite(x)]
    if not x.size:
        return
    largest, low, high = np.abs(x).max(), number(x.min()), number(x.max())
    if largest > _LARGE_INTEGER and (x == np.floor(x)).all():
        w.hint("large_integers", low=low, high=high, largest=number(largest))
    elif largest > _LARGE:
        w.hint("large_values", low=low, high=high, mean=number(x.mean()), deviation=number(x.std()))


def _padding(w, flow):
    """Hint at runs of zero timesteps at the ends of samples, if they are of different lengths."""
    x = flow.values
    if x.ndim < 2 or x.shape[1] < 2 or (x.ndim == 2 and not flow.takes_integers()):
        return
    zero = (x == 0).all(axis=tuple(range(2, x.ndim)))  # (N, T)
    zero = zero[~zero.all(axis=1)]
    if not len(zero):
        return
    runs = np.stack([zero.argmin(axis=1), zero[:, ::-1].argmin(axis=1)])  # at both ends
    if ((runs.max(axis=1) > 1) & (runs.min(axis=1) < runs.max(axis=1))).any():
        key = "padding_integers" if flow.takes_integers() else "padding"
        w.hint(key, n=runs.any(axis=0).sum(), N=len(x), longest=runs.max())

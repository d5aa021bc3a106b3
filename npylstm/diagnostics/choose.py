"""Which LSTM, which steps, which words: what all diagnostics and pictures of a trace begin with."""

import numpy as np


def one_lstm(trace, gradients=False):
    """Return the trace of one LSTM: the one given, or the only one in the trace of a model.

    Parameters
    ----------
    trace : Trace or LSTMTrace
    gradients : bool
        Whether gradients are needed.

    Raises
    ------
    TypeError
        If it is no trace, or that of a layer without gates.
    ValueError
        If the model has no LSTM, or several, or if gradients are missing.
    """
    lstms = getattr(trace, "lstms", None)
    if lstms is not None:
        paths = list(lstms)
        if not paths:
            raise ValueError(f"there is no LSTM in this trace, only {', '.join(trace)}")
        if len(paths) > 1:
            raise ValueError(
                f"there are {len(paths)} LSTMs in this trace: pass that of one of them, such as "
                f"trace[{paths[0]!r}]; there are {', '.join(paths)}"
            )
        trace = lstms[paths[0]]
    if not hasattr(trace, "f"):
        what = f"the trace of {trace.path!r} ({trace.kind})" if hasattr(trace, "kind") else trace
        raise TypeError(
            f"pass the trace of an LSTM, as model.trace(x)['lstm'] or layer.trace(x) gives it, "
            f"got {what if isinstance(what, str) else type(what).__name__}, which has no gates"
        )
    if gradients and not hasattr(trace, "dh"):
        raise ValueError(
            f"the trace of {trace.path!r} has no gradients: make it with targets, as "
            "model.trace(x, y)"
        )
    return trace


def counted(trace):
    """Return which steps count (B, T): all that were not masked.

    Raises
    ------
    ValueError
        If none does.
    """
    counts = np.ones(trace.f.shape[:2], bool) if trace.mask is None else np.asarray(trace.mask)
    if not counts.any():
        raise ValueError(f"all steps of {trace.path!r} are masked; there is nothing to look at")
    return counts


def need_finite(trace, *names):
    """Raise ValueError if there is NaN or infinity in one of these arrays (B, T, U)."""
    for name in names:
        wrong = ~np.isfinite(getattr(trace, name)).all(axis=-1)
        if wrong.any():
            step = int(wrong.any(axis=0).argmax())
            sample = int(wrong[:, step].argmax())
            raise ValueError(
                f"{name} of {trace.path!r} is NaN or infinite, first at step {step} of sample "
                f"{sample}: look at the weights and the input there"
            )


def plural(count, noun):
    """Return "1 step" or "2 steps"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share):
    """Write a share as a percentage; what is not 0 or 1 is not called so."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def listing(items):
    """Return "1", "1 and 2" or "1, 2 and 3"."""
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last


def few(items, limit=6):
    """Return them as a listing; of many the first ones, and how many more there are."""
    items = list(items)
    if len(items) <= limit:
        return listing(items)
    return f"{', '.join(map(str, items[: limit - 1]))} and {len(items) - limit + 1} more"

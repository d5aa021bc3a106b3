"""The numbers of a trace as the page reads them: facts, and arrays as base64."""

import base64
import operator

import numpy as np

from . import room

_VALUES = ("z_i", "z_f", "z_g", "z_o", "i", "f", "g", "o", "c", "tanh_c", "h")
_GRADIENTS = ("dz_i", "dz_f", "dz_g", "dz_o", "di", "df", "dg", "do", "dc", "dh")


def payload(trace, samples=None, title=None):
    """Return all that the page shows, ready for JSON.

    Parameters
    ----------
    trace : Trace
    samples : int, sequence of int, or None
        Which samples, counted from 0; None takes all for which there is room, from the first on.
    title : str or None

    Returns
    -------
    dict

    Raises
    ------
    TypeError
        If `samples` are no integers, or `title` is no text.
    ValueError
        If there are no samples, or none of that index.
    """
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a text, got {title!r}")
    batch = len(trace.x)
    asked = checked_samples(samples, batch)
    runs = [run for path, lstm in trace.lstms.items() for run in _runs(path, lstm, batch)]
    gradients = trace.has_gradients
    sizes = [room.Sizes.of(run.lstm, gradients) for run in runs]
    chosen = asked[: room.share_out(sizes, len(asked))]
    numbers = {run.path: number for number, run in reversed([*enumerate(runs)])}
    numbers |= {run.lstm.path: number for number, run in reversed([*enumerate(runs)])}
    return {
        "title": f"{trace.model}, number by number" if title is None else title,
        "model": trace.model,
        "version": _version(),
        "dtype": str(np.asarray(trace.outputs[0]).dtype),
        "samples": chosen,
        "of": batch,
        "input": list(np.shape(trace.x)[1:]),
        "loss": None if trace.loss is None else packed(np.float64(trace.loss)),
        "hasGradients": gradients,
        "layers": [_layer(path, layer, trace, numbers) for path, layer in trace.items()],
        "lstms": [
            _lstm(run, size, chosen, gradients) for run, size in zip(runs, sizes, strict=True)
        ],
        "outputs": [_picked(output, chosen) for output in trace.outputs],
        "targets": None if trace.y is None else _picked(trace.y, chosen),
        "leftOut": _left_out(runs, sizes, asked, chosen, samples is None, batch),
    }


def checked_samples(samples, batch):
    """Return the indices of samples as a list; None means all of them."""
    if samples is None:
        return list(range(batch))
    try:
        samples = (
            [operator.index(samples)] if np.ndim(samples) == 0 else [*map(operator.index, samples)]
        )
    except TypeError:
        raise TypeError(f"samples must be indices of samples, got {samples!r}") from None
    if not samples:
        raise ValueError("samples is empty: name at least one, or leave it out for all")
    for sample in samples:
        if not 0 <= sample < batch:
            raise ValueError(
                f"samples must be from 0 to {batch - 1}, as there are {batch}; got {sample}"
            )
    return list(dict.fromkeys(samples))


def packed(array):
    """Return an array as the page unpacks it."""
    array = np.asarray(array)
    if array.dtype == bool:
        array = array.astype(np.uint8)
    elif array.dtype.kind in "iu" and array.dtype != np.uint8:
        array = array.astype(np.int32 if np.abs(array).max(initial=0) < 2**31 else np.float64)
    elif array.dtype.kind == "f" and array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32)
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    data = base64.b64encode(little.tobytes()).decode("ascii")
    return {"type": array.dtype.name, "shape": list(array.shape), "data": data}


class _Run:
    """An LSTM that ran over the batch: all there is but in TimeDistributed, where it runs often."""

    def __init__(self, path, lstm, first, batch):
        self.path, self.lstm, self.first, self.batch = path, lstm, first, batch

    def of(self, name, samples):
        """Return an array's part for some samples."""
        with np.errstate(
            all="ignore"
        ):  # some are computed now; what is no number is shown as it is
            array = getattr(self.lstm, name)
        return array[[self.first + sample for sample in samples]]


def _runs(path, lstm, batch):
    times = len(lstm.h) // batch
    if times == 1:
        return [_Run(path, lstm, 0, batch)]
    return [_Run(f"{path}, timestep {k}", lstm, k * batch, batch) for k in range(times)]


def _lstm(run, size, samples, gradients):
    """Return an LSTM's facts and arrays, cut down to the room that it has."""
    lstm = run.lstm
    T, D, U = size.steps, size.features, size.units
    facts = {
        "path": run.path,
        "activation": lstm.activation,
        "recurrentActivation": lstm.recurrent_activation,
        "reverse": bool(lstm.reverse),
        **{"steps": T, "features": D, "units": U},
        **{
            "allSteps": size.all_steps,
            "allFeatures": size.all_features,
            "allUnits": size.all_units,
        },
    }
    names = _VALUES + (_GRADIENTS if gradients else ())
    arrays = {name: run.of(name, samples)[:, :T, :U] for name in names}
    arrays |= {name: run.of(name, samples)[:, :U] for name in ("h0", "c0")}
    arrays["x"] = run.of("x", samples)[:, :T, :D]
    if gradients:
        arrays |= {name: run.of(name, samples)[:, :U] for name in ("dh0", "dc0")}
        arrays["dx"] = run.of("dx", samples)[:, :T, :D]
    if lstm.mask is not None:
        arrays["mask"] = np.asarray(run.of("mask", samples)[:, :T], bool)
    by_gate = -1, 4, size.all_units
    arrays["kernel"] = lstm.kernel.reshape(by_gate)[:D, :, :U]
    arrays["recurrent_kernel"] = lstm.recurrent_kernel.reshape(by_gate)[:U, :, :U]
    if lstm.bias is not None:
        arrays["bias"] = lstm.bias.reshape(4, -1)[:, :U]
    rows = [run.first + sample for sample in samples]
    for name, entries in (("x_dropout", D), ("h_dropout", U)):
        scale = getattr(lstm, name)
        if scale is not None:
            arrays[name] = scale[:, rows, :entries].swapaxes(0, 1)
    return {"facts": facts, "arrays": {name: packed(array) for name, array in arrays.items()}}


def _layer(path, layer, trace, numbers):
    """Return what the strip of layers says of one."""
    out = layer.h if layer.y is None else layer.y
    return {
        "path": path,
        "kind": layer.kind,
        "out": list(np.shape(out)[1:]),
        "lstm": numbers.get(path),
        "inner": any(path.startswith(f"{other}/") for other in trace),
    }


def _picked(array, samples):
    return packed(np.asarray(array)[samples])


def _left_out(runs, sizes, asked, chosen, all_samples, batch):
    """Return sentences on what is not in the page."""
    texts = []
    if len(chosen) < len(asked):
        those = "samples" if all_samples else "samples asked for"
        texts.append(
            f"To keep this page small it holds {_counted(chosen)} of {len(asked)} {those}; "
            "samples=… of Trace.to_html chooses others."
        )
    elif len(chosen) < batch:
        texts.append(f"This page holds {_counted(chosen)} of {batch} samples.")
    for run, size in zip(runs, sizes, strict=True):
        parts = [
            f"the first {kept} of {whole} {word}"
            for kept, whole, word in (
                (size.units, size.all_units, "units"),
                (size.features, size.all_features, "features"),
                (size.steps, size.all_steps, "steps"),
            )
            if kept < whole
        ]
        if parts:
            texts.append(f"Of {run.path} it holds {' and '.join(parts)}, as all would be too many.")
    return texts


def _counted(samples):
    if len(samples) == 1:
        return f"sample {samples[0]}"
    if samples == list(range(samples[0], samples[-1] + 1)):
        return f"samples {samples[0]} to {samples[-1]}"
    return f"{len(samples)} samples"


def _version():
    from .. import __version__

    return __version__

"""Traces as tables with named axes, for who has xarray or pandas."""

import numpy as np

_BY_UNIT = ("sample", "step", "unit")
_AXES = {
    "x": ("sample", "step", "feature"),
    "dx": ("sample", "step", "feature"),
    "mask": ("sample", "step"),
    "kernel": ("feature", "column"),
    "recurrent_kernel": ("unit_before", "column"),
    "bias": ("column",),
    "dkernel": ("step", "feature", "column"),
    "drecurrent_kernel": ("step", "unit_before", "column"),
    "dbias": ("step", "column"),
    "x_dropout": ("gate", "sample", "feature"),
    "h_dropout": ("gate", "sample", "unit"),
    **dict.fromkeys(("h0", "c0", "dh0", "dc0"), ("sample", "unit")),
}


def to_xarray(trace):
    """Return an xarray.Dataset for each layer; see `Trace.to_xarray`."""
    try:
        import xarray
    except ImportError as error:
        raise ImportError("to_xarray needs xarray: pip install xarray") from error
    datasets = {}
    for path, layer in trace.items():
        if path not in trace.lstms:
            variables = {
                name: (_axes_of(name, array), array) for name, array in layer.to_dict().items()
            }
            datasets[path] = xarray.Dataset(variables, attrs={"kind": layer.kind})
            continue
        variables = {name: (_lstm_axes(name, a), a) for name, a in layer.to_dict().items()}
        U = layer.h.shape[-1]
        coordinates = {
            "timestep": ("step", layer.timesteps),
            "gate_of_column": ("column", np.repeat(list("ifgo"), U)),
        }
        facts = {
            "kind": layer.kind,
            "activation": layer.activation,
            "recurrent_activation": layer.recurrent_activation,
        }
        datasets[path] = xarray.Dataset(variables, coordinates, facts)
    return datasets


def _lstm_axes(name, array):
    if name == "y":
        return _BY_UNIT if array.ndim == 3 else ("sample", "unit")
    return _AXES.get(name, _BY_UNIT)


def _axes_of(name, array):
    inner = {1: (), 2: ("feature",), 3: ("timestep", "feature")}.get(array.ndim)
    if inner is None:
        inner = tuple(f"axis_{k}" for k in range(1, array.ndim))
    return ("sample", *(f"{name}_{axis}" for axis in inner))


def to_dataframe(trace):
    """Return a pandas.DataFrame of all LSTMs; see `Trace.to_dataframe`."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_dataframe needs pandas: pip install pandas") from error
    if not trace.lstms:
        raise ValueError(f"this trace of {trace.model!r} has no LSTM, which the table is made of")
    frames = []
    for path, layer in trace.lstms.items():
        B, T, U = layer.h.shape
        index = pandas.MultiIndex.from_product(
            [[path], range(B), range(T), range(U)], names=["layer", "sample", "step", "unit"]
        )
        counts = np.ones((B, T), bool) if layer.mask is None else layer.mask
        columns = {"timestep": np.tile(np.repeat(layer.timesteps, U), B)}
        columns["mask"] = np.repeat(counts, U)
        for name in layer.names:
            if name not in _AXES and name != "y":
                columns[name] = np.ascontiguousarray(getattr(layer, name)).ravel()
        frames.append(pandas.DataFrame(columns, index=index))
    return pandas.concat(frames)

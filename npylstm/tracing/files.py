"""Traces in .npz files."""

import json

import numpy as np

from .. import files
from .layer_traces import LayerTrace, LSTMTrace

_VERSION = 1


def save(trace, filepath):
    """Write a Trace; see `Trace.save`."""
    arrays, layers = {"x": trace.x}, []
    for number, output in enumerate(trace.outputs):
        arrays[f"outputs/{number}"] = output
    if trace.y is not None:
        arrays["y"] = trace.y
    for number, (path, layer) in enumerate(trace.items()):
        facts = {"path": path, "kind": layer.kind}
        if isinstance(layer, LSTMTrace):
            facts["reverse"] = layer.reverse
            facts["activations"] = [layer.activation, layer.recurrent_activation]
            steps, ready = layer.kept()
            kept = {f"steps/{name}": array for name, array in steps.items()}
            kept |= {f"ready/{name}": array for name, array in ready.items()}
            kept |= {} if layer.y is None else {"y": layer.y}
        else:
            kept = layer.to_dict()
        arrays |= {f"layers/{number}/{name}": array for name, array in kept.items()}
        layers.append(facts)
    for number, gradient in enumerate(trace.gradients.values()):
        arrays[f"gradients/{number}"] = gradient
    facts = {
        "version": _VERSION,
        "model": trace.model,
        "loss": trace.loss,
        "layers": layers,
        "gradients": list(trace.gradients),
    }
    arrays["trace"] = np.array(json.dumps(facts))
    files.write_npz(filepath, arrays, "traces")


def load(cls, filepath):
    """Return a Trace; see `Trace.load`."""
    arrays = files.read_npz(filepath, "traces")
    if "trace" not in arrays:
        raise ValueError(f"{filepath} is no trace: it holds {sorted(arrays)}; see Trace.save")
    facts = json.loads(str(arrays["trace"]))
    if facts["version"] > _VERSION:
        raise ValueError(
            f"{filepath} is a trace of format {facts['version']}, and this version of npylstm "
            f"reads up to {_VERSION}; a newer one reads it"
        )
    layers = {}
    for number, layer in enumerate(facts["layers"]):
        there, path = _below(arrays, f"layers/{number}/"), layer["path"]
        if layer["kind"] == "LSTM":
            parts = _below(there, "steps/"), None, _below(there, "ready/")
            layers[path] = LSTMTrace(path, layer["reverse"], layer["activations"], *parts)
            layers[path].y = there.get("y")
        else:
            layers[path] = LayerTrace(path, layer["kind"], **there)
    outputs = list(_below(arrays, "outputs/").values())
    gradients = _below(arrays, "gradients/").values()
    gradients = dict(zip(facts["gradients"], gradients, strict=True))
    y, loss = arrays.get("y"), facts["loss"]
    return cls(facts["model"], layers, arrays["x"], outputs, y, loss, gradients)


def _below(arrays, prefix):
    """Return the arrays whose names start so, by the rest of their names, in their order."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }

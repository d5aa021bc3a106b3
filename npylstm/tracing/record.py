"""Running a model or a layer once, and taking down all that its LSTMs went through."""

from .. import backends
from ..data import checked_mask
from ..plan import Op
from ..programs import unchanged
from .layer_traces import LayerTrace, LSTMTrace, not_finite
from .trace import Trace


def trace_model(model, x, y, sample_weight, mask, training):
    """Return the Trace of one batch; see `Sequential.trace`."""
    if y is None:
        if sample_weight is not None:
            raise ValueError("sample_weight weights a loss, and there is none without y")
        x = model._inputs(x)
        model._build_for(x)
    else:
        model._need_compiled("trace with targets")
        x, y, sample_weight = model._samples(x, y, sample_weight)
        model._need_derivatives()
    mask = checked_mask(mask, x, f"model {model.name!r}")
    batch_size = model._batch_size(len(x), len(x))
    options = {"with_loss": y is not None, "mask": mask is not None, "training": training}
    loss, gradients = None, {}
    with model._program(x, batch_size, **options) as program, unchanged(program), not_finite():
        program.plan.write_mask(mask)
        if y is None:
            program.x[...] = x
            backends.current().forward(program, training)
            rows = program.plan.rows_for(None)
        else:
            run = backends.current().loss_and_gradients
            loss = float(run(program, x, y, sample_weight, training))
            gradients = {path: model.memory.gradient(path).copy() for path in model._weight_paths()}
            objective = model._objective()
            rows = program.plan.rows_for(objective)
            if objective.fused and training:
                _take_last_activation(program.plan)
        outputs = _outputs(program.plan)
        layers = _layers(program, rows, model.layers, training, y is not None)
    y = None if y is None else y.copy()
    return Trace(model.name, layers, x.copy(), outputs, y, loss, gradients)


def trace_layer(layer, x, initial_state, mask, training):
    """Return the Trace of a layer on its own; see `Layer.trace`."""
    states = layer.listed_states(initial_state)
    with layer._built_for(x) as x:
        mask = checked_mask(mask, x, f"layer {layer.name!r}")
        given = bool(states) and not layer.stateful
        options = {"initial_state": given, "memory": id(layer.memory)}
        options |= {"mask": mask is not None, "training": bool(training)}
        with layer._programs.use(x.shape, **options) as program, unchanged(program):
            plan = program.plan
            plan.write_mask(mask)
            if states and layer.stateful:
                layer.set_states(initial_state)
            else:
                layer._write_initial_state(plan, states)
            program.x[...] = x
            backends.current().forward(program, training)
            outputs = _outputs(plan)
            layers = _layers(program, plan.rows_for(None), [layer], training, False)
    return Trace(layer.name, layers, x.copy(), outputs)


def _take_last_activation(plan):
    """Write the outputs that a loss of the logits may have done without."""
    row = plan.rows[plan.rows["op"] == Op.ACTIVATION][-1]
    activation = plan.activations[row["activation"]]
    plan.values(*plan.outputs[0])[...] = activation.forward(plan.values(*plan.logits))


def _outputs(plan):
    return [plan.batch_major_values(tensor).copy() for tensor in plan.outputs]


def _layers(program, rows, layers, training, with_gradients):
    """Return the traces by path: of each layer, and after it of the LSTMs inside it."""
    plan = program.plan
    lstms = [
        _lstm(program, row, number, training, with_gradients)
        for number, row in enumerate(rows)
        if row["op"] == Op.LSTM
    ]
    traces = {}
    for layer, places in zip(layers, plan.places, strict=True):
        x, y = (plan.batch_major_values(tensor).copy() for tensor in places)
        traces[layer.path] = LayerTrace(layer.path, type(layer).__name__, x, y)
        for lstm in lstms:
            if lstm.path == layer.path:
                lstm.y = y
            if f"{lstm.path}/".startswith(f"{layer.path}/"):
                traces[lstm.path] = lstm
    return traces


def _lstm(program, row, number, training, with_gradients):
    """Return the LSTMTrace of a row; all of it is copied, as the next run writes over it."""
    plan, backend = program.plan, backends.current()
    T, B, D, U = (int(row[axis]) for axis in "TBDU")
    order = slice(None, None, -1 if row["reverse"] else 1)
    segments = plan.memory.weight_segments
    (path,) = (path for path, segment in segments.items() if segment.offset == row["w"])
    path = path.removesuffix("/kernel")
    steps = {
        "x": plan.values(int(row["x"]), (T, B, D))[order].copy(),
        "h": plan.values(int(row["h"]), (T + 1, B, U)).copy(),
        "c": plan.values(int(row["c"]), (T + 1, B, U)).copy(),
    }
    for name in ("kernel", "recurrent_kernel", *["bias"] * int(row["use_bias"])):
        steps[name] = plan.memory.weight(f"{path}/{name}").copy()
    if row["mask"] >= 0:
        steps["mask"] = plan.values(int(row["mask"]), (T, B))[order].copy()
    if training and (row["rate"] or row["recurrent_rate"]):
        dropped = zip(
            ("x_dropout", "h_dropout"), backend.lstm_dropout(program, number), strict=True
        )
        steps |= {name: scale.copy() for name, scale in dropped if scale is not None}
    if with_gradients:
        steps |= backend.lstm_gradients(program, number)
    functions = [plan.activations[row[f"{kind}activation"]] for kind in ("", "recurrent_")]
    names = [function.name for function in functions]
    return LSTMTrace(path, bool(row["reverse"]), names, steps, functions)

"""Laying layers out in one memory, and taking them through it for an input shape."""

from .plan import Memory, PlanBuilder


def nested(layer):
    """Yield a layer and all layers inside it."""
    yield layer
    for inner in layer.sublayers:
        yield from nested(inner)


def unique_names(layers):
    """Return a name for each layer, with a number behind it where the name itself is taken.

    Raises
    ------
    ValueError
        If the user gave two of them the same name.
    """
    names: list[str] = []
    for layer in layers:
        name, number = layer.name, 0
        while name in names:
            if layer.named_by_user:
                raise ValueError(f"two layers of one model have the name {name!r}; rename one")
            number += 1
            name = f"{layer.name}_{number}"
        names.append(name)
    return names


def lay_out(layers, names, shapes, owner=None):
    """Move layers into one new memory: weights and states that exist are kept, others are drawn.

    Parameters
    ----------
    layers : list of Layer
    names : list of str
        Under which each is to lie.
    shapes : list of tuple
        The batch shape that goes into each.
    owner : Sequential or None
        The model that it is to be the memory of.

    Returns
    -------
    Memory

    Raises
    ------
    ValueError
        If a layer belongs to another model, or an initializer gives a wrong shape; nothing is
        moved then.
    """
    for layer in layers:
        for inner in nested(layer):
            if inner.memory and inner.memory.owner not in (None, owner):
                raise belongs_elsewhere(inner)
    weights, states, kept = {}, {}, {}
    for layer, name, shape in zip(layers, names, shapes, strict=True):
        arrays = layer.named_weights() if layer.built else layer.draw_weights(shape)
        weights |= {f"{name}/{weight}": array for weight, array in arrays.items()}
        for state, size in layer.state_specs(shape).items():
            states[f"{name}/{state}"] = size
            if layer.built:
                kept[f"{name}/{state}"] = layer.memory.state(f"{layer.path}/{state}")
    sizes = {path: array.shape for path, array in weights.items()}
    memory = Memory(sizes, states, layers[0].dtype, owner)
    for path, array in weights.items():
        memory.weight(path)[...] = array
    for path, array in kept.items():
        if memory.state(path).shape == array.shape:
            memory.state(path)[...] = array
    for layer, name, shape in zip(layers, names, shapes, strict=True):
        layer.attach(memory, name, shape)
    return memory


def belongs_elsewhere(layer):
    """Return the ValueError for a layer that lies in the memory of another model."""
    return ValueError(
        f"layer {layer.name!r} belongs to another model ({layer.memory.owner!r}); a second model "
        "can be made of layers of that model alone, or of new layers: "
        "type(layer).from_config(layer.get_config()), then set_weights"
    )


def check_memory(layers, memory):
    """Raise RuntimeError unless all layers, and those inside them, lie in one memory."""
    for layer in layers:
        for inner in nested(layer):
            if inner.memory is not memory:
                raise RuntimeError(
                    f"layer {inner.name!r} has since been taken into another model or layer; make "
                    "what it was part of again"
                )


def lower_all(layers, memory, shape, initial_state=False, mask=False, training=True):
    """Lower layers one after the other for an input of shape (B, …); return the Plan.

    `initial_state` and `mask` say what the caller will write into the arena beside x, `training`
    whether dropout may be switched on.
    """
    builder = PlanBuilder(memory, initial_state, training, shape[0])
    is_sequence = len(shape) > 2
    x = builder.tensor(*((shape[1], shape[0], *shape[2:]) if is_sequence else shape))
    tensors = [x]
    if mask:
        builder.masks[x.offset] = builder.tensor(*x.shape[:2])
    for layer in layers:
        for inner in nested(layer):
            inner.lower_rules(builder)
    for layer in layers:
        x_of_layer, outputs = tensors[0], layer.lower_with_penalty(builder, tensors[0])
        tensors = outputs if isinstance(outputs, list) else [outputs]
        builder.places.append((x_of_layer, tensors[0]))
    return builder.finish(x, tensors)

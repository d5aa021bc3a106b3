"""Forward and backward of one layer by hand, for whoever writes a training loop of their own.

`forward` gives the outputs and a `Cache`, `backward` takes the gradients of the outputs and the
`Cache`: the same pair as in `reference`, for every layer and on either backend.

    outputs, cache = layer.forward(x)
    gradients = layer.backward(douts, cache)  # dx, dinitial_state, weights
"""

import contextlib
import weakref
from typing import NamedTuple

import numpy as np

from . import backends
from .data import checked_mask, float_array


class Gradients(NamedTuple):
    """The gradient of a loss with respect to all that went into a layer.

    Attributes
    ----------
    dx : ndarray
        In the shape of x.
    dinitial_state : list of ndarray
        One for each initial state that was given, in one list; empty if none was given, or if the
        layer is stateful: what is carried from batch to batch has no gradient.
    weights : dict of str to ndarray
        By the names of `named_weights`, such as "kernel".
    """

    dx: np.ndarray
    dinitial_state: list[np.ndarray]
    weights: dict[str, np.ndarray]


class Cache:
    """What one forward of a layer keeps for its backward.

    It has a program of its own, with an arena and copies of the weights, for as long as it lives;
    the next cache may then have it.
    """

    def __init__(self, layer, program, give_back):
        self.layer, self.path, self.span = layer, layer.path, _span(layer)
        self.backend, self.program = backends.current(), program
        weakref.finalize(self, give_back).atexit = False

    def __repr__(self):
        return f"<Cache of {self.layer!r}>"


def forward(layer, x, initial_state, training, mask=None):
    """Return a layer's outputs and their Cache; see `Layer.forward`."""
    states = layer.states_to_write(x, initial_state)
    with layer._built_for(x) as x, contextlib.ExitStack() as stack:
        mask = checked_mask(mask, x, f"layer {layer.name!r}")
        options = {"initial_state": bool(states), "memory": id(layer.memory)}
        options["mask"] = mask is not None
        program = stack.enter_context(layer._kept_programs.use(x.shape, **options))
        plan, own = program.plan, program.plan.memory
        plan.write_mask(mask)
        layer._write_initial_state(plan, states)
        own.parameters[_span(layer)] = layer.memory.parameters[_span(layer)]
        own.states[...] = layer.memory.states
        program.x[...] = x
        backends.current().forward(program, training)
        if layer.stateful:
            for path, segment in own.state_segments.items():
                if path.startswith(f"{layer.path}/"):
                    layer.memory.states[segment.slice] = own.states[segment.slice]
        outputs = [plan.batch_major_values(tensor).copy() for tensor in plan.outputs]
        cache = Cache(layer, program, stack.pop_all().close)
    return layer.arranged(outputs), cache


def backward(layer, douts, cache):
    """Return the Gradients of a forward; see `Layer.backward`."""
    _check(layer, cache)
    plan, own = cache.program.plan, cache.program.plan.memory
    douts = _listed(douts, plan, layer)
    own.gradients[cache.span] = 0
    plan.gradient_arena.fill(0)
    for dout, tensor in zip(douts, plan.outputs, strict=True):
        if dout is not None:
            # A last state is also the end of a sequence: one place, to which both add.
            _batch_major_gradients(plan, tensor)[...] += dout
    cache.backend.backward(cache.program)
    return Gradients(
        _batch_major_gradients(plan, plan.x).copy(),
        [plan.gradients(*tensor).copy() for tensor in plan.initial_states],
        {name: own.gradient(f"{cache.path}/{name}").copy() for name in layer.named_weights()},
    )


def _check(layer, cache):
    if not isinstance(cache, Cache):
        raise TypeError(f"cache must be what forward gave beside the outputs, got {cache!r}")
    if cache.layer is not layer:
        raise ValueError(
            f"this cache is of a forward of layer {cache.layer.name!r}, not of {layer.name!r}; "
            "give each layer its own"
        )
    layer._need_weights()
    then = cache.program.plan.memory.parameters[cache.span]
    now = layer.memory.parameters[_span(layer)]
    if not (np.array_equal(then, now) or np.array_equal(then, now, equal_nan=True)):
        raise RuntimeError(
            f"the weights of layer {layer.name!r} have changed since this forward, and gradients "
            "are those of the weights that it had; run forward again, and update the weights after "
            "all backwards"
        )
    for activation in layer.used_activations:
        if activation.backward is None:
            raise ValueError(
                f"activation {activation.name!r} has no derivative, so layer {layer.name!r} has no "
                "backward; pass npylstm.activations.Activation(name, forward, backward) in its "
                "place"
            )


def _span(layer):
    """Return where in its memory a layer's weights lie, one after the other, as a slice."""
    names = list(layer.named_weights())
    if not names:
        return slice(0, 0)
    return slice(layer.segment(names[0]).offset, layer.segment(names[-1]).slice.stop)


def _listed(douts, plan, layer):
    """Return the gradients of the outputs as a flat list, checked."""
    n = len(plan.outputs)
    flat = list(_flattened(douts)) if n > 1 and isinstance(douts, list | tuple) else [douts]
    if len(flat) != n:
        raise ValueError(
            f"layer {layer.name!r} has {n} outputs, so douts must be a list of {n} gradients, with "
            f"None for zeros; got {len(flat)}"
        )
    checked = []
    for dout, tensor in zip(flat, plan.outputs, strict=True):
        if dout is not None:
            dout = float_array(dout, "douts", layer.dtype, finite=False)
            shape = plan.batch_major_values(tensor).shape
            if dout.shape != shape:
                raise ValueError(
                    f"a gradient in douts must have the shape of its output, {shape}, got "
                    f"{dout.shape}"
                )
        checked.append(dout)
    return checked


def _flattened(douts):
    for dout in douts:
        if isinstance(dout, list | tuple):
            yield from _flattened(dout)
        else:
            yield dout


def _batch_major_gradients(plan, tensor):
    gradients = plan.gradients(*tensor)
    return gradients.swapaxes(0, 1) if len(tensor.shape) > 2 else gradients

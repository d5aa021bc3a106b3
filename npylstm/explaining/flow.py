"""What happens to data on its way through a model, as facts: shapes, masks, batches, updates."""

import math
from typing import NamedTuple

import numpy as np

from .. import data
from ..errors import positive_integer
from ..layers import (
    LSTM,
    RNN,
    Bidirectional,
    Embedding,
    Flatten,
    Layer,
    Masking,
    RepeatVector,
    Reshape,
    StackedRNNCells,
    TimeDistributed,
)
from ..layout import unique_names
from ..models import _shapes
from ..training import _epochs


class Stop(NamedTuple):
    """A layer, and what comes into it and goes out."""

    layer: Layer
    name: str  # its path, for one inside another
    shape: tuple
    outputs: list  # shapes
    mask: int  # axes of the mask that comes in: 2 for (samples, timesteps), 0 for none


class Flow:
    """A model, its data and what `fit` would make of both.

    Parameters
    ----------
    model : Sequential
    x : ndarray
    y : ndarray or None
    batch_size : int or None
    epochs : int

    Attributes
    ----------
    shape : tuple
        Of x.
    stops : list of Stop
        The layers of the model, in order.
    output_shapes : list of tuple
        What comes out for all samples.
    mask : int
        Axes of the mask that comes out.
    batch_size : int
        Samples in a batch.
    default_batch_size : int or None
        What it is because none was given.
    fixed_batch_size : int or None
        What a stateful model was built for.
    left_over : int
        Samples that fill no batch of a stateful model.
    n_batches, last_batch : int
        Batches an epoch, and samples in the last of them.

    Raises
    ------
    TypeError, ValueError
        If x does not fit the model, or `batch_size` or `epochs` are no such numbers.
    """

    def __init__(self, model, x, y, batch_size, epochs):
        self.model, self.x, self.y = model, x, y
        self.epochs = _epochs(epochs, 0)
        if batch_size is not None:
            positive_integer("batch_size", batch_size)
        self.shape = x.shape
        self.values = data.float_array(x, "x", model.dtype, finite=False)
        model._check_input_shape(self.shape)
        data.check_shape(self.shape, "the model")
        model.layers[0].check_values(self.values)
        if not model.built:
            _check_buildable(model, self.shape)
        self._follow(model)
        self._count(batch_size)

    def _follow(self, model):
        names = [layer.name for layer in model.layers]
        if not model.built:
            names = unique_names(model.layers)
        shape, mask = self.shape, 0
        self.stops = []
        for layer, name in zip(model.layers, names, strict=True):
            outputs = listed(layer.compute_output_shape(shape))
            self.stops.append(Stop(layer, name, shape, outputs, mask))
            mask = mask_after(layer, shape, mask)
            shape = outputs[0]
        self.output_shapes, self.mask = outputs, mask

    def _count(self, batch_size):
        n, fixed = self.shape[0], self.model._stateful_batch_size()
        self.fixed_batch_size = fixed
        self.default_batch_size = (fixed or 32) if batch_size is None else None
        self.given_batch_size = batch_size
        self.wrong_batch_size = fixed is not None and batch_size not in (None, fixed)
        self.asked_batch_size = fixed or batch_size or 32
        self.batch_size = fixed or min(self.asked_batch_size, n)
        self.left_over = n % fixed if fixed else 0
        self.n_batches = math.ceil((n - self.left_over) / self.batch_size)
        self.last_batch = n - self.left_over - (self.n_batches - 1) * self.batch_size

    def updates(self):
        """Return how many updates `fit` makes, batches waiting before it, and after it."""
        optimizer = self.model.optimizer
        batches = self.n_batches * self.epochs
        k = getattr(optimizer, "gradient_accumulation_steps", None) or 1
        started = optimizer is not None and self.model.built
        waiting = 0
        if started and optimizer.memory is self.model.memory:
            waiting = optimizer.batches % k
        return (waiting + batches) // k, waiting, (waiting + batches) % k

    def recurrent(self):
        """Return the Stops of all LSTM and RNN layers, those inside others included."""
        return [found for stop in self.stops for found in _recurrent(stop)]

    def within_timesteps(self):
        """Return the Stops of those inside a TimeDistributed."""
        outer = [stop for stop in self.stops if isinstance(stop.layer, TimeDistributed)]
        return [found for stop in outer for found in _recurrent(stop)]

    def takes_integers(self):
        """Return whether the numbers in x are names of things for an Embedding."""
        layer = self.stops[0].layer
        while isinstance(layer, TimeDistributed):
            layer = layer.layer
        return isinstance(layer, Embedding)

    def masks(self):
        """Return whether some layer makes a mask."""
        return any(makes_mask(stop.layer) for stop in self.stops)

    def is_padding(self):
        """Return which timesteps of x the first layer masks, (N, T); None if it masks none."""
        layer = self.stops[0].layer
        if not makes_mask(layer) or isinstance(layer, TimeDistributed):
            return None
        return ~np.asarray(layer.compute_mask(self.values), bool)


def _check_buildable(model, shape):
    """Raise ValueError, as fit would, if the model cannot be built for data of a shape."""
    opened = model.layers[0].open_shape(shape)
    try:
        _shapes(model.layers, opened)
    except ValueError:
        _shapes(model.layers, (None, *shape[1:]))


def inner_stops(stop):
    """Return the Stops of the layers inside the layer of a Stop, named by their paths."""
    layer, shape = stop.layer, stop.shape
    if isinstance(layer, Bidirectional):
        inside = [(inner, shape, stop.mask) for inner in layer.sublayers]
    elif isinstance(layer, TimeDistributed):
        inside = [(layer.layer, (shape[0] * shape[1], *shape[2:]), 2 if stop.mask == 3 else 0)]
    elif isinstance(layer, RNN):
        inside = [(layer.cell, (shape[0], shape[-1]), 0)]
    elif isinstance(layer, StackedRNNCells):
        inside = [(cell, of_cell, 0) for cell, of_cell in layer.with_shapes(shape)]
    else:
        inside = []
    return [
        Stop(
            inner,
            f"{stop.name}/{inner.name}",
            given,
            listed(inner.compute_output_shape(given)),
            mask,
        )
        for inner, given, mask in inside
    ]


def _recurrent(stop):
    if isinstance(stop.layer, LSTM | RNN):
        return [stop]
    return [found for inner in inner_stops(stop) for found in _recurrent(inner)]


def makes_mask(layer):
    """Return whether a layer says itself which timesteps are masked."""
    return isinstance(layer, Masking) or (isinstance(layer, Embedding) and layer.mask_zero)


def mask_after(layer, shape, mask):
    """Return how many axes the mask behind a layer has, given that before it; 0 for none."""
    if isinstance(layer, Masking):
        return len(shape) - 1
    if isinstance(layer, Embedding):
        return 2 if layer.mask_zero else 0
    if isinstance(layer, LSTM | RNN | Bidirectional):
        return mask if layer.return_sequences else 0
    if isinstance(layer, Flatten | Reshape):
        return mask if isinstance(layer, Flatten) and len(shape) < 3 else 0
    if isinstance(layer, RepeatVector):
        return 0
    if isinstance(layer, TimeDistributed):
        return mask if mask == 2 else 0
    return mask


def listed(shapes):
    """Return a list of the output shapes of a layer."""
    return shapes if isinstance(shapes, list) else [shapes]

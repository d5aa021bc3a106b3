"""JAX by hand: a scan over time, jax.grad, Adam; a step in a jit, and a whole epoch in one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ..workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from .base import Model


def forward(weights, x):
    """Return the logits, or numbers, (B, K)."""
    kernel, recurrent_kernel, bias, dense_kernel, dense_bias = weights
    z_x = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def cell(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zeros = jnp.zeros((x.shape[0], recurrent_kernel.shape[0]), x.dtype)
    (h, _), _ = jax.lax.scan(cell, (zeros, zeros), z_x)
    return h @ dense_kernel + dense_bias


def loss_of(weights, x, y):
    outputs = forward(weights, x)
    if y.shape[1] > 1:
        return -(y * jax.nn.log_softmax(outputs)).sum(1).mean()
    return ((outputs - y) ** 2).mean()


def step(state, batch):
    """Take one step of Adam, as Keras does: return the new state and the loss."""
    weights, m, v, t = state
    loss, gradients = jax.value_and_grad(loss_of)(weights, *batch)
    t = t + 1
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    m = [old + (g - old) * (1 - BETA_1) for old, g in zip(m, gradients, strict=True)]
    v = [old + (g * g - old) * (1 - BETA_2) for old, g in zip(v, gradients, strict=True)]
    weights = [
        w - rate * first / (jnp.sqrt(second) + EPSILON)
        for w, first, second in zip(weights, m, v, strict=True)
    ]
    return (weights, m, v, t), loss


@functools.partial(jax.jit, donate_argnums=0)
def one_step(state, batch):
    return step(state, batch)


@functools.partial(jax.jit, donate_argnums=0)
def one_epoch(state, batches):
    return jax.lax.scan(step, state, batches)


@jax.jit
def outputs_of(weights, x):
    outputs = forward(weights, x)
    return jax.nn.softmax(outputs) if outputs.shape[1] > 1 else outputs


class JaxPeer(Model):
    def __init__(self, workload, weights, threads):
        # JAX has no setting for threads: it takes what cores its process may run on.
        super().__init__(workload, weights, threads)
        self._batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in self.batches()]
        self._first = self._batches[0][0]
        self._epoch = tuple(jnp.stack(arrays) for arrays in zip(*self._batches, strict=True))
        self.reset(weights)

    def reset(self, weights):
        weights = [jnp.array(w) for w in weights]
        m, v = ([jnp.zeros_like(w) for w in weights] for _ in range(2))
        self.state = weights, m, v, jnp.zeros((), "float32")
        self._next = self.cycled(self._batches)

    def train_step(self):
        self.state, loss = one_step(self.state, next(self._next))
        return jax.block_until_ready((self.state, loss))[1]

    def fit(self, n_batches=None, epochs=1):
        batches = self._epoch
        if n_batches is not None:
            batches = tuple(array[:n_batches] for array in batches)
        for _ in range(epochs):
            self.state, losses = one_epoch(self.state, batches)
        jax.block_until_ready((self.state, losses))

    def infer(self):
        return np.asarray(outputs_of(self.state[0], self._first))

    def weights(self):
        return [np.array(w) for w in self.state[0]]

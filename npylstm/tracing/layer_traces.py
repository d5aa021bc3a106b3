"""What one layer has done with a batch: arrays by name, samples first."""

import numpy as np

from ..reference import (
    lstm_gate_gradients,
    lstm_gates,
    lstm_gradient_shares,
    lstm_h_gradient,
    lstm_x_gradient,
    split_gates,
)

PRE_ACTIVATIONS = ("z_i", "z_f", "z_g", "z_o")
GATES = (*PRE_ACTIVATIONS, "i", "f", "g", "o", "tanh_c")
DZ = ("dz_i", "dz_f", "dz_g", "dz_o")
GATE_GRADIENTS = ("di", "df", "dg", "do", "dc", "dc0")
SHARES = ("dkernel", "drecurrent_kernel", "dbias")
_FORWARD = (
    *("x", "h_prev", "c_prev", *PRE_ACTIVATIONS, "i", "f", "g", "o", "c", "tanh_c", "h"),
    *("h0", "c0", "kernel", "recurrent_kernel"),
)
_OPTIONAL = ("bias", "mask", "x_dropout", "h_dropout", "y")
_GRADIENTS = (
    *(*DZ, "di", "df", "dg", "do", "dc", "dh", "dx", "dh0", "dc0"),
    *("dkernel", "drecurrent_kernel"),
)


def not_finite():
    """Return a context in which numbers that run over are no reason to warn: they are looked at."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


class LayerTrace:
    """What went through a layer that has no gates.

    Attributes
    ----------
    path, kind : str
        Such as "dense" and "Dense".
    x, y : ndarray (B, …)
        What went in, and the (first) output.
    """

    def __init__(self, path, kind, x, y):
        self.path, self.kind, self.x, self.y = path, kind, x, y

    @property
    def names(self):
        """The names of the arrays that are there."""
        return ("x", "y")

    def to_dict(self):
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in self.names}

    def __repr__(self):
        return f"<{type(self).__name__} {self.path!r}: {self.describe()}>"

    def describe(self):
        """Return the layer's kind and its shapes as a line."""
        return f"{self.kind}  x {self.x.shape} -> y {self.y.shape}"


class LSTMTrace(LayerTrace):
    """Every number of an LSTM's run over a batch.

    Axis 1 counts the steps as the layer takes them; `timesteps` says which timestep of the input
    each of them reads.  Arrays that follow from others are computed when first asked for.

    Attributes
    ----------
    path, kind : str
        Such as "bidirectional/forward_lstm", and "LSTM".
    activation, recurrent_activation : str
        Their names.
    reverse : bool
        Whether the layer reads from the end.
    timesteps : ndarray (T,) of int
    mask : ndarray (B, T) of bool, or None
        False at steps that were passed over: h and c stay what they were.  The gates there are
        computed, and not used.
    x : ndarray (B, T, D)
        What each step reads.
    h0, c0 : ndarray (B, U)
        The states before the first step.
    z_i, z_f, z_g, z_o : ndarray (B, T, U)
        The pre-activations: ``x @ kernel + h_prev @ recurrent_kernel + bias``.
    i, f, g, o : ndarray (B, T, U)
        Input gate, forget gate, candidate, output gate.
    c, tanh_c, h : ndarray (B, T, U)
        The states after each step; tanh_c is the activated c, whatever the activation is.
    h_prev, c_prev : ndarray (B, T, U)
        The states before each step.
    y : ndarray (B, U) or (B, T, U)
        What the layer gives out; None for a layer inside another.
    kernel, recurrent_kernel, bias : ndarray
        Copies of the weights; bias is None if there is none.
    x_dropout, h_dropout : ndarray (4, B, D) and (4, B, U), or None
        What x and h_prev were multiplied by on their way to the gates i, f, g, o.  Where all gates
        see the same (`dropout` alone, implementation 2) that is in `x`, and `x_dropout` is None.
    dz_i, dz_f, dz_g, dz_o, di, df, dg, do, dc, dh : ndarray (B, T, U)
        The gradient of the loss with respect to each: all of what reaches it.
    dx : ndarray (B, T, D)
    dh0, dc0 : ndarray (B, U)
    dkernel, drecurrent_kernel, dbias : ndarray (T, D, 4U), (T, U, 4U), (T, 4U)
        What each step adds to the gradients of the weights; regularizers add theirs.

    Gradients are there if the trace was made with targets.  In `TimeDistributed` the samples are
    those of all timesteps, one timestep after the other.
    """

    def __init__(self, path, reverse, activations, steps, functions=None, ready=()):
        """Take over time-major arrays: x, h and c (T+1), weights, …, with targets dh and dz.

        `activations` are their names, `functions` the two `Activation`; without those, what comes
        out of them must be `ready`.
        """
        self.path, self.kind, self.reverse = path, "LSTM", reverse
        self.activation, self.recurrent_activation = activations
        self._steps, self._functions, self._ready = steps, functions, dict(ready)
        self.kernel, self.recurrent_kernel = steps["kernel"], steps["recurrent_kernel"]
        self.bias, self.y = steps.get("bias"), None
        self.x_dropout, self.h_dropout = steps.get("x_dropout"), steps.get("h_dropout")
        self.mask = None if "mask" not in steps else steps["mask"].T != 0
        x, h, c = steps["x"], steps["h"], steps["c"]
        self.x, self.h, self.c = (_samples_first(array) for array in (x, h[1:], c[1:]))
        self.h_prev, self.c_prev = _samples_first(h[:-1]), _samples_first(c[:-1])
        self.h0, self.c0 = h[0], c[0]
        self.timesteps = np.arange(len(x))[:: -1 if self.reverse else 1]

    @property
    def has_gradients(self):
        """Whether the trace was made with targets."""
        return "dz" in self._steps

    @property
    def names(self):
        """The names of the arrays that are there."""
        there = [name for name in _OPTIONAL if getattr(self, name) is not None]
        gradients = _GRADIENTS if self.has_gradients else ()
        return (*_FORWARD, *there, *gradients, *["dbias"][: "bias" in there and self.has_gradients])

    def __dir__(self):
        return [*super().__dir__(), *self.names]

    def __getattr__(self, name):
        """Return an array that follows from others, computed once."""
        if name.startswith("_") or name not in (*GATES, *_GRADIENTS, "dbias"):
            raise AttributeError(
                f"a trace of an LSTM has no {name!r}; it has {', '.join(_FORWARD)}"
                f", and with targets {', '.join(_GRADIENTS)}, dbias"
            )
        if name not in self.names:
            reason = f"layer {self.path!r} has no bias"
            if not self.has_gradients:
                reason = "this trace was made without targets: use model.trace(x, y)"
            raise AttributeError(f"there is no {name!r}, as {reason}")
        if name not in self._ready:
            with not_finite():
                self._compute(name)
        return self._ready[name]

    # ------------------------------------------------------------------- what follows from the rest
    def _compute(self, name):
        steps, ready = self._steps, {}
        dropouts = {"x_dropout": self.x_dropout, "h_dropout": self.h_dropout}
        if name in GATES:
            weights = self.kernel, self.recurrent_kernel, self.bias
            states = steps["x"], steps["h"], steps["c"]
            ready = lstm_gates(*states, *weights, *self._functions, **dropouts)
        elif name in GATE_GRADIENTS:
            # Time-major again, as the reference takes them.
            gates = {gate: getattr(self, gate).swapaxes(0, 1) for gate in GATES}
            ready = lstm_gate_gradients(
                self._dh(), steps["c"], gates, *self._functions, steps.get("mask")
            )
        elif name in DZ:
            ready = dict(zip(DZ, split_gates(steps["dz"]), strict=True))
        elif name == "dh":
            ready = {"dh": self._dh()}
        elif name == "dx":
            ready = {"dx": lstm_x_gradient(steps["dz"], self.kernel, self.x_dropout)}
        elif name == "dh0":
            ready = {"dh0": self._dh0()}
        else:
            self._ready |= lstm_gradient_shares(steps["x"], steps["h"], steps["dz"], **dropouts)
        self._ready |= {
            name: _samples_first(array) if array.ndim == 3 else array
            for name, array in ready.items()
        }

    def _dh(self):
        steps = self._steps
        if "dh" not in steps:
            back = steps["dz"], self.recurrent_kernel, self.h_dropout
            steps["dh"] = lstm_h_gradient(steps["dh_above"], *back)
        return steps["dh"]

    def _dh0(self):
        (dh0,) = lstm_x_gradient(self._steps["dz"][:1], self.recurrent_kernel, self.h_dropout)
        if self.mask is not None:  # past a first step that does not count
            dh0 = dh0 + (1 - self._steps["mask"][0])[:, None] * self._dh()[0]
        return dh0

    def kept(self):
        """Return the arrays that all others follow from: what a file has to hold.

        They are the time-major ones that a trace is made of, and those that come out of
        activations, which may be functions of the user's.
        """
        followed = (*GATES, *(GATE_GRADIENTS if self.has_gradients else ()))
        return self._steps, {name: getattr(self, name) for name in followed}

    def __getstate__(self):
        """Leave out functions, which may be lambdas, and keep what comes out of them."""
        return self.__dict__ | {"_functions": None, "_ready": self._ready | self.kept()[1]}

    def describe(self):
        """Return the layer's kind, its shapes and what there is as a line."""
        line = f"LSTM  x {self.x.shape} -> z_i z_f z_g z_o i f g o c tanh_c h {self.h.shape}"
        return line + (", and the gradient of each" if self.has_gradients else "")


def _samples_first(array):
    return array.swapaxes(0, 1)

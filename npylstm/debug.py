"""Breakpoints by layer, timestep and gate, inside the equations of `reference/lstm.py`.

    npylstm.debug.breakpoint_at("lstm", t=3, gate="f", when=lambda s: s.f.max() > 0.99)

stops in your debugger in the frame of `gates_forward`, right after the line that computes f: in
`fit`, in `predict`, wherever that layer runs, and whatever backend is chosen.  For as long as a
breakpoint is set, models run on the NumPy backend; a debugger cannot look into machine code.

While none is set, nothing of this is anywhere near the equations: a breakpoint puts functions into
`reference.lstm` that call copies of them, compiled from the same source with a call after the line.
"""

import ast
import sys
import threading
import types

import numpy as np

from . import backends, equations
from .backends import held_backend
from .errors import integer, positive_integer, unknown_name
from .layers import Layer
from .reference import lstm

__all__ = ["Breakpoint", "breakpoint_at", "breakpoints", "clear"]

# Where one can stop: in these functions, by these names at their beginning, else by what a line
# makes.
_START = {"gates_forward": "z", "gates_backward": "dh"}
# What calls these two by name; the kernels do it on their own and never see the copies.
_CALLERS = {
    name: getattr(lstm, name)
    for name in ("lstm_cell_forward", "lstm_cell_backward", "lstm_backward")
}

_lock = threading.RLock()
_set: list["Breakpoint"] = []
_has_said = False
_asking = threading.local()  # whether a thread is inside a `when`, which may run models itself


def _gates():
    """Return the names to stop at, in the order of the lines."""
    return [
        gate
        for function, start in _START.items()
        for gate in (start, *equations.assigned_names(function))
    ]


class Breakpoint:
    """A place to stop at; made by `breakpoint_at`, and a context manager that removes it.

    Attributes
    ----------
    layer, t, sample, gate, when, times
        What `breakpoint_at` was given.
    hits : int
        How often it has stopped.
    """

    def __init__(self, layer, t, sample, gate, when, times):
        self.layer, self.t, self.sample = layer, t, sample
        self.gate, self.when, self.times = gate, when, times
        self.hits = 0
        self._has_said = False

    def remove(self):
        """Take it away; with the last one models run on the chosen backend again."""
        with _lock:
            if self in _set:
                _set.remove(self)
                _install()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()

    def __repr__(self):
        when = getattr(self.when, "__name__", self.when)
        given = {name: getattr(self, name) for name in ("layer", "t", "sample", "gate")}
        given |= {"when": when, "times": self.times}
        parts = [f"{name}={value!r}" for name, value in given.items() if value is not None]
        return f"<Breakpoint {' '.join([*parts, f'hits={self.hits}'])}>"


def breakpoint_at(layer=None, t=None, sample=None, gate=None, when=None, times=None):
    """Stop in a debugger inside the equations of an LSTM.

    It is ``breakpoint()`` that is called there, so PYTHONBREAKPOINT says which debugger it is.  All
    that is computed up to there are local names; `up` leads to the step's x, h_prev and weights
    (`lstm_cell_forward`), then to t, mask and all states (`lstm_forward`).  Debuggers show the next
    line to run; from Python 3.13 on pdb shows the one that has just been run.

    Parameters
    ----------
    layer : str, Layer or None
        A path, such as "lstm" or "bidirectional/forward_lstm"; "bidirectional" is both directions.
        A Layer stops in its own model only.  None, here and below, means any.
    t : int or None
        The step, in the order in which the layer takes them; -1 is the last.
    sample : int or None
        Narrows what `when` sees to one sample of the batch; batches that lack it do not stop.
    gate : {"z", "i", "f", "g", "o", "c", "tanh_c", "h"} or None
        After which line to stop; "z", or None, is before the first one, when z_i, z_f, z_g and z_o
        are known.  On the way back: "dh" before the first line of `gates_backward`, or "dc",
        "dz_i", "dz_f", "dz_g", "dz_o", "dc_prev" after theirs.
    when : callable or None
        ``when(s) -> bool``, with all that is known at that point as attributes of s: z_i … z_o,
        c_prev, what has been computed so far, x and h_prev, each (B, …) or with `sample` (…);
        t, layer and mask, and in `fit` epoch and batch, else None.
    times : int or None
        After how many stops to remove itself.

    Returns
    -------
    Breakpoint
        With `remove` and `hits`; also a context manager.

    Raises
    ------
    TypeError, ValueError
        If something is none of that.
    """
    if layer is not None and not isinstance(layer, str | Layer):
        raise TypeError(f"layer must be a layer or its path, such as 'lstm', got {layer!r}")
    for name, index in (("t", t), ("sample", sample)):
        if index is not None:
            integer(name, index)
    if gate is not None and not isinstance(gate, str):
        raise TypeError(f"gate must be a name, such as 'f', or None, got {gate!r}")
    if gate is not None and gate not in _gates():
        raise unknown_name("gate", gate, _gates())
    if when is not None and not callable(when):
        raise TypeError(f"when must be a function of what is known there, got {when!r}")
    if times is not None:
        times = positive_integer("times", times)
    made = Breakpoint(layer, t, sample, gate, when, times)
    with _lock:
        _set.append(made)
        try:
            _install()
        except BaseException:
            _set.remove(made)
            raise
    return made


def breakpoints():
    """Return a list of the breakpoints that are set."""
    return list(_set)


def clear():
    """Remove all breakpoints."""
    with _lock:
        _set.clear()
        _install()


def _install():
    """Make the reference stop where breakpoints are, and the backend one that can be stopped."""
    global _has_said
    if not _set:
        for name, function in _CALLERS.items():
            setattr(lstm, name, function)
        backends.let_go()
        return
    names = {**vars(lstm), **_CALLERS, "__stops_at__": _stops_at}
    for function, start in _START.items():
        gates = {breakpoint.gate or "z" for breakpoint in _set}
        exec(equations.code_with_calls(function, _between(gates, start)), names)
    for name, function in _CALLERS.items():
        setattr(lstm, name, _with_names(function, names))
    if backends.get_backend() != "numpy" and not _has_said:
        _has_said = True
        print(
            "npylstm: while a breakpoint is set, models run on the NumPy backend", file=sys.stderr
        )
    backends.hold(held_backend)


def _between(gates, start):
    def between(statement):
        if isinstance(statement, ast.FunctionDef):
            return (_stop(start) if start in gates else ""), ""
        name = getattr(statement.targets[0], "id", None)
        return "", (_stop(name) if name in gates else "")

    return between


def _stop(gate):
    return f"if __stops_at__({gate!r}): breakpoint()"


def _with_names(function, names):
    """Return a function that looks its global names up in another dict."""
    twin = types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__, twin.__doc__ = function.__kwdefaults__, function.__doc__
    return twin


# ------------------------------------------------------------------------- at a line of the source
def _stops_at(gate):
    """Return whether a breakpoint stops at this line of the caller."""
    there = [breakpoint for breakpoint in list(_set) if (breakpoint.gate or "z") == gate]
    if not there or getattr(_asking, "when", False):
        return False
    place = _Place(sys._getframe(1))
    hit = [breakpoint for breakpoint in there if _matches(breakpoint, place)]
    for breakpoint in hit:
        breakpoint.hits += 1
        if breakpoint.hits == breakpoint.times:
            breakpoint.remove()
    if hit:
        print(f"npylstm: {place.describe(gate)}", file=sys.stderr)
    return bool(hit)


def _matches(breakpoint, place):
    if breakpoint.layer is not None and not _is_of(breakpoint, place):
        return False
    if breakpoint.t is not None and not _is_at(breakpoint, place):
        return False
    sample = breakpoint.sample
    if sample is not None and not -place.batch_size <= sample < place.batch_size:
        return False
    if breakpoint.when is None:
        return True
    _asking.when = True
    try:
        answer = breakpoint.when(place.known(sample))
    finally:
        _asking.when = False
    if isinstance(answer, np.ndarray) and answer.size != 1:
        raise ValueError(
            f"when must give one truth value, got an array of shape {answer.shape}: end it with "
            ".any() or .all(), or pick one unit, such as s.f[0]"
        )
    return bool(answer)


def _is_of(breakpoint, place):
    wanted, memory = breakpoint.layer, place.memory
    if isinstance(wanted, Layer):
        # What runs by `layer.forward` is a twin of the layer's memory, which is its owner.
        is_its = memory is None or wanted.memory in (memory, memory.owner)
        return is_its and wanted.built and _lies_in(place.layer, wanted.path)
    if _lies_in(place.layer, wanted):
        return True
    if memory is not None:
        weights = [path for path in memory.weight_segments if path.endswith("/recurrent_kernel")]
        paths = [path.rpartition("/")[0] for path in weights]
        if not any(_lies_in(path, wanted) for path in paths):
            known = ", ".join(map(repr, paths))
            _say(breakpoint, f"layer {wanted!r}, and the LSTMs of the model that runs are {known}")
    return False


def _is_at(breakpoint, place):
    if place.t is None:
        return False
    if not -place.timesteps <= breakpoint.t < place.timesteps:
        _say(breakpoint, f"t={breakpoint.t}, and the layer that runs takes {place.timesteps} steps")
    return breakpoint.t in (place.t, place.t - place.timesteps)


def _say(breakpoint, what):
    """Say once what a breakpoint waits for, if it may be in vain."""
    if not breakpoint._has_said:
        breakpoint._has_said = True
        print(f"npylstm: a breakpoint waits for {what}", file=sys.stderr)


def _lies_in(path, wanted):
    return path is not None and (path == wanted or path.startswith(f"{wanted}/"))


class _Place:
    """Where in a computation a line runs: what its frame and those that called it know.

    Attributes
    ----------
    t, layer, epoch, batch : the numbers and the path; None if it is not known
    timesteps, batch_size : T and B
    memory : Memory or None
    """

    def __init__(self, frame):
        self.values = dict(frame.f_locals)  # of the equations
        self.t = self.layer = self.memory = self.epoch = self.mask = self.timesteps = None
        self._first = self._k = None
        rows = next(v for v in self.values.values() if isinstance(v, np.ndarray))
        self.batch_size = len(rows)
        left = dict(_LOOK)
        while (frame := frame.f_back) is not None:
            module = frame.f_globals.get("__name__", "").removeprefix("npylstm.")
            # The nearest is meant, where one model runs inside another's callback.
            look = left.pop((module, frame.f_code.co_name), None)
            if look:
                look(self, frame.f_locals)

    @property
    def batch(self):
        """The number of the batch in its epoch."""
        return None if self._first is None else self._first + (self._k or 0)

    def _in_cell(self, local):
        self.values |= {name: local[name] for name in ("x", "h_prev", "c_prev")}

    def _in_sequence(self, local):
        self._in_time(local, len(local["x"]))

    def _in_sequence_backward(self, local):
        t = local["t"]
        self._in_time(local, local["T"])
        names = (*"xifgo", "tanh_c")
        after = {"h": local["h"][t + 1], "c": local["c"][t + 1]}
        before = {"h_prev": local["h"][t], "c_prev": local["c"][t]}
        self.values = {n: local[n][t] for n in names} | after | before | self.values

    def _in_cell_backward(self, local):
        cache = local["cache"]
        names = ("x", "h_prev", *"cifgo", "tanh_c", "h")
        self.values = {name: getattr(cache, name) for name in names} | self.values

    def _in_time(self, local, timesteps):
        self.t, self.timesteps = local["t"], timesteps
        mask = local["mask"]
        self.mask = None if mask is None else mask[self.t] != 0

    def _in_row(self, local):
        self.layer = getattr(local["self"], "path", None)

    def _in_program(self, local):
        self.memory = local["program"].plan.memory

    def _in_batches(self, local):
        self._k = local["k"]

    def _in_epoch(self, local):
        self._first = local["step"]

    def _in_fit(self, local):
        self.epoch = local["epoch"]

    def known(self, sample):
        """Return what `when` sees, of one sample or (None) of all."""
        values = {k: v for k, v in self.values.items() if isinstance(v, np.ndarray)}
        if self.mask is not None:
            values["mask"] = self.mask
        if sample is not None:
            B = self.batch_size
            values = {k: v[sample] if v.shape[:1] == (B,) else v for k, v in values.items()}
        values.setdefault("mask", None)
        names = ("t", "layer", "epoch", "batch")
        return _Known(**values, sample=sample, **{name: getattr(self, name) for name in names})

    def describe(self, gate):
        start = gate in _START.values()
        parts = [f"{gate} is known" if start else f"{gate} is computed"]
        for name in ("layer", "t", "epoch", "batch"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"layer {value!r}" if name == "layer" else f"{name}={value}")
        return ", ".join(parts)


_LOOK = {
    ("reference.lstm", "lstm_cell_forward"): _Place._in_cell,
    ("reference.lstm", "lstm_forward"): _Place._in_sequence,
    ("reference.lstm", "lstm_cell_backward"): _Place._in_cell_backward,
    ("reference.lstm", "lstm_backward"): _Place._in_sequence_backward,
    ("backends._numpy_rows", "forward"): _Place._in_row,
    ("backends._numpy_rows", "backward"): _Place._in_row,
    ("backends.numpy_backend", "_forward"): _Place._in_program,
    ("backends.numpy_backend", "_backward"): _Place._in_program,
    ("backends.numpy_backend", "train"): _Place._in_batches,
    ("batches", "_train_epoch"): _Place._in_epoch,
    ("training", "fit"): _Place._in_fit,
}


class _Known(types.SimpleNamespace):
    def __getattr__(self, name):
        known = ", ".join(sorted(vars(self)))
        later = f"; gate={name!r} stops where it is" if name in _gates() else ""
        raise AttributeError(f"there is no {name!r} at this line yet{later}.  Known are: {known}")

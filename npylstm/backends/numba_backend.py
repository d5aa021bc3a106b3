"""Runs a plan in machine code that Numba makes: many batches a call, on several threads.

What the code is made of is in `kernels`; here are the functions of a backend, each of which says in
the program's settings what is to be done and starts the threads.
"""

import contextlib
import sys
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np

from .. import interrupt, threads
from ..kernels import frame as fr
from ..kernels import native
from ..kernels.program import Program
from ..reference import optimizers
from ..reference.activations import STANDARD
from . import numpy_backend

_THREADED_BATCH = 1e6  # floating-point operations of a batch below which one thread is faster
_THREADED_CALL = 1e8  # and those of a call that make up for waking the others
_LONG_BATCH = 5e9  # a batch of so many is waited for, so that Ctrl-C is heard meanwhile
_NO_UPDATE = (0, 0, 0, 0)  # kernels that accumulate, clip, step and average
_MASK_BYTES = 1 << 26  # of dropout masks drawn at a time


def prepare(plan, objective=None, keep=False):
    """Return the program of a plan; see `numpy_backend.prepare`."""
    custom = tuple(a.name for a in plan.activations if a not in STANDARD)
    if custom:
        _say_once(custom)
        return numpy_backend.prepare(plan, objective, keep)
    return Program(plan, objective, keep)


_said = set()


def _say_once(custom):
    if custom not in _said:
        _said.add(custom)
        names = ", ".join(map(repr, custom))
        print(
            f"npylstm: {names} is a Python function, so this model runs on the NumPy backend",
            file=sys.stderr,
        )


# ---------------------------------------------------------------------- the functions of a backend
def forward(program, training):
    """Run the rows on what lies in the arena at ``plan.x``; `training` switches dropout on."""
    if not isinstance(program, Program):
        return numpy_backend.forward(program, training)
    program.settings[[fr.FORWARD_ROWS, fr.TRAINING]] = len(program.table), training
    if program.masks:
        program.bind(masks=_draw_masks(program, 1 if training else 0))
    _call(program, 1)


def backward(program):
    """Run the rows back; see `numpy_backend.backward`."""
    if not isinstance(program, Program):
        return numpy_backend.backward(program)
    if not program.keeps:
        raise RuntimeError("this program has no backward; prepare(plan, keep=True) makes one")
    s, workspace = program.settings, program.frame.workspace
    kept = workspace.copy()  # where kernels write over what the forward left, for one more backward
    s[[fr.FORWARD_ROWS, fr.BACKWARD_ROWS]] = 0, len(program.table)
    s[fr.BACK] = program.back
    try:
        _call(program, 1)
    finally:
        s[fr.BACK] = 0
        workspace[...] = kept


def loss_and_gradients(program, x, y, sample_weight, training):
    """Run one batch of batch-major arrays forward and back; see `numpy_backend`."""
    if not isinstance(program, Program):
        return numpy_backend.loss_and_gradients(program, x, y, sample_weight, training)
    totals = np.zeros(2 * (1 + len(program.objective.metrics)))
    _bind_samples(program, (x, y, sample_weight), np.arange(program.batch_size), totals)
    if program.masks:
        program.bind(masks=_draw_masks(program, 1 if training else 0))
    _set(program, training=training, back=True, update=_NO_UPDATE)
    _call(program, 1)
    return totals[0] / totals[1]


def train(program, data, order, update, learning_rates, t, totals):
    """Train on as many whole batches as there are learning rates; see `numpy_backend.train`."""
    if not isinstance(program, Program):
        return numpy_backend.train(program, data, order, update, learning_rates, t, totals)
    _bind_samples(program, data, order, totals)
    n, B = len(learning_rates), program.batch_size
    at_a_time = n
    if program.masks:
        bytes_each = int(program.settings[fr.MASK_SIZE]) * program.frame.arena.itemsize
        at_a_time = max(1, _MASK_BYTES // max(1, bytes_each))
    for first in range(0, n, at_a_time):
        steps = min(at_a_time, n - first)
        rates = np.asarray(learning_rates[first : first + steps])
        program.bind(order=order[first * B : (first + steps) * B])
        if program.masks:
            program.bind(masks=_draw_masks(program, steps))
        kernels = _bind_update(program, update, rates, t + first)
        _set(program, training=True, back=True, update=kernels)
        if _call(program, steps):
            return


def apply_update(program, update, learning_rate, t):
    """Take one step along the gradients in the memory; see `numpy_backend.apply_update`."""
    if not isinstance(program, Program):
        return numpy_backend.apply_update(program, update, learning_rate, t)
    s = program.settings
    s[[fr.FORWARD_ROWS, fr.GATHER, fr.COUNT, fr.LOSS, fr.BACK]] = 0
    kernels = _bind_update(program, update, np.array([learning_rate]), t)
    s[[fr.ACCUMULATE, fr.CLIP, fr.UPDATE, fr.AVERAGE]] = kernels
    try:
        _call(program, 1)
    finally:
        s[[fr.ACCUMULATE, fr.CLIP, fr.UPDATE, fr.AVERAGE]] = _NO_UPDATE


def evaluate(program, data, order, totals):
    """Add loss and metrics to `totals`, batch after batch of the samples in `order`."""
    if not isinstance(program, Program):
        return numpy_backend.evaluate(program, data, order, totals)
    _bind_samples(program, data, order, totals)
    _set(program, training=False, back=False, update=_NO_UPDATE)
    _call(program, len(order) // program.batch_size)


def predict(program, x, order, outputs):
    """Write what the model says of the samples in `order`; see `numpy_backend.predict`."""
    if not isinstance(program, Program):
        return numpy_backend.predict(program, x, order, outputs)
    s = program.settings
    flat = outputs[0] if len(outputs) == 1 else np.empty(sum(o.size for o in outputs), x.dtype)
    start = 0
    for number, output in enumerate(outputs):
        s[fr.FIRST_OUTPUT + 4 * number + 3] = start
        start += output.size
    program.bind(x=x, order=order, outputs=flat)
    s[[fr.GATHER, fr.SCATTER]] = program.gather, program.scatter
    s[[fr.N_OUTPUTS, fr.TRAINING, fr.FORWARD_ROWS]] = len(outputs), 0, len(program.table)
    try:
        _call(program, len(order) // program.batch_size)
    finally:
        s[[fr.GATHER, fr.SCATTER]] = 0
    if len(outputs) > 1:
        start = 0
        for output in outputs:
            part = flat[start : start + output.size].reshape(output.shape)
            output[order] = part[order]
            start += output.size


class Quick:
    """A prediction for one shape of input with nothing in the way.

    Parameters
    ----------
    program : Program
        Of its own: buffers for input and output stay in its frame for good.

    Attributes
    ----------
    dtype, memory
        What the input must be of, and the model's memory.
    backend : module
        This one.
    """

    backend = sys.modules[__name__]

    def __init__(self, program):
        self.dtype, self.memory = program.plan.memory.dtype, program.plan.memory
        s, B, output = program.settings, program.batch_size, program.plan.outputs[0]
        shape = program.plan.batch_major_values(output).shape
        self._x, self._y = np.empty(program.x.shape, self.dtype), np.empty(shape, self.dtype)
        program.bind(x=self._x, outputs=self._y, order=np.arange(B))
        s[[fr.GATHER, fr.SCATTER]] = program.gather, program.scatter
        s[[fr.N_OUTPUTS, fr.STEPS, fr.TRAINING]] = 1, 1, 0
        s[fr.FIRST_OUTPUT + 3] = 0
        if program.masks:
            program.bind(masks=_draw_masks(program, 0))
        self._program, self._sync = program, program.frame.sync
        self._frame = program.frame if native.jit_disabled() else program.address
        self._run = program.run

    def __call__(self, x):
        """Return the output for x, or None if x holds NaN or inf."""
        self._x[...] = x
        self._sync[fr.NOT_FINITE] = 0
        self._run(0, self._frame, 0)
        return None if self._sync[fr.NOT_FINITE] else self._y.copy()


def quick(plan):
    """Return a callable that predicts for inputs like the plan's; None if it would not be quick."""
    program = prepare(plan)
    if not isinstance(program, Program) or len(plan.outputs) > 1:
        return None
    return None if program.operations > _THREADED_CALL else Quick(program)


# ------------------------------------------------------------------------------------- small parts
def _bind_samples(program, data, order, totals):
    x, y, weight = data
    s = program.settings
    targets = {"labels": y} if y.dtype == np.int64 and _sparse(program) else {"y": y}
    s[fr.WEIGHT_STEPS] = 0
    if weight is not None:
        targets["sample_weight"] = weight
        s[fr.WEIGHT_STEPS] = weight.shape[1] if weight.ndim > 1 else 1
    program.bind(order=order, totals=totals, x=x, **targets)


def _sparse(program):
    return "SPARSE" in program.objective.loss.name


def _set(program, training, back, update):
    s, rows, fused = program.settings, len(program.table), program.objective.fused
    reads_output = not training or len(program.objective.metrics) > 0
    s[[fr.TRAINING, fr.GATHER, fr.COUNT]] = training, program.gather, program.count
    s[fr.REPACK] = update[2] != 0
    s[fr.FORWARD_ROWS] = rows if reads_output else rows - fused
    s[fr.BACKWARD_ROWS] = rows - fused
    s[fr.BACK] = program.back if back else 0
    s[fr.LOSS] = program.loss
    s[[fr.ACCUMULATE, fr.CLIP, fr.UPDATE, fr.AVERAGE]] = update


def _bind_update(program, update, learning_rates, t):
    """Put all that an optimizer's steps need into the frame; return its kernels."""
    scalars = _scalars(update, learning_rates, t, program.frame.parameters.dtype)
    slots = {f"slot_{number}": slot for number, slot in enumerate(update.slots.values())}
    program.bind(scalars=scalars, **slots)
    program.settings[fr.N_SCALARS] = scalars.shape[1]
    kernels = program.update_kernels(update, scalars.shape[1] - fr.FIRST_NUMBER)
    if update.accumulation:
        program.bind(sums=update.accumulation.sums)
    if update.average:
        program.bind(average=update.average.values)
    program.choose_moving(update)
    return kernels


def _scalars(update, learning_rates, t, dtype):
    """Return the numbers of each step (n, …): clipping's, decay's and the step's own."""
    n = len(learning_rates)
    batches = t + 1 + np.arange(n)
    every = update.accumulation.every if update.accumulation else 1
    taken = optimizers.steps_taken(batches, every)
    numbers, _ = optimizers.BY_NAME[update.op.name.lower()]
    own = numbers(dtype, taken + 1, learning_rates, **update.hyperparameters)
    decay = optimizers.decay_numbers(dtype, learning_rates, update.weight_decay)
    average: tuple = (0, 0, 0)
    if update.average:
        average = optimizers.average_numbers(dtype, taken, *update.average[1:])
    first = (update.clip_limit, *decay, batches % every == 0, *average)
    table = np.empty((n, fr.FIRST_NUMBER + len(own)), dtype)
    for column, number in enumerate((*first, *own)):
        table[:, column] = number
    return table


def _draw_masks(program, steps):
    """Draw dropout masks for so many batches, in the order in which NumPy's backend does."""
    masks = np.zeros((max(1, steps), int(program.settings[fr.MASK_SIZE])), program.dtype)
    for step in range(steps):
        start = 0
        for generator, rate, shape in program.masks:
            size = prod(shape)
            keep = generator.random(shape) >= rate if rate > 0 else np.ones(shape, bool)
            scale = 1 / (1 - rate) if rate < 1 else 0
            masks[step, start : start + size] = (keep * masks.dtype.type(scale)).ravel()
            start += size
    return masks


def _call(program, steps):
    """Run `steps` batches as the settings say; return whether somebody asked for an end."""
    s = program.settings
    s[fr.FIRST_STEP], s[fr.STEPS] = 0, steps
    operations = program.operations
    wanted = 1  # plain Python has no barriers, and small calls are over before another thread wakes
    large = operations >= _THREADED_BATCH and operations * steps >= _THREADED_CALL
    if large and not native.jit_disabled():
        wanted = min(threads.get_num_threads(), program.parallel, fr.MAX_THREADS)
    native.announce()
    with threads.lent(wanted) as (n, start):
        s[fr.THREADS] = n
        sync = program.frame.sync
        sync[:] = 0
        if operations > _LONG_BATCH:
            for step in range(steps):
                s[fr.FIRST_STEP], s[fr.STEPS] = step, step + 1
                if _wait_for(program, n, start) or interrupt.pending():
                    return True
            return False
        if n == 1:
            program.call(0)
            return False
        with _together(program, start) as begin:
            begin(range(1, n))
            program.call(0)
    return False


@contextlib.contextmanager
def _together(program, start):
    """Lend a function that starts threads on a call, and wait for them at the end.

    If anything happens meanwhile, such as Ctrl-C between two lines of Python, they are told not to
    wait for each other.
    """
    started = []

    def begin(numbers):
        for k in numbers:
            started.append(start(program.call, k))
        return started

    try:
        yield begin
    except BaseException:
        program.frame.sync[[fr.STOP, fr.ABANDONED]] = 1
        raise
    finally:
        futures.wait(started)
    for thread in started:
        thread.result()


def _wait_for(program, n, start):
    """Run a batch on other threads only, so that this one can hear Ctrl-C and stop them."""
    sync, states = program.frame.sync, program.plan.memory.states.copy()
    with contextlib.ExitStack() as stack:
        if start is None:
            start = stack.enter_context(ThreadPoolExecutor(1)).submit
        try:
            with _together(program, start) as begin:
                started = begin(range(n))
                while futures.wait(started, timeout=0.05).not_done:
                    sync[fr.STOP] = interrupt.pending()
        finally:
            if sync[fr.STOP]:  # nothing of this batch may be left
                program.plan.memory.states[...] = states
    return bool(sync[fr.STOP])

"""What an optimizer's steps need, put into a program's frame."""

import numpy as np

from ..kernels import frame as fr
from ..reference import optimizers

_AHEAD = 64  # batches for which an update's numbers are made at once, where they come one by one


def bind_update(program, update, learning_rates, t):
    """Put all that an optimizer's steps need into the frame; return its kernels."""
    scalars = _scalars_ahead(program, update, learning_rates, t)
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


def _scalars_ahead(program, update, learning_rates, t):
    """Return the same as `_scalars`: for single batches out of a table for many that follow."""
    dtype = program.frame.parameters.dtype
    if len(learning_rates) != 1:
        return _scalars(update, learning_rates, t, dtype)
    values = update.hyperparameters.values()
    key = (
        *(learning_rates[0], update.op, *values, *map(type, values)),  # types say how to round
        *(update.clip_limit, update.weight_decay, update.accumulation and update.accumulation[1:]),
        update.average and update.average[1:],
    )
    before, first, table = program.ahead
    if key != before:
        table = _scalars(update, learning_rates, t, dtype)
    elif not 0 <= t - first < len(table):
        table = _scalars(update, np.repeat(learning_rates, _AHEAD), t, dtype)
    else:
        return table[t - first :][:1]
    program.ahead = key, t, table
    return table[:1]


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

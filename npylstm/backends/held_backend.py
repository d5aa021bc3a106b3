"""The NumPy backend, in the place of whatever is chosen, while a breakpoint is set.

It knows programs of the other backend, too: those that threads had at hand when the breakpoint was
set.  They run on where they were prepared.
"""

import functools

from . import numpy_backend

prepare, quick = numpy_backend.prepare, numpy_backend.quick


def _where_it_belongs(function):
    """Return a function of this backend for programs of both."""

    @functools.wraps(function)
    def run(program, *args, **kwargs):
        if isinstance(program, numpy_backend.Program):
            return function(program, *args, **kwargs)
        from . import numba_backend  # which made it

        return getattr(numba_backend, function.__name__)(program, *args, **kwargs)

    return run


forward = _where_it_belongs(numpy_backend.forward)
backward = _where_it_belongs(numpy_backend.backward)
loss_and_gradients = _where_it_belongs(numpy_backend.loss_and_gradients)
train = _where_it_belongs(numpy_backend.train)
apply_update = _where_it_belongs(numpy_backend.apply_update)
evaluate = _where_it_belongs(numpy_backend.evaluate)
predict = _where_it_belongs(numpy_backend.predict)
lstm_dropout = _where_it_belongs(numpy_backend.lstm_dropout)
lstm_gradients = _where_it_belongs(numpy_backend.lstm_gradients)

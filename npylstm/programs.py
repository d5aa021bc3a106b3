"""Prepared programs, kept for the next call with the same shapes.

A program owns an arena, so only one thread may run it at a time: `use` hands it out and takes it
back, and a second thread that comes meanwhile gets a program of its own.
"""

import contextlib
import threading
import weakref
from collections import OrderedDict

from . import backends

_KEPT = 16  # shapes; enough for batches, their remainders and a few lengths


_locks: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # of memories
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def unchanged(program):
    """Put back carried states, random generators, and the gradients of a batch that is under way.

    A batch is under way when somebody looks around from a breakpoint.  All programs of a memory
    write to the same gradients, so that other threads that want to look wait here.
    """
    plan, memory = program.plan, program.plan.memory
    with _one_at_a_time:
        lock = _locks.setdefault(memory, threading.RLock())
    with lock:
        states, gradients = memory.states.copy(), memory.gradients.copy()
        generators = [generator.bit_generator for generator in plan.generators]
        drawn = [generator.state for generator in generators]
        try:
            yield
        finally:
            memory.states[...], memory.gradients[...] = states, gradients
            for generator, state in zip(generators, drawn, strict=True):
                generator.state = state


class Programs:
    """The programs of one model or layer, by what they were prepared for.

    Parameters
    ----------
    make_plan : callable
        ``make_plan(shape, **options) -> Plan``.
    keep : bool
        Whether `backward` will be called without an objective.
    """

    def __init__(self, make_plan, keep=False):
        self._make_plan, self._keep = make_plan, keep
        self._idle = OrderedDict()

    @contextlib.contextmanager
    def use(self, shape, objective=None, **options):
        """Lend the program for an input shape (B, …), made if there is none."""
        backend = backends.current()  # once: another thread may choose another one meanwhile
        key = (backend, shape, objective, *options.values())
        idle = self._idle.setdefault(key, [])
        self._idle.move_to_end(key)
        program = idle.pop() if idle else self._prepare(backend, shape, objective, options)
        try:
            yield program
        finally:
            idle.append(program)
            while len(self._idle) > _KEPT:
                self._idle.popitem(last=False)

    def __getstate__(self):
        # A copy prepares its own: a copied arena would no longer be the one its views look at.
        return self.__dict__ | {"_idle": OrderedDict()}

    def _prepare(self, backend, shape, objective, options):
        plan = self._make_plan(shape, **options)
        return backend.prepare(plan, objective, self._keep)

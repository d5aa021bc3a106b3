"""The section on states: what is kept from step to step and from batch to batch."""

import numpy as np

from .writer import number, shown

_LINKS = 4  # of a chain of samples, before the dots


def write(w, flow):
    """Write a Flow's section on states with a Writer."""
    stops, within = flow.recurrent(), flow.within_timesteps()
    carrying = [stop for stop in stops if stop.layer.stateful]
    forgetting = [stop for stop in stops if not stop.layer.stateful]
    if not stops:
        w.say("stateless")
    if forgetting:
        names, steps = _names(forgetting), {stop.shape[1] for stop in forgetting}
        if len(steps) == 1:
            w.say("forgets", names=names, T=steps.pop())
        else:
            w.say("forgets_each", names=names)
        if within:
            w.say("within_timesteps", names=_names(within))
        if not carrying and len(within) < len(stops):
            _what_if(w, flow)
    if carrying:
        _carried(w, flow, carrying)


def _names(stops):
    return ", ".join(shown(stop.name) for stop in stops)


def _what_if(w, flow):
    """Write what stateful=True would change."""
    N, b = flow.shape[0], flow.batch_size
    if flow.n_batches == 1:
        w.say("would_carry_nothing", N=N)
    else:
        # The last batch may be smaller, but has at least sample b.
        pairs = [
            w.text("pair", later=later, earlier=later - b) for later in range(b, min(b + 2, N))
        ]
        dots = ", …" if N > b + 2 else ""
        w.say("would_carry", b=b, pairs=", ".join(pairs) + dots)
    w.say("would_need_fixed", shape=(b, *flow.shape[1:]), N=N)
    if N % b:
        divisors = [k for k in range(1, N + 1) if N % k == 0]
        listed = [*divisors[:4], "…", divisors[-1]] if len(divisors) > 6 else divisors
        w.say("does_not_divide", b=b, divisors=", ".join(map(shown, listed)))
    else:
        w.say("divides", N=N, b=b, n=N // b)
    w.say("would_need_order")


def _carried(w, flow, stops):
    names, b, n = _names(stops), flow.fixed_batch_size, flow.n_batches
    if n > 1:
        chain = [k * b for k in range(min(n, _LINKS))]
        links = [*chain, "…"] if n > _LINKS + 1 else [k * b for k in range(n)]
        chain = " -> ".join(map(shown, links))
        w.say("carries", names=names, chain=chain, b=b, n=n, steps=n * stops[0].shape[1])
    elif n:
        w.say("carries_alone", names=names)
    w.say("carries_values")
    for stop in stops:
        _now(w, stop)
    w.say("carries_on")


def _now(w, stop):
    """Write how large the states are that a layer carries now."""
    states = _flat(stop.layer.states)
    for h, c in zip(states[::2], states[1::2], strict=True):
        if not h.any() and not c.any():
            w.say("carried_zero", name=stop.name, shape=h.shape)
            continue
        sizes = (number(np.linalg.norm(state.astype(np.float64))) for state in (h, c))
        w.say("carried_now", name=stop.name, shape=h.shape, **dict(zip("hc", sizes, strict=True)))


def _flat(states):
    """Return h and c of each cell in one list, from ``[h, c]`` or a list of such."""
    return [state for one in states for state in (one if isinstance(one, list) else [one])]

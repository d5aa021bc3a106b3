"""What the registers hold: how many rows a tile takes, and how many vectors side by side."""

from .format import host_registers


def heights_of(form, pieces):
    """Return how many rows tiles of so many pieces take: what the registers hold, at least 6."""
    fit = max(6, (host_registers(form.features) - 4) // pieces)
    return tuple(n for n in (14, 6, 4, 2, 1) if n <= fit)


def groups(form, rows, pieces):
    """Return the pieces in groups, as even as can be, whose sums fit the registers."""
    fit = (host_registers(form.features) - 4) // rows
    many = -(-pieces // -(-pieces // fit))
    return [range(first, min(first + many, pieces)) for first in range(0, pieces, many)]


def gates_together(form):
    """Return how many of the four gates lie side by side: as many as a tile sums up at a time.

    So it reads one cache line after the other; if it read every second, half of the places in the
    L1 cache would not be used.
    """
    return len(groups(form, 6, 4)[0])

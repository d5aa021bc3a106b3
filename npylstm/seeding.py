"""Where every random number of the package comes from.

Initializers, dropout and shuffling ask `generator()` for theirs.  One call of `set_random_seed`
therefore makes a whole run repeatable, and an explicit `seed=` makes one consumer repeatable on its
own, whatever the others draw.
"""

import random

import numpy as np

_global = np.random.default_rng()


def set_random_seed(seed):
    """Make everything drawn from now on repeatable.

    Seeds Python's `random`, NumPy's legacy `numpy.random` and this package's own generator, as
    `keras.utils.set_random_seed` does for its own.

    Parameters
    ----------
    seed : int
        In [0, 2**32 - 1], the range that NumPy's legacy generator takes.

    Raises
    ------
    TypeError
        If `seed` is not an integer.
    ValueError
        If `seed` is out of range.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be an integer, got {seed!r}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be in [0, 2**32 - 1], got {seed}")
    random.seed(int(seed))
    np.random.seed(int(seed))
    # In place, because layers that draw at run time hold on to the generator.
    _global.bit_generator.state = np.random.default_rng(int(seed)).bit_generator.state


def generator(seed=None):
    """Return a random generator: a fresh one for a given seed, else the package's own.

    Parameters
    ----------
    seed : int or None
        With an integer, equal seeds give equal draws.  With None, the shared generator is
        returned, which `set_random_seed` restarts.

    Returns
    -------
    numpy.random.Generator
    """
    return _global if seed is None else np.random.default_rng(seed)

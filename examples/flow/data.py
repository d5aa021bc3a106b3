"""The tensors of the examples, all shaped (samples, timesteps, features)."""

import numpy as np

# Ten seconds of two sensors: one rises, one falls.
RISING = np.arange(1, 11) / 10  # 0.1, 0.2, ... 1.0
FALLING = RISING[::-1]


def counting_windows():
    """Slide a window of five over 1, 2, ... 100.

    Returns
    -------
    windows : ndarray of int, shape (95, 5)
        From 1 2 3 4 5 to 95 96 97 98 99.
    following : ndarray of int, shape (95,)
        The number after each window, from 6 to 100.
    """
    numbers = np.arange(1, 101)
    windows = np.array([numbers[start : start + 5] for start in range(95)])
    return windows, numbers[5:]


def walks(count, rng, noise=0.5):
    """Make signals of two people, as two noisy sensors record them over ten timesteps.

    Both people swing with the same period of eight timesteps, starting anywhere.  The second
    sensor lags behind the first by 30 degrees for person 1, by 90 degrees for person 2: only that
    tells them apart.

    Parameters
    ----------
    count : int
    rng : numpy.random.Generator
    noise : float
        Standard deviation of what is added to every number; the signals reach from -1 to 1.

    Returns
    -------
    x : ndarray, shape (count, 10, 2)
    person : ndarray of int, shape (count,)
        0 for person 1, 1 for person 2.
    """
    person = rng.integers(2, size=count)
    start = rng.uniform(0, 2 * np.pi, size=(count, 1))
    angle = start + 2 * np.pi * np.arange(10) / 8  # (count, 10)
    lag = np.radians(np.where(person == 0, 30, 90))[:, None]  # (count, 1)
    x = np.stack([np.sin(angle), np.sin(angle - lag)], axis=-1)
    return x + rng.normal(0, noise, size=x.shape), person

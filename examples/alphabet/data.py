"""The alphabet as numbers: A is 0, Z is 25."""

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def windows(length):
    """Cut the alphabet into all runs of `length` letters, each with the letter after it.

    Parameters
    ----------
    length : int
        From 1 to 25.

    Returns
    -------
    patterns : list of list of int
        26 - `length` runs, such as [0, 1, 2] for ABC.
    targets : list of int
        The letter after each, such as 3 for D.
    """
    starts = range(len(ALPHABET) - length)
    return [list(range(s, s + length)) for s in starts], [s + length for s in starts]


def pieces(count, longest, rng):
    """Cut random pieces out of the alphabet, each with the letter after it.

    Parameters
    ----------
    count : int
    longest : int
        A piece has 1 to `longest` letters; near the end of the alphabet fewer.
    rng : numpy.random.Generator

    Returns
    -------
    patterns : list of list of int
    targets : list of int
    """
    patterns, targets = [], []
    for _ in range(count):
        first = int(rng.integers(len(ALPHABET) - 2))
        last = int(rng.integers(first, min(first + longest, len(ALPHABET) - 1)))
        patterns.append(list(range(first, last + 1)))
        targets.append(last + 1)
    return patterns, targets


def letters(numbers):
    """Write numbers as letters: [0, 1, 2] is ``"ABC"``."""
    return "".join(ALPHABET[number] for number in numbers)

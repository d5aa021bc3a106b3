"""How long a cell state lasts."""

from typing import NamedTuple

import numpy as np

from .choose import counted, need_finite, one_lstm, plural


class MemoryHalfLife(NamedTuple):
    """After how many steps half of a cell state is forgotten.

    Attributes
    ----------
    half_life : ndarray (U,)
        In steps, of each unit over all samples; inf where nothing is forgotten.
    per_sample : ndarray (B, U)
        The same within each sample; NaN for one all of whose steps are masked.
    steps : int
        The steps of the longest sample.
    words : str
    """

    half_life: np.ndarray
    per_sample: np.ndarray
    steps: int
    words: str

    def __str__(self):
        return self.words


def memory_half_life(trace):
    """Return after how many steps half of what is in each unit's cell state is forgotten.

    A step keeps the part f of c, so n steps keep the product of their f, and that is a half after
    ln 0.5 / mean(ln f) steps.  It is the forgetting alone: what i * g adds is new.  The mean goes
    over steps, those of all samples alike, and not over half-lives, of which one may be inf.
    Masked steps, which forget nothing, are left out.

    Parameters
    ----------
    trace : LSTMTrace, or Trace with one LSTM

    Returns
    -------
    MemoryHalfLife

    Raises
    ------
    TypeError, ValueError
        If it is not the trace of an LSTM, all steps are masked, or f is not finite.

    Notes
    -----
    Of a forget gate below 0, which activations other than a sigmoid may give, the size counts;
    where it is 1 and more on the whole, the half-life is inf.
    """
    trace = one_lstm(trace)
    need_finite(trace, "f")
    counts = counted(trace)
    with np.errstate(divide="ignore"):  # f = 0 forgets all at once: ln f is -inf
        log_f = np.log(np.abs(trace.f.astype("float64")))
    half_life = _half_life(log_f[counts].mean(axis=0))
    per_sample = np.full((len(log_f), log_f.shape[-1]), np.nan)
    for sample, steps in enumerate(counts):
        if steps.any():
            per_sample[sample] = _half_life(log_f[sample, steps].mean(axis=0))
    steps = int(counts.sum(axis=1).max())
    return MemoryHalfLife(half_life, per_sample, steps, _words(trace.path, half_life, steps))


def _half_life(mean_log_f):
    with np.errstate(divide="ignore"):
        return np.where(mean_log_f < 0, np.log(0.5) / np.minimum(mean_log_f, 0), np.inf)


def _words(path, half_life, steps):
    if len(half_life) == 1:
        return f"{path}: half of c is forgotten {_after(half_life[0])}"
    middle = np.sort(half_life)[(len(half_life) - 1) // 2]  # a unit's own: no mean with an inf
    least, most = int(half_life.argmin()), int(half_life.argmax())
    lasting = int((half_life >= steps).sum())
    return (
        f"{path}: half of c is forgotten {_after(middle)} in the median unit, "
        f"{_after(half_life[least])} in unit {least}, {_after(half_life[most])} in unit {most}; "
        f"{lasting or 'none'} of {plural(len(half_life), 'unit')} "
        f"{'outlast' if lasting > 1 else 'outlasts'} the {plural(steps, 'step')} of a sequence"
    )


def _after(half_life):
    if np.isinf(half_life):
        return "never"
    if half_life < 0.1:
        return "within 0.1 steps"
    return f"after {half_life:.3g} step{'' if f'{half_life:.3g}' == '1' else 's'}"

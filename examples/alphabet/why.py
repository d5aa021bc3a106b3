"""Why an experiment succeeds or fails: what its trained network holds in memory, in numbers.

The last layer reads h alone.  It can tell two letters apart if their h differ enough, and h can
differ by more than the letter at hand only if the cell state has kept something of those before.
"""

from typing import NamedTuple

import numpy as np

from .data import ALPHABET


class Findings(NamedTuple):
    """What was found in a trace; N answers, A ages, U units.

    Attributes
    ----------
    h : ndarray (N, U)
        The states that the answers are read from.
    targets : ndarray (N,) of int
        The right letters.
    probabilities : ndarray (N, 26)
    written : ndarray (N, A)
        Which part of the cell state was written how many timesteps ago: 0 is the last one.
    kept : ndarray (A, U)
        Which part of what was written that long ago the forget gates have let through, on average.
    forget_gate : float
        Its average.
    """

    h: np.ndarray
    targets: np.ndarray
    probabilities: np.ndarray
    written: np.ndarray
    kept: np.ndarray
    forget_gate: float

    @property
    def carried(self):
        """Which part of the cell state is older than the letter at hand, on average."""
        return float(self.written[:, 1:].sum(axis=1).mean())

    @property
    def age(self):
        """How far back to look: to the first timestep, but not beyond the fourth."""
        return min(len(self.kept) - 1, 4)

    @property
    def directions(self):
        """The principal directions of h (U, U), and the share of the variance along each."""
        _, sizes, directions = np.linalg.svd(self.h - self.h.mean(axis=0), full_matrices=False)
        return directions, sizes**2 / (sizes**2).sum()

    @property
    def dimensions(self):
        """How many directions make up 99 % of the variance of h."""
        return int((np.cumsum(self.directions[1]) < 0.99).sum()) + 1

    @property
    def centers(self):
        """The mean h of each right letter, in the order of the alphabet."""
        letters = np.unique(self.targets)
        return letters, np.array(
            [self.h[self.targets == letter].mean(axis=0) for letter in letters]
        )

    @property
    def neighbours(self):
        """How far apart the states of neighbouring letters are: the median."""
        _, centers = self.centers
        return float(np.median(np.linalg.norm(np.diff(centers, axis=0), axis=1)))

    @property
    def right(self):
        """The probability of the right letter at each answer (N,)."""
        return self.probabilities[np.arange(len(self.targets)), self.targets]

    @property
    def runner_up(self):
        """The highest probability of a wrong letter at each answer (N,)."""
        others = self.probabilities.copy()
        others[np.arange(len(self.targets)), self.targets] = -1
        return others.max(axis=1)

    @property
    def wrong(self):
        """The answers that are wrong, as indices."""
        return np.flatnonzero(self.right <= self.runner_up)

    def sentences(self, text):
        """Return two sentences: what is remembered, and whether the letters can be told apart.

        `text` is that of a `Console`.
        """
        lead = self.right - self.runner_up
        if self.carried == 0:
            memory = text("why_no_memory", f=self.forget_gate)
        else:
            kept = 100 * self.kept[self.age].mean()
            memory = text("why_memory", carried=100 * self.carried, age=self.age, kept=kept)
        apart = {"units": self.h.shape[1], "dimensions": self.dimensions}
        apart |= {"first": 100 * self.directions[1][0]}
        apart |= {"neighbours": self.neighbours, "count": len(self.targets)}
        if len(self.wrong):
            answers = self.probabilities.argmax(axis=1)
            examples = ", ".join(
                text("why_instead", answer=ALPHABET[answers[n]], right=ALPHABET[self.targets[n]])
                for n in self.wrong[:3]
            )
            return memory, text("why_wrong", wrong=len(self.wrong), examples=examples, **apart)
        leads = {"lead": np.median(lead), "least": lead.min()}
        return memory, text("why_right", **leads, **apart)


def find(trace, y):
    """Return the Findings of a trace with its targets.

    They are of the last step of each sample, or of every step if the network answers at each.
    """
    (lstm,), outputs = trace.lstms.values(), trace.outputs[0]
    every_step = outputs.ndim == 3
    B, T, U = lstm.h.shape
    steps = range(T) if every_step else [T - 1]
    ages = np.zeros((B, len(steps), T))
    kept = np.zeros((T, U))
    for place, last in enumerate(steps):
        passed = np.ones((B, U))  # what the forget gates after a step have let through of it
        size = np.zeros((B, T, U))
        for age in range(last + 1):
            t = last - age
            size[:, age] = np.abs(passed * lstm.i[:, t] * lstm.g[:, t])
            kept[age] += passed.mean(axis=0) / (T - age if every_step else 1)
            passed = passed * lstm.f[:, t]
        ages[:, place] = (size / size.sum(axis=1, keepdims=True)).mean(axis=2)
    h = lstm.h if every_step else lstm.h[:, -1:]
    return Findings(
        h.reshape(-1, U),
        y.reshape(-1, y.shape[-1]).argmax(axis=1),
        outputs.reshape(-1, outputs.shape[-1]),
        ages.reshape(-1, T),
        kept,
        float(lstm.f.mean()),
    )

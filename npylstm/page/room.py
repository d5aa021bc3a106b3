"""How much of a trace has room in a page: samples first, then units, features and steps."""

from dataclasses import dataclass

BUDGET = 1_750_000  # characters of base64, which leaves a page under 2 MB
_LEAST = 8  # of units and features, before steps are left out
_PER_STEP = {False: 11, True: 21}  # arrays (T, U) of a sample: values, and gradients


@dataclass
class Sizes:
    """How many steps, features and units an LSTM has, and how many of them are in the page."""

    all_steps: int
    all_features: int
    all_units: int
    itemsize: int
    gradients: bool

    def __post_init__(self):
        """Start with all of them."""
        self.steps, self.features, self.units = self.all_steps, self.all_features, self.all_units

    @classmethod
    def of(cls, lstm, gradients):
        """Return those of an LSTMTrace."""
        return cls(lstm.x.shape[1], lstm.x.shape[2], lstm.h.shape[2], lstm.h.itemsize, gradients)

    def of_weights(self):
        """Return how many characters the weights take."""
        return self._characters(4 * self.units * (self.features + self.units + 1))

    def of_sample(self):
        """Return how many characters a sample takes."""
        by_step = _PER_STEP[self.gradients] * self.units + (1 + self.gradients) * self.features
        rest = 4 * self.units + 4 * (self.units + self.features)  # states before, dropout
        return self._characters(self.steps * by_step + rest) + 2 * self.steps

    def cut(self):
        """Leave something out, of what takes most room; return whether there was anything left."""
        by_unit = self.units * (_PER_STEP[self.gradients] * self.steps + 4 * self.units)
        by_feature = self.features * (2 * self.steps + 4 * self.units)
        if max(self.units, self.features) > _LEAST:
            units = self.units > _LEAST and (by_unit >= by_feature or self.features <= _LEAST)
            axis = "units" if units else "features"
            least = _LEAST
        else:
            axis = max(("steps", "features", "units"), key=lambda name: getattr(self, name))
            least = 1
        before = getattr(self, axis)
        setattr(self, axis, max(least, before * 9 // 10))
        return getattr(self, axis) < before

    def _characters(self, numbers):
        return numbers * self.itemsize * 4 // 3 + 64


def share_out(sizes, samples):
    """Cut LSTMs down until one sample has room; return how many samples have, at least 1."""
    while sizes and _taken(sizes, 1) > BUDGET:
        largest = max(sizes, key=lambda size: _taken([size], 1))
        if not largest.cut():
            break
    each = _taken(sizes, 1) - _taken(sizes, 0)
    left = BUDGET - _taken(sizes, 0)
    return max(1, min(samples, left // each)) if each else samples


def _taken(sizes, samples):
    return sum(size.of_weights() + samples * size.of_sample() for size in sizes)

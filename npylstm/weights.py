"""Getting and setting weights: the same for a layer and for a model."""

from .data import float_array


class WeightHolder:
    """What a layer and a model have in common.  Each has `name`, `dtype`, `named_weights`."""

    name: str
    dtype: str

    def named_weights(self):
        """Return all weights by name, as views, in Keras's order."""
        raise NotImplementedError(f"{type(self).__name__} does not name its weights")

    @property
    def weights(self):
        """All weights, as views, in Keras's order."""
        return list(self.named_weights().values())

    def count_params(self):
        """Return how many numbers the weights hold."""
        return sum(weight.size for weight in self.weights)

    def get_weights(self):
        """Return copies of all weights, in Keras's order."""
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        """Set all weights, from a list as `get_weights` gives it, here or in Keras.

        Raises
        ------
        TypeError, ValueError
            If number, shapes or kind differ; nothing is changed then.
        """
        current = self.named_weights()
        if not isinstance(weights, list | tuple):
            raise TypeError(
                f"weights must be a list of arrays, as get_weights gives it, got {weights!r}"
            )
        if len(weights) != len(current):
            expected = ", ".join(f"{name} {weight.shape}" for name, weight in current.items())
            raise ValueError(
                f"{self.name!r} has {len(current)} weights ({expected}), got a list of "
                f"{len(weights)}"
            )
        arrays = [
            float_array(array, name, self.dtype, finite=False).copy()  # it may be one of ours
            for name, array in zip(current, weights, strict=True)
        ]
        for (name, weight), array in zip(current.items(), arrays, strict=True):
            if array.shape != weight.shape:
                raise ValueError(
                    f"weight {name!r} of {self.name!r} has the shape {weight.shape}, got "
                    f"{array.shape}"
                )
        for weight, array in zip(current.values(), arrays, strict=True):
            weight[...] = array

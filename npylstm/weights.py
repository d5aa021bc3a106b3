"""Getting and setting weights: the same for a layer and for a model."""

from .data import float_array


class WeightHolder:
    """What a layer and a model have in common.  Each defines `name` and `named_weights`."""

    name: str

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
        ValueError
            If number or shapes differ; nothing is changed then.
        """
        current = self.named_weights()
        if len(weights) != len(current):
            expected = ", ".join(f"{name} {weight.shape}" for name, weight in current.items())
            raise ValueError(
                f"{self.name!r} has {len(current)} weights ({expected}), got a list of "
                f"{len(weights)}"
            )
        arrays = [
            float_array(array, name, None, finite=False)
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

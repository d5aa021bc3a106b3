"""The interface of all peers."""

import itertools


class Model:
    """One model in one library, made from weights in Keras's layout.

    A subclass has those of the methods below that its entry in `peers.PEERS` names as actions and,
    if it trains, `reset` and `weights`.

    Parameters
    ----------
    workload : Workload
    weights : list of ndarray
        In the order and layout of Keras's get_weights.
    threads : int
        How many the library may use.
    """

    def __init__(self, workload, weights, threads):
        self.workload = workload
        self.threads = threads
        self.x, self.y = workload.data()

    def batches(self):
        """Return the epoch as a list of (x, y), each batch contiguous."""
        B = self.workload.B
        starts = range(0, len(self.x), B)
        return [(self.x[k : k + B].copy(), self.y[k : k + B].copy()) for k in starts]

    def cycled(self, batches):
        """Return batches without end: with ever the same one a small model would be done soon."""
        return itertools.cycle(batches)

    def train_step(self):
        """Train on the next batch; return its loss as a float, or what `float` takes."""
        raise NotImplementedError

    def fit(self, n_batches=None, epochs=1):
        """Train on the first n batches, or on all, in their order, so many times."""
        raise NotImplementedError

    def repeat(self, action, times):
        """Do something again and again; `fit`, which goes through epochs by itself, in one call."""
        if action == "fit":
            self.fit(epochs=times)
            return
        function = getattr(self, action)
        for _ in range(times):
            function()

    def infer(self):
        """Return the outputs (B, K) for the first batch: probabilities, or numbers."""
        raise NotImplementedError

    def reset(self, weights):
        """Start anew from these weights, with nothing that Adam remembers."""
        raise NotImplementedError

    def as_keras(self):
        """Make all further steps Keras's to the last digit, should the library's Adam differ."""

    def weights(self):
        """Return the weights as they are now, in Keras's layout."""
        raise NotImplementedError


def split(workload, weights):
    """Return ([layer][direction] -> (kernel, recurrent_kernel, bias)), dense kernel, dense bias."""
    *recurrent, dense_kernel, dense_bias = weights
    triples = [tuple(recurrent[k : k + 3]) for k in range(0, len(recurrent), 3)]
    n = workload.directions
    layers = [triples[k : k + n] for k in range(0, len(triples), n)]
    return layers, dense_kernel, dense_bias

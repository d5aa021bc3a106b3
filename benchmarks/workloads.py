"""What is computed: shapes, data, weights in Keras's layout, and how many operations that is.

B samples a batch, T timesteps, D features, U units, K outputs.  With K = 1 the model is a
regression (mean squared error), else a classification (softmax, categorical cross-entropy).
"""

from dataclasses import dataclass, replace

import numpy as np

LEARNING_RATE = 1e-3
BETA_1, BETA_2 = 0.9, 0.999
# Adam's first step is learning_rate * g / (|g| + epsilon / sqrt(1 - BETA_2)).  With Keras's 1e-7 it
# would tell little more than the sign of the gradient, and where that is almost zero rounding would
# decide even on the sign; with 1e-5 the step says how large the gradient is.  No library computes
# faster or slower for it.
EPSILON = 1e-5


@dataclass(frozen=True)
class Workload:
    """A model and its data: LSTM layers, one Dense layer, Adam."""

    name: str
    B: int
    T: int
    D: int
    U: int
    K: int
    batches: int = 10  # in one epoch of `fit`
    dtype: str = "float32"
    layers: int = 1
    bidirectional: bool = False

    @property
    def directions(self):
        return 2 if self.bidirectional else 1

    @property
    def classifies(self):
        return self.K > 1

    @property
    def is_plain(self):
        """Whether it is one layer in one direction in float32: what every peer can do."""
        return self.layers == 1 and not self.bidirectional and self.dtype == "float32"

    def weight_shapes(self):
        """Return the shapes of all weights, in the order of Keras's get_weights."""
        shapes, features = [], self.D
        for _ in range(self.layers):
            one = [(features, 4 * self.U), (self.U, 4 * self.U), (4 * self.U,)]
            shapes += one * self.directions
            features = self.U * self.directions
        return [*shapes, (features, self.K), (self.K,)]

    def weights(self):
        """Return random weights, no two of them alike and no bias zero, scaled to keep z near 1."""
        rng = np.random.default_rng(1)
        scales = [min(0.5, shape[0] ** -0.5) for shape in self.weight_shapes()]
        return [
            (scale * rng.standard_normal(shape)).astype(self.dtype)
            for scale, shape in zip(scales, self.weight_shapes(), strict=True)
        ]

    def data(self, batches=None):
        """Return x (N, T, D) and y (N, K) of an epoch; the targets are one-hot, or numbers."""
        rng = np.random.default_rng(2)
        n = self.B * (self.batches if batches is None else batches)
        x = rng.standard_normal((n, self.T, self.D)).astype(self.dtype)
        if not self.classifies:
            return x, rng.standard_normal((n, self.K)).astype(self.dtype)
        return x, np.eye(self.K, dtype=self.dtype)[rng.integers(self.K, size=n)]

    # ---------------------------------------------------------------------------- operations
    # A multiplication and an addition are two.  Only the LSTM's matrix products are counted, as
    # everywhere in the field: what else is to be done costs time and earns nothing.
    def inference_flops(self):
        """Return 2·B·T·(D+U)·4U, summed over layers and directions."""
        flops, features = 0, self.D
        for _ in range(self.layers):
            flops += self.directions * 2 * self.B * self.T * (features + self.U) * 4 * self.U
            features = self.U * self.directions
        return flops

    def training_flops(self):
        """Return 3·2·B·T·(D+U)·4U less the 2·B·T·D·4U of the first layer's dx: no one needs it."""
        unneeded = self.directions * 2 * self.B * self.T * self.D * 4 * self.U
        return 3 * self.inference_flops() - unneeded

    def flops(self, action):
        training = action in ("fit", "train_step")
        return self.training_flops() if training else self.inference_flops()


_LARGE = Workload("large", 64, 100, 128, 256, 10, batches=4)
_MID = Workload("mid", 32, 100, 32, 128, 10, batches=10)

# What every peer is asked, the smallest first.
MAIN = {
    workload.name: workload
    for workload in (
        Workload("seed1", 1, 1, 1, 32, 26, batches=200),
        Workload("seed6", 1, 5, 1, 32, 26, batches=200),
        Workload("flow", 32, 50, 2, 32, 1, batches=20),
        _MID,
        _LARGE,
        Workload("xl", 64, 50, 256, 512, 10, batches=4),
    )
}

# What only some peers can do, and which of them are asked.
SPECIAL = {
    "mid64": (replace(_MID, name="mid64", dtype="float64"), ("keras", "keras-jit")),
    "stacked": (replace(_LARGE, name="stacked", layers=2), ("torch",)),
    "bidirectional": (replace(_LARGE, name="bidirectional", bidirectional=True), ("torch",)),
}

ALL = MAIN | {name: workload for name, (workload, _) in SPECIAL.items()}

# Shapes like those above in next to no time, to see that everything runs and agrees.
TINY = {
    "tiny1": Workload("tiny1", 1, 1, 1, 8, 5, batches=3),
    "tiny": Workload("tiny", 4, 6, 3, 8, 1, batches=2),
}
TINY_SPECIAL = {
    "stacked": Workload("tiny_stacked", 4, 6, 3, 8, 5, batches=2, layers=2),
    "bidirectional": Workload("tiny_bidirectional", 4, 6, 3, 8, 5, batches=2, bidirectional=True),
}


def scaling(tiny=False):
    """Return {axis: workloads along it}, all else fixed and small."""
    sizes = {
        "T": [100, 300, 1000, 3000, 10_000],
        "B": [1, 4, 16, 64, 256, 1024],
        "U": [16, 32, 64, 128, 256, 512, 1024],
    }
    if tiny:
        sizes = {"T": [2, 7], "B": [1, 5], "U": [3, 16]}
    fixed = {"T": dict(B=8, U=32), "B": dict(T=20, U=32), "U": dict(B=16, T=20)}
    return {
        axis: [
            Workload(f"{axis}={size}", D=4, K=1, batches=1, **fixed[axis], **{axis: size})
            for size in axis_sizes
        ]
        for axis, axis_sizes in sizes.items()
    }

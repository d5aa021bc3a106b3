"""Data to compare on, where the user gives none: it fits the model and its loss."""

import numpy as np


def draw_inputs(shape, dtype, seed=0, samples=5, timesteps=7, first_layer=None):
    """Return normal random numbers for a batch shape such as (None, None, 3).

    For an Embedding layer that comes first, integers that it knows.
    """
    rng = np.random.default_rng(seed)
    sizes = [samples if shape[0] is None else shape[0]]
    sizes += [timesteps if size is None else size for size in shape[1:]]
    if first_layer is not None and hasattr(first_layer, "input_dim"):
        return rng.integers(first_layer.input_dim, size=sizes)
    return rng.normal(size=sizes).astype(dtype)


def draw_targets(loss, shape, dtype, seed=0):
    """Return random targets for outputs of that shape (B, …, K)."""
    rng = np.random.default_rng(seed + 1)
    K = shape[-1]
    name = type(loss).__name__
    if loss.sparse:
        return rng.integers(K, size=shape[:-1])
    if name.startswith("Categorical"):
        return np.eye(K, dtype=dtype)[rng.integers(K, size=shape[:-1])]
    if name.startswith("Binary"):
        return rng.integers(2, size=shape).astype(dtype)
    if name == "KLDivergence":
        return rng.dirichlet(np.ones(K), size=shape[:-1]).astype(dtype)
    if name == "Poisson":
        return rng.poisson(2.0, size=shape).astype(dtype)
    if name in ("MeanSquaredLogarithmicError", "MeanAbsolutePercentageError"):
        return rng.uniform(0.5, 2.0, size=shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)

"""Initializers beside Keras's: same ranges, same spread, same structure, same configurations.

The random streams differ, so values are compared through what does not depend on the stream.
"""

import math

import keras
import numpy as np
import pytest

from npylstm import initializers

SHAPE = (200, 300)
DRAWS = math.prod(SHAPE)

SCALED = [
    ("GlorotUniform", {}),
    ("GlorotNormal", {}),
    ("HeUniform", {}),
    ("HeNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"scale": 2.5, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"scale": 0.3, "mode": "fan_avg", "distribution": "untruncated_normal"}),
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.5}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": -1.0, "maxval": 0.25}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": -2.0, "stddev": 0.5}),
]
ALL = [
    *SCALED,
    ("GlorotUniform", {"input_axes": [0], "output_axes": [1]}),
    ("Zeros", {}),
    ("Ones", {}),
    ("Constant", {"value": 0.5}),
    ("Orthogonal", {"gain": 1.5}),
]


def both(name, arguments, **more):
    ours = getattr(initializers, name)(**arguments, **more)
    theirs = getattr(keras.initializers, name)(**arguments, **more)
    return ours, theirs


@pytest.mark.parametrize("shape", [SHAPE, (300, 200), (10, 20, 300)])
@pytest.mark.parametrize(("name", "arguments"), SCALED)
def test_mean_and_spread(name, arguments, shape):
    ours, theirs = (np.asarray(init(shape)) for init in both(name, arguments, seed=11))
    assert ours.dtype == theirs.dtype == np.float32
    # Both samples scatter: sigma / sqrt(n) in the mean, at most sigma / sqrt(2 n) in the spread,
    # each sqrt(2) times that in the difference of the two; 5 standard errors are allowed.
    stddev = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 5 * stddev * math.sqrt(2 / DRAWS)
    assert abs(ours.std() - stddev) < 5 * stddev * math.sqrt(1 / DRAWS)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (name, arguments)
        for name, arguments in SCALED
        if name != "RandomNormal" and "untruncated_normal" not in arguments.values()
    ],
)
def test_range(name, arguments):
    ours, theirs = (np.asarray(init(SHAPE)) for init in both(name, arguments, seed=11))
    # The extremes of n bounded draws lie within about width / n of the bounds for a uniform
    # distribution, four times that for a normal cut at 2 sigma, whose density there is lower.
    width = theirs.max() - theirs.min()
    np.testing.assert_allclose(ours.min(), theirs.min(), rtol=0, atol=100 * width / DRAWS)
    np.testing.assert_allclose(ours.max(), theirs.max(), rtol=0, atol=100 * width / DRAWS)


@pytest.mark.parametrize("shape", [(8, 32), (32, 8), (6, 6), (2, 3, 12)])
def test_orthogonal_structure(shape):
    for values in (np.asarray(init(shape)) for init in both("Orthogonal", {"gain": 1.5}, seed=5)):
        matrix = values.reshape(-1, shape[-1]) / 1.5
        matrix = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        # float32: Keras's decomposition is done in it, ours only rounded to it.
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), rtol=0, atol=2e-6)


def test_constants_are_equal():
    for name, arguments in ALL[-4:-1]:
        ours, theirs = both(name, arguments)
        np.testing.assert_array_equal(ours((3, 4)), np.asarray(theirs((3, 4))))
    np.testing.assert_array_equal(
        initializers.Identity(2.0)((3, 5)), np.asarray(keras.initializers.Identity(2.0)((3, 5)))
    )


@pytest.mark.parametrize(("name", "arguments"), ALL)
def test_configurations_are_equal_and_readable_on_both_sides(name, arguments):
    ours, theirs = both(name, arguments)
    assert ours.get_config() == theirs.get_config()

    from_theirs = initializers.get(keras.initializers.serialize(theirs))
    assert type(from_theirs) is type(ours)
    assert from_theirs.get_config() == ours.get_config()

    from_ours = keras.initializers.get(initializers.serialize(ours))
    assert type(from_ours) is type(theirs)
    assert from_ours.get_config() == theirs.get_config()


# Keras's own `get("constant")` fails for want of a value; ours takes the default, 0.
@pytest.mark.parametrize("name", sorted(set(initializers._BY_NAME) - {"constant", "Constant"}))
def test_every_name_is_keras_s_too(name):
    theirs = keras.initializers.get(name)
    assert type(initializers.get(name)).__name__ == type(theirs).__name__


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("VarianceScaling", {"scale": 0.0}),
        ("VarianceScaling", {"mode": "fan"}),
        ("VarianceScaling", {"distribution": "beta"}),
    ],
)
def test_both_refuse(name, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        getattr(initializers, name)(**arguments)
    with pytest.raises(ValueError, match=next(iter(arguments))):
        getattr(keras.initializers, name)(**arguments)


def test_a_seed_repeats_in_both():
    for init in both("GlorotUniform", {}, seed=3):
        np.testing.assert_array_equal(np.asarray(init((3, 4))), np.asarray(init((3, 4))))

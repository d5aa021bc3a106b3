import math

import numpy as np
import pytest

from npylstm import config, initializers, seeding

# A sample of n draws: its mean is off by at most 5 standard errors of sigma / sqrt(n), its standard
# deviation by at most 5 of sigma / sqrt(2 n) for a normal (less for a uniform).  By chance either
# happens about once in two million runs, and the seeds are fixed besides.
SHAPE = (200, 300)
DRAWS = math.prod(SHAPE)
STANDARD_ERRORS = 5

RANDOM_CLASSES = [
    initializers.RandomNormal,
    initializers.RandomUniform,
    initializers.TruncatedNormal,
    initializers.VarianceScaling,
    initializers.GlorotNormal,
    initializers.GlorotUniform,
    initializers.HeNormal,
    initializers.HeUniform,
    initializers.LecunNormal,
    initializers.LecunUniform,
    initializers.Orthogonal,
]


def assert_moments(values, mean, stddev):
    assert abs(values.mean() - mean) < STANDARD_ERRORS * stddev / math.sqrt(DRAWS)
    assert abs(values.std() - stddev) < STANDARD_ERRORS * stddev / math.sqrt(2 * DRAWS)


def test_constants():
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)), [[0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(initializers.Ones()((3,)), [1, 1, 1])
    np.testing.assert_array_equal(initializers.Constant(0.25)((1, 2)), [[0.25, 0.25]])
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    assert initializers.Zeros()((2,)).dtype == np.float32
    assert initializers.Constant(3)((2,), "float64").dtype == np.float64
    assert initializers.Ones()((2,), "int32").dtype == np.int32


def test_the_default_dtype_is_the_package_s(monkeypatch):
    monkeypatch.setattr(config, "_floatx", "float64")
    for name in ("zeros", "ones", "constant", "identity", "glorot_uniform", "orthogonal"):
        assert initializers.get(name)((2, 2)).dtype == np.float64
    assert initializers.get(np.ones((2, 2), "float32"))((2, 2)).dtype == np.float64


def test_constant_takes_one_number_only():
    with pytest.raises(ValueError, match=r"single number.*shape \(2,\).*pass the array itself"):
        initializers.Constant([1.0, 2.0])


def test_identity_makes_matrices_only():
    with pytest.raises(ValueError, match=r"two sizes, got \(2, 2, 2\)"):
        initializers.Identity()((2, 2, 2))


@pytest.mark.parametrize("cls", RANDOM_CLASSES)
def test_a_seed_gives_the_same_values_at_every_call_and_in_both_dtypes(cls):
    initializer = cls(seed=7)
    first = initializer((5, 4))
    assert isinstance(first, np.ndarray)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(initializer((5, 4)), first)
    np.testing.assert_array_equal(initializer((5, 4), "float64").astype("float32"), first)
    assert (cls(seed=8)((5, 4)) != first).all()


@pytest.mark.parametrize("cls", RANDOM_CLASSES)
def test_without_a_seed_the_shared_generator_is_used(cls):
    initializer = cls()
    seeding.set_random_seed(3)
    first, second = initializer((5, 4)), initializer((5, 4))
    assert (first != second).all()
    seeding.set_random_seed(3)
    np.testing.assert_array_equal(initializer((5, 4)), first)


def test_an_explicit_seed_leaves_the_shared_generator_alone():
    seeding.set_random_seed(3)
    expected = initializers.RandomNormal()((4,))
    seeding.set_random_seed(3)
    initializers.GlorotUniform(seed=1)((4, 4))
    np.testing.assert_array_equal(initializers.RandomNormal()((4,)), expected)


def test_random_normal():
    values = initializers.RandomNormal(mean=0.3, stddev=2.0, seed=1)(SHAPE, "float64")
    assert_moments(values, 0.3, 2.0)
    assert np.abs(values - 0.3).max() > 3 * 2.0  # not truncated: 60,000 draws pass 3 sigma


def test_random_uniform():
    values = initializers.RandomUniform(minval=-1.0, maxval=3.0, seed=1)(SHAPE, "float64")
    assert_moments(values, 1.0, 4 / math.sqrt(12))
    # The smallest of n draws lies about range / n above the bound; 20 times that is never seen.
    assert -1.0 <= values.min() < -1.0 + 20 * 4 / DRAWS
    assert 3.0 - 20 * 4 / DRAWS < values.max() < 3.0


def test_truncated_normal_redraws_what_lies_outside():
    values = initializers.TruncatedNormal(mean=0.5, stddev=0.1, seed=1)(SHAPE, "float64")
    assert_moments(values, 0.5, 0.1 * 0.87962566103423978)
    assert np.abs(values - 0.5).max() <= 0.2
    # Clipping would put 4.6 % of the draws on the bounds; redrawing puts none there.
    assert (np.abs(values - 0.5) > 0.2 * 0.9999).mean() < 1e-3


@pytest.mark.parametrize(
    ("initializer", "n", "scale"),
    [
        (initializers.GlorotUniform(seed=1), 250, 1.0),
        (initializers.HeUniform(seed=1), 200, 2.0),
        (initializers.LecunUniform(seed=1), 200, 1.0),
        (initializers.VarianceScaling(3.0, "fan_out", "uniform", seed=1), 300, 3.0),
    ],
)
def test_uniform_variance_scaling(initializer, n, scale):
    values = initializer(SHAPE, "float64")
    limit = math.sqrt(3 * scale / n)
    assert limit * (1 - 40 / DRAWS) < np.abs(values).max() <= limit
    assert_moments(values, 0.0, math.sqrt(scale / n))


@pytest.mark.parametrize(
    ("initializer", "n", "scale"),
    [
        (initializers.GlorotNormal(seed=1), 250, 1.0),
        (initializers.HeNormal(seed=1), 200, 2.0),
        (initializers.LecunNormal(seed=1), 200, 1.0),
        (initializers.VarianceScaling(3.0, "fan_out", seed=1), 300, 3.0),
    ],
)
def test_truncated_normal_variance_scaling(initializer, n, scale):
    values = initializer(SHAPE, "float64")
    assert_moments(values, 0.0, math.sqrt(scale / n))
    cut = 2 * math.sqrt(scale / n) / 0.87962566103423978
    assert cut * 0.999 < np.abs(values).max() <= cut


def test_untruncated_normal_variance_scaling():
    values = initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed=1)(SHAPE)
    assert_moments(values.astype("float64"), 0.0, math.sqrt(1 / 200))
    assert np.abs(values).max() > 3 * math.sqrt(1 / 200)


@pytest.mark.parametrize(
    ("shape", "mode", "n"),
    [
        ((), "fan_in", 1),
        ((7,), "fan_out", 7),
        ((0, 3), "fan_in", 1),
        ((2, 3, 5), "fan_in", 6),
        ((2, 3, 5), "fan_out", 10),
        ((2, 3, 5), "fan_avg", 8),
    ],
)
def test_fans_by_rank(shape, mode, n):
    # With one seed the same numbers are drawn, so that only the limit differs from a scalar's.
    unit = initializers.VarianceScaling(1.0, mode, "uniform", seed=5)(shape, "float64")
    limit = math.sqrt(3 / n)
    expected = np.random.default_rng(5).uniform(-limit, limit, shape)
    np.testing.assert_allclose(unit, expected, rtol=1e-15)


def test_fans_from_given_axes():
    initializer = initializers.VarianceScaling(
        1.0, "fan_in", "uniform", seed=5, input_axes=[0, 2], output_axes=[1]
    )
    limit = math.sqrt(3 / 10)
    expected = np.random.default_rng(5).uniform(-limit, limit, (2, 3, 5))
    np.testing.assert_allclose(initializer((2, 3, 5), "float64"), expected, rtol=1e-15)


def test_random_initializers_make_arrays_of_any_rank():
    for cls in RANDOM_CLASSES[:-1]:
        for shape in [(), (3,), (2, 3, 4)]:
            values = cls(seed=1)(shape)
            assert isinstance(values, np.ndarray)
            assert values.shape == shape


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("shape", [(16, 64), (64, 16), (9, 9), (3, 4, 5), (2, 3, 10)])
def test_orthogonal_has_orthonormal_rows_or_columns(shape, dtype, tolerance):
    values = initializers.Orthogonal(gain=1.5, seed=2)(shape, dtype)
    assert values.shape == shape
    matrix = values.reshape(-1, shape[-1]).astype("float64") / 1.5
    matrix = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), rtol=0, atol=tolerance)


def test_orthogonal_is_one_decomposition_with_the_signs_of_r():
    # Q R = A with a positive diagonal of R is unique, so R recovered from Q must be triangular
    # with a positive diagonal.
    drawn = np.random.default_rng(2).standard_normal((12, 3))
    values = initializers.Orthogonal(seed=2)((3, 12), "float64")
    r = values @ drawn
    np.testing.assert_allclose(r, np.triu(r), rtol=0, atol=1e-12)
    assert (np.diagonal(r) > 0).all()


def test_orthogonal_needs_two_axes():
    with pytest.raises(ValueError, match=r"at least two sizes, got \(3,\)"):
        initializers.Orthogonal()((3,))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: initializers.VarianceScaling(scale=0), "scale must be positive, got 0"),
        (lambda: initializers.VarianceScaling(scale=float("nan")), "positive, got nan"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_in.*got 'fan'"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "uniform.*got 'beta'"),
        (lambda: initializers.RandomNormal(stddev=-1), "not be negative, got -1"),
        (lambda: initializers.RandomUniform(1, -1), "minval=1 and maxval=-1"),
        (lambda: initializers.Zeros()(3), "tuple of sizes.*got 3"),
        (lambda: initializers.Zeros()((None, 3)), r"got \(None, 3\)"),
        (lambda: initializers.HeNormal(seed=-1), "not be negative, got -1"),
    ],
)
def test_bad_values_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: initializers.HeNormal(seed="a"), "integer or None, got 'a'"),
        (lambda: initializers.HeNormal(seed=True), "integer or None, got True"),
        (lambda: initializers.HeNormal()((2, 2), "int32"), "floating dtype.*got 'int32'"),
        (lambda: initializers.get(3), "must be a name.*got 3"),
        (lambda: initializers.serialize(np.zeros), "no configuration"),
    ],
)
def test_bad_types_are_named(build, message):
    with pytest.raises(TypeError, match=message):
        build()


def test_normal_is_another_name_for_truncated_normal():
    assert initializers.VarianceScaling(distribution="Normal").distribution == "truncated_normal"


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("zeros", initializers.Zeros),
        ("zero", initializers.Zeros),
        ("one", initializers.Ones),
        ("normal", initializers.RandomNormal),
        ("uniform", initializers.RandomUniform),
        ("glorot_uniform", initializers.GlorotUniform),
        ("GlorotUniform", initializers.GlorotUniform),
        ("he_normal", initializers.HeNormal),
        ("lecun_uniform", initializers.LecunUniform),
        ("orthogonal", initializers.Orthogonal),
        ("OrthogonalInitializer", initializers.Orthogonal),
        ("variance_scaling", initializers.VarianceScaling),
    ],
)
def test_get_by_name(name, cls):
    assert type(initializers.get(name)) is cls


def test_the_lower_case_names_are_the_classes():
    for name, cls in initializers._BY_LOWER_CASE_NAME.items():
        assert getattr(initializers, name) is cls


def test_get_passes_on_what_is_an_initializer_already():
    def function(shape, dtype):
        return np.full(shape, 2, dtype)

    instance = initializers.HeNormal(seed=1)
    assert initializers.get(instance) is instance
    assert initializers.get(function) is function
    assert type(initializers.get(initializers.HeNormal)) is initializers.HeNormal
    assert initializers.get(None) is None


def test_get_from_values():
    given = np.arange(6.0).reshape(2, 3)
    initializer = initializers.get(given)
    made = initializer((2, 3), "float64")
    np.testing.assert_array_equal(made, given)
    made[0, 0] = 99
    assert given[0, 0] == 0
    assert initializer((2, 3)).dtype == np.float32
    with pytest.raises(ValueError, match=r"shape \(2, 3\), expected \(3, 2\)"):
        initializer((3, 2))


def test_get_unknown_name_suggests_and_lists():
    with pytest.raises(ValueError, match="unknown initializer 'glorot_unifrom'") as caught:
        initializers.get("glorot_unifrom")
    assert "did you mean 'glorot_uniform'?" in str(caught.value)
    assert "orthogonal" in str(caught.value)
    with pytest.raises(ValueError, match="unknown initializer 'xyzzy'.*Known are"):
        initializers.get("xyzzy")


def test_a_dict_without_class_name():
    with pytest.raises(ValueError, match="class_name"):
        initializers.get({"config": {}})


@pytest.mark.parametrize(
    "initializer",
    [
        initializers.Zeros(),
        initializers.Constant(0.5),
        initializers.Identity(3.0),
        initializers.RandomNormal(1.0, 2.0, 3),
        initializers.RandomUniform(1.0, 2.0, 3),
        initializers.TruncatedNormal(1.0, 2.0, 3),
        initializers.VarianceScaling(3.0, "fan_out", "uniform", 4),
        initializers.GlorotUniform(4),
        initializers.Orthogonal(2.0, 4),
    ],
)
def test_configuration_round_trip(initializer):
    expected = initializer((4, 6), "float64")
    restored = initializers.get(initializers.serialize(initializer))
    assert type(restored) is type(initializer)
    assert restored.get_config() == initializer.get_config()
    np.testing.assert_array_equal(restored((4, 6), "float64"), expected)
    np.testing.assert_array_equal(initializer.clone()((4, 6), "float64"), expected)


def test_repr_reads_as_the_call():
    assert repr(initializers.RandomNormal(0.0, 0.1, 3)) == (
        "RandomNormal(seed=3, mean=0.0, stddev=0.1)"
    )

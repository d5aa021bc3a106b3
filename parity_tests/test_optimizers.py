"""Optimizers and schedules beside Keras's: the parameters after each of 20 steps.

float64 shows that the arithmetic is the same: an option read otherwise differs in the first digits.
"""

import keras
import numpy as np
import pytest

import npylstm

from .oracle import B, D, K, assert_close, exact, random, shared_models

STEPS = 20
T = 2
UNITS = 4

# float64: 20 steps add up the differences of 20 gradients, each right to 1e-11 of its size.
# float32: Adam and RMSprop divide a gradient by its own size.  Where it is near 0, its rounding
# error of 1e-8 turns into a part of the step that is 1e-8 / 1e-4 of it: with rates of 0.1, 1e-5.
TOLERANCES = {
    "float32": {"atol": 2e-5, "rtol": 2e-5},
    "float64": {"atol": 1e-13, "rtol": 1e-10},
}


def rate(schedule, **arguments):
    """Return a function from a library's optimizers to one of its schedules."""
    return lambda optimizers: getattr(optimizers.schedules, schedule)(
        **{name: exactly(value) for name, value in arguments.items()}
    )


def exactly(value):
    if callable(value):
        return value
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return exact(value) if type(value) is float else value


# What is compared: the optimizer, and its options beside a large learning rate.
CASES = {
    "SGD": ("SGD", {}),
    "SGD-momentum": ("SGD", {"momentum": 0.9}),
    "SGD-nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "SGD-nesterov-without-momentum": ("SGD", {"nesterov": True}),
    "SGD-weight_decay": ("SGD", {"weight_decay": 0.1}),
    "SGD-clipnorm": ("SGD", {"clipnorm": 0.05}),
    "SGD-clipvalue": ("SGD", {"clipvalue": 0.01}),
    "SGD-global_clipnorm": ("SGD", {"global_clipnorm": 0.05}),
    "SGD-momentum-decay-clip": (
        "SGD",
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.05, "global_clipnorm": 0.1},
    ),
    "RMSprop": ("RMSprop", {}),
    "RMSprop-rho-epsilon": ("RMSprop", {"rho": 0.6, "epsilon": 1e-3}),
    "RMSprop-momentum": ("RMSprop", {"momentum": 0.7}),
    "RMSprop-centered": ("RMSprop", {"centered": True}),
    "RMSprop-centered-momentum": (
        "RMSprop",
        # Of a difference that may vanish, where float32 has nothing right; so with an epsilon.
        {"centered": True, "momentum": 0.7, "epsilon": 1e-3},
    ),
    "RMSprop-weight_decay": ("RMSprop", {"weight_decay": 0.1}),
    "RMSprop-clipvalue": ("RMSprop", {"clipvalue": 0.01}),
    "Adam": ("Adam", {}),
    "Adam-betas-epsilon": ("Adam", {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-2}),
    "Adam-weight_decay": ("Adam", {"weight_decay": 0.1}),
    "Adam-clipnorm": ("Adam", {"clipnorm": 0.05}),
    "Adam-clipvalue": ("Adam", {"clipvalue": 0.01}),
    "Adam-global_clipnorm": ("Adam", {"global_clipnorm": 0.05}),
    "AdamW": ("AdamW", {}),
    "AdamW-weight_decay": ("AdamW", {"weight_decay": 0.2}),
    "AdamW-clipnorm": ("AdamW", {"weight_decay": 0.2, "clipnorm": 0.05}),
    "Adam-amsgrad": ("Adam", {"amsgrad": True, "beta_2": 0.5}),
    "AdamW-amsgrad": ("AdamW", {"amsgrad": True, "beta_2": 0.5}),
    "SGD-accumulation": ("SGD", {"gradient_accumulation_steps": 3}),
    "Adam-accumulation-clipnorm": (
        "Adam",
        {"gradient_accumulation_steps": 4, "clipnorm": 0.05, "weight_decay": 0.1},
    ),
    "SGD-ema": ("SGD", {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3}),
    "Adam-ema-accumulation": (
        "Adam",
        {
            "use_ema": True,
            "ema_momentum": 0.6,
            "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 3,
        },
    ),
    "Adamax": ("Adamax", {}),
    "Adamax-betas-epsilon": ("Adamax", {"beta_1": 0.6, "beta_2": 0.8, "epsilon": 1e-2}),
    "Adamax-weight_decay": ("Adamax", {"weight_decay": 0.1}),
    "Nadam": ("Nadam", {}),
    "Nadam-betas-epsilon": ("Nadam", {"beta_1": 0.6, "beta_2": 0.9, "epsilon": 1e-2}),
    "Nadam-global_clipnorm": ("Nadam", {"global_clipnorm": 0.05}),
    "Lion": ("Lion", {}),
    "Lion-betas": ("Lion", {"beta_1": 0.5, "beta_2": 0.8}),
    "Lion-weight_decay": ("Lion", {"weight_decay": 0.1}),
    "Adagrad": ("Adagrad", {}),
    "Adagrad-start-epsilon": ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    "Adadelta": ("Adadelta", {}),
    "Adadelta-rho-epsilon": ("Adadelta", {"rho": 0.7, "epsilon": 1e-3}),
    "Ftrl": ("Ftrl", {}),
    "Ftrl-power": ("Ftrl", {"learning_rate_power": -0.3}),
    "Ftrl-power-0": ("Ftrl", {"learning_rate_power": 0.0}),
    "Ftrl-strengths": (
        "Ftrl",
        {
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.5,
        },
    ),
}
SCHEDULES = {
    "ExponentialDecay": rate(
        "ExponentialDecay", initial_learning_rate=0.3, decay_steps=7, decay_rate=0.5
    ),
    "ExponentialDecay-staircase": rate(
        "ExponentialDecay",
        initial_learning_rate=0.3,
        decay_steps=7,
        decay_rate=0.5,
        staircase=True,
    ),
    "CosineDecay": rate("CosineDecay", initial_learning_rate=0.3, decay_steps=15),
    "CosineDecay-alpha": rate("CosineDecay", initial_learning_rate=0.3, decay_steps=15, alpha=0.2),
    "CosineDecay-warmup": rate(
        "CosineDecay",
        initial_learning_rate=0.01,
        decay_steps=9,
        alpha=0.1,
        warmup_target=0.3,
        warmup_steps=6,
    ),
    "CosineDecay-warmup-of-no-steps": rate(
        "CosineDecay",
        initial_learning_rate=0.01,
        decay_steps=9,
        warmup_target=0.3,
        warmup_steps=0,
    ),
    "PiecewiseConstantDecay": rate(
        "PiecewiseConstantDecay", boundaries=[4, 5, 11], values=[0.3, 0.01, 0.2, 0.05]
    ),
    "PiecewiseConstantDecay-one-boundary": rate(
        "PiecewiseConstantDecay", boundaries=[10], values=[0.3, 0.05]
    ),
}
SCHEDULED = {
    f"{optimizer}-{name}": (optimizer, {"learning_rate": schedule})
    for optimizer, names in (("SGD", SCHEDULES), ("AdamW", ["CosineDecay-warmup"]))
    for name, schedule in SCHEDULES.items()
    if name in names
}


def make(optimizers, name, options, convert=exactly):
    """Return one library's optimizer, with a rate that moves the weights far in 20 steps."""
    defaults = {"learning_rate": {"SGD": 0.5, "Adadelta": 10.0}.get(name, 0.05)}
    if "adam" in name.lower():
        defaults |= {"beta_1": 0.9, "beta_2": 0.999}
    if name == "Lion":
        defaults |= {"beta_1": 0.9, "beta_2": 0.99}
    if name == "AdamW":
        defaults |= {"weight_decay": 0.004}
    if name == "Adadelta":  # Keras's fails on numpy.float64
        convert = lambda value: value  # noqa: E731
    arguments = {key: convert(value) for key, value in (defaults | options).items()}
    if callable(arguments["learning_rate"]):
        arguments["learning_rate"] = arguments["learning_rate"](optimizers)
    return getattr(optimizers, name)(**arguments)


def models(rng):
    ours, theirs = shared_models(lambda L: [L.Input((T, D)), L.LSTM(UNITS), L.Dense(K)], rng)
    theirs.layers[0].unroll = True  # the same graph, and Keras is quicker to compile it
    return ours, theirs


def compile_both(ours, theirs, name, options, convert=exactly):
    for model, library in ((ours, npylstm), (theirs, keras)):
        model.compile(optimizer=make(library.optimizers, name, options, convert), loss="mse")


def batches(rng):
    return [(random(rng, B, T, D), random(rng, B, K)) for _ in range(STEPS)]


def check_parameters_after_each_step(name, options, rng, convert=exactly):
    ours, theirs = models(rng)
    compile_both(ours, theirs, name, options, convert)
    start = ours.get_weights()
    for step, (x, y) in enumerate(batches(rng)):
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
        what = f"after {step + 1} steps: weight "
        tolerance = TOLERANCES[keras.config.floatx()]
        assert_close(ours.get_weights(), theirs.get_weights(), what, **tolerance)
    for weight, before in zip(ours.get_weights(), start, strict=True):
        assert np.abs(weight - before).max() > 1e-3, "nothing moved: nothing is compared"


@pytest.mark.parametrize(("name", "options"), CASES.values(), ids=CASES)
def test_optimizer(name, options, float64, rng):
    check_parameters_after_each_step(name, options, rng)


FLOAT32 = [case for case in CASES if "-" not in case or case.endswith(("momentum", "clipnorm"))]


@pytest.mark.parametrize(
    ("name", "options"), [pytest.param(*CASES[case], id=case) for case in FLOAT32]
)
def test_optimizer_in_float32(name, options, rng):
    check_parameters_after_each_step(name, options, rng)


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*CASES[case], id=case) for case in CASES if case.split("-")[0] != "RMSprop"],
)
def test_constants_as_users_write_them(name, options, float64, rng):
    """Python floats, which TensorFlow rounds to float32 on the way into float64 arithmetic."""
    check_parameters_after_each_step(name, options, rng, convert=lambda value: value)


@pytest.mark.parametrize(("name", "options"), SCHEDULED.values(), ids=SCHEDULED)
def test_optimizer_with_schedule(name, options, float64, rng):
    check_parameters_after_each_step(name, options, rng)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("PolynomialDecay", (0.3, 7, 0.02, 1.5)),
        ("PolynomialDecay", (0.3, 7, 0.02, 0.5, True)),
        ("InverseTimeDecay", (0.3, 7, 0.8)),
        ("InverseTimeDecay", (0.3, 7, 0.8, True)),
        ("CosineDecayRestarts", (0.3, 7)),
        ("CosineDecayRestarts", (0.3, 7, 1.0, 0.8, 0.1)),
        ("CosineDecayRestarts", (0.3, 7, 1.5, 0.8, 0.1)),
    ],
)
def test_schedule_alone(name, arguments, float64):
    arguments = [exactly(value) for value in arguments]
    ours, theirs = (
        getattr(library.optimizers.schedules, name)(*arguments) for library in (npylstm, keras)
    )
    for step in range(40):
        assert_close(np.float64(ours(step)), theirs(step), f"step {step}")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param(*case, id=name)
        for name, case in (CASES | SCHEDULED).items()
        if case[1] and name != "SGD-nesterov-without-momentum"
    ],
)
def test_every_option_makes_a_difference(name, options, float64, rng):
    """Otherwise the tests above could pass with an option ignored on both sides."""
    with_option, without = models(rng)[0], models(rng)[0]
    without.set_weights(with_option.get_weights())
    with_option.compile(make(npylstm.optimizers, name, options), "mse")
    without.compile(make(npylstm.optimizers, name, {}), "mse")
    for x, y in batches(rng):
        with_option.train_on_batch(x, y)
        without.train_on_batch(x, y)
    difference = with_option.memory.parameters - without.memory.parameters
    assert np.abs(difference).max() > 1e-4


@pytest.mark.parametrize("name", sorted({name.lower() for name, _ in CASES.values()}))
def test_defaults(name, rng):
    """By name, in float32, for which Keras has them; rates are small, and so is what may differ."""
    ours, theirs = models(rng)
    for model in (ours, theirs):
        model.compile(optimizer=name, loss="mse")
    assert ours.optimizer.learning_rate == pytest.approx(float(theirs.optimizer.learning_rate))
    for x, y in batches(rng):
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
    assert_close(ours.get_weights(), theirs.get_weights())


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_learning_rate_set_while_training(name, float64, rng):
    ours, theirs = models(rng)
    compile_both(ours, theirs, name, {})
    for step, (x, y) in enumerate(batches(rng)):
        if step in (5, 12):
            ours.optimizer.learning_rate = theirs.optimizer.learning_rate = 0.5 / step
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
    assert_close(ours.get_weights(), theirs.get_weights(), **TOLERANCES["float64"])


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name, floatx):
    ours, theirs = (SCHEDULES[name](lib.optimizers) for lib in (npylstm, keras))
    steps = range(40)  # beyond the end of each
    dtype = np.dtype(floatx)
    assert_close(
        np.array([ours(step) for step in steps], dtype),
        np.array([float(theirs(step)) for step in steps], dtype),
        # Of the size of the rates: a cosine near its end is a difference of numbers of size 1.
        atol=np.finfo(dtype).eps,
    )


@pytest.mark.parametrize("overwrite", [None, 4])
def test_fit_ends_in_the_running_mean(overwrite, float64, rng):
    ours, theirs = models(rng)
    options = {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": overwrite}
    compile_both(ours, theirs, "Adam", options)
    x, y = random(rng, 4 * B, T, D), random(rng, 4 * B, K)
    history = [
        model.fit(x, y, batch_size=B, epochs=3, shuffle=False, verbose=0).history["loss"]
        for model in (ours, theirs)
    ]
    assert_close(*history, **TOLERANCES["float64"])
    assert_close(ours.get_weights(), theirs.get_weights(), **TOLERANCES["float64"])


def test_iterations_where_gradients_are_accumulated(float64, rng):
    ours, theirs = models(rng)
    options = {
        "gradient_accumulation_steps": 3,
        "learning_rate": rate("PiecewiseConstantDecay", boundaries=[2, 4], values=[0.3, 0.1, 0.5]),
    }
    compile_both(ours, theirs, "SGD", options)
    for x, y in batches(rng)[:8]:
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
    assert ours.optimizer.iterations == int(theirs.optimizer.iterations) == 2
    assert_close(ours.get_weights(), theirs.get_weights(), **TOLERANCES["float64"])


def test_iterations(rng):
    ours, theirs = models(rng)
    compile_both(ours, theirs, "SGD", {})
    for x, y in batches(rng)[:3]:
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
    assert ours.optimizer.iterations == int(theirs.optimizer.iterations) == 3

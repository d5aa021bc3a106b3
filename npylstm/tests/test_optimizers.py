"""Optimizer steps by hand, clipping, and schedules at their corners."""

import numpy as np
import pytest

from npylstm import optimizers
from npylstm.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from npylstm.reference import optimizers as reference


def test_adam_by_hand():
    w, m, v = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    beta_1, beta_2 = np.float64(0.9), np.float64(0.999)  # all digits, as TensorFlow takes them
    for t, dw in enumerate([np.array([0.5, -1.0]), np.array([0.25, 3.0])], start=1):
        expected_m = 0.9 * m + 0.1 * dw
        expected_v = 0.999 * v + 0.001 * dw**2
        alpha = 0.01 * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        expected_w = w - alpha * expected_m / (np.sqrt(expected_v) + 1e-7)
        settings = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": 1e-7}
        reference.take_step("adam", w, dw, {"m": m, "v": v}, t, 0.01, settings)
        np.testing.assert_allclose(m, expected_m, rtol=1e-14)
        np.testing.assert_allclose(v, expected_v, rtol=1e-14)
        np.testing.assert_allclose(w, expected_w, rtol=1e-14)


def test_clipping():
    dw = np.array([3.0, -4.0, 0.5])
    reference.clip_by_value(dw, 1.0)
    np.testing.assert_array_equal(dw, [1, -1, 0.5])
    dw = np.array([3.0, -4.0])
    reference.clip_by_norm(dw, 1.0)
    np.testing.assert_allclose(dw, [0.6, -0.8])
    reference.clip_by_norm(dw, 2.0)
    np.testing.assert_allclose(dw, [0.6, -0.8])
    for clip in (reference.clip_by_norm, reference.clip_by_global_norm):
        zeros = np.zeros(2)
        clip(zeros, 1.0)
        np.testing.assert_array_equal(zeros, 0)
    with np.errstate(invalid="ignore"):
        dw = np.array([np.inf, 1.0])
        reference.clip_by_global_norm(dw, 1.0)
    assert np.isnan(dw).all()


def test_schedules():
    decay = ExponentialDecay(0.5, decay_steps=10, decay_rate=0.1)
    assert [decay(k) for k in (0, 10, 20)] == pytest.approx([0.5, 0.05, 0.005])
    stairs = ExponentialDecay(0.5, decay_steps=10, decay_rate=0.1, staircase=True)
    assert stairs(9) == 0.5 and stairs(10) == pytest.approx(0.05)
    pieces = PiecewiseConstantDecay([2, 5], [1.0, 0.5, 0.1])
    assert [pieces(k) for k in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.1]
    cosine = CosineDecay(0.2, decay_steps=10, alpha=0.1)
    assert [cosine(k) for k in (0, 5, 10, 99)] == pytest.approx([0.2, 0.11, 0.02, 0.02])
    warm = CosineDecay(0.0, decay_steps=10, warmup_target=1.0, warmup_steps=4)
    assert [warm(k) for k in (0, 2, 4, 9, 14)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    line = PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.1)
    assert [line(k) for k in (0, 5, 10, 15)] == pytest.approx([0.5, 0.3, 0.1, 0.1])
    saw = PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.1, power=2, cycle=True)
    assert [saw(k) for k in (0, 5, 10, 15)] == pytest.approx([0.5, 0.2, 0.1, 0.125])
    inverse = InverseTimeDecay(0.6, decay_steps=10, decay_rate=2)
    assert [inverse(k) for k in (0, 5, 10)] == pytest.approx([0.6, 0.3, 0.2])
    stairs = InverseTimeDecay(0.6, decay_steps=10, decay_rate=2, staircase=True)
    assert [stairs(k) for k in (9, 10)] == pytest.approx([0.6, 0.2])
    restarts = CosineDecayRestarts(0.2, 10, t_mul=3, m_mul=0.5, alpha=0.1)
    expected = [0.2, 0.11, 0.11, 0.065, 0.065]  # 10 steps, 30 steps, 90 steps
    assert [restarts(k) for k in (0, 5, 10, 25, 40)] == pytest.approx(expected)
    alike = CosineDecayRestarts(0.2, 10, t_mul=1)
    assert [alike(k) for k in (5, 10, 15, 100)] == pytest.approx([0.1, 0.2, 0.1, 0.2])
    tripled = CosineDecayRestarts(0.2, 1, t_mul=3)
    assert tripled(1 + 3 + 9 + 27 + 81) == 0.2  # log(3**5) / log(3) is less than 5


def test_configurations():
    nadam = optimizers.Nadam(CosineDecay(0.2, 10), beta_2=0.9, clipvalue=2.0, name="mine")
    config = nadam.get_config()
    assert config["beta_2"] == 0.9 and config["clipvalue"] == 2.0 and config["name"] == "mine"
    again = optimizers.Nadam.from_config(config)
    assert again.get_config() == config and again.learning_rate == np.float32(0.2)
    schedule = config["learning_rate"]
    assert type(schedule).from_config(schedule.get_config())(5) == schedule(5)
    by_dict = optimizers.get({"class_name": "AdamW", "config": {"weight_decay": 0.5}})
    assert isinstance(by_dict, optimizers.AdamW) and by_dict.weight_decay == 0.5


def test_learning_rates_of_the_next_steps():
    adam = optimizers.Adam(PiecewiseConstantDecay([1], [0.5, 0.25]))
    adam.iterations = 1
    np.testing.assert_array_equal(adam.learning_rates(3), [0.5, 0.25, 0.25])
    with pytest.raises(TypeError, match="comes from a schedule and cannot be set"):
        adam.learning_rate = 0.1
    plain = optimizers.SGD(0.1)
    plain.learning_rate = 0.2
    np.testing.assert_array_equal(plain.learning_rates(2), [0.2, 0.2])
    plain.learning_rate = InverseTimeDecay(1.0, 1, 1.0)
    np.testing.assert_array_equal(plain.learning_rates(3), np.float32([1, 1 / 2, 1 / 3]))
    by_hand = optimizers.SGD(lambda: 0.25)  # asked before every step
    np.testing.assert_array_equal(by_hand.learning_rates(2), [0.25, 0.25])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.Adam(clipnorm=1, clipvalue=2), ValueError, "at most one kind of clip"),
        (lambda: optimizers.Adam(clipnorm=0), ValueError, "clipnorm must be greater than 0"),
        (
            lambda: optimizers.Adam(-1),
            ValueError,
            "finite number of at least 0 or a schedule, got -1",
        ),
        (lambda: optimizers.Adam(beta_1=1.5), ValueError, r"beta_1 must be a number in \[0, 1\]"),
        (lambda: optimizers.SGD(momentum=-1), ValueError, "momentum must be a number in"),
        (lambda: optimizers.AdamW(weight_decay=None), ValueError, "without it, use Adam"),
        (lambda: optimizers.Adam(lr=0.1), TypeError, "Adam has no argument 'lr'"),
        (lambda: optimizers.Lion(beta_1=0), ValueError, "beta_1 must be greater than 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=1), ValueError, "at most 0, got 1"),
        (lambda: optimizers.Ftrl(beta=-1), ValueError, "beta must be a number of at least 0"),
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1), ValueError, "at least 0"),
        (lambda: optimizers.SGD(weight_decay=-1), ValueError, "weight_decay must be a number of"),
        (lambda: optimizers.SGD(ema_momentum=2), ValueError, "ema_momentum must be a number in"),
        (lambda: optimizers.SGD(ema_overwrite_frequency=0), ValueError, "must be at least 1"),
        (lambda: optimizers.SGD(gradient_accumulation_steps=1), ValueError, "or None for a step"),
        (lambda: optimizers.get("adamx"), ValueError, "did you mean 'adamax'"),
        (lambda: PiecewiseConstantDecay([1], [1.0]), ValueError, "one value more than boundaries"),
        (lambda: PiecewiseConstantDecay([2, 1], [1, 2, 3]), ValueError, "must ascend"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps must be greater than 0"),
        (lambda: PolynomialDecay(0.1, -1), ValueError, "decay_steps must be greater than 0"),
        (lambda: CosineDecayRestarts(0.1, 5, 0.5), ValueError, "t_mul must be .* at least 1"),
        (lambda: optimizers.get({"class_name": "adamx"}), ValueError, "did you mean 'adamax'"),
    ],
)
def test_wrong_settings(make, error, message):
    with pytest.raises(error, match=message):
        make()

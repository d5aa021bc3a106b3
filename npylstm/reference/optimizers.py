"""Optimizers: one step each, on flat vectors, with the arithmetic of Keras 3.

Shapes: parameters w, gradients dw and every slot (n,), all of one dtype.  A step comes in two
halves.  ``<name>_numbers`` makes, from the settings and the count of steps, the few numbers that
this step needs; ``<name>`` is plain arithmetic, element by element, from the old w, the gradient,
the old slots and those numbers to the new w and the new slots.  `take_step` does both, in place.

Formulas: Keras 3, `optimizers/base_optimizer.py` and the file of each optimizer's name beside it.
"""

import numpy as np


def rounded(constant, dtype):
    """Return a constant in a dtype as it reaches TensorFlow's arithmetic: by way of float32.

    In float64 this is seen: 0.999 becomes 0.99900001287, and Adam's first steps change by 7e-6.
    To keep all digits give the optimizer a ``numpy.float64``, here as in Keras.
    """
    return dtype.type(constant if isinstance(constant, np.float64) else np.float32(constant))


def squared(dw):
    """Return ``dw * dw``: the size of a gradient for most optimizers."""
    return dw * dw


def take_step(name, w, dw, slots, t, learning_rate, hyperparameters, sizes=None):
    """Take one optimizer's step, in place.

    Parameters
    ----------
    name : str
        One of `BY_NAME`.
    w, dw : ndarray (n,)
        The gradients are left alone.
    slots : dict of str to ndarray (n,)
    t : int
        Counts the steps, this one included, from 1.
    learning_rate : float
    hyperparameters : dict of str to float
    sizes : ndarray (n,) or None
        To be taken for the sizes of the gradients (`SIZES`), if they are not those of `dw`.
    """
    numbers, step = BY_NAME[name]
    numbers = numbers(w.dtype, t, learning_rate, **hyperparameters)
    size = {} if sizes is None else {"size": lambda dw: sizes}
    w[...], new_slots = step(w, dw, slots, *numbers, **size)
    for slot, value in new_slots.items():
        slots[slot][...] = value


# ------------------------------------------------------------------------------- gradient descent
def sgd_numbers(dtype, t, learning_rate, momentum=0.0, nesterov=False):
    """Return learning_rate, momentum and whether to look ahead (1 or 0)."""
    return dtype.type(learning_rate), rounded(momentum, dtype), dtype.type(nesterov)


def sgd(w, dw, slots, learning_rate, momentum, nesterov):
    """Gradient descent; with momentum, the slot `velocity` is the running step."""
    if not slots:
        return w - learning_rate * dw, {}
    velocity = momentum * slots["velocity"] - learning_rate * dw
    # With nesterov = 1, step as if the velocity had already been followed once more.
    ahead = momentum * velocity - learning_rate * dw
    return w + np.where(nesterov > 0, ahead, velocity), {"velocity": velocity}


# ---------------------------------------------------------------------------------------- RMSprop
def rmsprop_numbers(dtype, t, learning_rate, rho, epsilon, momentum=0.0):
    """Return learning_rate, rho, 1 - rho, epsilon, momentum."""
    return tuple(map(dtype.type, (learning_rate, rho, 1 - rho, epsilon, momentum)))


def rmsprop(w, dw, slots, learning_rate, rho, share, epsilon, momentum, size=squared):
    """RMSprop (Hinton 2012): divide by the root of the running mean of the squared gradient.

    `mean_square` is that mean, in which a new value has the `share`.  With the slot `mean_gradient`
    ("centered") the squared mean gradient is taken off it; with `momentum_step` that is the
    running step.
    """
    new = {"mean_square": rho * slots["mean_square"] + share * size(dw)}
    denominator = new["mean_square"] + epsilon
    if "mean_gradient" in slots:
        mean = new["mean_gradient"] = rho * slots["mean_gradient"] + share * dw
        denominator = new["mean_square"] - mean * mean + epsilon
    step = learning_rate * dw / np.sqrt(denominator)
    if "momentum_step" in slots:
        step = new["momentum_step"] = momentum * slots["momentum_step"] + step
    return w - step, new


# ------------------------------------------------------------------------------------------- Adam
def adam_numbers(dtype, t, learning_rate, beta_1, beta_2, epsilon):
    """Return alpha, 1 - beta_1, 1 - beta_2, epsilon.

    alpha is the learning rate corrected for means that start at zero (the paper's section 2).
    """
    steps = dtype.type(t)
    beta_1_power, beta_2_power = rounded(beta_1, dtype) ** steps, rounded(beta_2, dtype) ** steps
    alpha = dtype.type(learning_rate) * np.sqrt(1 - beta_2_power) / (1 - beta_1_power)
    return alpha, dtype.type(1 - beta_1), dtype.type(1 - beta_2), dtype.type(epsilon)


def adam(w, dw, slots, alpha, share_1, share_2, epsilon, quotient=None, size=squared):
    """Adam (Kingma & Ba 2015), in the form at the end of its section 2, as Keras has it.

    `m`, `v` are the running means of the gradient and of its square, in which new values have the
    shares `share_1`, `share_2`.  `epsilon` is added to the root of the *uncorrected* `v`: not the
    paper's algorithm 1.  With the slot `v_max` ("amsgrad", Reddi et al. 2018) the largest `v` so
    far is taken.  `quotient` is `quotient_by_root` or something as good.
    """
    m = slots["m"] + (dw - slots["m"]) * share_1
    v = slots["v"] + (size(dw) - slots["v"]) * share_2
    new = {"m": m, "v": v}
    if "v_max" in slots:
        v = new["v_max"] = np.maximum(slots["v_max"], v)
    return w - (quotient or quotient_by_root)(m * alpha, v, epsilon), new


def quotient_by_root(numerator, v, epsilon):
    """Return ``numerator / (sqrt(v) + epsilon)``."""
    return numerator / (np.sqrt(v) + epsilon)


# --------------------------------------------------------------------------------- Adam's relatives
def adamax_numbers(dtype, t, learning_rate, beta_1, beta_2, epsilon):
    """Return learning_rate, 1 - beta_1, beta_2, 1 - beta_1^t, epsilon."""
    beta_1_power = rounded(beta_1, dtype) ** dtype.type(t)
    return (
        *(dtype.type(learning_rate), dtype.type(1 - beta_1), dtype.type(beta_2)),
        *(1 - beta_1_power, dtype.type(epsilon)),
    )


def adamax(w, dw, slots, learning_rate, share_1, beta_2, correction, epsilon, size=np.absolute):
    """Adamax (Kingma & Ba 2015, section 7.1): the slot `u` is the largest recent gradient."""
    m = slots["m"] + (dw - slots["m"]) * share_1
    u = np.maximum(beta_2 * slots["u"], size(dw))
    return w - learning_rate * m / (correction * (u + epsilon)), {"m": m, "u": u}


def nadam_numbers(dtype, t, learning_rate, beta_1, beta_2, epsilon):
    """Return the numbers of `nadam`, in its order.

    The momentum u_t grows from beta_1 / 2 to beta_1 (0.96 is Keras's).  `ahead` is u_{t+1} and
    `now` 1 - u_t; the weights of both are 1 less the product of all momenta up to there.
    """
    steps = dtype.type(t)
    b_1, b_2, decay = (rounded(number, dtype) for number in (beta_1, beta_2, 0.96))
    u_now, u_next = (b_1 * (1 - dtype.type(0.5) * decay**k) for k in (steps, steps + 1))
    product = _product_of_momenta(dtype, t, beta_1)
    return (
        *(dtype.type(learning_rate), 1 - b_1, 1 - b_2),
        *(u_next, 1 - product * u_next, 1 - u_now, 1 - product, 1 - b_2**steps),
        dtype.type(epsilon),
    )


def _product_of_momenta(dtype, t, beta_1):
    """Return u_1 u_2 … u_t, multiplied one after the other as Keras does at each step."""
    steps = np.arange(1, np.max(t) + 1).astype(dtype)
    factors = np.empty((len(steps), 2), dtype)
    factors[:, 0] = beta_1
    factors[:, 1] = 1 - dtype.type(0.5) * dtype.type(0.96) ** steps
    return np.multiply.accumulate(factors.ravel())[2 * np.asarray(t) - 1]


def nadam(
    w, dw, slots, learning_rate, share_1, share_2,
    ahead, ahead_weight, now, now_weight, v_weight, epsilon, size=squared,
):  # fmt: skip
    """Nadam (Dozat 2016): Adam with the momentum of the step to come."""
    m = slots["m"] + (dw - slots["m"]) * share_1
    v = slots["v"] + (size(dw) - slots["v"]) * share_2
    m_hat = ahead * m / ahead_weight + now * dw / now_weight
    return w - m_hat * learning_rate / (np.sqrt(v / v_weight) + epsilon), {"m": m, "v": v}


def lion_numbers(dtype, t, learning_rate, beta_1, beta_2):
    """Return learning_rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2."""
    b_1, b_2 = rounded(beta_1, dtype), rounded(beta_2, dtype)
    return dtype.type(learning_rate), b_1, 1 - b_1, b_2, 1 - b_2


def lion(w, dw, slots, learning_rate, beta_1, share_1, beta_2, share_2):
    """Lion (Chen et al. 2023): only the sign of a running mean counts."""
    m = slots["m"]
    new_w = w - learning_rate * np.sign(m * beta_1 + dw * share_1)
    return new_w, {"m": m * beta_2 + dw * share_2}


# ----------------------------------------------------------- a rate for each parameter, by its past
def adagrad_numbers(dtype, t, learning_rate, epsilon):
    """Return learning_rate, epsilon."""
    return dtype.type(learning_rate), dtype.type(epsilon)


def adagrad(w, dw, slots, learning_rate, epsilon, size=squared):
    """Adagrad (Duchi et al. 2011): `accumulator` is the sum of all squared gradients."""
    accumulator = slots["accumulator"] + size(dw)
    return w - learning_rate * dw / np.sqrt(accumulator + epsilon), {"accumulator": accumulator}


def adadelta_numbers(dtype, t, learning_rate, rho, epsilon):
    """Return learning_rate, rho, 1 - rho, epsilon."""
    return tuple(map(dtype.type, (learning_rate, rho, 1 - rho, epsilon)))


def adadelta(w, dw, slots, learning_rate, rho, share, epsilon, size=squared):
    """Adadelta (Zeiler 2012): a step in the units of the parameters, from the steps before."""
    mean_square = rho * slots["mean_square"] + share * size(dw)
    rms_of_steps, rms = np.sqrt(slots["mean_square_step"] + epsilon), np.sqrt(mean_square + epsilon)
    step = -(rms_of_steps * dw / rms)
    ratio = rms_of_steps / rms
    mean_square_step = rho * slots["mean_square_step"] + share * (ratio * ratio * size(dw))
    new = {"mean_square": mean_square, "mean_square_step": mean_square_step}
    return w + learning_rate * step, new


# ------------------------------------------------------------------------------------------- Ftrl
def ftrl_numbers(
    dtype,
    t,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    l2_shrinkage_regularization_strength,
    beta,
):
    """Return learning_rate, -learning_rate_power, l1, 2 l2 with beta's part, 2 l2 of shrinkage."""
    rate = dtype.type(learning_rate)
    l2 = l2_regularization_strength + beta / (2 * rate)
    return (
        *(rate, dtype.type(-learning_rate_power), dtype.type(l1_regularization_strength)),
        *(dtype.type(2 * l2), dtype.type(2 * l2_shrinkage_regularization_strength)),
    )


def ftrl(w, dw, slots, learning_rate, power, l1, twice_l2, shrinkage, size=squared):
    """Follow the regularized leader (McMahan et al. 2013, algorithm 1)."""
    old, new = slots["accumulator"], slots["accumulator"] + size(dw)
    old_power, new_power = np.power(old, power), np.power(new, power)
    linear = slots["linear"] + (dw + shrinkage * w - (new_power - old_power) / learning_rate * w)
    quadratic = new_power / learning_rate + twice_l2
    small = np.minimum(np.maximum(linear, -l1), l1)
    return (small - linear) / quadratic, {"accumulator": new, "linear": linear}


BY_NAME = {
    "sgd": (sgd_numbers, sgd),
    "rmsprop": (rmsprop_numbers, rmsprop),
    "adam": (adam_numbers, adam),
    "adamax": (adamax_numbers, adamax),
    "nadam": (nadam_numbers, nadam),
    "lion": (lion_numbers, lion),
    "adagrad": (adagrad_numbers, adagrad),
    "adadelta": (adadelta_numbers, adadelta),
    "ftrl": (ftrl_numbers, ftrl),
}


# What the optimizers that go by the size of a gradient take for it.  Keras on TensorFlow knows the
# gradient of an Embedding as a list of rows, one for each place where a row of the table was looked
# up: it takes the size of each, and sums up those.
SIZES = dict.fromkeys(("rmsprop", "adam", "nadam", "adagrad", "adadelta", "ftrl"), squared)
SIZES["adamax"] = np.absolute


# ------------------------------------------------------------------------- before and after a step
def accumulate(dw, sums, t, every):
    """Add up gradients; every `every` batches leave their mean in dw, and start anew.

    Parameters
    ----------
    dw, sums : ndarray (n,)
    t : int
        Counts the batches, this one included, from 1.
    every : int

    Returns
    -------
    bool
        Whether dw is a mean, and a step is due.
    """
    dw += sums
    if t % every:
        sums[...] = dw
        return False
    dw /= every
    sums[...] = 0
    return True


def steps_taken(t, every):
    """Return how many steps were due before batch t (from 1), if one is every `every` batches."""
    return (t - 1) // every


def average_numbers(dtype, steps, momentum, overwrite_every):
    """Return what a step keeps of the running mean, what is new in it, and whether w becomes it.

    `steps` is how many were taken before; the first makes the mean what the parameters are.
    """
    keeps = np.where(steps > 0, dtype.type(momentum), dtype.type(0))
    overwrites = np.zeros_like(steps) if not overwrite_every else (steps + 1) % overwrite_every == 0
    return keeps, 1 - keeps, np.asarray(overwrites).astype(dtype)


def average(w, mean, keeps, share, overwrites):
    """Return the new w and the new running mean of w (Polyak & Juditsky 1992, with forgetting)."""
    mean = keeps * mean + share * w
    return np.where(overwrites > 0, mean, w), mean


def decay_weights(w, learning_rate, weight_decay):
    """Shrink the parameters before the step (Loshchilov & Hutter 2019, as AdamW does)."""
    w -= w * rounded(weight_decay, w.dtype) * learning_rate


def decay_numbers(dtype, learning_rate, weight_decay):
    """Return the two numbers by which `decay_weights` multiplies."""
    return rounded(weight_decay, dtype), dtype.type(learning_rate)


def clip_by_value(dw, limit):
    """Clip each gradient to [-limit, limit], in place."""
    np.clip(dw, -limit, limit, out=dw)


def clip_by_norm(dw, limit):
    """Scale one variable's gradient, in place, so that its Euclidean norm is at most `limit`."""
    norm = np.sqrt(np.sum(dw * dw))
    dw *= limit
    dw /= np.maximum(norm, limit)


def clip_by_global_norm(dw, limit):
    """Scale all gradients, in place, so that the norm of all of them together is at most `limit`.

    A norm that is not finite makes every gradient NaN, so that a divergence is seen.
    """
    norm = np.sqrt(np.sum(dw * dw))
    # norm - norm is 0, or NaN for inf and NaN; the norm of all zeros needs no scaling.
    scale = limit / np.maximum(norm, limit) + (norm - norm)
    dw *= scale

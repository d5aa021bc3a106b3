"""Optimizers: one step each, on flat vectors, with the arithmetic of Keras 3.

Shapes: parameters w, gradients dw and every slot (n,), all of one dtype.  A step comes in two
halves.  ``<name>_numbers`` makes, from the settings and the count of steps, the few numbers that
this step needs; ``<name>`` is plain arithmetic, element by element, from the old w, the gradient,
the old slots and those numbers to the new w and the new slots.  `take_step` does both, in place.

Formulas: Keras 3 `optimizers/sgd.py`, `rmsprop.py`, `adam.py`, `base_optimizer.py`.
"""

import numpy as np


def _rounded(constant, dtype):
    """Return a constant in a dtype as it reaches TensorFlow's arithmetic: by way of float32.

    In float64 this is seen: 0.999 becomes 0.99900001287, and Adam's first steps change by 7e-6.
    To keep all digits give the optimizer a ``numpy.float64``, here as in Keras.
    """
    return dtype.type(constant if isinstance(constant, np.float64) else np.float32(constant))


def take_step(name, w, dw, slots, t, learning_rate, hyperparameters):
    """Take one optimizer's step, in place.

    Parameters
    ----------
    name : {"sgd", "rmsprop", "adam"}
    w, dw : ndarray (n,)
        The gradients are left alone.
    slots : dict of str to ndarray (n,)
    t : int
        Counts the steps, this one included, from 1.
    learning_rate : float
    hyperparameters : dict of str to float
    """
    numbers, step = BY_NAME[name]
    numbers = numbers(w.dtype, t, learning_rate, **hyperparameters)
    w[...], new_slots = step(w, dw, slots, *numbers)
    for slot, value in new_slots.items():
        slots[slot][...] = value


# ------------------------------------------------------------------------------- gradient descent
def sgd_numbers(dtype, t, learning_rate, momentum=0.0, nesterov=False):
    """Return learning_rate, momentum and whether to look ahead (1 or 0)."""
    return dtype.type(learning_rate), _rounded(momentum, dtype), dtype.type(nesterov)


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


def rmsprop(w, dw, slots, learning_rate, rho, share, epsilon, momentum):
    """RMSprop (Hinton 2012): divide by the root of the running mean of the squared gradient.

    `mean_square` is that mean, in which a new value has the `share`.  With the slot `mean_gradient`
    ("centered") the squared mean gradient is taken off it; with `momentum_step` that is the
    running step.
    """
    new = {"mean_square": rho * slots["mean_square"] + share * (dw * dw)}
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
    beta_1_power, beta_2_power = _rounded(beta_1, dtype) ** steps, _rounded(beta_2, dtype) ** steps
    alpha = dtype.type(learning_rate) * np.sqrt(1 - beta_2_power) / (1 - beta_1_power)
    return alpha, dtype.type(1 - beta_1), dtype.type(1 - beta_2), dtype.type(epsilon)


def adam(w, dw, slots, alpha, share_1, share_2, epsilon, quotient=None):
    """Adam (Kingma & Ba 2015), in the form at the end of its section 2, as Keras has it.

    `m`, `v` are the running means of the gradient and of its square, in which new values have the
    shares `share_1`, `share_2`.  `epsilon` is added to the root of the *uncorrected* `v`: not the
    paper's algorithm 1.  `quotient` is `quotient_by_root` or something as good.
    """
    m = slots["m"] + (dw - slots["m"]) * share_1
    v = slots["v"] + (dw * dw - slots["v"]) * share_2
    return w - (quotient or quotient_by_root)(m * alpha, v, epsilon), {"m": m, "v": v}


def quotient_by_root(numerator, v, epsilon):
    """Return ``numerator / (sqrt(v) + epsilon)``."""
    return numerator / (np.sqrt(v) + epsilon)


BY_NAME = {
    "sgd": (sgd_numbers, sgd),
    "rmsprop": (rmsprop_numbers, rmsprop),
    "adam": (adam_numbers, adam),
}


# ---------------------------------------------------------------------- before a step, all in place
def decay_weights(w, learning_rate, weight_decay):
    """Shrink the parameters before the step (Loshchilov & Hutter 2019, as AdamW does)."""
    w -= w * _rounded(weight_decay, w.dtype) * learning_rate


def decay_numbers(dtype, learning_rate, weight_decay):
    """Return the two numbers by which `decay_weights` multiplies."""
    return _rounded(weight_decay, dtype), dtype.type(learning_rate)


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

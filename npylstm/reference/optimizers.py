"""Optimizers: one step each, on flat vectors, with the arithmetic of Keras 3.

Shapes: parameters w, gradients dw and every slot (n,), all of one dtype.  Each step changes `w` and
its slots in place and returns nothing; the gradients are left alone.  `t` counts the steps, this
one included, from 1; only the optimizers that correct a bias use it.

Formulas: Keras 3 `optimizers/sgd.py`, `rmsprop.py`, `adam.py`, `base_optimizer.py`.
"""

import numpy as np


def _rounded(constant, w):
    """Return a constant in w's dtype as it reaches TensorFlow's arithmetic: by way of float32.

    In float64 this is seen: 0.999 becomes 0.99900001287, and Adam's first steps change by 7e-6.
    To keep all digits give the optimizer a ``numpy.float64``, here as in Keras.
    """
    return w.dtype.type(constant if isinstance(constant, np.float64) else np.float32(constant))


def sgd_step(w, dw, t, learning_rate, momentum=0.0, nesterov=False, velocity=None):
    """Gradient descent; with momentum, `velocity` is the running step."""
    if momentum == 0:
        w -= learning_rate * dw
        return
    momentum = _rounded(momentum, w)
    velocity *= momentum
    velocity -= learning_rate * dw
    if nesterov:  # step as if the velocity had already been followed once more
        w += momentum * velocity - learning_rate * dw
    else:
        w += velocity


def rmsprop_step(
    w,
    dw,
    t,
    learning_rate,
    rho,
    epsilon,
    mean_square,
    momentum=0.0,
    momentum_step=None,
    mean_gradient=None,
):
    """RMSprop (Hinton 2012): divide by the root of the running mean of the squared gradient.

    `mean_square` is that mean.  With `mean_gradient` given ("centered"), the squared mean gradient
    is taken off it; with momentum, `momentum_step` is the running step.
    """
    mean_square[:] = rho * mean_square + (1 - rho) * (dw * dw)
    denominator = mean_square + epsilon
    if mean_gradient is not None:
        mean_gradient[:] = rho * mean_gradient + (1 - rho) * dw
        denominator = mean_square - mean_gradient * mean_gradient + epsilon
    step = learning_rate * dw / np.sqrt(denominator)
    if momentum > 0:
        momentum_step[:] = momentum * momentum_step + step
        step = momentum_step
    w -= step


def adam_step(w, dw, t, learning_rate, beta_1, beta_2, epsilon, m, v):
    """Adam (Kingma & Ba 2015), in the form at the end of its section 2, as Keras has it.

    `m`, `v` are the running means of the gradient and of its square.
    `epsilon` is added to the root of the *uncorrected* `v`: not the paper's algorithm 1.
    """
    steps = w.dtype.type(t)
    beta_1_power, beta_2_power = _rounded(beta_1, w) ** steps, _rounded(beta_2, w) ** steps
    alpha = w.dtype.type(learning_rate) * np.sqrt(1 - beta_2_power) / (1 - beta_1_power)
    m += (dw - m) * (1 - beta_1)
    v += (dw * dw - v) * (1 - beta_2)
    w -= m * alpha / (np.sqrt(v) + epsilon)


def decay_weights(w, learning_rate, weight_decay):
    """Shrink the parameters before the step (Loshchilov & Hutter 2019, as AdamW does)."""
    w -= w * _rounded(weight_decay, w) * learning_rate


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

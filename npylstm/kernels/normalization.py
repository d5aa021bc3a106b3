"""Layer normalization's kernels: N vectors of F features, shared out by vectors.

`reference.normalization` has the equations.  Shapes: x, y (N, F), gamma, beta (F,).  For each
vector four numbers are kept: the two that the forward needs, and two more for the backward.
"""

import numpy as np

from ..reference import normalization
from .elementwise import elementwise, fill_with_zeros, summed
from .format import host_format
from .frame import ADD_DX, THREADS, B, D, U, W, X, Y
from .frame import GATES as MOMENTS
from .jit import share

_KEPT = 4  # mean, inverse; mean slope, mean product


def layer_normalization_forward(dtype, epsilon, scale, center):
    """Return the kernel that normalizes, and keeps mean and inverse deviation of each vector."""
    form = host_format(dtype)
    total = summed(form, lambda x: x, 1)
    deviation = summed(form, normalization.squared_deviation, 1, scalars=1)

    def equation(x, gamma, beta, mean, inverse):
        gamma, beta = gamma if scale else 1, beta if center else 0
        return normalization.scaled_and_shifted(x, gamma, beta, mean, inverse)

    apply = elementwise(form, equation, 3, 1, scalars=2)

    def kernel(row, frame, k):
        table, arena, kept = frame.table, frame.arena, frame.workspace
        u = table[row, U]
        # What there is no weight for is not looked at: any place will do.
        weights = frame.parameters if scale or center else arena
        gamma = table[row, W] if scale or center else table[row, X]
        beta = gamma + table[row, D] if center else gamma
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for r in range(first, last):
            x, y = table[row, X] + r * u, table[row, Y] + r * u
            at = table[row, MOMENTS] + _KEPT * r
            kept[at] = total(u, arena, x) / u
            variance = deviation(u, arena, x, kept, at) / u
            kept[at + 1] = 1 / np.sqrt(variance + epsilon)
            apply(u, arena, x, weights, gamma, weights, beta, arena, y, kept, at)

    return kernel


def layer_normalization_weight_gradients(dtype, scale, center):
    """Return the kernel ``dgamma = sum(dy normalized), dbeta = sum(dy)``, shared by features."""
    form = host_format(dtype)
    zero = fill_with_zeros(form)
    add_gamma = elementwise(
        form, lambda d, dy, x, *m: d + dy * normalization.normalized(x, *m), 3, 1, scalars=2
    )
    add_beta = elementwise(form, lambda d, dy: d + dy, 2, 1)

    def kernel(row, frame, k):
        table, arena, kept = frame.table, frame.arena, frame.workspace
        u, gradients, dys = table[row, U], frame.gradients, frame.gradient_arena
        first, last = share(u, k, frame.settings[THREADS])
        n = last - first
        dgamma = table[row, W] + first
        dbeta = dgamma + table[row, D]
        if scale:
            zero(n, gradients, dgamma)
        if center:
            zero(n, gradients, dbeta)
        for r in range(table[row, B]):
            x, dy = table[row, X] + r * u + first, table[row, Y] + r * u + first
            if scale:
                at = table[row, MOMENTS] + _KEPT * r
                add_gamma(
                    n, gradients, dgamma, dys, dy, arena, x, gradients, dgamma, kept, at
                )  # fmt: skip
            if center:
                add_beta(n, gradients, dbeta, dys, dy, gradients, dbeta)

    return kernel


def layer_normalization_x_gradient(dtype, scale):
    """Return the kernel of dx."""
    form = host_format(dtype)

    def dnormalized(dy, gamma):
        return dy * gamma if scale else dy

    def product(dy, gamma, x, mean, inverse):
        return dnormalized(dy, gamma) * normalization.normalized(x, mean, inverse)

    def slope(dy, gamma, x, *kept):
        return normalization.slope(dnormalized(dy, gamma), x, *kept)

    total = summed(form, dnormalized, 2)
    total_product = summed(form, product, 3, scalars=2)
    write = elementwise(form, slope, 3, 1, scalars=4)
    add = elementwise(form, lambda dx, *rest: dx + slope(*rest), 4, 1, scalars=4)

    def kernel(row, frame, k):
        table, arena, kept, d = frame.table, frame.arena, frame.workspace, frame.gradient_arena
        u = table[row, U]
        weights, gamma = frame.parameters, table[row, W]
        if not scale:  # not looked at: any place will do
            weights, gamma = arena, table[row, X]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for r in range(first, last):
            x, dy = table[row, X] + r * u, table[row, Y] + r * u
            at = table[row, MOMENTS] + _KEPT * r
            kept[at + 2] = total(u, d, dy, weights, gamma) / u
            kept[at + 3] = total_product(u, d, dy, weights, gamma, arena, x, kept, at) / u
            if table[row, ADD_DX]:
                add(u, d, x, d, dy, weights, gamma, arena, x, d, x, kept, at)
            else:
                write(u, d, dy, weights, gamma, arena, x, d, x, kept, at)

    return kernel

"""Dense's kernels: N rows of D features to K units; see `products.product_tile`.

Shapes: x (N, D), W (D, K), b (K,), y (N, K); all rows of x are independent of each other.
"""

from . import products
from .format import host_format
from .frame import (
    ADD_DX,
    ONE,
    PACKED_X,
    THREADS,
    USE_BIAS,
    B,
    D,
    U,
    W,
    X,
    Y,
)
from .jit import least, share
from .registers import heights_of

_BLOCK = 384  # rows whose products are summed before the next: they stay in the L2 cache


def dense_pack(dtype):
    """Return the kernel that transposes W for dx: (ND, K up to whole vectors, 2 L)."""
    form = host_format(dtype)
    L, P = form.lanes, products.BACK_PIECES * form.lanes
    transpose = products.transpose_tile(form)

    def kernel(row, frame, k):
        table = frame.table
        d, u, w, to = table[row, D], table[row, U], table[row, W], table[row, PACKED_X]
        first, last = share((d + P - 1) // P, k, frame.settings[THREADS])
        lines = (u + L - 1) // L * L
        for block in range(first, last):
            for at in range(0, u, L):
                for v in range(0, P, L):
                    transpose(
                        1, frame.parameters, w + (block * P + v) * u + at, u,
                        d - block * P - v, u - at,
                        frame.workspace, to + (block * lines + at) * P + v, P,
                    )  # fmt: skip

    return kernel


def dense_forward(dtype, pieces, single):
    """Return the kernel ``y = x @ W + b``; `single` is for one row."""
    form = host_format(dtype)
    L, N = form.lanes, pieces * form.lanes
    heights, chains = ((1,), 4) if single else (heights_of(form, pieces), 1)
    product = products.product_tile(form, heights, pieces, chains=chains)

    def kernel(row, frame, k):
        table, arena, parameters = frame.table, frame.arena, frame.parameters
        d, u, w = table[row, D], table[row, U], table[row, W]
        x, y = table[row, X], table[row, Y]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        for at in range(0, u, N):
            bias_left = u - at if table[row, USE_BIAS] else 0
            q = first
            while q < last:
                q += product(
                    last - q, arena, x + q * d, d, 0, parameters, w + at, u, L, 0, d, 1,
                    parameters, w + d * u + at, 0, bias_left,
                    arena, y + q * u + at, u, L, u - at,
                )  # fmt: skip

    return kernel


def dense_weight_gradients(dtype, pieces):
    """Return the kernel ``dW = x.T @ dy, db = sum(dy)``."""
    form = host_format(dtype)
    L, N = form.lanes, pieces * form.lanes
    product = products.product_tile(form, heights_of(form, pieces), pieces, columns=True)

    def kernel(row, frame, k):
        table, gradients = frame.table, frame.gradients
        n, d, u, w = table[row, B], table[row, D], table[row, U], table[row, W]
        dy, threads = table[row, Y], frame.settings[THREADS]
        for part in range(1 + table[row, USE_BIAS]):
            # ``a.T @ dy`` for x and for a column of ones.
            if part == 0:
                a, start, a_step, to = frame.arena, table[row, X], d, w
                first, last = share(d, k, threads)
            else:
                a, start, a_step, to = frame.workspace, ONE, 0, w + d * u
                first, last = share(1, k, threads)
            for s in range(0, n, _BLOCK):
                rows = least(_BLOCK, n - s)
                for at in range(0, u, N):
                    added = u - at if s else 0
                    m = first
                    while m < last:
                        here = to + m * u + at
                        m += product(
                            last - m, a, start + s * a_step + m, a_step, 0,
                            frame.gradient_arena, dy + s * u + at, u, L, 0, rows, 1,
                            gradients, here, u, added, gradients, here, u, L, u - at,
                        )  # fmt: skip

    return kernel


def dense_x_gradient(dtype, single):
    """Return the kernel ``dx = dy @ W.T``; `single` is for one row, where W is read as it lies."""
    form = host_format(dtype)
    L, P = form.lanes, products.BACK_PIECES * form.lanes
    if single:
        dot = products.dot_tile(form)
    else:
        product = products.product_tile(
            form, heights_of(form, products.BACK_PIECES), products.BACK_PIECES
        )

    def kernel(row, frame, k):
        table, dx = frame.table, frame.gradient_arena
        d, u, w = table[row, D], table[row, U], table[row, W]
        x, dy, add = table[row, X], table[row, Y], table[row, ADD_DX]
        first, last = share(table[row, B], k, frame.settings[THREADS])
        if single:
            if k == 0:
                for at in range(0, d, L):
                    added = d - at if add else 0
                    dot(
                        1, dx, dy, u, frame.parameters, w + at * u, u,
                        dx, x + at, added, dx, x + at, d - at,
                    )  # fmt: skip
        else:
            for at in range(0, d, P):
                added = d - at if add else 0
                packed = table[row, PACKED_X] + at * ((u + L - 1) // L * L)
                q = first
                while q < last:
                    here = x + q * d + at
                    q += product(
                        last - q, dx, dy + q * u, u, 0, frame.workspace, packed, P, L, 0,
                        u, 1, dx, here, d, added, dx, here, d, L, d - at,
                    )  # fmt: skip

    return kernel

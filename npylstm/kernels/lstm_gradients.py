"""The LSTM's kernels that make gradients of what came in, from dz: the weights', and those of x.

Threads take blocks of units of the weights' gradients until none is left, and share out the rows of
x.  No sum depends on how many threads there are.  Shapes and layouts are those of `lstm`.
"""

from ..plan import Start
from . import products
from .elementwise import elementwise, fill_with_zeros
from .format import host_format
from .frame import (
    ADD_DX,
    BLOCK,
    CARRY,
    COLUMNS,
    FIRST_STEP,
    GATES,
    LINES,
    MODE,
    PACKED_BACK,
    PACKED_X,
    REVERSE,
    STATE_GRADIENTS,
    STEP,
    THREADS,
    USE_BIAS,
    B,
    C,
    D,
    H,
    T,
    U,
    W,
    X,
)
from .jit import barrier, jit, least, share, stopped, take
from .registers import gates_together, heights_of

_ZEROS = int(Start.ZEROS)
_AT_ONCE = 16  # rows whose columns are laid out at a time: they stay in the L1 cache
_ROWS = 42  # rows of dz that stay in the L2 cache while weights pass: tiles of 14, or of 6, rows


def strips_of(form, heights):
    """Return a helper that lays out the columns of x and h as tiles read them for the gradients.

    ``(row, frame, k, done, n, of_h)``: those of n rows (T, B) of x, from step `done` on, of h if
    `of_h` is not 0, and a column of ones for the bias.  On each cache line of x and h there are
    numbers of other tiles, and lines that lie far apart share few places in a cache.  In strips of
    as many columns as a tile takes, what it reads lies side by side.
    """
    strip = products.strip_tile(form, heights)

    @jit
    def lay_out(row, frame, k, done, n, of_h):
        table, workspace = frame.table, frame.workspace
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        first, last = share(n, k, frame.settings[THREADS])
        for part in range(2 if of_h else 1):
            if part == 0:
                width, start, to = d, table[row, X] + done * b * d, table[row, COLUMNS]
            else:
                width, start, to = u, table[row, H] + done * b * u, table[row, COLUMNS] + d * n
            r = first
            while r < last:
                rows, source = least(_AT_ONCE, last - r), start + r * width
                if part == 0 and table[row, REVERSE]:
                    rows = least(rows, b - r % b)
                    source = table[row, X] + ((t - 1 - done - r // b) * b + r % b) * d
                for begin in range(0, width, LINES):
                    m, end = begin, least(begin + LINES, width)
                    while m < end:
                        m += strip(
                            end - m, frame.arena, source + m, width, rows,
                            workspace, to + m * n, r,
                        )  # fmt: skip
                r += rows
        ones = table[row, COLUMNS] + (d + u) * n
        for r in range(first, last):
            workspace[ones + r] = 1

    return lay_out


def lstm_weight_gradients(dtype):
    """Return the kernel that sums the weights' gradients over all steps: dW, dR, db from dz."""
    form = host_format(dtype)
    L, G, heights = form.lanes, gates_together(form), heights_of(form, 4)
    add = products.product_tile(form, heights, 4, of_four=True, strips=True)
    zero, lay_out = fill_with_zeros(form), strips_of(form, heights)

    def kernel(row, frame, k):
        table, workspace, s = frame.table, frame.workspace, frame.settings
        t, b, d, u, w = table[row, T], table[row, B], table[row, D], table[row, U], table[row, W]
        of_x, of_h = (d + LINES - 1) // LINES, (u + LINES - 1) // LINES
        if t == 1 and table[row, MODE] == _ZEROS:  # h is 0, and will be in the next batch
            of_h = 0
            if s[STEP] == s[FIRST_STEP] and k == 0:
                zero(4 * u * u, frame.gradients, w + d * 4 * u)
        groups, steps = of_x + of_h + table[row, USE_BIAS], (BLOCK + b - 1) // b
        for done in range(0, t, steps):
            if done and barrier(frame):
                return
            n = least(steps, t - done) * b
            lay_out(row, frame, k, done, n, of_h)
            if barrier(frame):
                return
            tasks = (u + L - 1) // L * groups
            task = take(frame, k, tasks)
            while task >= 0 and not stopped(frame):  # at the next barrier all give up, or none
                # ``a.T @ dz`` for lines of x, of h, and a line of ones: a line of dz a sample.
                nb, group = task // groups, task % groups
                lines, first, begin = d, 0, group * LINES
                if group >= of_x:
                    lines, first, begin = u, d, (group - of_x) * LINES
                if group >= of_x + of_h:
                    lines, first, begin = 1, d + u, 0
                dz = table[row, GATES] + (nb * 4 * t + done * G) * b * L
                m, end, left = begin, least(begin + LINES, lines), u - nb * L
                while m < end:
                    here = w + (first + m) * 4 * u + nb * L
                    m += add(
                        end - m, workspace, table[row, COLUMNS] + (first + m) * n, 0, 0,
                        workspace, dz, G * L, t * b * G * L, 0, n, 1,
                        frame.gradients, here, 4 * u, left if done else 0,
                        frame.gradients, here, 4 * u, u, left,
                    )  # fmt: skip
                task = take(frame, k, tasks)

    return kernel


def lstm_x_gradient(dtype):
    """Return the kernel that makes dx, and dh0 and dc0 if they are wanted, from dz."""
    form = host_format(dtype)
    L, P, G = form.lanes, products.BACK_PIECES * form.lanes, gates_together(form)
    heights = heights_of(form, products.BACK_PIECES)
    product = products.product_tile(form, heights, products.BACK_PIECES, of_gates=True)
    add_up = elementwise(form, lambda a, b: a + b, 2, 1)

    @jit
    def back(row, frame, first, last, dz, packed, width, to, add):
        # Rows first, …, last - 1 of dz times a transposed kernel, to as many lines of `width`.
        table = frame.table
        t, b, blocks = table[row, T], table[row, B], (table[row, U] + L - 1) // L
        for begin in range(first, last, _ROWS):
            end = least(begin + _ROWS, last)
            for at in range(0, width, P):
                added, lines = width - at if add else 0, packed + at * blocks * 4 * L
                q = begin
                while q < end and not stopped(frame):
                    here = to + q * width + at
                    q += product(
                        end - q, frame.workspace, dz + q * G * L, G * L, t * b * G * L,
                        frame.workspace, lines, P, L, G * L * P, G * L, blocks * 4 // G,
                        frame.gradient_arena, here, width, added,
                        frame.gradient_arena, here, width, L, width - at,
                    )  # fmt: skip

    def kernel(row, frame, k):
        table, threads = frame.table, frame.settings[THREADS]
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        x, dz, packed = table[row, X], table[row, GATES], table[row, PACKED_X]
        add = table[row, ADD_DX]
        if packed >= 0 and table[row, REVERSE]:
            first, last = share(b, k, threads)
            for s in range(t):
                there = x + (t - 1 - s) * b * d
                back(row, frame, first, last, dz + s * b * G * L, packed, d, there, add)
        elif packed >= 0:
            first, last = share(t * b, k, threads)
            back(row, frame, first, last, dz, packed, d, x, add)
        if table[row, STATE_GRADIENTS]:
            first, last = share(b, k, threads)
            back(row, frame, first, last, dz, table[row, PACKED_BACK], u, table[row, H], 1)
            width = (u + P - 1) // P * P
            for q in range(first, last):
                dc = table[row, C] + q * u
                carry = table[row, CARRY] + q * width
                add_up(
                    *(u, frame.gradient_arena, dc, frame.workspace, carry),
                    *(frame.gradient_arena, dc),
                )

    return kernel

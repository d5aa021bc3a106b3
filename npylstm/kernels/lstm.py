"""The LSTM's kernels that go through time: packing, forward, backward; see `lstm_gradients`, too.

Each walks over timesteps, blocks of units and samples and calls a tile there; see `tile` for the
layouts.  Threads share out the samples, which do not depend on each other, and need not meet while
they go through time; or, where the weights are too many for one processor's cache, they take a few
samples of a block of units at a time, and meet after every timestep.  No sum depends on how many
threads there are.

Shapes: T timesteps, B samples, D features, U units · x (T, B, D) · h, c (T+1, B, U) · L lanes, NB
blocks of L units.
"""

from ..plan import Start
from ..reference import activations
from . import products, tile
from .elementwise import copy as copy_of
from .elementwise import fill_with_zeros
from .format import host_format
from .frame import (
    CARRY,
    DH_FROM,
    GATES,
    GROUP,
    MASK,
    MODE,
    PACKED,
    PACKED_BACK,
    PACKED_X,
    PARTIAL,
    REVERSE,
    SPLIT_BACKWARD,
    SPLIT_FORWARD,
    STATE,
    STATE_GRADIENTS,
    THREADS,
    USE_BIAS,
    WHOLE,
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
from .masks import counts
from .registers import gates_together, heights_of

_ZEROS, _CARRIED = int(Start.ZEROS), int(Start.CARRIED)
_CHUNK = 64  # lines of a block of weights that stay in the L1 cache while samples pass


# ---------------------------------------------------------------------------------------- packing
def lstm_pack(dtype):
    """Return the kernel that packs the weights of one LSTM row for its tiles."""
    form = host_format(dtype)
    L, P, G = form.lanes, products.BACK_PIECES * form.lanes, gates_together(form)
    pack, transpose = products.pack_tile(form, G), products.transpose_tile(form)

    def kernel(row, frame, k):
        table, threads = frame.table, frame.settings[THREADS]
        d, u, w = table[row, D], table[row, U], table[row, W]
        blocks, lines = (u + L - 1) // L, d + u + table[row, USE_BIAS]
        to = table[row, PACKED]
        if to >= 0:
            first, last = share(lines, k, threads)
            for line in range(first, last):  # line by line, as they lie in memory
                for group in range(4 // G):
                    place = (group * (d + u + 1) + line) * G * L
                    pack(
                        1, frame.parameters, w + (line * 4 + group * G) * u, u,
                        frame.workspace, to + place, (d + u + 1) * 4 * L,
                    )  # fmt: skip
        for part in range(2):
            # The transposes of the kernel and of the recurrent kernel, in blocks of P lines.
            if part == 0:
                source, lines, to = w, d, table[row, PACKED_X]
            else:
                source, lines, to = w + d * 4 * u, u, table[row, PACKED_BACK]
            first, last = share((lines + P - 1) // P if to >= 0 else 0, k, threads)
            for block in range(first, last):
                for nb in range(blocks):
                    for g in range(4):
                        for line in range(block * P, (block + 1) * P, L):
                            transpose(
                                1, frame.parameters, source + (line * 4 + g) * u + nb * L, 4 * u,
                                lines - line, u - nb * L, frame.workspace,
                                to + ((block * blocks + nb) * 4 + g) * L * P + line % P, P,
                            )  # fmt: skip

    return kernel


# ------------------------------------------------------------------------------- sharing the work
@jit
def following(frame, k, n, task, shared):
    """Return the task after one: of n, the next that is still to be done; -1 after the last."""
    if shared:
        following = take(frame, k, n)
    else:
        following = task + 1 if task + 1 < n else -1
    return following


# ---------------------------------------------------------------------------------------- forward
def states_of(form):
    """Return helpers ``(row, frame, first, last)`` that start from and carry over the states."""
    copy, zero = copy_of(form), fill_with_zeros(form)

    @jit
    def start(row, frame, first, last):
        # The initial states of samples first, …, last - 1.
        table = frame.table
        u = table[row, U]
        h, c, state = table[row, H], table[row, C], table[row, STATE]
        at, n = first * u, (last - first) * u
        if table[row, MODE] == _ZEROS:
            zero(n, frame.arena, h + at)
            zero(n, frame.arena, c + at)
        elif table[row, MODE] == _CARRIED:
            copy(n, frame.states, state + at, frame.arena, h + at)
            copy(n, frame.states, state + table[row, B] * u + at, frame.arena, c + at)

    @jit
    def carry_over(row, frame, first, last):
        table = frame.table
        u, size = table[row, U], table[row, B] * table[row, U]
        h, c, state = table[row, H], table[row, C], table[row, STATE]
        at, end, n = first * u, table[row, T] * size + first * u, (last - first) * u
        copy(n, frame.arena, h + end, frame.states, state + at)
        copy(n, frame.arena, c + end, frame.states, state + size + at)

    return start, carry_over


def lstm_forward(dtype, activation, recurrent_activation, saved, single, masked=False):
    """Return the forward kernel of an LSTM row.

    Parameters
    ----------
    dtype, activation, recurrent_activation : str
    saved : {"gates", "z", ""}
        What is kept for the backward.
    single : bool
        For batches of one sample.
    masked : bool
        Whether there are timesteps to be passed over.
    """
    form = host_format(dtype)
    L, G = form.lanes, gates_together(form)
    heights = (1,) if single else heights_of(form, 4)
    phi, sigma = activations.BY_NAME[activation], activations.BY_NAME[recurrent_activation]
    step = tile.forward_tile(form, heights, phi, sigma, saved, unpacked=single)
    chunks = G == 4 and not single  # with fewer registers they take longer than they save
    chunk = products.product_tile(form, heights, 4, of_four=True, asks=True)
    copy, (start, carry_over) = copy_of(form), states_of(form)

    @jit
    def add(frame, a, n, lines, begin, end, partial, init, init_row, init_left):
        # Add n lines' products to the sums of samples begin, …, end - 1, which start from `init`; a
        # is where their numbers lie in the arena and how far apart.
        q, soon = begin, lines + n * 4 * L
        while q < end:
            here = q - begin
            done = chunk(
                end - q, frame.arena, a[0] + q * a[1], a[1], 0,
                frame.workspace, lines, 4 * L, 4 * L, 0, n, 1,
                frame.workspace, init + here * init_row, init_row, init_left,
                frame.workspace, partial + here * 4 * L, 4 * L, L, L, frame.workspace, soon,
            )  # fmt: skip
            q += done
            soon += L  # of the lines that follow, each tile asks for its part

    def kernel(row, frame, k):
        table, arena = frame.table, frame.arena
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        x, h, c, gates = table[row, X], table[row, H], table[row, C], table[row, GATES]
        use_bias = table[row, USE_BIAS]
        if single:  # a single row reads the weights where they are
            weights, w = frame.parameters, table[row, W]
            line, piece, group, block = 4 * u, u, G * u, L
        else:
            weights, w = frame.workspace, table[row, PACKED]
            line, piece, group, block = G * L, L, (d + u + 1) * G * L, (d + u + 1) * 4 * L
        threads, blocks = frame.settings[THREADS], (u + L - 1) // L
        partial = table[row, PARTIAL] + k * GROUP * 4 * L
        first, last = share(b, k, threads)
        start(row, frame, first, last)
        split_units = table[row, SPLIT_FORWARD]
        if split_units:
            first, last = 0, b
            if barrier(frame):
                return
        groups = (last - first + GROUP - 1) // GROUP
        for s in range(t):
            x_s = x + (t - 1 - s if table[row, REVERSE] else s) * b * d
            h_s, c_s = h + s * b * u, c + s * b * u
            n_h = 0 if s == 0 and table[row, MODE] == _ZEROS else u
            n = blocks * groups
            task = following(frame, k, n, -1, split_units)
            while task >= 0:
                nb, begin = task // groups, first + task % groups * GROUP
                end = least(begin + GROUP, last)
                of_x = w + nb * block
                of_h = of_x + d * line
                init, init_row, init_left = of_h + u * line, 0, (u - nb * L) * use_bias
                x_done, h_done = 0, 0
                if chunks:
                    cut = d + n_h > WHOLE
                    while cut and d - x_done + n_h - h_done > _CHUNK:
                        if x_done < d:
                            more = least(_CHUNK, d - x_done)
                            a, lines = (x_s + x_done, d), of_x + x_done * line
                            x_done += more
                        else:
                            more, a, lines = _CHUNK, (h_s + h_done, u), of_h + h_done * line
                            h_done += more
                        add(frame, a, more, lines, begin, end, partial, init, init_row, init_left)
                        init, init_row, init_left = partial, 4 * L, L
                q = begin
                while q < end:
                    here = q * u + nb * L
                    q += step(
                        end - q, arena, x_s + q * d + x_done, d, d - x_done,
                        weights, of_x + x_done * line,
                        arena, h_s + q * u + h_done, u, n_h - h_done,
                        weights, of_h + h_done * line, line, piece, group,
                        weights, init + (q - begin) * init_row, init_row, init_left,
                        arena, c_s + here, arena, h_s + b * u + here, arena, c_s + b * u + here,
                        frame.workspace, gates + (nb * 4 * t * b + (s * b + q) * G) * L,
                        t * b * G * L, u - nb * L,
                    )  # fmt: skip
                if masked:
                    q, units = begin, least(L, u - nb * L)
                    while q < end:
                        if not counts(row, frame, s, q):  # both states stay what they were
                            here = q * u + nb * L
                            copy(units, arena, h_s + here, arena, h_s + b * u + here)
                            copy(units, arena, c_s + here, arena, c_s + b * u + here)
                        q += 1
                task = following(frame, k, n, task, split_units)
            if split_units:
                if barrier(frame):
                    return
            elif stopped(frame):
                return
        if table[row, MODE] == _CARRIED:
            first, last = share(b, k, threads)
            carry_over(row, frame, first, last)

    return kernel


# --------------------------------------------------------------------------- backward through time
def lstm_backward(dtype, activation, recurrent_activation, saved, single, masked=False):
    """Return the kernel that carries dh and dc back through time and leaves dz in the gates."""
    form = host_format(dtype)
    L, P, G = form.lanes, products.BACK_PIECES * form.lanes, gates_together(form)
    wide = L if single else P  # units that a tile takes
    phi, sigma = activations.BY_NAME[activation], activations.BY_NAME[recurrent_activation]
    copy, zero = copy_of(form), fill_with_zeros(form)
    if single:
        heights = (1,)
        step_row = tile.backward_row_tile(form, phi, sigma, saved, masked)
    else:
        heights = heights_of(form, products.BACK_PIECES)
        step = tile.backward_tile(form, heights, phi, sigma, saved, masked)

    @jit
    def start(row, frame, first, last):
        # dc after the last step.
        table = frame.table
        t, b, u, carry = table[row, T], table[row, B], table[row, U], table[row, CARRY]
        width = (u + P - 1) // P * P
        zero((last - first) * width, frame.workspace, carry + first * width)
        if table[row, STATE_GRADIENTS]:
            dc = table[row, C] + t * b * u
            for q in range(first, last):
                copy(u, frame.gradient_arena, dc + q * u, frame.workspace, carry + q * width)

    def kernel(row, frame, k):
        table, arena, workspace = frame.table, frame.arena, frame.workspace
        t, b, d, u = table[row, T], table[row, B], table[row, D], table[row, U]
        h, c, gates, carry = table[row, H], table[row, C], table[row, GATES], table[row, CARRY]
        group, width = t * b * G * L, (u + P - 1) // P * P
        threads, blocks = frame.settings[THREADS], (u + wide - 1) // wide
        first, last = share(b, k, threads)
        start(row, frame, first, last)
        split_units, groups = table[row, SPLIT_BACKWARD], 1
        if split_units:
            groups = (b + GROUP - 1) // GROUP
            if barrier(frame):
                return
        for s in range(t - 1, -1, -1):
            c_s, dh = c + s * b * u, h + (s + 1) * b * u
            mask = table[row, MASK] + (t - 1 - s if table[row, REVERSE] else s) * b
            n_next = (u + L - 1) // L if s < t - 1 else 0
            n = blocks * groups
            task = following(frame, k, n, -1, split_units)
            while task >= 0:
                at, q, end = task // groups * wide, first, last
                if split_units:
                    q = task % groups * GROUP
                    end = least(q + GROUP, b)
                dh_left = u - at if s >= table[row, DH_FROM] else 0
                while q < end:
                    here = q * u + at
                    dz = gates + (s * b + q) * G * L
                    mine = dz + at // L * 4 // G * group
                    if single:
                        q += step_row(
                            1, workspace, dz + G * L, n_next, group,
                            frame.parameters, table[row, W] + (d + at) * 4 * u,
                            frame.gradient_arena, dh + here, dh_left, u, arena, c_s + here,
                            arena, c_s + u + here, workspace, carry + at,
                            workspace, mine, u - at, arena, mask + q,
                        )  # fmt: skip
                    else:
                        back = table[row, PACKED_BACK] + at * ((u + L - 1) // L) * 4 * L
                        q += step(
                            end - q, workspace, dz + b * G * L, n_next * 4 // G, group,
                            workspace, back,
                            frame.gradient_arena, dh + here, dh_left, u, arena, c_s + here,
                            arena, c_s + b * u + here, workspace, carry + q * width + at, width,
                            workspace, mine, u - at, arena, mask + q, b * u,
                        )  # fmt: skip
                task = following(frame, k, n, task, split_units)
            if split_units:
                if barrier(frame):
                    return
            elif stopped(frame):
                return

    return kernel

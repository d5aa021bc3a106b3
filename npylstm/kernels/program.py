"""From a plan to what the kernels run on: the table, the workspace, the frame.

`Program` gives every row of a plan the kernels that it needs, which are compiled if they never were
before, and the room that they need; `lowering` says which.  It imports no Numba: that is done where
something has to be compiled.
"""

import ctypes
import functools
import sys
from math import ceil, prod

import numpy as np

from ..aligned import aligned_zeros
from ..backends.gradient_flow import Flow, gradient_flow
from ..plan import ROW, MetricOp, Op, UpdateOp
from ..threads import get_num_threads
from . import frame as fr
from . import native
from .format import host_lanes
from .lowering import LOWER

_PLACES = {name: place for place, name in enumerate(fr.FIELDS)}
_ALIGN = 16  # numbers: parts of the workspace start where a cache line does


class Program:
    """A plan, ready to run in machine code.

    Parameters
    ----------
    plan : Plan
    objective : Objective or None
    keep : bool
        Whether there will be a backward without an objective: from gradients of the outputs, to
        those of the input and of initial states as well.

    Attributes
    ----------
    frame : Frame
        The arrays; `bind` exchanges some of them.
    settings, table : ndarray of int64
        Parts of the frame.
    x : ndarray (B, …)
        Where the input goes.
    operations : float
        Floating-point operations of a batch, roughly.
    parallel : int
        How many threads can have something to do.
    placed, unmoved : list of slice
        Of the parameters: those that are Embeddings, and those whose gradients are always zero.
    n_values : int
        How many values penalties leave.
    ahead : tuple
        The numbers of updates that were made in advance: of what, from which batch on, and they.
    """

    def __init__(self, plan, objective=None, keep=False):
        self.plan, self.objective = plan, objective
        self.dtype = plan.memory.dtype.name
        self.keeps = keep or objective is not None
        self.x = plan.batch_major_values(plan.x)
        self.batch_size = len(self.x)
        self.lanes = host_lanes(plan.memory.dtype)
        self.operations, self.parallel = 0.0, self.batch_size
        self.placed, self.unmoved, self.n_values = [], [], 0
        self.masks = []  # (generator, rate, shape) of each dropout mask
        self.looks_up = False  # whether there are Embeddings
        self._constants = []  # (place in the workspace, numbers) that stay
        self._size, self._requests, self.loss = fr.WORKSPACE, [], 0
        self._update = self._chosen = None
        self.ahead = None, 0, ()
        self.passed = 0  # how many of the last rows no gradient comes through
        self.settings = np.zeros(fr.N_SETTINGS, np.int64)
        self.rows = plan.rows_for(objective)
        self.table = np.zeros((len(self.rows), fr.WIDTH), np.int64)
        for column, name in enumerate(ROW.names):
            self.table[:, column] = self.rows[name]
        self.table[:, [fr.PACKED, fr.PACKED_BACK, fr.PACKED_X]] = -1
        zeros = self._lower_rows()
        self._move_penalized()
        self._set_sizes(zeros)
        if objective is not None:
            self._set_objective()
        self._make_kernels()
        self._make_frame(zeros)

    # ------------------------------------------------------------------------------ what rows need
    def room(self, size):
        """Return where in the workspace there is room for so many numbers."""
        start = self._size
        self._size += ceil(size / _ALIGN) * _ALIGN
        return start

    def kernel(self, name, **specification):
        """Ask for a kernel of this dtype; return the number that stands for its address so far."""
        self._requests.append((name, {"dtype": self.dtype, **specification}))
        return len(self._requests)

    def draw(self, generator, rate, shape):
        """Ask for a dropout mask of this shape in every batch; return where in those it lies."""
        start = sum(prod(shape) for _, _, shape in self.masks)
        self.masks.append((generator, float(rate), shape))
        return start

    def constants(self, numbers):
        """Return where in the workspace these numbers, with zeros behind them, will be."""
        numbers = np.pad(numbers, (0, fr.N_NUMBERS - len(numbers)))
        self._constants.append((self.room(len(numbers)), numbers))
        return self._constants[-1][0]

    def _make_kernels(self):
        """Compile what was asked for, all of it at once, and put addresses in place of numbers."""
        for name in ("run", "batches", *(("gather", "back", "count") if self.objective else ())):
            self.kernel(name)
        if self.parallel > 1 and get_num_threads() > 1:
            self._requests.append(native.AWAIT_JOBS)
        addresses = np.array([0, *native.addresses(self._requests)])
        of_rows = self.table[:, fr.PACK : fr.CONSTRAIN + 1]
        of_rows[...] = addresses[of_rows]
        of_metrics = self.settings[fr.FIRST_METRIC :][: 4 * self.settings[fr.N_METRICS] : 4]
        of_metrics[...] = addresses[of_metrics]
        self.loss = addresses[self.loss]
        self.settings[fr.BATCHES] = native.address("batches", dtype=self.dtype)
        self.run = native.entry("run", dtype=self.dtype)
        self.run_address = native.address("run", dtype=self.dtype)

    # The other kernels of the loop; they are compiled when they are first needed.
    gather = functools.cached_property(lambda self: native.address("gather", dtype=self.dtype))
    scatter = functools.cached_property(lambda self: native.address("scatter", dtype=self.dtype))
    back = functools.cached_property(lambda self: native.address("back", dtype=self.dtype))
    count = functools.cached_property(lambda self: native.address("count", dtype=self.dtype))

    def _lower_rows(self):
        rows, flows, zeros = self.rows, [Flow((True, True), (True, True), 0)], []
        flows *= len(rows)
        self.settings[fr.N_ROWS] = self.settings[fr.FORWARD_ROWS] = len(rows)
        if self.objective is not None:
            self.passed = self.plan.passed_by(self.objective)
            flows, zeros = gradient_flow(self.plan, rows[: len(rows) - self.passed], self._source())
            flows += [None] * self.passed
        for row, line, flow in zip(rows, self.table, flows, strict=True):
            if flow is not None:
                line[[fr.ADD_DX, fr.ADD_DX2]] = flow.adds
                line[fr.DH_FROM] = flow.first_step
            wanted = self.keeps and flow is not None and flow.wanted
            LOWER[Op(row["op"])](self, row, line, wanted)
        return zeros

    def _source(self):
        return self.plan.logits if self.objective.fused else self.plan.outputs[0]

    def _move_penalized(self):
        """Let weights move along their penalty where nothing else would move them.

        The penalty writes the gradient then, as no other row does.
        """
        unmoved = {part.start: part for part in self.unmoved}
        for line in self.table:
            if line[fr.OP] == Op.WEIGHT_PENALTY:
                line[fr.ADD_DX] = unmoved.pop(int(line[fr.W]), None) is None
        self.unmoved = list(unmoved.values())

    def _set_sizes(self, zeros):
        s, x, output = self.settings, self.plan.x, self.plan.outputs[0]
        s[fr.BATCH] = self.batch_size
        s[fr.INPUT] = x.offset
        s[fr.INPUT_STEPS] = x.shape[0] if len(x.shape) > 2 else 1
        s[fr.INPUT_WIDTH] = x.size // (s[fr.INPUT_STEPS] * self.batch_size)
        s[fr.OUTPUT], s[fr.OUTPUT_WIDTH] = output.offset, output.shape[-1]
        s[fr.OUTPUT_STEPS] = output.shape[0] if len(output.shape) > 2 else 1
        s[fr.OUTPUT_INNER] = prod(output.shape[2:-1])
        memory = self.plan.memory
        s[fr.N_PARAMETERS] = len(memory.parameters)
        s[fr.N_SEGMENTS], s[fr.N_ZEROS] = len(memory.weight_segments), len(zeros)
        s[fr.N_PLACED] = len(self.placed)
        s[fr.N_MOVING] = 1 + len(self.unmoved) + len(self.placed)
        s[fr.SQUARES] = self.room(len(memory.parameters) // 4096 + 1)
        s[fr.MASK_SIZE] = sum(prod(shape) for _, _, shape in self.masks)
        if len(self.plan.outputs) > fr.MAX_OUTPUTS:
            raise ValueError(f"a model can have {fr.MAX_OUTPUTS} outputs at most")
        start = 0
        for number, tensor in enumerate(self.plan.outputs):
            steps = tensor.shape[0] if len(tensor.shape) > 2 else 1
            width = tensor.size // (steps * self.batch_size)
            here = fr.FIRST_OUTPUT + 4 * number
            s[here : here + 4] = tensor.offset, steps, width, start
            start += steps * width  # times the number of samples of a call

    def _set_objective(self):
        s, objective = self.settings, self.objective
        rows = s[fr.OUTPUT_STEPS] * s[fr.BATCH] * s[fr.OUTPUT_INNER]
        mask = self.plan.output_mask
        s[[fr.LOSS_MASK, fr.LOSS_MASK_SIZE]] = (-1, 0) if mask is None else (mask.offset, mask.size)
        s[fr.SOURCE], s[fr.N_PENALTIES] = self._source().offset, self.n_values
        s[fr.LOSS_VALUES] = self.room(int(rows) + self.n_values)
        self.table[:, fr.VALUES] += s[fr.LOSS_VALUES] + rows
        if objective.custom is None:
            self.loss = self.kernel(
                "loss",
                op=int(objective.loss),
                numbers=objective.numbers,
                smoothing=objective.smoothing,
                reduction=int(objective.reduction),
                masked=mask is not None,
            )
        if len(objective.metrics) > fr.MAX_METRICS:
            raise ValueError(f"a model can have {fr.MAX_METRICS} metrics at most")
        for number, metric in enumerate(objective.metrics):
            here = fr.FIRST_METRIC + 4 * number
            s[here : here + 4] = self._metric(metric, objective.places[number].start)
        s[fr.N_METRICS] = len(objective.metrics)

    def _metric(self, metric, place):
        """Return the settings of one metric; no kernel for one that Python computes."""
        source, numbers = self.plan.outputs[0].offset, (metric.number,)
        settings: dict[str, object] = {"weighted": True} if metric.weighted else {}
        kernel = 0
        if metric.op == MetricOp.COUNTS:
            counting = metric.counting
            settings |= {"evenly": not counting.thresholds, "some": counting.top_k is not None}
            kernel = self.kernel("counts", from_logits=counting.from_logits, **settings)
            of_row = [-1 if x is None else x for x in (counting.top_k, counting.class_id)]
            numbers = (counting.n, counting.open_ended, *of_row, *counting.thresholds)
        elif metric.op != MetricOp.PYTHON:
            if metric.of:
                loss, fused, _, of_loss, smoothing, *_ = metric.of
                settings |= {"loss": int(loss), "numbers": of_loss, "smoothing": smoothing}
                source = self.plan.logits.offset if fused else source
            if metric.labels:
                settings["labels"] = True
            masked = self.plan.output_mask is not None and metric.by_mask
            kernel = self.kernel("metric", op=int(metric.op), masked=masked, **settings)
        self._constants.append((self.room(len(numbers)), numbers))
        return kernel, place, self._constants[-1][0], source

    # ----------------------------------------------------------------------------------- the frame
    def _make_frame(self, zeros):
        plan, memory = self.plan, self.plan.memory
        nothing = np.zeros(16, memory.dtype)
        integers = np.zeros(16, np.int64)
        workspace = aligned_zeros(self._size + 2 * _ALIGN, memory.dtype)
        workspace[fr.ONE] = 1
        for place, numbers in self._constants:
            workspace[place : place + len(numbers)] = numbers
        segments = [(s.slice.start, s.slice.stop) for s in memory.weight_segments.values()]
        self.frame = fr.Frame(
            table=self.table,
            settings=self.settings,
            sync=np.zeros(fr.N_SYNC, np.int64),
            parameters=memory.parameters,
            gradients=memory.gradients,
            states=memory.states,
            arena=plan.arena,
            gradient_arena=plan.gradient_arena if self.keeps else nothing,
            workspace=workspace,
            x=nothing,
            y=nothing,
            labels=integers,
            sample_weight=nothing,
            order=integers,
            outputs=nothing,
            masks=nothing,
            scalars=nothing,
            slot_0=nothing,
            slot_1=nothing,
            slot_2=nothing,
            sums=nothing,
            sizes=np.zeros_like(memory.parameters) if self.placed else nothing,
            average=nothing,
            segments=np.array(
                [
                    *(*segments, *zeros),
                    *((part.start, part.stop) for part in self.placed),
                    *self._moving([*self.unmoved, *self.placed]),
                ],
                np.int64,
            ),
            totals=np.zeros(16),
        )
        self._addresses, self._bound = fr.addresses(self.frame), {}
        self.address = self._addresses.ctypes.data
        self.settings[fr.YIELD] = _yield_address()
        self.settings[fr.THREADS] = 1

    def _moving(self, unmoved):
        """Return the parts of the parameters, (first, last + 1), between those that stay."""
        unmoved = sorted(unmoved, key=lambda part: part.start)
        edges = [0, *(edge for part in unmoved for edge in (part.start, part.stop))]
        edges.append(len(self.plan.memory.parameters))
        return list(zip(edges[::2], edges[1::2], strict=True))

    def choose_moving(self, update):
        """Pass over what an update would leave as it is: zero gradients, nothing remembered.

        Ftrl leaves nothing as it is: it makes each weight anew.  What goes by sizes that are summed
        by place is updated on its own.
        """
        if not (self.unmoved or self.placed):
            return
        slots = update.slots.values()
        unmoved = []
        if not update.weight_decay and update.op != UpdateOp.FTRL:
            unmoved = [p for p in self.unmoved if not any(slot[p].any() for slot in slots)]
        by_place = self.placed if update.sums_sizes else []
        chosen = (len(by_place), update.op, unmoved)
        if chosen == self._chosen:  # mostly, and the rest takes Python as long as a small batch
            return
        self._chosen = None  # Ctrl-C may come between two lines
        moving, s = self._moving([*unmoved, *by_place]), self.settings
        s[fr.SIZES] = (1 + (update.op == UpdateOp.ADAMAX)) if by_place else 0
        s[fr.N_MOVING] = len(moving)
        first = s[fr.N_SEGMENTS] + s[fr.N_ZEROS] + s[fr.N_PLACED]
        self.frame.segments[first : first + len(moving)] = moving
        self._chosen = chosen

    def bind(self, **arrays):
        """Put other arrays into the frame, by name."""
        for name, array in arrays.items():
            if self._bound.get(name) is not array:  # most stay from epoch to epoch
                self._bound[name] = None  # likewise
                flat = np.ascontiguousarray(array).reshape(-1)
                setattr(self.frame, name, flat)
                self._addresses[_PLACES[name]] = flat.ctypes.data
                self._bound[name] = array if array.flags.c_contiguous else None

    def call(self, k):
        """Run thread k's part of the call that the settings describe."""
        if native.jit_disabled():
            with np.errstate(all="ignore"):  # as in machine code
                self.run(0, self.frame, k)
        else:
            self.run(0, self.address, k)

    def update_kernels(self, update, n_numbers):
        """Return the addresses of an Update's kernels, 0 for none: as in the frame's settings."""
        every = update.accumulation.every if update.accumulation else 0
        key = (
            *(update.op, tuple(update.slots), update.clip, n_numbers),
            *(every, update.average is not None),
        )
        placed = bool(self.placed) and update.sums_sizes
        if self._update is None or self._update[0] != key:
            numbers = {"dtype": self.dtype, "slots": key[1], "n_numbers": n_numbers}
            name = update.op.name.lower()
            step = native.address("update", optimizer=name, placed=placed, **numbers)
            clip = 0
            if update.clip:
                clip = native.address("clip", dtype=self.dtype, op=int(update.clip))
            accumulate = average = 0
            if every:
                accumulate = native.address("accumulate", dtype=self.dtype, every=every)
            if update.average:
                average = native.address("average", dtype=self.dtype)
            self._update = (key, (accumulate, clip, step, average))
        return self._update[1]


def _yield_address():
    """Return the address of the C function that offers the processor to other threads."""
    if sys.platform == "win32":
        return ctypes.cast(ctypes.windll.kernel32.SwitchToThread, ctypes.c_void_p).value
    return ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value

"""RNN: a cell, or several on top of each other, over all timesteps."""

from ..plan import Op
from ..steps import steps_of
from .base import Layer
from .lstm_cell import LSTMCell
from .stacked_rnn_cells import StackedRNNCells, flat_pairs


class RNN(Layer):
    """Run a cell over sequences.

    With an LSTMCell it computes what an `LSTM` layer does, with StackedRNNCells what LSTM layers
    one after the other do, and as fast.

    Parameters
    ----------
    cell : LSTMCell, StackedRNNCells, or list of LSTMCell
        If it is built, its weights are used.
    return_sequences : bool
        Give out the output of every timestep, not only of the last.
    return_state : bool
        Give out ``[output, h, c]``; with several cells ``[output, [h, c], …]``, one list a cell.
    go_backwards : bool
        Read each sequence from its end; outputs come in the order in which they are made.
    stateful : bool
        Start each batch where the last one ended, sample by sample, until `reset_state`.
    unroll : bool
        Taken for Keras's sake; makes no difference here.
    zero_output_for_mask : bool
        Give out zeros at masked timesteps, not the last output once more.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError
        For another kind of cell.

    Notes
    -----
    Shapes: (B, T, D) -> (B, U), or (B, T, U) with `return_sequences`; U are the units of the last
    cell.  In a model, states come in one list, in the same order.
    """

    arguments = (
        "cell",
        "return_sequences",
        "return_state",
        "go_backwards",
        "stateful",
        "unroll",
        "zero_output_for_mask",
    )
    _rank = 3
    _axes = "(samples, timesteps, features)"
    stateful = False

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **options,
    ):
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        if not isinstance(cell, LSTMCell | StackedRNNCells):
            hint = "; make an instance of it first" if isinstance(cell, type) else ""
            raise TypeError(
                f"RNN takes an LSTMCell, StackedRNNCells or a list of LSTMCells, got {cell!r}{hint}"
            )
        options.setdefault("dtype", cell.dtype)
        super().__init__(**options)
        if self.dtype != cell.dtype:
            raise ValueError(
                f"layer {self.name!r} computes in {self.dtype}, and its cell in {cell.dtype}; give "
                "both one dtype"
            )
        self.cell = cell
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.unroll = bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        # Each cell over all timesteps: the same as all cells at each timestep, one after the other.
        self._over_time = [
            one.over_time(
                return_sequences=self.return_sequences or number + 1 < len(self._cells),
                return_state=True,
                go_backwards=self.go_backwards and number == 0,  # the others get it reversed
                stateful=self.stateful,
                zero_output_for_mask=self.zero_output_for_mask and number + 1 == len(self._cells),
            )
            for number, one in enumerate(self._cells)
        ]

    @property
    def _cells(self):
        return self.cell.cells if self._is_stack else [self.cell]

    @property
    def _is_stack(self):
        return isinstance(self.cell, StackedRNNCells)

    @property
    def sublayers(self):
        """The cell."""
        return [self.cell]

    @property
    def units(self):
        """The size of each output."""
        return self._cells[-1].units

    # -------------------------------------------------------------------------- weights and states
    def check_input_shape(self, input_shape):
        """Raise ValueError unless it is (samples, timesteps, features) as built for."""
        super().check_input_shape(input_shape)
        self._over_time[0].name = self.name  # for its errors
        self._over_time[0].check_input_shape(input_shape)
        self.cell.check_input_shape(_one_step(input_shape))

    def check_batch_size(self, batch_size):
        """Raise ValueError if states are carried of another number of samples."""
        self._over_time[0].check_batch_size(batch_size)

    def weight_specs(self, input_shape):
        """Return the weights of the cell."""
        specs = self.cell.weight_specs(_one_step(input_shape))
        return {f"{self.cell.name}/{name}": spec for name, spec in specs.items()}

    def draw_weights(self, input_shape):
        """Return the weights of the cell: those it has, or else new ones."""
        cell = self.cell
        weights = cell.named_weights() if cell.built else cell.draw_weights(_one_step(input_shape))
        return {f"{cell.name}/{name}": weight for name, weight in weights.items()}

    def state_specs(self, input_shape):
        """Return h and c of each cell, if they are carried."""
        specs = {}
        for cell, lstm in zip(self._cells, self._over_time, strict=True):
            path = f"{self.cell.name}/{cell.name}" if self._is_stack else cell.name
            states = lstm.state_specs(input_shape).items()
            specs |= {f"{path}/{state}": shape for state, shape in states}
        return specs

    def attach(self, memory, path, input_shape):
        """Attach the cell with it."""
        super().attach(memory, path, input_shape)
        self.cell.attach(memory, f"{path}/{self.cell.name}", _one_step(input_shape))
        for cell, lstm in zip(self._cells, self._over_time, strict=True):
            lstm.attach(memory, cell.path, (*input_shape[:2], cell.input_shape[-1]))

    def detach(self):
        """Forget weights and memory."""
        super().detach()
        for lstm in self._over_time:
            lstm.detach()

    @property
    def states(self):
        """The carried states, copies of h and c (B, U), or a list of them a cell; None if none."""
        if not (self.stateful and self.built):
            return None
        return self.nested_states([s for lstm in self._over_time for s in lstm.states])

    def reset_state(self):
        """Set the carried states to zero."""
        for lstm in self._over_time:
            lstm.reset_state()

    def set_states(self, states):
        """Set the carried states, given as `states` gives them; see `LSTM.set_states`."""
        self._need_weights()
        states = self.listed_states(states)
        before = [lstm.states for lstm in self._over_time]
        if not self.stateful or len(states) != 2 * len(self._over_time):
            self._over_time[0].set_states(states)  # raises, and says why
        try:
            for number, lstm in enumerate(self._over_time):
                lstm.set_states(states[2 * number : 2 * number + 2])
        except Exception:
            for lstm, old in zip(self._over_time, before, strict=True):
                lstm.set_states(old)
            raise

    def listed_states(self, initial_state):
        """Return initial states as a flat list, empty for None."""
        states = super().listed_states(initial_state)
        return flat_pairs(self, states, len(self._cells)) if self._is_stack else states

    def nested_states(self, states):
        """Return a flat list of states as it is; with several cells, one list for each."""
        return self.cell.nested_states(states)

    # -------------------------------------------------------------------------------------- running
    def compute_output_shape(self, input_shape):
        """Return the output's batch shape, with `return_state` a list of it and of the states'."""
        B, T, _ = input_shape
        output = (B, T, self.units) if self.return_sequences else (B, self.units)
        states = [(B, cell.units) for cell in self._cells for _ in range(2)]
        return [output, *states] if self.return_state else output

    def compute_mask(self, x, mask=None):
        """Return the mask of the output: that of x for sequences, else none."""
        return mask if self.return_sequences else None

    def lower(self, plan, x):
        """Append an LSTM row for each cell; masked timesteps are so for all of them."""
        states, mask = [], plan.masks.get(x.offset)
        then = _reversed(plan, mask) if mask and self.go_backwards else mask
        for lstm in self._over_time:
            x, *last = lstm.lower(plan, x)
            states += last
            if mask:
                plan.masks[x.offset] = then
        if mask and self.return_sequences:
            plan.masks[x.offset] = mask  # in the order of x, as Keras leaves it
        elif mask:
            del plan.masks[x.offset]
        return [x, *states] if self.return_state else x

    def arranged(self, outputs):
        """Return the output, or a list of it and the states."""
        output, *states = outputs
        return [output, *self.nested_states(states)] if states else output

    def __call__(self, x, initial_state=None, mask=None, training=False):
        """Run the layer on data.

        Parameters
        ----------
        x : array (B, T, D)
        initial_state : list of two arrays (B, U), or None
            h and c before the first step; with several cells a list of such lists.  None means
            zeros, or the carried states.
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over: the states stay what they are.
        training : bool
            Whether dropout drops.

        Returns
        -------
        ndarray (B, U) or (B, T, U); with `return_state` a list of it and the last states

        Raises
        ------
        TypeError, ValueError
            If x or the states do not fit.
        """
        return self._run(x, self.states_to_write(x, initial_state), training, mask)

    def steps(self, x, initial_state=None, mask=None):
        """Yield every equation of a forward run of the one cell; see `LSTM.steps`.

        Raises
        ------
        ValueError
            Also if there are several cells.
        """
        if len(self._cells) > 1:
            raise ValueError(
                f"layer {self.name!r} runs {len(self._cells)} cells, and steps goes through one; "
                "use an RNN for each, one after the other, which computes the same"
            )
        return steps_of(self, self._over_time[0], x, initial_state, mask)

    @classmethod
    def from_config(cls, config):
        """Return a new layer, with a new cell."""
        cell = type(config["cell"]).from_config(config["cell"].get_config())
        return cls(**config | {"cell": cell})


def _reversed(plan, mask):
    """Append a REVERSE row for a mask (T, B)."""
    (T, B), y = mask.shape, plan.tensor(*mask.shape)
    plan.row(Op.REVERSE, x=mask, y=y, T=T, B=B, U=1)
    return y


def _one_step(input_shape):
    return (input_shape[0], input_shape[-1])

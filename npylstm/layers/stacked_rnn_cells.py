"""StackedRNNCells: several cells as one, each fed with the output of the one before."""

from ..layout import unique_names
from .base import Layer
from .lstm_cell import LSTMCell


class StackedRNNCells(Layer):
    """Cells on top of each other, which take each timestep together.

    Parameters
    ----------
    cells : list of LSTMCell
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError
        If one of them is no LSTMCell.
    ValueError
        If there is none, one twice, or two that compute in different dtypes.
    """

    arguments = ("cells",)
    _rank = 2

    def __init__(self, cells, **options):
        if not isinstance(cells, list | tuple):
            raise TypeError(f"StackedRNNCells takes a list of cells, got {cells!r}")
        if not cells:
            raise ValueError("StackedRNNCells takes at least one cell, got an empty list")
        for cell in cells:
            if not isinstance(cell, LSTMCell):
                raise TypeError(f"StackedRNNCells takes LSTMCells, got {cell!r}")
        options.setdefault("dtype", cells[0].dtype)
        super().__init__(**options)
        if len({id(cell) for cell in cells}) < len(cells):
            raise ValueError("the same cell comes twice; make a new one for each place")
        for cell in cells:
            if cell.dtype != self.dtype:
                raise ValueError(
                    f"cell {cell.name!r} computes in {cell.dtype}, and the stack in {self.dtype}; "
                    "give all of them one dtype"
                )
        self.cells = list(cells)
        for cell, name in zip(cells, unique_names(cells), strict=True):
            cell.name = name

    @property
    def sublayers(self):
        """The cells."""
        return self.cells

    @property
    def state_size(self):
        """The sizes of each cell's h and c."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        """The size of the last cell's output."""
        return self.cells[-1].output_size

    def get_initial_state(self, batch_size):
        """Return ``[h, c]`` before the first step for each cell: zeros."""
        return [cell.get_initial_state(batch_size) for cell in self.cells]

    def with_shapes(self, input_shape):
        """Return each cell with the shape of what goes into it."""
        B, D = input_shape
        widths = [D, *(cell.units for cell in self.cells)]
        return [(cell, (B, width)) for cell, width in zip(self.cells, widths, strict=False)]

    def weight_specs(self, input_shape):
        """Return the weights of all cells."""
        specs = {}
        for cell, shape in self.with_shapes(input_shape):
            of_cell = cell.weight_specs(shape).items()
            specs |= {f"{cell.name}/{name}": spec for name, spec in of_cell}
        return specs

    def draw_weights(self, input_shape):
        """Return the weights of all cells: those a cell has, or else new ones."""
        weights = {}
        for cell, shape in self.with_shapes(input_shape):
            of_cell = cell.named_weights() if cell.built else cell.draw_weights(shape)
            weights |= {f"{cell.name}/{name}": weight for name, weight in of_cell.items()}
        return weights

    def attach(self, memory, path, input_shape):
        """Attach all cells with it."""
        super().attach(memory, path, input_shape)
        for cell, shape in self.with_shapes(input_shape):
            cell.attach(memory, f"{path}/{cell.name}", shape)

    def check_input_shape(self, input_shape):
        """Raise ValueError unless the cells can take it, one after the other."""
        super().check_input_shape(input_shape)
        for cell, shape in self.with_shapes(input_shape):
            cell.check_input_shape(shape)

    def compute_output_shape(self, input_shape):
        """Return the shapes of each cell's h and c."""
        return [shape for cell in self.cells for shape in cell.compute_output_shape(input_shape)]

    def lower(self, plan, x):
        """Append each cell's row; h and c of each come out."""
        states = []
        for cell in self.cells:
            x, c = cell.lower(plan, x)
            states += [x, c]
        return states

    def listed_states(self, initial_state):
        """Return ``[h, c]`` of each cell, or all in one list already, as one list."""
        return flat_pairs(self, super().listed_states(initial_state), len(self.cells))

    def arranged(self, outputs):
        """Return the last cell's h, and ``[h, c]`` of each cell."""
        return outputs[-2], self.nested_states(outputs)

    def nested_states(self, states):
        """Return a flat list of states as a list of ``[h, c]``, one for each cell."""
        return [list(states[place : place + 2]) for place in range(0, len(states), 2)]

    def __call__(self, x, states, *, training=False):
        """Take one step in each cell.

        Parameters
        ----------
        x : array (B, D)
        states : list of lists of two arrays (B, U)
            h and c before the step, for each cell.
        training : bool
            Whether dropout drops.

        Returns
        -------
        h : ndarray (B, U)
            Of the last cell.
        states : list of lists of two ndarrays (B, U)
            After the step; also for a single cell.

        Raises
        ------
        TypeError, ValueError
            If x or the states do not fit.
        """
        states = self.listed_states(states)
        LSTMCell._need_states(self, states)
        return self._run(x, states, training)

    @classmethod
    def from_config(cls, config):
        """Return a new stack, with new cells."""
        cells = [type(cell).from_config(cell.get_config()) for cell in config["cells"]]
        return cls(**config | {"cells": cells})


def flat_pairs(layer, states, n_cells):
    """Return the states of a stack as one list, from ``[h, c]`` for each cell, or as they are."""
    if len(states) in (0, 2 * n_cells):
        return states
    pairs = len(states) == n_cells and all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in states
    )
    if not pairs:
        raise ValueError(
            f"the states of {layer.name!r} are a list of {n_cells} lists [h, c], one for each "
            f"cell; got a list of {len(states)}"
        )
    return [state for pair in states for state in pair]

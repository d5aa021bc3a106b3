"""LSTMCell: one step of an LSTM, for `RNN` and for loops of one's own."""

import numpy as np

from .base import Layer
from .lstm import LSTM


class LSTMCell(Layer):
    """One step of an `LSTM`: from x_t, h and c to the next h and c.

    Parameters
    ----------
    units : int
        U, the size of both states and of the output.
    activation, recurrent_activation, use_bias
    kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias
    kernel_regularizer, recurrent_regularizer, bias_regularizer
    kernel_constraint, recurrent_constraint, bias_constraint
    dropout, recurrent_dropout, seed, implementation
        As in `LSTM`.
    **options
        `name` and `dtype`, as for every layer.

    Notes
    -----
    The weights are those of an LSTM: kernel (D, 4U), recurrent_kernel (U, 4U), bias (4U,).  The
    equations are `reference.lstm_cell_forward`.
    """

    arguments = (
        "units",
        "activation",
        "recurrent_activation",
        "use_bias",
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
        "unit_forget_bias",
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
        "dropout",
        "recurrent_dropout",
        "seed",
        "implementation",
    )
    _rank = 2

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        *,
        implementation=2,
        **options,
    ):
        super().__init__(**options)
        # An LSTM of one step knows all there is to know: what is allowed, the weights, the row.
        self._one_step = LSTM(
            *(units, activation, recurrent_activation, use_bias),
            *(kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias),
            *(kernel_regularizer, recurrent_regularizer, bias_regularizer, None),
            *(kernel_constraint, recurrent_constraint, bias_constraint),
            *(dropout, recurrent_dropout, seed),
            implementation=implementation,
            return_state=True,
            name=self.name,
            dtype=self.dtype,
        )
        for argument in self.arguments:
            setattr(self, argument, getattr(self._one_step, argument))

    @property
    def state_size(self):
        """The sizes of h and c."""
        return [self.units, self.units]

    @property
    def output_size(self):
        """The size of the output, which is h."""
        return self.units

    @property
    def used_activations(self):
        """Both activations."""
        return self._one_step.used_activations

    def over_time(self, **options):
        """Return an LSTM of the same arguments, and these; `attach` gives it the same weights."""
        config = {argument: getattr(self, argument) for argument in self.arguments}
        return LSTM(**config, name=self.name, dtype=self.dtype, **options)

    def get_initial_state(self, batch_size):
        """Return h and c (B, U) before the first step: zeros."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in range(2)]

    def weight_specs(self, input_shape):
        """Return kernel, recurrent_kernel and bias."""
        return self._one_step.weight_specs(input_shape)

    def attach(self, memory, path, input_shape):
        """Attach the step with it."""
        super().attach(memory, path, input_shape)
        self._one_step.attach(memory, path, (input_shape[0], 1, input_shape[-1]))

    def detach(self):
        """Forget weights and memory."""
        super().detach()
        self._one_step.detach()

    def compute_output_shape(self, input_shape):
        """Return the shapes of h and c."""
        return [(input_shape[0], self.units)] * 2

    def lower(self, plan, x):
        """Append an LSTM row of one timestep; h and c come out."""
        if not plan.initial_state:
            raise ValueError(
                f"cell {self.name!r} takes one step from states that it has to be given; put it "
                "into an RNN layer, or use an LSTM layer"
            )
        _, h, c = self._one_step.lower(plan, x.reshape(1, *x.shape))
        return [h, c]

    def arranged(self, outputs):
        """Return h and ``[h, c]``."""
        h, c = outputs
        return h, [h, c]

    def __call__(self, x, states, *, training=False):
        """Take one step.

        Parameters
        ----------
        x : array (B, D)
        states : list of two arrays (B, U)
            h and c before the step.
        training : bool
            Whether dropout drops.

        Returns
        -------
        h : ndarray (B, U)
        [h, c] : list of ndarray (B, U)
            The states after the step.

        Raises
        ------
        TypeError, ValueError
            If x or the states do not fit.
        """
        states = self.listed_states(states)
        self._need_states(states)
        return self._run(x, states, training)

    def _need_states(self, states):
        if not states:
            raise ValueError(
                f"cell {self.name!r} takes one step from states that it has to be given: pass "
                "states, such as cell.get_initial_state(batch_size)"
            )

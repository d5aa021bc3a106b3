"""LSTM: the layer around `reference.lstm`."""

import numpy as np

from .. import activations, constraints, initializers, regularizers, seeding
from ..data import float_array
from ..errors import fraction, positive_integer
from ..plan import Op, Start, Tensor
from ..steps import steps_of
from .base import Layer


class LSTM(Layer):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    Parameters
    ----------
    units : int
        U, the size of the states and of each output.
    activation : str, Activation or callable
        For the candidate, and for the cell state where it is shown.
    recurrent_activation : str, Activation or callable
        For the three gates.  Both must work element by element, as all but softmax do.
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer : str, initializer or callable
    unit_forget_bias : bool
        Start the forget gate's bias at 1 (Jozefowicz et al. 2015).
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str, Regularizer or None
        What large weights cost.
    activity_regularizer : str, Regularizer or None
        What large outputs cost, all timesteps of them with `return_sequences`.
    kernel_constraint, recurrent_constraint, bias_constraint : str, Constraint, callable or None
        Where weights may be.
    dropout : float
        In [0, 1]: the chance of each input feature to be dropped in training, for all timesteps of
        a sample alike.
    recurrent_dropout : float
        The same for h on its way to the next step (Gal & Ghahramani 2016).  Each gate then drops
        its own, of x as well; it takes more time.
    seed : int or None
        Makes the draws repeatable.
    return_sequences : bool
        Give out the output of every timestep, not only of the last.
    return_state : bool
        Give out ``[output, h, c]``.
    go_backwards : bool
        Read each sequence from its end; outputs come in the order in which they are made.
    stateful : bool
        Start each batch where the last one ended, sample by sample, until `reset_state`.
    zero_output_for_mask : bool
        Give out zeros at masked timesteps, not the last output once more.
    implementation : {1, 2}
        1 lets each gate drop input features of its own.
    unroll : bool
    use_cudnn : {"auto", True, False}
        These two are taken for Keras's sake and make no difference here.
    **options
        `name` and `dtype`, as for every layer.

    Notes
    -----
    Weights: kernel (D, 4U), recurrent_kernel (U, 4U), bias (4U,), with the blocks of columns in
    Keras's order i, f, c, o.  Shapes: (B, T, D) -> (B, U), or (B, T, U) with `return_sequences`.
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
        "activity_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
        "dropout",
        "recurrent_dropout",
        "seed",
        "return_sequences",
        "return_state",
        "go_backwards",
        "stateful",
        "zero_output_for_mask",
        "unroll",
        "use_cudnn",
        "implementation",
    )
    _rank = 3
    _axes = "(samples, timesteps, features)"
    stateful = False

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
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        *,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        zero_output_for_mask=False,
        unroll=False,
        use_cudnn="auto",
        implementation=2,
        **options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.units = positive_integer("units", units)
        self.activation = self._elementwise(activation)
        self.recurrent_activation = self._elementwise(recurrent_activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer, "glorot_uniform")
        self.recurrent_initializer = initializers.get(recurrent_initializer, "orthogonal")
        self.bias_initializer = initializers.get(bias_initializer, "zeros")
        self.unit_forget_bias = bool(unit_forget_bias)
        self.dropout = fraction("dropout", dropout)
        self.recurrent_dropout = fraction("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self._generator = None if seed is None else seeding.generator(seed)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, axes=2)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer, axes=2)
        self.bias_regularizer = regularizers.get(bias_regularizer, axes=1)
        self.kernel_constraint = constraints.get(kernel_constraint, axes=2)
        self.recurrent_constraint = constraints.get(recurrent_constraint, axes=2)
        self.bias_constraint = constraints.get(bias_constraint, axes=1)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.unroll = bool(unroll)
        if use_cudnn not in ("auto", True, False):
            raise ValueError(f'use_cudnn must be "auto", True or False, got {use_cudnn!r}')
        self.use_cudnn = use_cudnn
        if implementation not in (1, 2):
            raise ValueError(f"implementation must be 1 or 2, got {implementation!r}")
        self.implementation = 1 if self.recurrent_dropout else implementation

    def _elementwise(self, identifier):
        activation = activations.get(identifier)
        if activation == activations.softmax:
            raise ValueError(
                f"layer {self.name!r} takes activations that work element by element, and softmax "
                "does not; put it into a Dense layer after this one"
            )
        return activation

    # -------------------------------------------------------------------------- weights and states
    def check_input_shape(self, input_shape):
        """Raise ValueError unless it is (samples, timesteps, features) as built for."""
        super().check_input_shape(input_shape)
        if input_shape[-1] is None:
            raise ValueError(
                f"layer {self.name!r} needs a known number of features, got shape {input_shape}"
            )
        if self.stateful and input_shape[0] is None:
            raise ValueError(
                f"stateful layer {self.name!r} needs a fixed number of samples in each batch: "
                "start the model with Input(batch_shape=(batch_size, timesteps, features))"
            )

    def check_batch_size(self, batch_size):
        """Raise ValueError if states are carried of another number of samples."""
        if self.stateful and self._states().shape[1] != batch_size:
            raise ValueError(
                f"stateful layer {self.name!r} carries the states of {self._states().shape[1]} "
                f"samples, got a batch of {batch_size}; pass batches of exactly that many"
            )

    def weight_specs(self, input_shape):
        """Return kernel, recurrent_kernel and bias."""
        D, U = input_shape[-1], self.units
        specs = {
            "kernel": ((D, 4 * U), self.kernel_initializer),
            "recurrent_kernel": ((U, 4 * U), self.recurrent_initializer),
        }
        if self.use_bias:
            specs["bias"] = ((4 * U,), self._initialize_bias)
        return specs

    def _initialize_bias(self, shape, dtype):
        bias = np.array(self.bias_initializer(shape, dtype=dtype))
        if self.unit_forget_bias:
            bias[self.units : 2 * self.units] = 1
        return bias

    def state_specs(self, input_shape):
        """Return h and c, if they are carried."""
        if not self.stateful:
            return {}
        return {"h": (input_shape[0], self.units), "c": (input_shape[0], self.units)}

    def _states(self):
        segment = self.memory.state_segments[f"{self.path}/h"]
        B, U = segment.shape
        return self.memory.states[segment.offset : segment.offset + 2 * B * U].reshape(2, B, U)

    @property
    def states(self):
        """The carried states, copies of h and c (B, U) each; None if nothing is carried."""
        return list(self._states().copy()) if self.stateful and self.built else None

    def reset_state(self):
        """Set the carried states to zero."""
        if self.stateful and self.built:
            self._states()[...] = 0

    @property
    def kernel(self):
        """Weights of the input (D, 4U): a view."""
        return self.weight("kernel")

    @property
    def recurrent_kernel(self):
        """Weights of the hidden state (U, 4U): a view."""
        return self.weight("recurrent_kernel")

    @property
    def bias(self):
        """Bias (4U,), a view; None without one."""
        return self.weight("bias") if self.use_bias else None

    # -------------------------------------------------------------------------------------- running
    @property
    def used_activations(self):
        """Both activations."""
        return [self.activation, self.recurrent_activation]

    def compute_output_shape(self, input_shape):
        """Return the output's batch shape, with `return_state` a list of three."""
        B, T, _ = input_shape
        state = (B, self.units)
        output = (B, T, self.units) if self.return_sequences else state
        return [output, state, state] if self.return_state else output

    def compute_mask(self, x, mask=None):
        """Return the mask of the output: that of x for sequences, else none."""
        return mask if self.return_sequences else None

    def lower(self, plan, x):
        """Append an LSTM row: x (T, B, D), h and c (T+1, B, U); outputs are views of h and c."""
        dropout = {}
        if plan.training and (self.dropout or self.recurrent_dropout):
            generator = plan.generator(self._generator or seeding.generator())
            if self.implementation == 2:
                x = self._drop(plan, x, generator)
            else:
                dropout = {"rate": self.dropout, "recurrent_rate": self.recurrent_dropout}
                dropout["generator"] = generator
        T, B, D = x.shape
        U = self.units
        h, c = plan.tensor(T + 1, B, U), plan.tensor(T + 1, B, U)
        start, state = Start.ZEROS, 0
        if self.stateful:
            start = Start.CARRIED
            state = self.memory.state_segments[f"{self.path}/h"]
        elif plan.initial_state:
            start = Start.GIVEN
            plan.initial_states += [Tensor(h.offset, (B, U)), Tensor(c.offset, (B, U))]
        plan.row(
            Op.LSTM, x=x, h=h, c=c, w=self.segment("kernel"), state=state, T=T, B=B, D=D, U=U,
            activation=plan.activation(self.activation),
            recurrent_activation=plan.activation(self.recurrent_activation),
            use_bias=self.use_bias, reverse=self.go_backwards, mode=start, mask=plan.mask_of(x),
            **dropout,
        )  # fmt: skip
        sequence = Tensor(h.offset + B * U, (T, B, U))
        last_h, last_c = (Tensor(s.offset + T * B * U, (B, U)) for s in (h, c))
        last = last_h
        if x.offset in plan.masks and (self.zero_output_for_mask or start != Start.ZEROS):
            # What is given out at masked timesteps is not the state that is kept there.
            y = plan.tensor(T, B, U)
            plan.row(
                Op.HOLD, x=sequence, y=y, T=T, B=B, U=U, mask=plan.mask_of(x),
                reverse=self.go_backwards, mode=self.zero_output_for_mask,
            )  # fmt: skip
            sequence, last = y, Tensor(y.offset + (T - 1) * B * U, (B, U))
        output = sequence if self.return_sequences else last
        if self.return_sequences:
            plan.pass_mask(x, sequence)
        return [output, last_h, last_c] if self.return_state else output

    def _drop(self, plan, x, generator):
        """Append a DROPOUT row that drops the same features at all T timesteps."""
        (T, B, D), y = x.shape, plan.tensor(*x.shape)
        plan.row(Op.DROPOUT, x=x, y=y, T=T, B=B, U=D, rate=self.dropout, generator=generator)
        plan.pass_mask(x, y)
        return y

    def __call__(self, x, initial_state=None, mask=None, training=False):
        """Run the layer on data.

        Parameters
        ----------
        x : array (B, T, D)
        initial_state : list of two arrays (B, U), or None
            h and c before the first step; None means zeros, or the carried states.
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over: the states stay what they are.
        training : bool
            Whether dropout drops.

        Returns
        -------
        ndarray (B, U) or (B, T, U); with `return_state` a list of it, h (B, U) and c (B, U)

        Raises
        ------
        TypeError, ValueError
            If x or the states do not fit.
        """
        return self._run(x, self.states_to_write(x, initial_state), training, mask)

    def steps(self, x, initial_state=None, mask=None):
        """Yield every equation of a forward run, with its numbers, in the order of computation.

        ``for step in lstm.steps(x[0]): print(step)`` reads like working it out by hand.

        Parameters
        ----------
        x : array (T, D) or (B, T, D)
            One sample, or several.
        initial_state : list of two arrays (U,) or (B, U), or None
            h and c before the first step; None means zeros, or the carried states.
        mask : array (T,) or (B, T) of bool, or None
            As in a call.

        Yields
        ------
        npylstm.steps.Step
            In each timestep: z, then with the bias, its four parts, i, f, g, o, c, tanh_c, h; with
            a mask then the h and c that are kept.  Nothing is dropped, carried states stay as they
            are, and weights are those of the moment of the call.

        Raises
        ------
        TypeError, ValueError
            If x, the states or the mask do not fit; at once, not at the first step.
        """
        return steps_of(self, self, x, initial_state, mask)

    def set_states(self, states):
        """Set the carried states.

        Parameters
        ----------
        states : list of two arrays (B, U)
            h and c.

        Raises
        ------
        RuntimeError
            If the layer is not stateful, or not built yet.
        ValueError
            If number or shapes differ; nothing is changed then.
        """
        self._need_weights()
        if not self.stateful:
            raise RuntimeError(
                f"layer {self.name!r} carries no states; make it with stateful=True, or pass "
                "initial_state when you call it"
            )
        carried = self._states()
        arrays = [float_array(s, "state", self.dtype, finite=False) for s in states]
        if [array.shape for array in arrays] != [carried.shape[1:]] * 2:
            raise ValueError(
                f"layer {self.name!r} carries two states of shape {carried.shape[1:]}, got "
                f"{[array.shape for array in arrays]}"
            )
        carried[...] = arrays

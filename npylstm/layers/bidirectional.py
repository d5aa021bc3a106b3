"""Bidirectional: one layer reads ahead, another from the end, and what both say is merged."""

from ..plan import MERGE_MODES, Op
from .base import Layer
from .lstm import LSTM
from .rnn import RNN


class Bidirectional(Layer):
    """Run a recurrent layer in both directions (Schuster & Paliwal 1997).

    Parameters
    ----------
    layer : LSTM or RNN
        Taken as a pattern: both directions are new layers made from its configuration, named
        "forward_…" and "backward_…".
    merge_mode : {"concat", "sum", "mul", "ave", None}
        How the outputs of the same timestep become one; None gives out both, in a list.
    backward_layer : LSTM, RNN or None
        The pattern for the other direction, if it is to differ; it must have `go_backwards` set.
    **options
        `name` and `dtype`, as for every layer.

    Raises
    ------
    TypeError, ValueError
        If the layers cannot be the two directions of one.

    Notes
    -----
    The outputs of the backward direction are put back into the order of time.  With
    `return_state` the states of both directions follow: ``[output, fh, fc, bh, bc]``.
    """

    _rank = 3
    _axes = "(samples, timesteps, features)"
    arguments = ("layer", "merge_mode", "backward_layer")

    def __init__(self, layer, merge_mode="concat", *, backward_layer=None, **options):
        if not isinstance(layer, LSTM | RNN):
            raise TypeError(f"Bidirectional wraps an LSTM layer or an RNN, got {layer!r}")
        if merge_mode not in (*MERGE_MODES, None):
            known = ", ".join(map(repr, (*MERGE_MODES, None)))
            raise ValueError(f"merge_mode must be one of {known}, got {merge_mode!r}")
        options.setdefault("dtype", layer.dtype)
        super().__init__(**options)
        self.batch_shape = self.batch_shape or layer.batch_shape
        self.layer = layer
        self.backward_layer_pattern = backward_layer
        self.merge_mode = merge_mode
        zeros = {"zero_output_for_mask": layer.return_sequences}  # as Keras sets it
        self.forward_layer = _copy(layer, "forward_", self.dtype, **zeros)
        if backward_layer is None:
            self.backward_layer = _copy(
                layer, "backward_", self.dtype, go_backwards=not layer.go_backwards, **zeros
            )
        else:
            _check_backward(backward_layer, layer, merge_mode)
            self.backward_layer = _copy(backward_layer, "backward_", self.dtype, **zeros)

    @property
    def sublayers(self):
        """Both directions."""
        return [self.forward_layer, self.backward_layer]

    @property
    def return_sequences(self):
        """Whether the output of every timestep is given out."""
        return self.forward_layer.return_sequences

    def check_input_shape(self, input_shape):
        """Raise ValueError unless both directions can take it."""
        super().check_input_shape(input_shape)
        for layer in self.sublayers:
            layer.check_input_shape(input_shape)

    def weight_specs(self, input_shape):
        """Return the weights of both directions."""
        return _prefixed((layer, layer.weight_specs(input_shape)) for layer in self.sublayers)

    def state_specs(self, input_shape):
        """Return the carried states of both directions."""
        return _prefixed((layer, layer.state_specs(input_shape)) for layer in self.sublayers)

    def attach(self, memory, path, input_shape):
        """Attach both directions with it."""
        super().attach(memory, path, input_shape)
        for layer in self.sublayers:
            layer.attach(memory, f"{path}/{layer.name}", input_shape)

    def compute_output_shape(self, input_shape):
        """Return the merged shape; a list of shapes with `return_state` or without merging."""
        forward, backward = (
            _as_list(layer.compute_output_shape(input_shape)) for layer in self.sublayers
        )
        (ahead, *forward_states), (back, *backward_states) = forward, backward
        if self.merge_mode == "concat":
            outputs = [(*ahead[:-1], ahead[-1] + back[-1])]
        else:
            outputs = [ahead] if self.merge_mode else [ahead, back]
        outputs += forward_states + backward_states
        return outputs if len(outputs) > 1 else outputs[0]

    def compute_mask(self, x, mask=None):
        """Return the mask of the output: that of x for sequences, else none."""
        return mask if self.return_sequences else None

    def lower(self, plan, x):
        """Append both directions' rows and a MERGE row: T timesteps (or 1), widths U and D."""
        forward, backward = (
            _as_list(layer.lower_with_penalty(plan, x)) for layer in self.sublayers
        )
        (ahead, *forward_states), (back, *backward_states) = forward, backward
        is_sequence = len(ahead.shape) == 3
        T, B, U = ahead.shape if is_sequence else (1, *ahead.shape)
        D = back.shape[-1]
        if self.merge_mode is not None:
            width = U + D if self.merge_mode == "concat" else U
            y = plan.tensor(*ahead.shape[:-1], width)
            plan.row(
                Op.MERGE, x=ahead, x2=back, y=y, T=T, B=B, U=U, D=D,
                reverse=is_sequence, mode=MERGE_MODES.index(self.merge_mode),
            )  # fmt: skip
            outputs = [y]
        elif is_sequence:
            y = plan.tensor(T, B, D)
            plan.row(Op.REVERSE, x=back, y=y, T=T, B=B, U=D)
            outputs = [ahead, y]
        else:
            outputs = [ahead, back]
        if is_sequence:
            for output in outputs:
                plan.pass_mask(x, output)
        outputs += forward_states + backward_states
        return outputs if len(outputs) > 1 else outputs[0]

    def __call__(self, x, initial_state=None, mask=None, training=False):
        """Run the layer on data.

        Parameters
        ----------
        x : array (B, T, D)
        initial_state : list of four arrays (B, U), or None
            h and c of the forward direction, then of the backward direction.  None means zeros, or
            the carried states.
        mask : array (B, T) of bool, or None
            False at timesteps that are to be passed over, by both directions.
        training : bool
            Whether dropout drops.
        """
        return self._run(x, self.states_to_write(x, initial_state), training, mask)

    # -------------------------------------------------------------------------------------- states
    def _each_way(self, states):
        """Return the halves of a list, one for each direction."""
        half = len(states) // 2
        return zip(self.sublayers, (states[:half], states[half:]), strict=True)

    def listed_states(self, initial_state):
        """Return initial states as a flat list, empty for None."""
        states = super().listed_states(initial_state)
        return [
            state for layer, part in self._each_way(states) for state in layer.listed_states(part)
        ]

    def nested_states(self, states):
        """Return a flat list of states as both directions give them out."""
        return [
            state for layer, part in self._each_way(states) for state in layer.nested_states(part)
        ]

    def arranged(self, outputs):
        """Return the merged output, or a list of the outputs and the states."""
        n = 1 if self.merge_mode else 2
        outputs = [*outputs[:n], *self.nested_states(outputs[n:])]
        return outputs if len(outputs) > 1 else outputs[0]

    @property
    def states(self):
        """The carried states: of the forward direction, then of the backward; None if none."""
        if not (self.stateful and self.built):
            return None
        return [*self.forward_layer.states, *self.backward_layer.states]

    def set_states(self, states):
        """Set the carried states, given as `states` gives them; see `LSTM.set_states`."""
        self._need_weights()
        before = self.forward_layer.states
        ahead, back = (part for _, part in self._each_way(self.listed_states(states)))
        self.forward_layer.set_states(ahead)
        try:
            self.backward_layer.set_states(back)
        except Exception:
            self.forward_layer.set_states(before)
            raise

    def get_config(self):
        """Return the constructor's arguments as a dict."""
        config = super().get_config()
        config["backward_layer"] = self.backward_layer_pattern
        return config


def _copy(layer, prefix, dtype, **changes):
    config = layer.get_config() | {"name": prefix + layer.name, "dtype": dtype} | changes
    return type(layer).from_config(config)


def _check_backward(backward, forward, merge_mode):
    if not isinstance(backward, LSTM | RNN):
        raise TypeError(f"backward_layer must be an LSTM layer or an RNN, got {backward!r}")
    if backward.go_backwards == forward.go_backwards:
        raise ValueError(
            "backward_layer must read the other way: set go_backwards=True on one of the layers"
        )
    for argument in ("return_sequences", "return_state", "stateful"):
        here, there = getattr(forward, argument), getattr(backward, argument)
        if here != there:
            raise ValueError(
                f"both directions must have the same {argument}, got {here} and {there}"
            )
    if merge_mode not in ("concat", None) and backward.units != forward.units:
        raise ValueError(
            f"merge_mode={merge_mode!r} needs as many units in both directions, got "
            f"{forward.units} and {backward.units}; use merge_mode='concat'"
        )


def _prefixed(specs):
    return {f"{layer.name}/{name}": spec for layer, inner in specs for name, spec in inner.items()}


def _as_list(tensors):
    return tensors if isinstance(tensors, list) else [tensors]

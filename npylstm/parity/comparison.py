"""compare: two models side by side, from the first layer to the weights after a step."""

import numpy as np

from .. import backends, data, losses, optimizers
from ..models import Sequential
from .differences import (
    DIFFERS,
    EQUAL,
    ROUNDING,
    SAFETY,
    Row,
    apart,
    distance,
    largest,
    movements,
    row,
)
from .divergence import Divergence, first_number_apart
from .inputs import draw_inputs, draw_targets
from .keras_side import KerasSide, is_keras_model, mask_of
from .layers_apart import is_list, look_into, look_into_recurrence, randomness, unexplained
from .our_side import OurSide
from .ours_from_keras import loss_from, optimizer_from
from .report import Report
from .settings import loss_guesses, optimizer_guesses, probe, steps_alike

_VAGUE = 0.01  # of the scale: a bound beyond it is not good enough to tell what agrees


def compare(
    ours,
    theirs,
    x=None,
    y=None,
    *,
    loss=None,
    optimizer=None,
    samples=5,
    timesteps=7,
    seed=0,
):
    """Compare two models: weights, each layer, outputs, loss, every gradient, an optimizer's steps.

    Each layer is fed the same numbers on both sides, those of theirs, so that a layer at fault does
    not hide the ones after it.  Nothing is trained, and both models are left as they are.  All is
    computed without dropout.

    Parameters
    ----------
    ours : Sequential
        Of npylstm, built.
    theirs : keras.Model or Sequential
        Of Keras, or of npylstm.  Weights are not copied: `from_keras` does that.
    x : array (B, T, D) or (B, F), or None
        None draws normal random numbers.
    y : array, or None
        Targets; None draws some that fit the loss.
    loss, optimizer : str, or None
        For both sides; None takes what each was compiled with.  Without a loss, outputs alone are
        compared.
    samples, timesteps : int
        How many to draw, where the models leave it open.
    seed : int

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If one of the two is no such model.
    ValueError
        If they are not built, compute in different dtypes, or the data does not fit.
    """
    if not isinstance(ours, Sequential):
        raise TypeError(
            f"ours must be an npylstm Sequential, got {ours!r}; parity.from_keras makes one of a "
            "Keras model"
        )
    return _Comparison(ours, theirs, loss, optimizer).run(x, y, samples, timesteps, seed)


class _Comparison:
    """One comparison, and what it has found so far."""

    def __init__(self, ours, theirs, loss, optimizer):
        self.notes: list[str] = []
        self.rows: list[Row] = []
        self.divergences: list[Divergence] = []
        self.step_parts = None  # the first layer whose weights are not the same after a step
        self.theirs = _side_of_theirs(theirs, loss, optimizer)
        ours._need_built("a comparison")
        our_loss = losses.get(loss) if loss is not None else ours.loss
        our_optimizer = optimizers.get(optimizer) if optimizer is not None else ours.optimizer
        self.ours = OurSide(
            ours,
            our_loss if our_loss is not None else _like(self.theirs, "loss"),
            our_optimizer if our_optimizer is not None else _like(self.theirs, "optimizer"),
        )
        self.dtype = self.theirs.dtype
        if self.ours.dtype != self.dtype:
            raise ValueError(
                f"ours computes in {self.ours.dtype} and theirs in {self.dtype}: make both the "
                "same, for example with npylstm.config.set_floatx"
            )
        self.pairs = self._pair()

    def run(self, x, y, samples, timesteps, seed):
        """Compare everything; return the Report."""
        x = self._inputs(x, samples, timesteps, seed)
        self._compare_weights()
        self._compare_layers(x)
        self._compare_outputs(x)
        if self._can_train():
            y = self._targets(x, y, seed)
            self._compare_training(x, y)
        if self.ours.optimizer is not None and self.theirs.optimizer is not None:
            self._compare_optimizers()
        elif self.theirs.optimizer is not None:
            self.notes.append(
                f"steps are not compared: npylstm has no optimizer like {self.theirs.optimizer!r}"
            )
        titles = self.ours.title, self.theirs.title
        return Report(*titles, self.dtype.name, x.shape, self.rows, self.divergences, self.notes)

    # ------------------------------------------------------------------------------- before all
    def _pair(self):
        """Return pairs of positions of layers that compute something; None if they do not match."""
        found = [
            [k for k, part in enumerate(side.parts) if not _is_passed_over(part)]
            for side in (self.ours, self.theirs)
        ]
        kinds = [
            [side.parts[k].kind for k in positions]
            for side, positions in zip((self.ours, self.theirs), found, strict=True)
        ]
        if kinds[0] != kinds[1] or not self.theirs.chain:
            self.notes.append(
                "the layers are not compared one by one, as they do not match: ours are "
                f"{', '.join(kinds[0])}; theirs are {', '.join(kinds[1])}"
                + ("" if self.theirs.chain else ", and not one chain")
            )
            return None
        return list(zip(*found, strict=True))

    def _inputs(self, x, samples, timesteps, seed):
        shape, first = self.ours.input_shape, self.ours.model.layers[0]
        if x is None:
            return draw_inputs(shape, self.dtype, seed, samples, timesteps, first)
        x = data.float_array(x, "x", self.dtype)
        self.ours.model._check_input_shape(x.shape)
        data.check_shape(x.shape, "the comparison")
        return x.astype(np.int64) if hasattr(first, "input_dim") else x

    def _targets(self, x, y, seed):
        shape = self.ours.outputs(x)[0].shape
        if y is None:
            return draw_targets(self.ours.loss, shape, self.dtype, seed)
        y = data.targets(y, self.ours.loss, shape, self.dtype)
        data.check_equal_lengths(x=x, y=y)
        return y

    def _can_train(self):
        """Return whether loss and gradients can be compared; say so if not."""
        why = None
        if self.ours.loss is None and self.theirs.loss is None:
            why = "neither model is compiled with a loss; pass loss="
        elif self.ours.loss is None:
            why = f"npylstm has no loss like theirs, {self.theirs.loss!r}"
        elif self.theirs.loss is None:
            why = "their model is not compiled with a loss; compile it, or pass loss="
        elif not self.theirs.gives_gradients:
            why = "gradients are taken with Keras on TensorFlow only"
        elif len(self.ours.model._output_shapes((1, *_open(self.ours.input_shape)))) > 1:
            why = "the models have several outputs"
        if why is not None:
            self.notes.append(f"loss, gradients and steps are not compared: {why}")
        return why is None

    # ---------------------------------------------------------------------------- layer by layer
    def _compare_weights(self):
        """Append a row for each weight that is not the same, and one for all that are."""
        same = 0
        for ours, theirs in self._part_pairs():
            here, there = ours.weights(), theirs.weights()
            for name in dict.fromkeys([*here, *there]):
                if name in here and name in there:
                    found = row(ours.name, name, here[name], there[name])
                else:
                    side = "theirs" if name in there else "ours"
                    bare = np.zeros_like(here.get(name, there.get(name)))
                    both = here.get(name, bare), there.get(name, bare)
                    found = row(ours.name, f"{name}, which only {side} has", *both)
                same += found.verdict == EQUAL
                self.rows += [found] if found.verdict != EQUAL else []
        if same:
            self.rows.append(Row("model", f"weights: {same} alike", 0, 0, 0, 0, EQUAL))

    def _part_pairs(self):
        return [(self.ours.parts[k], self.theirs.parts[m]) for k, m in self.pairs or ()]

    def _compare_layers(self, x):
        """Compare each layer on what theirs is fed, and look into those that part."""
        if self.pairs is None:
            return
        partner = {m: self.ours.parts[k] for k, m in self.pairs}
        masked = any(
            part.kind == "Masking" or getattr(part.layer, "mask_zero", False)
            for part in self.ours.parts
        )
        tensor = x
        for position, theirs in enumerate(self.theirs.parts):
            given, mask = np.asarray(tensor), mask_of(tensor)
            tensor = theirs.tensors(tensor)
            outputs = [np.asarray(t) for t in (tensor if is_list(tensor) else [tensor])]
            tensor = tensor[0] if is_list(tensor) else tensor
            if position not in partner:
                if theirs.is_passive:
                    self._compare_passive(theirs, given, outputs[0])
                continue
            ours = partner[position]
            masks = (mask if masked else None, mask)
            rows = self._compare_layer(ours, given, masks, outputs)
            if len(rows) < len(outputs) or any(r.verdict == DIFFERS for r in rows):
                self.divergences += look_into(ours, theirs, given, masks, outputs, ours.name)
            elif any(r.bound > _VAGUE * r.scale for r in rows):
                # Rounding grows from step to step so much that the end says nothing; the first
                # steps do.
                self.divergences += look_into_recurrence(ours, theirs, given, masks, ours.name)

    def _compare_layer(self, ours, x, masks, theirs):
        """Append a row for each output of a layer; return these."""
        outputs = ours.run(x, masks[0])
        weights = list(ours.weights().values())
        with backends.using_backend("numpy"):
            moved = movements(
                lambda arrays: ours.run_in_float64(arrays[:-1], arrays[-1]),
                [*weights, x],
                self.dtype,
                ours.terms(x.shape),
            )
        if len(outputs) != len(theirs):
            self.notes.append(f"{ours.name} has {len(outputs)} outputs, theirs {len(theirs)}")
        rows = []
        for number, (one, other, rounding) in enumerate(zip(outputs, theirs, moved, strict=False)):
            name = f"output {number + 1}" if len(outputs) > 1 else "output"
            rows.append(row(ours.name, name, one, other, rounding.max(initial=0.0)))
        self.rows += rows
        return rows

    def _compare_passive(self, theirs, x, output):
        """Look at a layer that should hand on what it gets."""
        found = row(theirs.name, "output", x, output)
        if found.verdict != DIFFERS:
            return
        self.rows.append(found)
        place = first_number_apart(x, output, found.bound)
        causes = randomness(theirs, x, output)
        self.divergences.append(
            Divergence(theirs.name, "output", *place, {}, causes, len(causes) or 1)
        )

    # ----------------------------------------------------------------------- the model as a whole
    def _compare_outputs(self, x):
        outputs, theirs = self.ours.outputs(x), self.theirs.outputs(x)
        with backends.using_backend("numpy"):
            function, arrays = self.ours.in_float64(x)
            moved = movements(function, arrays, self.dtype, self._terms(x.shape))
        for number, (one, other, rounding) in enumerate(zip(outputs, theirs, moved, strict=False)):
            name = f"output {number + 1}" if len(outputs) > 1 else "output"
            found = row("model", name, one, other, rounding.max(initial=0.0))
            self.rows.append(found)
            if found.verdict == DIFFERS and not self.divergences:
                self.divergences.append(unexplained([one], [other], "model"))

    def _terms(self, shape):
        """Return how many terms are summed up on the way through the model."""
        terms = 0
        for part in self.ours.parts:
            terms += part.terms(shape)
            shapes = part.layer.compute_output_shape(shape)
            shape = shapes[0] if isinstance(shapes, list) else shapes
        return terms

    def _compare_training(self, x, y):
        """Compare the loss, the gradients and the weights after one step."""
        loss, gradients = self.ours.loss_and_gradients(x, y)
        their_loss, their_gradients = self.theirs.loss_and_gradients(x, y)
        with backends.using_backend("numpy"):
            function, arrays = self.ours.in_float64(x, y)
            terms = 2 * self._terms(x.shape) + x[..., 0].size
            moved = [m.max(initial=0.0) for m in movements(function, arrays, self.dtype, terms)]
        rounding_of_loss, *rest = moved[1:]
        losses_found = np.array(loss, self.dtype), np.array(their_loss, self.dtype)
        found = row("model", "loss", *losses_found, rounding_of_loss)
        self.rows.append(found)
        known = bool(self.divergences)
        if found.verdict == DIFFERS and not known:
            causes, tried = self._loss_causes(x, y, their_loss, their_gradients)
            none = (None, None, None)
            numbers = loss, their_loss
            self.divergences.append(Divergence("model", "loss", *none, *numbers, {}, causes, tried))
        roundings = dict(zip(gradients, rest[: len(gradients)], strict=True))
        self._compare_by_part("gradient of", gradients, their_gradients, roundings)
        if self.ours.optimizer is not None and self.theirs.optimizer is not None:
            after = self.ours.after_step(x, y, gradients)
            their_after = self.theirs.after_step(x, y, their_gradients)
            before = self.ours.weights()
            half = np.sqrt(np.finfo(self.dtype).eps)  # of powers as in Adam's 1 - beta_2**t
            roundings = {
                key: rounding + half * distance(after[key], before[key]) / SAFETY
                for key, rounding in zip(after, rest[len(gradients) :], strict=True)
            }
            self._compare_by_part("after a step:", after, their_after, roundings, known=True)
            self._last_rows_apart("after a step:")

    def _compare_by_part(self, what, ours, theirs, roundings, known=False):
        """Append a row for each weight's array; unless one is known, a Divergence for the first."""
        partner = dict(self.pairs or ())
        matched = {(k, name): (partner.get(k), name) for k, name in ours}
        if self.pairs is None:
            if [v.shape for v in ours.values()] != [v.shape for v in theirs.values()]:
                return
            matched = dict(zip(ours, theirs, strict=True))
        for key, value in ours.items():
            if matched[key] not in theirs:
                continue
            name, other = self.ours.parts[key[0]].name, theirs[matched[key]]
            found = row(name, f"{what} {key[1]}", value, other, roundings[key])
            self.rows.append(found)
            if found.verdict == DIFFERS and not known and not self.divergences:
                place = np.unravel_index(apart(value, other).argmax(), value.shape)
                numbers = float(value[place]), float(other[place])
                none = (None, None, int(place[-1]))
                quantity = f"gradient of {key[1]}"
                self.divergences.append(Divergence(name, quantity, *none, *numbers, {}, [], 0))

    def _last_rows_apart(self, what):
        """Note a step that parts though nothing before it does."""
        apart_rows = [r for r in self.rows if r.tensor.startswith(what) and r.verdict == DIFFERS]
        self.step_parts = apart_rows[0].layer if apart_rows and not self.divergences else None

    def _loss_causes(self, x, y, loss, gradients):
        near = np.sqrt(np.finfo(self.dtype).eps)
        guesses = loss_guesses(self.ours.loss, _like(self.theirs, "loss"))
        causes = []
        for cause, guess in guesses:
            try:
                with backends.using_backend("numpy"):
                    found, our_gradients = self.ours.loss_and_gradients(x, y, guess)
            except (TypeError, ValueError):  # targets that this loss does not take
                continue
            same = abs(found - loss) <= near * max(abs(found), abs(loss))
            if same and self.pairs is not None:
                same = all(
                    distance(our_gradients[k, name], other)
                    <= near * largest(our_gradients[k, name], other)
                    for k, m in self.pairs
                    for (position, name), other in gradients.items()
                    if position == m and (k, name) in our_gradients
                )
            if same:
                causes.append(cause)
        return causes, len(guesses)

    # ------------------------------------------------------------------------------ the optimizer
    def _compare_optimizers(self):
        """Compare both optimizers, started afresh, along gradients of all sizes."""
        w, gradients = probe(self.dtype)
        theirs = self.theirs.steps_along(w, gradients)
        ours = self.ours.steps_along(w, gradients)
        ratios = steps_alike(w, ours, theirs)
        for step, (one, other, ratio) in enumerate(zip(ours, theirs, ratios, strict=True)):
            at = int(ratio.argmax())
            plain = row("optimizer", f"step {step + 1} along gradients of all sizes", one, other)
            error = float(apart(one, other)[at])
            bound = error / ratio[at] if ratio[at] else plain.bound
            verdict = plain.verdict
            if verdict != EQUAL:
                verdict = DIFFERS if ratio[at] > 1 else ROUNDING
            scale = float(max(abs(one[at]), abs(other[at])))
            self.rows.append(plain._replace(error=error, bound=bound, scale=scale, verdict=verdict))
        if not (ratios > 1).any():
            if self.step_parts is not None:
                self.divergences.append(
                    Divergence(self.step_parts, "weights after a step", None, None, None, np.nan,
                               np.nan, {}, [], 0)
                )  # fmt: skip
            return
        step = int((ratios > 1).any(axis=1).argmax())
        at = int(ratios[step].argmax())
        causes, tried = [], 0
        for guesses in optimizer_guesses(self.ours.optimizer, _like(self.theirs, "optimizer")):
            tried += len(guesses)
            causes = [
                cause
                for cause, steps in guesses
                if (steps_alike(w, steps(w, gradients), theirs) <= 1).all()
            ]
            if causes:
                break
        quantity = f"step {step + 1} from {w[at]:g} along a gradient of {gradients[step][at]:g}"
        numbers = float(ours[step][at]), float(theirs[step][at])
        none = (None, None, None)
        self.divergences.append(
            Divergence("optimizer", quantity, *none, *numbers, {}, causes, tried)
        )


def _side_of_theirs(model, loss, optimizer):
    if is_keras_model(model):
        keras_side = KerasSide(model, loss)
        if optimizer is not None:
            keras_side.optimizer = keras_side.keras.optimizers.get(optimizer)
        return keras_side
    if isinstance(model, Sequential):
        model._need_built("a comparison")
        loss = None if loss is None else losses.get(loss)
        return OurSide(model, loss, None if optimizer is None else optimizers.get(optimizer))
    raise TypeError(
        f"theirs must be a Keras model or an npylstm Sequential, got {model!r}; parity.load reads "
        "one from a file"
    )


def _like(side, what):
    """Return our own loss or optimizer like that of a side; None if there is none such."""
    return loss_from(side.loss) if what == "loss" else optimizer_from(side.optimizer)


def _is_passed_over(part):
    """Return whether a layer is not paired: it computes nothing, or only says what to skip."""
    return part.is_passive or part.kind == "Masking"


def _open(shape):
    """Return an input shape without its batch axis, with sizes for what it leaves open."""
    return [2 if size is None else size for size in shape[1:]]

"""compile, fit, evaluate, predict: what happens to a model between its making and its use.

Everything that a user passes in is checked here, before anything is computed; the running itself is
in `batches`.
"""

import inspect
import math
from functools import partial

import numpy as np

from . import backends, data, feeding, interrupt, losses, optimizers
from .batches import Batches, Samples
from .callbacks import CallbackList
from .errors import positive_integer, unknown_arguments
from .metrics import get as get_metric
from .metrics.compiled import CompiledMetrics
from .programs import unchanged
from .progress import ProgressLogger
from .quick import QuickPredictions

_NO_EFFECT = ("run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss")


class Trainer(Batches):
    """What `Sequential` inherits: training and everything about it.

    Attributes
    ----------
    optimizer, loss : what `compile` was given
    history : History or None
        Of the last `fit`.
    stop_training, stop_evaluating, stop_predicting : bool
        A callback sets it to end `fit`, `evaluate` or `predict` after this batch.
    """

    def __init__(self):
        super().__init__()
        self.optimizer = None
        self.loss = None
        self.history = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self._metrics = CompiledMetrics(get_metric)
        self._quick = QuickPredictions(self)

    # ----------------------------------------------------------------------------------- compile
    def compile(
        self, optimizer="rmsprop", loss=None, *, metrics=None, weighted_metrics=None, **accepted
    ):
        """Say how to train.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str, Loss or callable
            A function ``f(y_true, y_pred)`` evaluates; to train, see `losses.CustomLoss`.
        metrics, weighted_metrics : list of str, Metric or callable, or None
            Names such as "accuracy" or "mse", instances, or functions ``f(y_true, y_pred)``, which
            run in Python, one batch at a time.  Only weighted metrics see sample and class weights.
        **accepted
            `run_eagerly`, `steps_per_execution`, `jit_compile` and `auto_scale_loss` are taken for
            Keras's sake and make no difference here.

        Raises
        ------
        ValueError, TypeError
            For unknown names; the model keeps its former settings then.
        """
        unknown = set(accepted) - set(_NO_EFFECT)
        if unknown:
            known = ("optimizer", "loss", "metrics", "weighted_metrics", *_NO_EFFECT)
            raise unknown_arguments("compile", unknown, known)
        new_optimizer = optimizers.get(optimizer)
        new_loss = None if loss is None else losses.get(loss)
        new_metrics = CompiledMetrics(get_metric, metrics, weighted_metrics)
        self.optimizer, self.loss, self._metrics = new_optimizer, new_loss, new_metrics

    @property
    def metrics_names(self):
        """The names of what evaluate returns: "loss", the metrics, the weighted metrics."""
        return list(self._metrics.names)

    @property
    def metrics(self):
        """The metrics, that of the loss first; their states are those of the last run."""
        return list(self._metrics.all)

    def reset_metrics(self):
        """Set all metrics to their beginning."""
        for metric in self._metrics.all:
            metric.reset_state()

    def _need_compiled(self, method, with_loss=True):
        if self.optimizer is None or (with_loss and self.loss is None):
            missing = "compile the model" if self.optimizer is None else "compile with a loss"
            raise RuntimeError(
                f"{method} needs a loss and an optimizer: {missing} first, for example "
                "model.compile(optimizer='adam', loss='mse')"
            )

    # --------------------------------------------------------------------------------------- fit
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        **unknown,
    ):
        """Train on all samples, `epochs` times.

        Parameters
        ----------
        x : array (N, T, D) or (N, F), iterator, or dataset
            An iterator, such as a generator, makes batches ``(x, y)`` or ``(x, y, sample_weight)``
            for all epochs; so does anything else that can be iterated over, once an epoch.  A
            dataset, such as `utils.PyDataset`, is asked for them by number.  Batches may differ in
            size and, if the model allows it, in their number of timesteps.
        y : array (N, …, K), or integer labels (N, …) for a sparse loss
            A target for each sample, or for each timestep of models that give sequences.
        batch_size : int or None
            How many samples of an array one update sees; None is 32, or what a stateful model was
            built for, or as many as make `steps_per_epoch` batches.
        epochs : int
            The number of the last epoch.
        verbose : {"auto", 0, 1, 2}
            0 prints nothing, 1 ("auto") a bar, 2 a line for each epoch.
        callbacks : list of Callback, or None
        validation_split : float
            In [0, 1): the part of the samples, taken from the end before any shuffling, that is
            not trained on but evaluated after each epoch.
        validation_data : tuple (x, y) or (x, y, sample_weight), iterator, dataset, or None
        shuffle : bool or "batch"
            Whether to put the samples, or the batches of a dataset, into a new order before each
            epoch; "batch" shuffles samples within each batch only.  Iterators keep their order.
        class_weight : dict of int to float, or None
            How much a sample of each class counts in the loss.
        sample_weight : array (N,) or (N, T), or None
            How much each sample (or timestep) counts in the loss.
        initial_epoch : int
            How many epochs have been trained before.
        steps_per_epoch : int or None
            Batches an epoch: the next goes on where one ends.  None is all there are, so that
            something without an end, such as ``while True: yield …``, must have it.
        validation_steps : int or None
            Batches an evaluation: of arrays and datasets the first ones, of an iterator the next.
        validation_batch_size : int or None
            None is `batch_size`.
        validation_freq : int or list of int
            After how many epochs, or after which epochs (from 1), to evaluate.

        Returns
        -------
        History
            Also kept as ``model.history``.

        Raises
        ------
        ValueError, TypeError
            If something does not fit; nothing is trained then.  A later batch of an iterator or
            dataset that does not fit, and whatever is raised in making it, ends training after the
            batch before.
        KeyboardInterrupt
            On Ctrl-C, after the batch at hand: the model is usable, `history` is kept.

        Warns
        -----
        UserWarning
            If there are fewer batches than were asked for.  What is at its end, as a generator may
            be, ends training.
        """
        _refuse("fit", unknown, Trainer.fit)
        self._need_compiled("fit")
        epochs, verbose = _epochs(epochs, initial_epoch), _verbose(verbose)
        _check_frequency(validation_freq)
        steps = feeding.steps("steps_per_epoch", steps_per_epoch)
        validation_steps = feeding.steps("validation_steps", validation_steps)
        validation = validation_data
        if validation is None and data.check_split(validation_split):
            if feeding.comes_in_batches(x):
                raise ValueError(
                    f"validation_split is for arrays, and x is a {type(x).__name__}: pass "
                    "validation_data"
                )
            (x, y, sample_weight), validation = data.split(validation_split, x, y, sample_weight)
        check = partial(self._samples, class_weight=class_weight)
        feed = self._feed(
            x, y, sample_weight, batch_size, steps, epochs - initial_epoch, shuffle, check=check
        )
        feed.first()
        if validation is not None:
            size = batch_size if validation_batch_size is None else validation_batch_size
            validation = self._validation_feed(validation, size, validation_steps)
        self._objective()  # raises if metrics and targets do not go together
        self._build_optimizer()
        callbacks = self._callback_list(callbacks, verbose, epochs, feed.n_batches)

        self.stop_training = False
        feed.reset()
        callbacks.on_train_begin()
        epoch, logs = initial_epoch, {}
        while epoch < epochs and feed.has_more():
            n = 1
            if validation is None:
                n = self._epochs_in_a_call(feed, epochs - epoch, callbacks)
            if n > 1:
                logs = self._train_epochs(feed, callbacks, epoch, n)
            else:
                callbacks.on_epoch_begin(epoch)
                logs = self._train_epoch(feed, callbacks)
                is_due = validation is not None and _is_due(epoch, validation_freq)
                if is_due and validation.has_more():
                    val_logs = self._evaluate(validation, callbacks)
                    logs |= {f"val_{name}": value for name, value in val_logs.items()}
                callbacks.on_epoch_end(epoch, logs)
            epoch += n
            if self.stop_training:
                break
        if epochs > initial_epoch:
            self.optimizer.finalize()
        callbacks.on_train_end(logs)
        return self.history

    # --------------------------------------------------------------------------------- evaluation
    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **unknown,
    ):
        """Return loss and metrics over all samples.

        Parameters
        ----------
        x, y, batch_size, verbose, sample_weight, callbacks
            As in `fit`.
        steps : int or None
            How many batches; None is all.
        return_dict : bool
            Return {name: value}.

        Returns
        -------
        float, list of float or dict
            The loss alone if there are no metrics, else the loss and the metrics.

        Raises
        ------
        RuntimeError
            Before `compile`.
        TypeError, ValueError
            If something does not fit.
        """
        _refuse("evaluate", unknown, Trainer.evaluate)
        self._need_compiled("evaluate")
        verbose = _verbose(verbose)
        steps = feeding.steps("steps", steps)
        feed = self._feed(x, y, sample_weight, batch_size, steps, names=("x", "steps"))
        feed.need()
        callbacks = self._callback_list(callbacks, verbose, 1, feed.n_batches, add_history=False)
        return self._results(self._evaluate(feed, callbacks), return_dict)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None, **unknown):
        """Return the model's outputs for all samples.

        Parameters
        ----------
        x, batch_size, verbose, callbacks
            As in `fit`; of what batches hold beside x, nothing is used.
        steps : int or None
            How many batches; None is all.

        Returns
        -------
        ndarray (N, …), or a list of them for several outputs

        Raises
        ------
        RuntimeError
            Before the model is built.
        TypeError, ValueError
            If x does not fit.
        """
        plain = callbacks is None and steps is None and not unknown
        if verbose == 0 and plain and _in_one(x, batch_size):
            output = self._quick.predict(x)
            if output is not None:
                return output
        _refuse("predict", unknown, Trainer.predict)
        verbose = _verbose(verbose)
        self._need_built("predict")
        steps = feeding.steps("steps", steps)
        feed = self._feed(
            x, None, None, batch_size, steps, names=("x", "steps"), check=self._only_inputs
        )
        feed.need()
        callbacks = self._callback_list(callbacks, verbose, 1, feed.n_batches, add_history=False)
        outputs = self._predict(feed, callbacks)
        if steps is None and feed.n_batches == 1:
            self._quick.prepare(x)
        return _one_or_list(outputs)

    # ---------------------------------------------------------------------------------- one batch
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Train on one batch; return its loss (and metrics) as `evaluate` does."""
        self._need_compiled("train_on_batch")
        samples = self._samples(x, y, sample_weight, class_weight)
        batch_size = self._batch_size(len(samples.x), len(samples.x))
        self._build_optimizer()
        totals = self._metrics.start()
        with interrupt.held_back():
            self._train_batches(samples, np.arange(batch_size), batch_size, 1, totals)
        return self._results(self._metrics.logs(totals), return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Return the loss (and metrics) of one batch as `evaluate` does."""
        self._need_compiled("test_on_batch")
        samples = self._samples(x, y, sample_weight)
        batch_size = self._batch_size(len(samples.x), len(samples.x))
        totals = self._metrics.start()
        with self._program(samples.x, batch_size, with_loss=True) as program:
            backends.current().evaluate(program, samples, np.arange(batch_size), totals)
        return self._results(self._metrics.logs(totals), return_dict)

    def predict_on_batch(self, x):
        """Return the outputs for one batch, without callbacks or progress bars."""
        output = self._quick.predict(x)
        if output is not None:
            return output
        self._need_built("predict_on_batch")
        output = self._predict_on_batch(x, training=False)
        self._quick.prepare(x)
        return output

    def _predict_on_batch(self, x, training, mask=None):
        x = self._inputs(x)
        mask = data.checked_mask(mask, x, f"model {self.name!r}")
        batch_size = self._batch_size(len(x), len(x))
        with self._program(x, batch_size, mask=mask is not None, training=training) as program:
            program.plan.write_mask(mask)
            program.x[...] = x
            backends.current().forward(program, training)
            plan = program.plan
            outputs = [plan.batch_major_values(tensor).copy() for tensor in plan.outputs]
        return _one_or_list(outputs)

    def loss_and_gradients(self, x, y, sample_weight=None):
        """Return the loss of one batch and its gradient with respect to every weight.

        Nothing is changed: dropout is off, no update is made, carried states stay as they are.

        Parameters
        ----------
        x, y, sample_weight
            As in `fit`; all samples are one batch.

        Returns
        -------
        loss : float
        gradients : dict of str to ndarray
            By path, such as "lstm/kernel" or "dense/bias"; each in the weight's shape.

        Raises
        ------
        RuntimeError
            Before `compile`.
        TypeError, ValueError
            If something does not fit, or an activation has no derivative.
        """
        self._need_compiled("loss_and_gradients")
        samples = self._samples(x, y, sample_weight)
        self._need_derivatives()
        batch_size = self._batch_size(len(samples.x), len(samples.x))
        with self._program(samples.x, batch_size, with_loss=True) as program, unchanged(program):
            loss = backends.current().loss_and_gradients(program, *samples, training=False)
            return float(loss), {
                path: self.memory.gradient(path).copy() for path in self._weight_paths()
            }

    # ----------------------------------------------------------------------- checks and small parts
    def _samples(self, x, y, sample_weight=None, class_weight=None):
        x = self._inputs(x)
        was_built = self.built
        try:
            self._build_for(x)
            return self._checked_samples(x, y, sample_weight, class_weight)
        except Exception:
            if not was_built:
                self._unbuild()
            raise

    def _checked_samples(self, x, y, sample_weight, class_weight):
        output_shape, *others = self._output_shapes(x.shape)
        if others:
            raise ValueError(
                f"{self.name!r} has {1 + len(others)} outputs, and a loss takes one: leave "
                "return_state off and set a merge_mode to train it; predict works as it is"
            )
        y = data.targets(y, self.loss, output_shape, self.dtype)
        data.check_equal_lengths(x=x, y=y)
        weight = data.sample_weights(sample_weight, class_weight, y, output_shape, self.dtype)
        return Samples(x, y, weight)

    def _feed(
        self,
        x,
        y,
        sample_weight,
        batch_size,
        steps,
        epochs=1,
        shuffle=False,
        names=("x", "steps_per_epoch"),
        check=None,
    ):
        """Return the Arrays or the Stream that x is, after the checks that can be made."""
        check = check or self._samples
        if feeding.comes_in_batches(x):
            feeding.refuse(names[0], x, y=y, sample_weight=sample_weight)
            return feeding.Stream(x, partial(self._one_batch, check), steps, shuffle, names)
        samples = check(x, y, sample_weight)
        batch_size = self._batch_size(batch_size, len(samples.x), steps, epochs)
        return feeding.Arrays(samples, batch_size, shuffle, steps)

    def _one_batch(self, check, x, y, sample_weight):
        samples = check(x, y, sample_weight)
        self._batch_size(len(samples.x), len(samples.x))  # raises for a stateful model of others
        return samples

    def _validation_feed(self, validation, batch_size, steps):
        if feeding.comes_in_batches(validation):
            names = "validation_data", "validation_steps"
            feed = self._feed(validation, None, None, batch_size, steps, names=names)
            feed.first()
            return feed
        if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
            length = f" of {len(validation)}" if isinstance(validation, tuple | list) else ""
            raise ValueError(
                "validation_data must be a tuple (x, y) or (x, y, sample_weight), or make such "
                f"batches as a generator or a PyDataset does, got a {type(validation).__name__}"
                f"{length}"
            )
        try:
            return self._feed(*(*validation, None)[:3], batch_size, steps)
        except (TypeError, ValueError) as error:
            raise type(error)(f"in validation_data: {error}") from None

    def _only_inputs(self, x, y=None, sample_weight=None):
        return Samples(self._inputs(x), None, None)

    def _inputs(self, x):
        if x is None:
            raise ValueError("x is missing: pass an array (samples, timesteps, features)")
        x = data.float_array(x, "x", self.dtype)
        self._check_input_shape(x.shape)
        data.check_shape(x.shape, "the model")
        self._layers[0].check_values(x)
        return x

    def _batch_size(self, batch_size, n, steps=None, epochs=1):
        """Return the batch size for n samples, or for as many of them as so many steps take."""
        fixed = self._stateful_batch_size()
        if batch_size is None:
            batch_size = fixed or (32 if steps is None else math.ceil(n / steps))
        batch_size = min(positive_integer("batch_size", batch_size), n)
        if steps is not None and steps * epochs * batch_size < n:
            n = steps * epochs * batch_size
        if fixed is not None and (batch_size != fixed or n % fixed):
            raise ValueError(
                f"this stateful model carries the states of {fixed} samples from batch to batch, "
                f"got {n} samples in batches of {batch_size}; pass batch_size={fixed} and a "
                f"multiple of {fixed} samples"
            )
        return batch_size

    def _need_derivatives(self):
        if getattr(self.loss, "derivative", True) is None:
            raise ValueError(
                f"loss {self.loss.name!r} has no derivative, so the model can be evaluated but not "
                "trained; pass npylstm.losses.CustomLoss(value, derivative) in its place"
            )
        for layer in self._layers:
            for activation in layer.used_activations:
                if activation.backward is None:
                    raise ValueError(
                        f"activation {activation.name!r} has no derivative, so layer "
                        f"{layer.name!r} can predict but not be trained; pass "
                        "npylstm.activations.Activation(name, forward, backward) in its place"
                    )

    def _build_optimizer(self):
        self._need_derivatives()
        if self.memory.owner is not self:
            raise ValueError(
                f"the layers of {self!r} belong to another model ({self.memory.owner!r}): train "
                "that one; this one predicts and evaluates, with the same weights"
            )
        if self.optimizer.memory is not self.memory:
            self.optimizer.build(self.memory)

    def _callback_list(self, callbacks, verbose, epochs, steps, add_history=True):
        if isinstance(callbacks, CallbackList):
            return callbacks
        params = {"verbose": verbose, "epochs": epochs, "steps": steps}
        callbacks = CallbackList(callbacks, self, params, add_history=add_history)
        if verbose:
            callbacks.append(ProgressLogger())
        return callbacks

    def _results(self, logs, return_dict):
        if return_dict:
            return logs
        return _one_or_list([logs[name] for name in self.metrics_names])


def _verbose(verbose):
    if isinstance(verbose, str) and verbose == "auto":
        return verbose  # as it is: Keras's callbacks find it in their params
    if verbose not in (0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
    return int(verbose)


def _refuse(method, unknown, function):
    if unknown:
        known = [name for name in inspect.signature(function).parameters if name != "unknown"]
        raise unknown_arguments(method, unknown, known[1:])


def _epochs(epochs, initial_epoch):
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
            raise ValueError(f"{name} must be an integer of at least 0, got {value!r}")
    return int(epochs)


def _check_frequency(validation_freq):
    if isinstance(validation_freq, list | tuple | set | range):
        return
    positive_integer("validation_freq", validation_freq)


def _is_due(epoch, validation_freq):
    if isinstance(validation_freq, list | tuple | set | range):
        return epoch + 1 in validation_freq
    return (epoch + 1) % validation_freq == 0


def _in_one(x, batch_size):
    """Return whether all samples are one batch, if that can be said without a check."""
    if type(x) is not np.ndarray or type(batch_size) not in (int, type(None)):
        return False
    return 0 < len(x) <= (32 if batch_size is None else batch_size)


def _one_or_list(values):
    return values[0] if len(values) == 1 else values

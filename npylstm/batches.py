"""Running batches: an epoch of training, an evaluation, a prediction, each a few backend calls.

One call of the backend runs as many batches as fill about 50 ms, and several epochs of them if no
callback has something to do in between.  Between the calls the progress bar moves and Ctrl-C is
answered.  Only callbacks that want to see every batch make it one batch a call.
"""

import time
from typing import NamedTuple

import numpy as np

from . import backends, interrupt
from .feeding import Stream
from .layout import check_memory

_SECONDS_PER_CALL = 0.05


class Samples(NamedTuple):
    """Checked arrays of all samples, batch-major; `sample_weight` may be None."""

    x: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None


class Batches:
    """What a `Trainer` does with samples that are checked."""

    def __init__(self):
        self._seconds_per_batch = {}  # measured, by mode and batch size

    def _epochs_in_a_call(self, feed, most, callbacks):
        """Return how many epochs, up to `most`, the next call of the backend can run."""
        if not feed.is_even or self.stop_training or callbacks.wants_epochs():
            return 1
        seconds = self._seconds_per_batch.get(("train", feed.batch_size))
        if not seconds or self._objective().in_python:
            return 1
        with self._program(feed.samples.x, feed.batch_size, with_loss=True) as program:
            if feed.shuffles and program.plan.generators:
                return 1  # dropout is drawn before the next epoch's order, from the same numbers
        return max(1, min(most, int(_SECONDS_PER_CALL / seconds / feed.n_batches)))

    def _train_epochs(self, feed, callbacks, first, n):
        """Train for n epochs in one call of the backend; tell the callbacks when all are over."""
        totals, logs = self._metrics.start(n), {}
        order = np.concatenate([feed.epoch() for _ in range(n)])
        n_batches, start = n * feed.n_batches, time.perf_counter()
        with interrupt.held_back():
            try:
                self._train_batches(feed.samples, order, feed.batch_size, n_batches, totals)
            finally:
                over = int(totals[:, 1].sum()) // len(feed.samples.x)
                for epoch, sums in enumerate(totals[:over], first):
                    callbacks.on_epoch_begin(epoch)
                    logs = self._metrics.logs(sums)
                    callbacks.on_epoch_end(epoch, logs)
        seconds = time.perf_counter() - start
        self._seconds_per_batch["train", feed.batch_size] = seconds / n_batches
        return logs

    def _train_epoch(self, feed, callbacks):
        totals, logs = self._metrics.start(), {}
        watched = callbacks.wants_batches("train")
        one_by_one = watched or self.stop_training
        for step, batches, samples, order in self._calls(feed, one_by_one, "train"):
            if watched:
                callbacks.on_train_batch_begin(step)
            with interrupt.held_back():
                self._train_batches(samples, order, len(order) // batches, batches, totals)
            logs = self._metrics.logs(totals)
            if watched:
                callbacks.on_train_batch_end(step, logs)
            callbacks.on_progress(step + batches, logs)
            if self.stop_training:
                break
        return logs

    def _train_batches(self, samples, order, batch_size, n_batches, totals):
        optimizer, before = self.optimizer, totals[..., 1].sum()
        with self._program(samples.x, batch_size, with_loss=True) as program:
            try:
                backends.current().train(
                    program,
                    samples,
                    order,
                    optimizer.update(),
                    optimizer.learning_rates(n_batches),
                    optimizer.batches,
                    totals,
                )
            finally:  # a function of the user's may raise in the middle
                optimizer.batches += int(totals[..., 1].sum() - before) // batch_size

    def _calls(self, feed, one_by_one, mode):
        """Yield for each call of the backend: its first batch, how many, their samples, in order.

        The number of the first batch, and the number of batches, are integers; the samples are
        `Samples`, and the order (n,) says which of them.
        """
        if isinstance(feed, Stream):
            for step, samples in enumerate(feed.epoch()):
                yield step, 1, samples, np.arange(len(samples.x))
            return
        order, size = feed.epoch(), feed.batch_size
        whole, rest = divmod(len(order), size)
        step = 0
        while step < whole:
            seconds = self._seconds_per_batch.get((mode, size))
            batches = 1 if one_by_one or not seconds else max(1, int(_SECONDS_PER_CALL / seconds))
            batches = min(batches, whole - step)
            start = time.perf_counter()
            yield step, batches, feed.samples, order[step * size : (step + batches) * size]
            self._seconds_per_batch[mode, size] = (time.perf_counter() - start) / batches
            step += batches
        if rest:
            yield whole, 1, feed.samples, order[whole * size :]

    def _evaluate(self, feed, callbacks):
        self.stop_evaluating = False
        feed.reset()
        callbacks.on_test_begin()
        totals = self._metrics.start()
        watched = callbacks.wants_batches("test")
        one_by_one = watched or self.stop_evaluating
        for step, batches, samples, order in self._calls(feed, one_by_one, "test"):
            if watched:
                callbacks.on_test_batch_begin(step)
            with self._program(samples.x, len(order) // batches, with_loss=True) as program:
                backends.current().evaluate(program, samples, order, totals)
            logs = self._metrics.logs(totals)
            if watched:
                callbacks.on_test_batch_end(step, logs)
            callbacks.on_progress(step + batches, logs)
            if self.stop_evaluating:
                break
        logs = self._metrics.logs(totals)
        callbacks.on_test_end(logs)
        return logs

    def _predict(self, feed, callbacks):
        self.stop_predicting = False
        callbacks.on_predict_begin()
        parts, done = [], 0  # outputs: of all samples, or of each batch of a stream
        if not isinstance(feed, Stream):
            parts.append(self._room_for_outputs(feed.samples.x))
        watched = callbacks.wants_batches("predict")
        one_by_one = watched or self.stop_predicting
        for step, batches, samples, order in self._calls(feed, one_by_one, "predict"):
            if watched:
                callbacks.on_predict_batch_begin(step)
            if isinstance(feed, Stream):
                parts.append(self._room_for_outputs(samples.x))
                _check_joinable(parts[0], parts[-1], step)
            outputs = parts[-1]
            with self._program(samples.x, len(order) // batches) as program:
                backends.current().predict(program, samples.x, order, outputs)
            done += len(order)
            if watched:
                batch = [output[order] for output in outputs]
                batch = batch[0] if len(batch) == 1 else batch
                callbacks.on_predict_batch_end(step, {"outputs": batch})
            callbacks.on_progress(step + batches, {})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        if len(parts) > 1:
            return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]
        return [output if done == len(output) else output[:done] for output in parts[0]]

    def _room_for_outputs(self, x):
        return [np.empty(shape, self.dtype) for shape in self._output_shapes(x.shape)]

    def _objective(self):
        n_outputs = self._output_shapes(self.input_shape)[0][-1]
        last_activation = self._layers[-1].last_activation
        rows = self._metrics.rows(self.loss.sparse, n_outputs, last_activation)
        return self.loss.objective(last_activation, rows, n_outputs)

    def _program(self, x, batch_size, with_loss=False, mask=False, training=False):
        check_memory(self._layers, self.memory)
        objective = self._objective() if with_loss else None
        shape = (batch_size, *x.shape[1:])
        options = {"memory": id(self.memory), "mask": mask, "training": training or with_loss}
        return self._programs.use(shape, objective, **options)


def _check_joinable(first, outputs, step):
    """Raise ValueError unless a batch's outputs can be joined with those of the first batch."""
    shapes = [[output.shape[1:] for output in part] for part in (first, outputs)]
    if shapes[0] != shapes[1]:
        one, other = (", ".join(map(str, part)) for part in shapes)
        raise ValueError(
            f"predict joins the outputs of all batches, but those of batch {step} have the shape "
            f"{other} a sample, those of batch 0 {one}; call predict_on_batch for each batch"
        )

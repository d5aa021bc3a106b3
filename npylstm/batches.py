"""Running batches: an epoch of training, an evaluation, a prediction, each a few backend calls.

One call of the backend runs as many batches as fill about 50 ms.  Between the calls the progress
bar moves and Ctrl-C is answered.  Only callbacks that want to see every batch make it one batch a
call.
"""

import time
from typing import NamedTuple

import numpy as np

from . import backends, interrupt
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

    def _train_epoch(self, samples, order, batch_size, callbacks):
        totals, logs = self._metrics.start(), {}
        watched = callbacks.wants_batches("train")
        for step, batches, size in self._calls(len(order), batch_size, watched, "train"):
            first = step * batch_size
            if watched:
                callbacks.on_train_batch_begin(step)
            with interrupt.held_back():
                self._train_batches(
                    samples, order[first : first + batches * size], size, batches, totals
                )
            logs = self._metrics.logs(totals)
            if watched:
                callbacks.on_train_batch_end(step, logs)
            callbacks.on_progress(step + batches, logs)
            if self.stop_training:
                break
        return logs

    def _train_batches(self, samples, order, batch_size, n_batches, totals):
        optimizer, before = self.optimizer, totals[1]
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
                optimizer.batches += round((totals[1] - before) / batch_size)

    def _calls(self, n, batch_size, one_by_one, mode):
        """Yield (first batch, number of batches, their size) for each call of the backend."""
        whole, rest = divmod(n, batch_size)
        step = 0
        while step < whole:
            seconds = self._seconds_per_batch.get((mode, batch_size))
            batches = 1 if one_by_one or not seconds else max(1, int(_SECONDS_PER_CALL / seconds))
            batches = min(batches, whole - step)
            start = time.perf_counter()
            yield step, batches, batch_size
            self._seconds_per_batch[mode, batch_size] = (time.perf_counter() - start) / batches
            step += batches
        if rest:
            yield whole, 1, rest

    def _evaluate(self, samples, batch_size, callbacks):
        callbacks.on_test_begin()
        totals = self._metrics.start()
        order, watched = np.arange(len(samples.x)), callbacks.wants_batches("test")
        for step, batches, size in self._calls(len(order), batch_size, watched, "test"):
            first = step * batch_size
            if watched:
                callbacks.on_test_batch_begin(step)
            with self._program(samples.x, size, with_loss=True) as program:
                chosen = order[first : first + batches * size]
                backends.current().evaluate(program, samples, chosen, totals)
            logs = self._metrics.logs(totals)
            if watched:
                callbacks.on_test_batch_end(step, logs)
            callbacks.on_progress(step + batches, logs)
        logs = self._metrics.logs(totals)
        callbacks.on_test_end(logs)
        return logs

    def _predict(self, x, batch_size, callbacks):
        callbacks.on_predict_begin()
        outputs = [np.empty(shape, self.dtype) for shape in self._output_shapes(x.shape)]
        order, watched = np.arange(len(x)), callbacks.wants_batches("predict")
        for step, batches, size in self._calls(len(x), batch_size, watched, "predict"):
            first = step * batch_size
            if watched:
                callbacks.on_predict_batch_begin(step)
            chosen = order[first : first + batches * size]
            with self._program(x, size) as program:
                backends.current().predict(program, x, chosen, outputs)
            if watched:
                batch = [output[chosen] for output in outputs]
                batch = batch[0] if len(batch) == 1 else batch
                callbacks.on_predict_batch_end(step, {"outputs": batch})
            callbacks.on_progress(step + batches, {})
        callbacks.on_predict_end()
        return outputs

    def _objective(self):
        n_outputs = self._output_shapes(self.input_shape)[0][-1]
        last_activation = self._layers[-1].last_activation
        rows = self._metrics.rows(self.loss.sparse, n_outputs, last_activation)
        return self.loss.objective(last_activation, rows, n_outputs)

    def _program(self, x, batch_size, with_loss=False):
        check_memory(self._layers, self.memory)
        objective = self._objective() if with_loss else None
        shape = (batch_size, *x.shape[1:])
        return self._programs.use(shape, objective, memory=id(self.memory))

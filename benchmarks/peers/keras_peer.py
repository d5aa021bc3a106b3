"""Keras, on the backend that KERAS_BACKEND names, in all the ways in which a user calls it."""

import keras
import numpy as np
from keras import layers

from ..workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from .base import Model

if keras.backend.backend() == "tensorflow":
    import tensorflow


class KerasPeer(Model):
    """Keras with jit_compile False, True or, by default, as Keras chooses."""

    def __init__(self, workload, weights, threads, jit_compile="auto"):
        super().__init__(workload, weights, threads)
        if keras.backend.backend() == "tensorflow":
            _use_threads(threads)
        keras.config.set_floatx(workload.dtype)
        keras.config.set_dtype_policy(workload.dtype)
        # Unless told that there is no cuDNN to look for, an LSTM on TensorFlow refuses jit_compile.
        options = {"use_cudnn": False} if jit_compile is True else {}
        model = keras.Sequential([keras.Input((workload.T, workload.D))])
        for number in range(workload.layers):
            returns = number + 1 < workload.layers
            layer = layers.LSTM(workload.U, return_sequences=returns, **options)
            model.add(layers.Bidirectional(layer) if workload.bidirectional else layer)
        model.add(layers.Dense(workload.K, activation="softmax" if workload.classifies else None))
        # As numbers of the right precision: Keras rounds Python's to float32, even for float64.
        beta_1, beta_2 = np.array([BETA_1, BETA_2], workload.dtype)
        model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE, beta_1, beta_2, EPSILON),
            loss="categorical_crossentropy" if workload.classifies else "mse",
            jit_compile=jit_compile,
        )
        self.model = model
        self.reset(weights)
        self._first = self.batches()[0][0]

    def reset(self, weights):
        self.model.set_weights(weights)
        for variable in self.model.optimizer.variables:
            if not variable.path.endswith("learning_rate"):
                variable.assign(np.zeros(variable.shape, variable.dtype))
        self._next = self.cycled(self.batches())

    def train_step(self):
        return self.model.train_on_batch(*next(self._next))

    def fit(self, n_batches=None, epochs=1):
        n = len(self.x) if n_batches is None else n_batches * self.workload.B
        x, y = self.x[:n], self.y[:n]
        options = {"batch_size": self.workload.B, "shuffle": False, "verbose": 0}
        self.model.fit(x, y, epochs=epochs, **options)

    def infer(self):
        return self.model.predict_on_batch(self._first)

    def predict(self):
        return self.model.predict(self._first, batch_size=self.workload.B, verbose=0)

    def call(self):
        return np.asarray(self.model(self._first))

    def weights(self):
        return self.model.get_weights()


def _use_threads(threads):
    """Tell TensorFlow, which listens only until it has started its threads."""
    threading = tensorflow.config.threading
    if threading.get_intra_op_parallelism_threads() != threads:
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(threads)

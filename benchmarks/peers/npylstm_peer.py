"""npylstm, on the backend that is the default."""

import numpy as np

import npylstm
from npylstm.layers import LSTM, Bidirectional, Dense, Input

from ..workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from .base import Model


class NpylstmPeer(Model):
    def __init__(self, workload, weights, threads):
        super().__init__(workload, weights, threads)
        if hasattr(npylstm, "set_num_threads"):
            npylstm.set_num_threads(threads)
        npylstm.config.set_floatx(workload.dtype)
        model = npylstm.Sequential([Input((workload.T, workload.D))])
        for number in range(workload.layers):
            layer = LSTM(workload.U, return_sequences=number + 1 < workload.layers)
            model.add(Bidirectional(layer) if workload.bidirectional else layer)
        model.add(Dense(workload.K, activation="softmax" if workload.classifies else None))
        self.model = model
        self.reset(weights)
        self._first = self.batches()[0][0]

    def reset(self, weights):
        self.model.set_weights(weights)
        # As Keras does, Adam rounds Python's numbers to float32, even for float64 weights.
        beta_1, beta_2 = np.array([BETA_1, BETA_2], self.workload.dtype)
        self.model.compile(
            optimizer=npylstm.optimizers.Adam(LEARNING_RATE, beta_1, beta_2, EPSILON),
            loss="categorical_crossentropy" if self.workload.classifies else "mse",
        )
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

    def weights(self):
        return self.model.get_weights()

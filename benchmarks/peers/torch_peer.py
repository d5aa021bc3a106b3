"""PyTorch: nn.LSTM, Linear, Adam; a training loop as its tutorials write it."""

import itertools

import numpy as np
import torch

from ..workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from .base import Model, split


class TorchPeer(Model):
    def __init__(self, workload, weights, threads):
        super().__init__(workload, weights, threads)
        torch.set_num_threads(threads)
        dtype = getattr(torch, workload.dtype)
        self.lstm = torch.nn.LSTM(
            *(workload.D, workload.U, workload.layers),
            batch_first=True,
            bidirectional=workload.bidirectional,
            dtype=dtype,
        )
        self.dense = torch.nn.Linear(workload.U * workload.directions, workload.K, dtype=dtype)
        self._batches = [
            (torch.from_numpy(x), torch.from_numpy(y.argmax(1) if workload.classifies else y))
            for x, y in self.batches()
        ]
        self.reset(weights)

    def reset(self, weights):
        self._set_weights(weights)
        # PyTorch adds epsilon after the correction of the second moment's bias, Keras before it:
        # divided by the correction of the first step, that step is the same.
        self.optimizer = torch.optim.Adam(
            [*self.lstm.parameters(), *self.dense.parameters()],
            lr=LEARNING_RATE,
            betas=(BETA_1, BETA_2),
            eps=EPSILON / (1 - BETA_2) ** 0.5,
        )
        self._next = self.cycled(self._batches)

    def as_keras(self):
        """Divide epsilon by the correction of every step; in a user's program no one does."""
        steps = itertools.count(1)

        def correct(optimizer, *_):
            for group in optimizer.param_groups:
                group["eps"] = EPSILON / (1 - BETA_2 ** next(steps)) ** 0.5

        self.optimizer.register_step_pre_hook(correct)

    def _directions(self):
        """Yield (layer, direction, suffix of the parameters' names)."""
        for layer in range(self.workload.layers):
            for direction in range(self.workload.directions):
                yield layer, direction, f"_l{layer}{'_reverse' if direction else ''}"

    @torch.no_grad()
    def _set_weights(self, weights):
        # The gates' order i, f, g, o is Keras's; the matrices are transposed; the bias is a sum of
        # two, of which the second is kept at zero and has to be left alone by the optimizer.
        layers, dense_kernel, dense_bias = split(self.workload, weights)
        for layer, direction, suffix in self._directions():
            kernel, recurrent_kernel, bias = layers[layer][direction]
            getattr(self.lstm, f"weight_ih{suffix}").copy_(torch.from_numpy(kernel.T))
            getattr(self.lstm, f"weight_hh{suffix}").copy_(torch.from_numpy(recurrent_kernel.T))
            getattr(self.lstm, f"bias_ih{suffix}").copy_(torch.from_numpy(bias))
            getattr(self.lstm, f"bias_hh{suffix}").zero_().requires_grad_(False)
        self.dense.weight.copy_(torch.from_numpy(dense_kernel.T))
        self.dense.bias.copy_(torch.from_numpy(dense_bias))

    def weights(self):
        arrays = []
        for _, _, suffix in self._directions():
            arrays += [getattr(self.lstm, f"weight_ih{suffix}").detach().numpy().T]
            arrays += [getattr(self.lstm, f"weight_hh{suffix}").detach().numpy().T]
            arrays += [getattr(self.lstm, f"bias_ih{suffix}").detach().numpy()]
        arrays += [self.dense.weight.detach().numpy().T, self.dense.bias.detach().numpy()]
        return [np.array(array) for array in arrays]

    def _outputs(self, x):
        _, (h, _) = self.lstm(x)
        last = torch.cat((h[-2], h[-1]), 1) if self.workload.bidirectional else h[-1]
        return self.dense(last)

    def _train(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        outputs = self._outputs(x)
        if self.workload.classifies:
            loss = torch.nn.functional.cross_entropy(outputs, y)
        else:
            loss = torch.nn.functional.mse_loss(outputs, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def train_step(self):
        return self._train(*next(self._next)).item()

    def fit(self, n_batches=None, epochs=1):
        for _ in range(epochs):
            for x, y in self._batches[:n_batches]:
                self._train(x, y)

    @torch.inference_mode()
    def infer(self):
        outputs = self._outputs(self._batches[0][0])
        return (outputs.softmax(1) if self.workload.classifies else outputs).numpy()

"""ONNX Runtime: the LSTM operator, inference only."""

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

from .base import Model, split


class OnnxPeer(Model):
    def __init__(self, workload, weights, threads):
        super().__init__(workload, weights, threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1  # the graph is a chain
        self.session = onnxruntime.InferenceSession(
            model_of(workload, weights).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )
        # The operator takes time first; that is put right before the clock starts.
        x = self.batches()[0][0]
        self._feed = {"x": np.ascontiguousarray(x.transpose(1, 0, 2))}

    def infer(self):
        return self.session.run(None, self._feed)[0]


def model_of(workload, weights):
    """Return the ONNX model of one LSTM layer and a Dense layer."""
    [[(kernel, recurrent_kernel, bias)]], dense_kernel, dense_bias = split(workload, weights)

    def gates(array):
        # Keras's columns i, f, c, o are rows i, o, f, c here.
        i, f, c, o = np.split(array, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1).T[None]

    arrays = {
        "W": gates(kernel),
        "R": gates(recurrent_kernel),
        "B": np.concatenate([gates(bias), np.zeros((1, 4 * workload.U), bias.dtype)], axis=1),
        "V": dense_kernel,
        "b": dense_bias,
        "direction": np.array([0], "int64"),
    }
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", "B"], ["", "h_last"], hidden_size=workload.U),
        helper.make_node("Squeeze", ["h_last", "direction"], ["h"]),
        helper.make_node("Gemm", ["h", "V", "b"], ["y" if workload.K == 1 else "logits"]),
    ]
    if workload.classifies:
        nodes.append(helper.make_node("Softmax", ["logits"], ["y"], axis=-1))
    shapes = {"x": [workload.T, workload.B, workload.D], "y": [workload.B, workload.K]}
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    initializers = [
        numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()
    ]
    graph = helper.make_graph(nodes, "lstm", [x], [y], initializers)
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    checker.check_model(model)
    return model

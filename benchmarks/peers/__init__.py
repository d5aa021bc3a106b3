"""The libraries that are compared: which there are, what each can do, what each needs.

Nothing here imports any of them: each lives in a process of its own (`worker.py`), as it would in a
user's program, and none can change how another behaves.
"""

import importlib.util
from dataclasses import dataclass, field

# The ways to use a model that are timed.  "train_step" and "fit" are one batch and one epoch of
# training; "infer" is a batch by the shortest documented way, "predict" and "call" the others.
TRAINING = ("train_step", "fit")
INFERENCE = ("infer", "predict", "call")


@dataclass(frozen=True)
class Peer:
    """Where a library's side of the comparison is found.

    Peers of the same `process` share one; `options` go to the class, `environment` to the process.
    """

    name: str
    title: str
    where: str  # "module:class", the module being in this folder
    actions: dict  # name of an action -> what a user of the library calls it
    needs: tuple = ()  # modules that must be installed
    distributions: tuple = ()  # whose versions are recorded
    process: str = ""
    options: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)
    plain_only: bool = False  # whether it does nothing but `Workload.is_plain`

    def missing(self):
        """Return the names of the modules that it needs and that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def can(self, workload):
        return workload.is_plain or not self.plain_only


_NPYLSTM_CALLS = {
    "fit": "fit",
    "train_step": "train_on_batch",
    "infer": "predict_on_batch",
    "predict": "predict",
}
_KERAS_CALLS = _NPYLSTM_CALLS | {"call": "model(x)"}
_TENSORFLOW = {"KERAS_BACKEND": "tensorflow"}

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            name="npylstm",
            title="npylstm",
            where="npylstm_peer:NpylstmPeer",
            actions=_NPYLSTM_CALLS,
            distributions=("numpy", "numba", "llvmlite"),
            process="npylstm",
        ),
        Peer(
            name="keras",
            title="Keras on TensorFlow",
            where="keras_peer:KerasPeer",
            actions=_KERAS_CALLS,
            needs=("keras", "tensorflow"),
            distributions=("keras", "tensorflow-cpu", "tensorflow"),
            process="keras",
            options={"jit_compile": False},
            environment=_TENSORFLOW,
        ),
        Peer(
            name="keras-jit",
            title="Keras on TensorFlow, jit_compile=True",
            where="keras_peer:KerasPeer",
            # model(x) runs op by op whatever jit_compile says, and is timed once, above.
            actions=_NPYLSTM_CALLS,
            needs=("keras", "tensorflow"),
            process="keras",
            options={"jit_compile": True},
            environment=_TENSORFLOW,
        ),
        Peer(
            name="keras-jax",
            title="Keras on JAX",
            where="keras_peer:KerasPeer",
            actions=_KERAS_CALLS,
            needs=("keras", "jax"),
            distributions=("keras", "jax"),
            process="keras-jax",
            environment={"KERAS_BACKEND": "jax"},
        ),
        Peer(
            name="torch",
            title="PyTorch",
            where="torch_peer:TorchPeer",
            actions={
                "fit": "a loop over batches",
                "train_step": "one batch",
                "infer": "inference_mode",
            },
            needs=("torch",),
            distributions=("torch",),
            process="torch",
        ),
        Peer(
            name="jax",
            title="JAX by hand",
            where="jax_peer:JaxPeer",
            actions={"fit": "an epoch in one jit", "train_step": "a step in a jit", "infer": "jit"},
            needs=("jax",),
            distributions=("jax", "jaxlib"),
            process="jax",
            plain_only=True,
        ),
        Peer(
            name="onnxruntime",
            title="ONNX Runtime",
            where="onnx_peer:OnnxPeer",
            actions={"infer": "session.run"},
            needs=("onnx", "onnxruntime"),
            distributions=("onnx", "onnxruntime"),
            process="onnxruntime",
            plain_only=True,
        ),
    )
}

OURS = "npylstm"
# What ours is measured against: the same kind of call, or the shortest if there is none.
OUR_ACTION = {name: name for name in TRAINING + INFERENCE} | {"call": "infer"}


def chosen(names=None):
    """Return (peers beside npylstm, a word on each that is absent).

    Parameters
    ----------
    names : list of str or None
        "keras" stands for all ways to use it on TensorFlow; None is all.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    known = [name for name in PEERS if name != OURS]
    names = list(known if names is None else names)
    for name in names:
        if name not in known:
            raise ValueError(f"unknown peer {name!r}; choose from {', '.join(known)}")
    if "keras" in names:
        names.append("keras-jit")
    peers = [PEERS[name] for name in known if name in names]
    words = {
        peer.name: f"{peer.title} is skipped: {' and '.join(peer.missing())} not installed"
        for peer in peers
        if peer.missing()
    }
    return [peer for peer in peers if not peer.missing()], list(words.values())

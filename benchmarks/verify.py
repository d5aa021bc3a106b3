"""The same numbers from the same weights, or no time is taken.

For every peer: the outputs of each way to infer; the loss of one batch; all weights after one Adam
step, by each way to train; and the way that an epoch takes the weights.
"""

import numpy as np

from .peers import INFERENCE, OURS, PEERS, TRAINING
from .workloads import LEARNING_RATE

# Everyone sums in another order and rounds exp and tanh otherwise, some units in the last place
# (6e-8, 1e-16) an operation.  Outputs and losses are of size 1 and come from some hundred of them.
OUTPUTS = {"float32": {"atol": 2e-6, "rtol": 2e-5}, "float64": {"atol": 1e-13, "rtol": 1e-11}}
# Of a weight that Adam has moved by at most the learning rate: a gradient that is off by dg moves
# it otherwise by up to learning_rate * dg / 3e-4 (see EPSILON), and dg is some 1e-7.
WEIGHTS = {
    "float32": {"atol": 2e-3 * LEARNING_RATE, "rtol": 2e-7},
    "float64": {"atol": 1e-9 * LEARNING_RATE, "rtol": 1e-15},
}
# The way through an epoch of up to 200 steps, where small differences have time to grow.
EPOCH = {"float32": 2e-3, "float64": 1e-8}


class Different(AssertionError):
    """Two libraries do not compute the same."""


def verify(crew, peer, workload):
    """Compare a peer with npylstm, once a run.

    Returns
    -------
    dict
        What was compared -> the largest difference, as a share of what is allowed.

    Raises
    ------
    Different
        If one of them is above 1.
    """
    key = "agreement", peer.name, workload
    if key not in crew.known:
        crew.known[key] = _compared(crew, peer, workload)
    return crew.known[key]


def _compared(crew, peer, workload):
    theirs = _numbers(crew, peer, workload)
    key = "ours", workload
    if key not in crew.known:
        crew.known[key] = _numbers(crew, PEERS[OURS], workload)
    ours = crew.known[key]
    start = workload.weights()
    moved = {
        name: [w - w0 for w, w0 in zip(ours[name], start, strict=True)]
        for name in ("weights", "epoch")
    }
    still = [w.shape for w in moved["weights"] if np.abs(w).max() < LEARNING_RATE / 10]
    # With a single timestep there is no h to multiply with the recurrent kernel.
    if still and not (workload.T == 1 and still == [(workload.U, 4 * workload.U)]):
        raise Different(f"{workload.name}: weights {still} do not move, so nothing is compared")
    worst = {}
    for name, their_value in theirs.items():
        if name in INFERENCE:
            worst[name] = _share(their_value, ours["infer"], OUTPUTS[workload.dtype])
        elif name == "loss":
            worst[name] = _share(their_value, ours["loss"], OUTPUTS[workload.dtype])
        elif name == "epoch":
            worst[name] = _other_way(their_value, start, moved["epoch"])
            worst[name] /= EPOCH[workload.dtype]
        else:
            pairs = zip(their_value, ours["weights"], strict=True)
            worst[name] = max(_share(*pair, WEIGHTS[workload.dtype]) for pair in pairs)
    bad = {name: share for name, share in worst.items() if not share <= 1}
    if bad:
        raise Different(
            f"{peer.title} and npylstm differ on {workload.name}; share of what is allowed: {bad}"
        )
    return worst


def _numbers(crew, peer, workload, threads=None):
    """Return everything that is compared: outputs, loss, weights after a step, after an epoch."""
    worker = crew.worker(peer, threads)
    key = "verify", peer.name, workload.name

    numbers = {}
    worker.make(key, peer.name, workload, workload.weights())
    for name in INFERENCE:
        if name in peer.actions:
            numbers[name] = worker.call(key, name)
    if set(TRAINING) & set(peer.actions):
        numbers["loss"] = worker.call(key, "train_step")
        numbers["weights"] = worker.weights(key)
        worker.reset(key, workload.weights())
        worker.call(key, "fit", 1)
        numbers["fit"] = worker.weights(key)
        worker.reset(key, workload.weights())
        worker.call(key, "as_keras")
        worker.call(key, "fit")
        numbers["epoch"] = worker.weights(key)
    worker.drop(key)
    return numbers


def verify_threads(crew, workload):
    """Demand that npylstm computes the same with one thread as with all."""
    alone, together = (
        _numbers(crew, PEERS[OURS], workload, threads) for threads in (1, crew.threads)
    )
    for name in ("infer", "loss"):
        share = _share(alone[name], together[name], OUTPUTS[workload.dtype])
        if not share <= 1:
            raise Different(f"{name} depends on the number of threads: {share} of what is allowed")
    for one, other in zip(alone["weights"], together["weights"], strict=True):
        share = _share(one, other, WEIGHTS[workload.dtype])
        if not share <= 1:
            raise Different(f"a step depends on the number of threads: {share} of what is allowed")


def _share(theirs, ours, tolerance):
    """Return the largest difference as a share of atol + rtol * |ours|; NaN if there is one."""
    theirs, ours = np.asarray(theirs), np.asarray(ours)
    if theirs.shape != ours.shape:
        raise Different(f"shape {theirs.shape} instead of {ours.shape}")
    allowed = tolerance["atol"] + tolerance["rtol"] * np.abs(ours)
    return float((np.abs(theirs - ours) / allowed).max())


def _other_way(weights, start, moved):
    """Return how far the way of the weights through an epoch is from ours, as a share of ours."""
    away = [w - w0 - way for w, w0, way in zip(weights, start, moved, strict=True)]
    return _length(away) / _length(moved)


def _length(arrays):
    return float(np.sqrt(sum(np.square(array, dtype="float64").sum() for array in arrays)))

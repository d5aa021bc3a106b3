"""How far float32 trainings drift apart: npylstm from Keras, and Keras from itself.

    python -m parity_tests.divergence

trains the networks of `long_training` with npylstm on both backends, with Keras on TensorFlow and
with Keras on JAX (it needs jax, and matplotlib), and writes divergence.json and divergence.png.
All start from the same weights and see the same batches.  How far Keras on one backend goes from
Keras on another is the yardstick for what may be called the same training.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .long_training import (
    BATCH,
    NETWORKS,
    SEEDS,
    STEPS,
    build,
    data,
    distance,
    start,
    start_again,
    weights_of_every_step,
)

FOLDER = Path(__file__).parent
NUMBERS, PICTURE = FOLDER / "divergence.json", FOLDER / "divergence.png"
# Okabe and Ito's colours, which are told apart whatever one's eyes; lines differ in dashes too.
CURVES = {
    "npylstm, compiled": ("#0072B2", "-", "npylstm, compiled – Keras on TensorFlow"),
    "npylstm, NumPy": ("#009E73", "--", "npylstm, NumPy – Keras on TensorFlow"),
    "Keras on JAX": ("#D55E00", ":", "Keras on JAX – Keras on TensorFlow (the yardstick)"),
}


def train_keras(path):
    """Write the weights of every step, of every network and seed, on $KERAS_BACKEND."""
    import keras

    arrays = {"version": np.array(_version_of_backend(keras))}
    for name, network in NETWORKS.items():
        model = build(keras, network, "float32")
        for seed in SEEDS:
            start_again(model, "float32", seed)
            steps = weights_of_every_step(model, *data(network, "float32", seed))
            for k, weights in enumerate(zip(*steps, strict=True)):
                arrays[f"{name}/{seed}/{k}"] = np.array(weights)
    np.savez(path, **arrays)


def _version_of_backend(keras):
    from importlib.metadata import version

    package = {"tensorflow": "tensorflow-cpu", "jax": "jax"}[keras.backend.backend()]
    return f"keras {keras.__version__} on {package} {version(package)}"


def keras_weights(backend):
    """Return what `train_keras` writes in a process of its own: a process has one backend."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "JAX_PLATFORMS": "cpu"}
        subprocess.run(
            [sys.executable, "-m", "parity_tests.divergence", str(path)],
            env=os.environ | quiet | {"KERAS_BACKEND": backend},
            check=True,
        )
        with np.load(path) as file:
            return dict(file)


def npylstm_weights():
    """Return the same of npylstm on the current backend."""
    import npylstm

    arrays = {"version": np.array(f"npylstm {npylstm.__version__}")}
    for name, network in NETWORKS.items():
        for seed in SEEDS:
            model = build(npylstm, network, "float32")
            start(model, "float32", seed)
            steps = weights_of_every_step(model, *data(network, "float32", seed))
            for k, weights in enumerate(zip(*steps, strict=True)):
                arrays[f"{name}/{seed}/{k}"] = np.array(weights)
    return arrays


def distances(one, other, name):
    """Return the distance after every step, for every seed: (seeds, STEPS + 1)."""
    table = []
    for seed in SEEDS:
        keys = [key for key in one if key.startswith(f"{name}/{seed}/")]
        table.append(
            [
                distance([one[key][step] for key in keys], [other[key][step] for key in keys])
                for step in range(STEPS + 1)
            ]
        )
    return np.array(table)


def typical(table):
    """Return the middle one of the seeds."""
    return np.median(table, axis=0)


def measure():
    """Return the numbers of divergence.json, and the tables (seeds, STEPS + 1) of the picture."""
    import npylstm

    theirs = keras_weights("tensorflow")
    runs = {"Keras on JAX": keras_weights("jax")}
    for label, backend in (("npylstm, NumPy", "numpy"), ("npylstm, compiled", "numba")):
        with npylstm.using_backend(backend):
            runs[label] = npylstm_weights()
    tables = {
        name: {label: distances(runs[label], theirs, name) for label in CURVES} for name in NETWORKS
    }
    numbers = {
        "what": "largest difference of a weight from Keras on TensorFlow, in units of the largest "
        "entry of its kernel or bias; float32",
        "versions": [str(run["version"]) for run in (theirs, *runs.values())],
        "python": platform.python_version(),
        "machine": platform.machine(),
        "steps": STEPS,
        "batch size": BATCH,
        "seeds": list(SEEDS),
        "at the end, by seed": {
            name: {label: [float(f"{d:.3g}") for d in table[:, -1]] for label, table in of.items()}
            for name, of in tables.items()
        },
        "median by step": {
            name: {
                label: [float(f"{d:.3g}") for d in typical(table)] for label, table in of.items()
            }
            for name, of in tables.items()
        },
    }
    return numbers, tables


def plot(tables):
    """Write the picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["font.size"] = 10
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.6), sharex=True, sharey=True)
    steps = np.arange(1, STEPS + 1)
    for ax, (name, of_network) in zip(axes, tables.items(), strict=True):
        for label, (colour, dashes, text) in CURVES.items():
            table = of_network[label][:, 1:]
            ax.fill_between(steps, table.min(0), table.max(0), color=colour, alpha=0.15, lw=0)
            ax.plot(steps, typical(table), dashes, color=colour, lw=2, label=text)
        ax.axhline(2.0**-24, color="0.45", lw=0.8)
        ax.set(title=name, yscale="log", xlabel="steps of Adam", xlim=(1, STEPS), ylim=(4e-8, 1e-5))
        ax.grid(which="major", color="0.9")
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("largest difference of a weight,\nrelative to its array's largest entry")
    axes[-1].annotate(
        "half the spacing of float32 at 1",
        (STEPS, 2.0**-24),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color="0.35",
    )
    figure.suptitle(
        f"Float32 trainings from the same weights, on the same batches of {BATCH}: "
        f"median of {len(SEEDS)} runs; bands from the least to the most"
    )
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="lower center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(PICTURE, dpi=100, metadata={"Software": None})


def main():
    """Write divergence.json and divergence.png, and say how it ended."""
    if len(sys.argv) > 1:
        train_keras(sys.argv[1])
        return
    numbers, tables = measure()
    text = json.dumps(numbers, indent=1)
    in_a_line = re.sub(r"\[[^]]*\]", lambda found: " ".join(found[0].split()), text)
    NUMBERS.write_text(in_a_line + "\n")
    plot(tables)
    for name, of_network in numbers["at the end, by seed"].items():
        print(name)
        for label, ends in of_network.items():
            print(f"    {label:<18}", *(f"{end:.1e}" for end in ends))


if __name__ == "__main__":
    main()

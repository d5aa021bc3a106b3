"""Cases for PyTorch's nn.LSTM, what it says to them, and the file that keeps its answers.

    python -m parity_tests.make_torch_golden

writes torch_golden.npz anew; it needs torch.  The tests read the file, for torch itself brings
gigabytes of GPU libraries along where pip installs it on Linux.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

GOLDEN = Path(__file__).with_name("torch_golden.npz")
B, T, D, U = 5, 4, 3, 6


class Case(NamedTuple):
    """The arguments of nn.LSTM, and the lengths of packed sequences."""

    num_layers: int = 1
    bidirectional: bool = False
    bias: bool = True
    batch_first: bool = False
    lengths: tuple[int, ...] | None = None

    @property
    def directions(self):
        return 2 if self.bidirectional else 1


CASES = {
    "one-layer": Case(),
    "no-bias": Case(bias=False, batch_first=True),
    "three-layers": Case(num_layers=3),
    "bidirectional": Case(bidirectional=True, batch_first=True),
    "two-layers-bidirectional": Case(num_layers=2, bidirectional=True),
    "packed": Case(lengths=(2, 4, 1, 3, 2)),
    "packed-two-layers-bidirectional": Case(
        num_layers=2, bidirectional=True, batch_first=True, lengths=(4, 1, 3, 2, 4)
    ),
}


def weight_shapes(case):
    """Return {torch's name: shape}, in torch's order."""
    shapes = {}
    for layer in range(case.num_layers):
        width = U * case.directions if layer else D
        for suffix in ("", "_reverse")[: case.directions]:
            end = f"l{layer}{suffix}"
            shapes |= {f"weight_ih_{end}": (4 * U, width), f"weight_hh_{end}": (4 * U, U)}
            if case.bias:
                shapes |= {f"bias_ih_{end}": (4 * U,), f"bias_hh_{end}": (4 * U,)}
    return shapes


def draw(case, rng):
    """Return random numbers for all that goes in: weights, x, states and gradients of what comes.

    `x` and `d_output` are laid out as the case's `batch_first` says.  The numbers are float32 ones,
    so that both precisions get the same.
    """
    sequence = (B, T) if case.batch_first else (T, B)
    states = (case.num_layers * case.directions, B, U)
    shapes = {"x": (*sequence, D), "h0": states, "c0": states}
    shapes |= {"d_output": (*sequence, U * case.directions), "dh": states, "dc": states}
    scales = dict.fromkeys(weight_shapes(case), 0.5)
    return {
        name: np.float32(scales.get(name, 1.0) * rng.normal(size=shape))
        for name, shape in (weight_shapes(case) | shapes).items()
    }


def run_torch(case, given, dtype):
    """Return what torch makes of it: output, h, c, dx, dh0, dc0, and d… of each weight.

    The loss is the sum over output, h and c, each times the gradient given for it.  Of packed
    sequences the output is padded with zeros.
    """
    import torch

    given = {name: torch.tensor(np.asarray(value, dtype)) for name, value in given.items()}
    options = case._asdict()
    lengths = options.pop("lengths")
    lstm = torch.nn.LSTM(D, U, **options, dtype=given["x"].dtype)
    lstm.load_state_dict({name: given[name] for name in weight_shapes(case)})
    inputs = [given[name].requires_grad_() for name in ("x", "h0", "c0")]
    x, h0, c0 = inputs
    if lengths:
        x = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor(lengths), case.batch_first, enforce_sorted=False
        )
    output, (h, c) = lstm(x, (h0, c0))
    if lengths:
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, case.batch_first)
    loss = sum(
        (value * given[name]).sum() for value, name in ((output, "d_output"), (h, "dh"), (c, "dc"))
    )
    weights = dict(lstm.named_parameters())
    gradients = torch.autograd.grad(loss, [*inputs, *weights.values()])
    names = ["output", "h", "c", "dx", "dh0", "dc0", *(f"d{name}" for name in weights)]
    tensors = [output, h, c, *gradients]
    return {name: t.detach().numpy() for name, t in zip(names, tensors, strict=True)}


def main():
    """Write the file."""
    import torch

    arrays = {"torch_version": np.array(torch.__version__)}
    for number, (name, case) in enumerate(CASES.items()):
        given = draw(case, np.random.default_rng(number))
        arrays |= {f"{name}/given/{key}": value for key, value in given.items()}
        for dtype in ("float32", "float64"):
            results = run_torch(case, given, dtype)
            arrays |= {f"{name}/{dtype}/{key}": value for key, value in results.items()}
    np.savez_compressed(GOLDEN, **arrays)
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size / 1e3:.0f} kB, by torch {torch.__version__}")


if __name__ == "__main__":
    main()

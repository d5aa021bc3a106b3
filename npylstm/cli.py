"""The command line: ``npylstm parity model.keras``."""

import argparse
import os
import sys
import zipfile
from pathlib import Path

import numpy as np

from . import __version__, backends, losses, optimizers

AGREE, DIVERGE, MISUSE = 0, 1, 2


def main(argv=None):
    """Run a command.

    Parameters
    ----------
    argv : list of str, or None
        None takes the words of the command line.

    Returns
    -------
    int
        0 if all agrees, 1 if something differs, 2 if it could not be done; the reason is on stderr.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ImportError, OSError, TypeError, ValueError, RuntimeError) as error:
        print(f"npylstm {arguments.command}: {error}", file=sys.stderr)
        return MISUSE


def _parser():
    parser = argparse.ArgumentParser(prog="npylstm", description="An LSTM engine in NumPy.")
    parser.add_argument("--version", action="version", version=f"npylstm {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    parity = commands.add_parser(
        "parity",
        help="does npylstm compute the same as Keras, for a model of yours?",
        description=(
            "Builds the model in a Keras file with npylstm, with the same weights, and compares "
            "every layer, the loss, every gradient and the optimizer's steps.  The exit status is "
            "0 if all agrees, 1 if something differs, 2 if it could not be done."
        ),
    )
    parity.add_argument("model", metavar="model.keras", help="a model that Keras can load")
    parity.add_argument("--data", metavar="x.npz", help="arrays x and y; else they are drawn")
    parity.add_argument(
        "--weights",
        metavar="ours.npz",
        help="weights of ours, as save_weights writes them; else they are copied",
    )
    parity.add_argument("--report", metavar="FILE", help="also write it as .html, .md or .json")
    parity.add_argument("--loss", help="for a model that is not compiled, such as mse")
    parity.add_argument("--optimizer", help="for a model that is not compiled, such as adam")
    parity.add_argument("--samples", type=_size, default=5, help="how many to draw")
    parity.add_argument("--timesteps", type=_size, default=7, help="if the model leaves it open")
    parity.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parity.add_argument("--backend", choices=("numpy", "numba"), help="which of ours")
    parity.set_defaults(run=_parity)
    return parser


def _size(word):
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {word!r}")
    return int(word)


def _parity(arguments):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow talks when it is imported
    from . import parity
    from .parity.report import check_report_path

    if arguments.report is not None:
        folder = check_report_path(arguments.report).parent
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {str(folder)!r} to write a report to")
    if arguments.loss is not None:
        losses.get(arguments.loss)
    if arguments.optimizer is not None:
        optimizers.get(arguments.optimizer)
    if not Path(arguments.model).exists():
        raise FileNotFoundError(f"there is no file {arguments.model!r}")
    x, y = (None, None) if arguments.data is None else _read_data(arguments.data)
    theirs = parity.load(arguments.model)
    ours = parity.from_keras(theirs)
    if arguments.weights is not None:
        ours.load_weights(arguments.weights)
    with backends.using_backend(arguments.backend or backends.get_backend()):
        report = parity.compare(
            ours,
            theirs,
            x,
            y,
            loss=arguments.loss,
            optimizer=arguments.optimizer,
            samples=arguments.samples,
            timesteps=arguments.timesteps,
            seed=arguments.seed,
        )
    if arguments.report is not None:
        report.write(arguments.report)
    _print(str(report))
    return AGREE if report.agrees else DIVERGE


def _print(text):
    """Print, to a terminal of any encoding, or to a pipe whose reader may have seen enough."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _read_data(filepath):
    """Return x, and y or None, from an .npz file."""
    try:
        with np.load(filepath, allow_pickle=False) as file:
            arrays = dict(file) if hasattr(file, "keys") else {}
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{filepath} is no .npz file of numbers: {error}") from error
    if "x" not in arrays:
        raise ValueError(
            f"{filepath} must hold an array x, and may hold y, got {sorted(arrays) or 'none'}; "
            "write it with numpy.savez(file, x=x, y=y)"
        )
    return arrays["x"], arrays.get("y")

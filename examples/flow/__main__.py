"""Run the vector-flow examples: ``python -m examples.flow``."""

import npylstm

from ..command import read_options, run
from ..console import Console
from . import counting, directions, people, shapes
from .texts import TEXTS

SEED = 7


def main(argv=None):
    """Follow vectors through an LSTM, from shapes to a classifier.

    Parameters
    ----------
    argv : list of str, optional
        The arguments; None takes those of the process.

    Returns
    -------
    int
        0.

    Raises
    ------
    SystemExit
        With status 2 if an argument is wrong.
    """
    options = read_options("flow", TEXTS, argv, SEED, page="flow.html")
    console = Console(TEXTS, options.lang, options.plot, options.html)
    console.say("welcome", seed=options.seed, backend=npylstm.get_backend())
    console.say("words")
    shapes.run(console, options.seed)
    length = {} if options.epochs is None else {"epochs": options.epochs}
    for script in (counting, people, directions):
        script.run(console, options.seed, verbose=options.verbose, **length)
    if options.epochs is not None:
        console.say("short_note", epochs=options.epochs)
    return 0


if __name__ == "__main__":
    run(main)

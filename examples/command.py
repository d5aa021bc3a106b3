"""The options that all commands take.

Every value is read as text and checked here, so that a mistake is answered with one line in the
reader's language and exit status 2.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import npylstm
from npylstm import plots

from .console import LANGUAGES, Console
from .texts import OPTIONS


def read_options(name, texts, argv, default_seed, choices=(), folders=("plot",), page=None):
    """Read the command line of an example.

    Parameters
    ----------
    name : str
        The example, as in ``python -m examples.<name>``.
    texts : dict
        Key -> (English, Korean); ``texts["help"]`` opens the help.
    argv : list of str or None
        The arguments; None takes those of the process.
    default_seed : int
    choices : sequence of str
        What the one positional argument may be; the last is the default.  Empty: there is none.
    folders : sequence of str
        Options that take a directory for pictures, such as "plot".
    page : str, optional
        The name of the file that ``--html`` writes; without it there is no such option.

    Returns
    -------
    argparse.Namespace
        With `choice`, `seed`, `epochs` (None: the full number), `verbose`, `lang`, each of
        `folders` (a directory that exists, or None) and `html` (a file in one, or None).  The
        backend is already set.

    Raises
    ------
    SystemExit
        With status 0 after ``--help``, with status 2 after a mistake.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("choice", nargs="?", default=choices[-1] if choices else None)
    defaults = {"seed": default_seed, "epochs": None} | dict.fromkeys(folders)
    for option, default in defaults.items():
        # An option without its value reads as "", which the checks below refuse by name.
        parser.add_argument(f"--{option}", nargs="?", const="", default=default)
    if page is not None:
        parser.add_argument("--html", nargs="?", const=page)
    parser.add_argument("--backend", nargs="?", const="", default=npylstm.get_backend())
    parser.add_argument("--verbose", nargs="?", const="1", default="0")
    parser.add_argument("--lang", nargs="?", const="", default="en")
    parser.add_argument("-h", "--help", action="store_true")
    options, unknown = parser.parse_known_args(argv)

    lang = options.lang if options.lang in LANGUAGES else "en"
    say = Console(texts | {"options": OPTIONS}, lang)
    if options.help:
        seed, backend = default_seed, npylstm.get_backend()
        print(say.text("help") + say.text("options", seed=seed, backend=backend))
        raise SystemExit(0)

    def stop(key, **values):
        line = f"examples.{name}: {say.text('error')}: {say.text(key, **values)}"
        print(line, file=sys.stderr)
        raise SystemExit(2)

    def one_of(option, value, allowed):
        if value not in allowed:
            stop("bad_choice", option=option, choices=", ".join(allowed), value=value)
        return value

    def integer(option, value, low, high):
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            stop("bad_integer", option=option, low=low, high=high, value=value)
        return number

    if options.lang not in LANGUAGES:
        stop("bad_lang", value=options.lang)
    if unknown or (options.choice is not None and not choices):
        stop("unknown", value=unknown[0] if unknown else options.choice)
    if choices:
        one_of(say.text("choice"), options.choice, choices)
    options.seed = integer("--seed", options.seed, 0, 2**32 - 1)
    options.verbose = integer("--verbose", options.verbose, 0, 2)
    if options.epochs is not None:
        options.epochs = integer("--epochs", options.epochs, 1, 1_000_000)
    try:
        npylstm.set_backend(one_of("--backend", options.backend, ("numpy", "numba")))
    except ImportError:
        stop("no_numba")
    for folder in folders:
        if getattr(options, folder) is not None:
            _make_writable(f"--{folder}", getattr(options, folder), stop, say)
    if page is not None and options.html is not None:
        file = Path(options.html)
        options.html = file / page if options.html.endswith("/") or file.is_dir() else file
        _make_writable("--html", str(options.html.parent), stop, say)
    return options


def _make_writable(option, directory, stop, say):
    """Create the directory for pictures; find out now, not after the training, what is missing."""
    if not directory:
        stop("no_directory", option=option)
    try:
        if option != "--html":  # for all else there is to be matplotlib
            plots.figure()
        Path(directory).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except ImportError:
        stop("no_matplotlib", option=option)
    except (FileExistsError, NotADirectoryError):
        stop("bad_directory", option=option, value=directory, reason=say.text("file_in_the_way"))
    except PermissionError:
        stop("bad_directory", option=option, value=directory, reason=say.text("not_permitted"))
    except OSError as error:
        stop("bad_directory", option=option, value=directory, reason=error.strerror)


def run(main):
    """Run a command's main function and leave with its status; Ctrl-C leaves with 130."""
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        print(file=sys.stderr)
        raise SystemExit(130) from None

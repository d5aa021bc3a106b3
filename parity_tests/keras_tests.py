"""Keras's own tests, taken from its wheel as they are, and run against npylstm.

Keras (Apache License 2.0) ships its tests.  None of them is copied: each module is executed from
the wheel with an ``import`` of ours, so that ``from keras.src import layers`` gives it npylstm's
layers, ``from keras.src.optimizers.adam import Adam`` npylstm's Adam, and so on.  What npylstm does
not have is a class that says so when it is called.  `backend` and `ops` stay Keras's.

What stands between a test and npylstm, all of it in this file and in `keras_tests_adapters`:

- `TestCase`: Keras's, but what it asks of a layer is asked without symbolic tensors, mixed
  precision and serialization by name, and of an error only the type: our texts are our own;
- optimizers take pairs of a gradient and a Keras variable, as only models do here;
- weights answer to `numpy`, `value` and `assign`, learning rates to `numpy` and `value`;
- a loss may be a class with a method `call`, and see the mask at a tensor.

`keras_tests_lists` says which modules are run, and which tests cannot apply and why.

``python -m parity_tests.keras_tests --table`` writes the table in README.md anew.
"""

import builtins
import contextlib
import functools
import importlib
import importlib.util
import inspect
import pathlib
import sys
import types
import unittest
from fnmatch import fnmatchcase
from typing import NamedTuple

import npylstm

from . import keras_tests_lists as lists
from .oracle import precision

# Which of our modules stands for which of Keras's, and for all below it.
OURS = {
    f"keras.src.{name}": getattr(npylstm, name)
    for name in (
        *("activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics"),
        *("models", "optimizers", "regularizers", "utils"),
    )
    if hasattr(npylstm, name)
} | {"keras.src.optimizers.schedules": npylstm.optimizers.schedules}
_HELPERS = (
    "keras.src.utils.module_utils",
    "keras.src.utils.io_utils",
    "keras.src.utils.file_utils",
)
_FOLDER = pathlib.Path(npylstm.__file__).parent

README = pathlib.Path(__file__).with_name("README.md")
MARKS = ("<!-- by python -m parity_tests.keras_tests --table -->", "<!-- the end of it -->")


class NotHere(NotImplementedError):
    """npylstm has nothing of that name."""


def _nothing(place, name):
    """Return a class that stands for what npylstm does not have, and says so when it is called."""

    def refuse(self, *args, **kwargs):
        raise NotHere(f"{place} has no {name}")

    return type(name, (), {"__init__": refuse})


# -------------------------------------------------------------------------------------- importing
def _counterpart(module):
    """Return the module of ours that stands for a module of Keras's, by name; None if none does."""
    if module in _HELPERS:
        return None
    while module.startswith("keras.src."):
        if module in OURS:
            return OURS[module]
        module = module.rpartition(".")[0]
    return None


class _Facade(types.ModuleType):
    """What a Keras module looks like from inside one of its tests."""

    def __init__(self, name):
        super().__init__(name)
        self.__dict__["_theirs"] = importlib.import_module(name)

    def __getattr__(self, name):
        from . import keras_tests_adapters as adapters

        module, ours = self.__name__, _counterpart(self.__name__)
        if not hasattr(self._theirs, name):
            with contextlib.suppress(ImportError):  # a module that nobody has loaded yet
                importlib.import_module(f"{module}.{name}")
        theirs = getattr(self._theirs, name, None)
        if module.endswith("_test"):
            return getattr(load(module.removeprefix("keras.src.").replace(".", "/")), name)
        if name == "TestCase":
            return adapters.TestCase
        if ours is not None:
            if name in adapters.ADAPTED.get(ours, {}):
                return adapters.ADAPTED[ours][name]
            if hasattr(ours, name):
                return getattr(ours, name)
            if inspect.ismodule(theirs) and _counterpart(theirs.__name__) is not None:
                return _Facade(theirs.__name__)
            if module == "keras.src.utils" and theirs is not None:
                return theirs  # helpers of the tests themselves
            return _nothing(ours.__name__, name)
        if theirs is None:
            raise AttributeError(f"{module} has no {name}")
        ours = _counterpart(getattr(theirs, "__module__", None) or "")
        if ours is not None and (inspect.isclass(theirs) or inspect.isfunction(theirs)):
            return getattr(_Facade(theirs.__module__), name)
        if inspect.ismodule(theirs) and theirs.__name__.startswith("keras.src."):
            return _Facade(theirs.__name__)
        return theirs


class _Keras(types.ModuleType):
    """The package `keras` itself."""

    def __getattr__(self, name):
        if hasattr(npylstm, name) and f"keras.src.{name}" in OURS:
            return _Facade(f"keras.src.{name}")
        if hasattr(npylstm, name) and name[0].isupper():
            return getattr(npylstm, name)
        return getattr(importlib.import_module("keras"), name)


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    if name == "keras":
        return _Keras(name)
    if name.startswith("keras.src"):
        return _Facade(name)
    if name == "conftest":  # Keras's own, which is not in the wheel
        shim = types.ModuleType(name)
        shim.skip_if_backend = lambda backend, reason: lambda test: test
        return shim
    if name.partition(".")[0] in lists.ABSENT:
        shim = types.ModuleType(name)
        shim.__getattr__ = functools.partial(_nothing, name)
        return shim
    return builtins.__import__(name, globals, locals, fromlist, level)


@functools.cache
def load(module):
    """Execute a test module of the wheel, such as "layers/rnn/lstm_test", with our imports."""
    source = "keras.src." + module.replace("/", ".")
    loaded = types.ModuleType("keras_tests." + module.replace("/", "."))
    loaded.__builtins__ = vars(builtins) | {"__import__": _import}
    sys.modules[loaded.__name__] = loaded  # for pickle
    file = importlib.util.find_spec(source).origin
    exec(compile(pathlib.Path(file).read_text("utf-8"), file, "exec"), loaded.__dict__)
    return loaded


# ------------------------------------------------------------------------------- what is to be run
class Case(NamedTuple):
    """One test method, after the expansion of parameters."""

    module: str
    test_class: type
    method: str

    @property
    def name(self):
        return f"{self.test_class.__name__}.{self.method}"

    @property
    def marks(self):
        """What pytest makes of Keras's decorators, without those that only select backends."""
        marks = getattr(getattr(self.test_class, self.method), "pytestmark", [])
        return [mark for mark in marks if mark.name in ("skip", "skipif")]

    @property
    def skipped_by_keras(self):
        """Whether Keras itself does not run it on TensorFlow."""
        return any(mark.name == "skip" or mark.args[0] for mark in self.marks)

    def run(self):
        """Run it; raise what it raises, or AssertionError if nothing of npylstm was run by it."""
        from . import keras_tests_adapters as adapters

        reached = []

        def watch(frame, event, argument):
            if event == "call" and frame.f_code.co_filename.startswith(str(_FOLDER)):
                reached.append(frame.f_code)
                sys.setprofile(None)

        try:
            with adapters.weights_as_variables(), precision("float32"):
                sys.setprofile(watch)
                self._run(self.test_class(self.method))
                sys.setprofile(None)
        except unittest.SkipTest as skip:
            raise AssertionError(f"it skips itself: list it as such ({skip})") from None
        finally:
            sys.setprofile(None)
        assert reached, "the test says nothing of npylstm"

    def _run(self, case):
        """Run it as unittest does, but let what is raised come out."""
        try:
            case.setUp()
            try:
                getattr(case, self.method)()
            finally:
                case.tearDown()
        finally:
            case.doCleanups()


@functools.cache
def cases(module):
    """Return the test methods of a module."""
    from . import keras_tests_adapters as adapters

    loaded = load(module)
    return [
        Case(module, test_class, method)
        for test_class in vars(loaded).values()
        if isinstance(test_class, type) and issubclass(test_class, adapters.TestCase)
        if test_class.__module__ == loaded.__name__
        for method in unittest.TestLoader().getTestCaseNames(test_class)
    ]


def reason(case):
    """Return why a test cannot apply, or None if it has to pass."""
    return _listed(lists.CANNOT_APPLY, case)


def reason_not_run(case):
    """Return why a test is not even tried, or None."""
    return _listed(lists.NOT_RUN, case)


def _listed(table, case):
    for pattern, why in _patterns(table, case.module):
        if fnmatchcase(case.name, pattern):
            return why
    return None


def _patterns(table, module):
    """Yield the patterns of a module, for Class.method, each with its reason."""
    for why, names in table.get(module, {}).items():
        for pattern in names.split():
            yield pattern if "." in pattern else f"*.{pattern}", why


def unused_patterns():
    """Return the entries of the lists that no test of the installed Keras has."""
    unused = []
    for table in (lists.CANNOT_APPLY, lists.NOT_RUN):
        for module in table:
            names = [case.name for case in cases(module)] if module in lists.MODULES else []
            for pattern, _ in _patterns(table, module):
                if not any(fnmatchcase(name, pattern) for name in names):
                    unused.append(f"{module}: {pattern}")
    return unused


def backends(case):
    """Return which backends a test is run with: both where it is about what they run."""
    both = case.module.startswith(("layers/", "optimizers/")) and reason(case) is None
    return ("numpy", "numba") if both else ("numba",)


# --------------------------------------------------------------------------------------- the table
def table():
    """Return the table of README.md, and below it what cannot apply and why."""
    rows, details, totals = [], [], [0, 0, 0, 0]
    for module in lists.MODULES:
        reasons: dict[str, list[str]] = {}
        counts = [0, 0, 0, 0]
        for case in cases(module):
            why = reason_not_run(case) or reason(case)
            counts[0] += 1
            counts[2 if case.skipped_by_keras else 3 if why else 1] += 1
            if why and not case.skipped_by_keras:
                reasons.setdefault(why, []).append(case.name)
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        rows.append(f"| `{module}` | {' | '.join(map(str, counts))} |")
        if reasons:
            details.append(f"- `{module}`")
            for why, names in reasons.items():
                details.append(f"  - {why}: {_shortened(module, why, names)}")
    head = "| module | tests | pass | not on TensorFlow | cannot apply |\n|---|---|---|---|---|"
    rows.append(f"| all | {' | '.join(map(str, totals))} |")
    return "\n".join([head, *rows, "", *details])


def _shortened(module, why, names):
    """Return the entries of the list that these names stand under."""
    entries = {**lists.CANNOT_APPLY.get(module, {}), **lists.NOT_RUN.get(module, {})}[why]
    return ", ".join(f"`{entry}`" for entry in entries.split()) + f" ({len(names)})"


def write_table():
    """Put the table into README.md, between its two marks."""
    before, rest = README.read_text("utf-8").split(MARKS[0])
    _, after = rest.split(MARKS[1])
    README.write_text(f"{before}{MARKS[0]}\n{table()}\n{MARKS[1]}{after}", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--table"]:
        sys.exit("usage: python -m parity_tests.keras_tests --table")
    from parity_tests import keras_tests  # as what it is imported elsewhere

    keras_tests.write_table()

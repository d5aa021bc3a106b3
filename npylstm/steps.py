"""An LSTM equation by equation: what each line of `reference/lstm.py` made of which numbers."""

import ast
import functools
from typing import NamedTuple

import numpy as np

from . import equations
from .data import check_shape, checked_mask, float_array
from .errors import index
from .reference import lstm

_FEW_UNITS = 4  # that `print` shows
_FEW_TERMS = 3  # of a product that are written out
_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
_FUNCTIONS = ("lstm_forward", "lstm_cell_forward", "gates_forward")

# What lines say that have no comment beside them.
_MEANINGS = {
    "z": "the pre-activations of all four gates, side by side",
    **{f"z_{gate}": f"the pre-activation of {gate}" for gate in "ifgo"},
    "c": "cell state: keep some of the old, add some of the new",
    "tanh_c": "the cell state, activated to be shown",
    "h": "hidden state: show some of what is kept",
}
_KEPT = "the state that is kept: the old one where the timestep is masked"


class Where(NamedTuple):
    """Where an equation stands, and where in the computation it was."""

    file: str
    line: int
    layer: str
    t: int

    def __str__(self):
        return f"{self.file}:{self.line}, layer {self.layer!r}, t={self.t}"


class Step:
    """One equation of one timestep, with the numbers that went in and that came out.

    `print` puts the numbers into the formula, for the first units; `show` does it for one.

    Attributes
    ----------
    name : str
        What was computed: "z", "z_i" … "z_o", "i", "f", "g", "o", "c", "tanh_c" or "h".
    formula : str
        The line of the source, such as "f = recurrent_activation(z_f)".
    meaning : str
        What it is for, in words.
    operands : dict of str to ndarray
        What the formula reads, by the names that it has there.
    result : ndarray (U,) or (B, U); for "z" (4U,) or (B, 4U)
        Without the samples axis if x had none; so are the operands that have one.
    t : int
        The step, in the order in which the layer takes them.
    timestep : int
        Which timestep of x it reads: not `t` if the layer goes backwards.
    where : Where
        File and line of the equation, layer and t.
    """

    def __init__(self, name, statement, operands, result, where, timestep, naming):
        self.name, self.operands, self.result = name, operands, result
        self.formula, comment = equations.formula_of(statement)
        is_kept = isinstance(statement.targets[0], ast.Subscript)
        self.meaning = comment or (_KEPT if is_kept else _MEANINGS.get(name, ""))
        self.t, self.timestep, self.where = where.t, timestep, where
        self._statement, self._naming = statement, naming

    @property
    def units(self):
        """U, the layer's number of units."""
        return self.result.shape[-1] // (4 if self.name == "z" else 1)

    def show(self, unit=0, sample=0):
        """Print the formula with the numbers of one unit in it.

        Parameters
        ----------
        unit : int
        sample : int
            If x had a samples axis.

        Raises
        ------
        TypeError, IndexError
            If there is no such unit or sample.
        """
        print(self.text(unit, sample))

    def text(self, unit=0, sample=0):
        """Return what `show` prints: one line, for "z" one for each gate."""
        unit = index("unit", unit, self.units)
        count = 1 if self.result.ndim == 1 else len(self.result)
        sample = index("sample", sample, count)
        of_sample = f", sample {sample} of {count}" if self.result.ndim > 1 else ""
        where = f"unit {unit} of {self.units}{of_sample}"
        if self.name != "z":
            return self._line(unit, sample, where)
        return "\n".join(
            self._line(number * self.units + unit, sample, f"{gate}, {where}")
            for number, gate in enumerate("ifgo")
        )

    def _line(self, column, sample, where):
        value, target = self._statement.value, self._statement.targets[0]
        if isinstance(target, ast.Tuple):  # one of the parts that z is split into
            part = [name.id for name in target.elts].index(self.name)
            texts = [self.name, f"{ast.unparse(value)}[{part}]"]
        else:
            texts = [ast.unparse(target)]
            for numbers in (None, _Numbers(self.operands, sample, column)):
                texts.append(ast.unparse(_Filled(self._naming, numbers).visit(_copied(value))))
        row = np.atleast_2d(self.result)[sample]
        return f"t={self.t}  {' = '.join([*texts, _number(row[column])])}   ({where})"

    def __str__(self):
        few = 1 if self.name == "z" else min(self.units, _FEW_UNITS)
        return "\n".join(self.text(unit) for unit in range(few))

    def __repr__(self):
        return f"<Step {self.formula} at {self.where}>"


def steps_of(layer, inner, x, initial_state=None, mask=None):
    """Return a generator of the Steps of a layer; see `LSTM.steps`.

    `inner` is the LSTM that does the layer's work: the layer itself, or the one inside an RNN.
    """
    x = float_array(x, "x", layer.dtype, finite=False)
    if x.ndim not in (2, 3):
        raise ValueError(
            f"steps of layer {layer.name!r} takes one sample (timesteps, features), or several "
            f"(samples, timesteps, features), got shape {x.shape}"
        )
    is_one = x.ndim == 2  # sample, without an axis of samples
    mask = None if mask is None else np.asarray(mask)
    if is_one:
        x, mask = x[None], None if mask is None else mask[None]
    check_shape(x.shape, f"layer {layer.name!r}")
    states = _initial_states(layer, initial_state, x, is_one)
    mask = checked_mask(mask, x, f"layer {layer.name!r}")
    with layer._built_for(x):  # everything is checked before the first step is asked for
        if not states and inner.stateful:
            states = inner.states
        weights = inner.kernel, inner.recurrent_kernel, inner.bias
        weights = [None if weight is None else weight.copy() for weight in weights]
    return _run(inner, x.copy(), states or (None, None), mask, weights, is_one)


def _initial_states(layer, initial_state, x, is_one):
    """Return h and c (B, U), checked, as a list; empty if none are given."""
    given = layer.listed_states(initial_state)
    states = [float_array(s, "initial_state", layer.dtype, finite=False).copy() for s in given]
    shape = (layer.units,) if is_one else (len(x), layer.units)
    if states and [state.shape for state in states] != [shape] * 2:
        raise ValueError(
            f"initial_state of layer {layer.name!r} must be h and c, two arrays of shape {shape}, "
            f"for x has {'no samples axis' if is_one else f'{len(x)} samples'}; got "
            f"{[state.shape for state in states]}"
        )
    return [state[None] for state in states] if is_one else states


def _run(layer, x, states, mask, weights, is_one):
    """Yield the Steps: for each t the function of the reference runs once, for one timestep."""
    records = []
    forward, file = _recording(records), lstm.lstm_forward.__code__.co_filename
    activations = layer.activation, layer.recurrent_activation
    naming = {"activation": activations[0].name, "recurrent_activation": activations[1].name}
    x = x.swapaxes(0, 1)[:: -1 if layer.go_backwards else 1]  # time-major, as the layer reads it
    mask = None if mask is None else mask.T[:: -1 if layer.go_backwards else 1]
    h, c = states
    for t in range(len(x)):
        now = np.ascontiguousarray(x[t : t + 1])
        one = None if mask is None else mask[t : t + 1]
        records.clear()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            (h, c), _ = forward(now, h, c, *weights, *activations, one)
        h, c = h[1], c[1]
        timestep = len(x) - 1 - t if layer.go_backwards else t
        for name, statement, operands, result in records.copy():
            if is_one:
                result = result[0]
                operands = {k: v if k in _WEIGHTS else v[0] for k, v in operands.items()}
            where = Where(file, statement.lineno, layer.path, t)
            yield Step(name, statement, operands, result, where, timestep, naming)


# ------------------------------------------------------------- the reference, with a record of it
def _recording(records):
    """Return `lstm_forward`, writing name, statement, operands and result to a list as it goes."""
    codes, statements = _recording_codes()
    names = dict(vars(lstm))
    before: dict[str, np.ndarray] = {}

    def note_operands(number, local):
        before.clear()
        before.update(_operands(statements[number].value, names, local))

    def note_results(number, local):
        for target in _targets(statements[number]):
            value = _value(target, names, local)
            # Rows of samples only: what is laid out or looked up on the way is no equation.
            if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind == "f":
                name = ast.unparse(target).partition("[")[0]
                records.append((name, statements[number], dict(before), value.copy()))

    names |= {"__note_operands__": note_operands, "__note_results__": note_results}
    for code in codes:
        exec(code, names)
    return names["lstm_forward"]


@functools.cache
def _recording_codes():
    """Return the code of each function with a call around each equation, and their statements."""
    statements = []
    whole = equations.tree_of("lstm_forward")
    loop = next(node.lineno for node in whole.body if isinstance(node, ast.For))

    def between(node):
        if isinstance(node, ast.FunctionDef) or _calls_another(node):
            return "", ""  # which notes its own
        if whole.lineno < node.lineno < loop:
            return "", ""  # makes room for the states
        statements.append(node)
        number = len(statements) - 1
        return f"__note_operands__({number}, locals())", f"__note_results__({number}, locals())"

    return [equations.code_with_calls(name, between) for name in _FUNCTIONS], statements


def _calls_another(statement):
    called = getattr(getattr(statement.value, "func", None), "id", None)
    return called in _FUNCTIONS


def _targets(statement):
    target = statement.targets[0]
    return target.elts if isinstance(target, ast.Tuple) else [target]


def _operands(expression, names, local):
    """Return the arrays that an expression reads, by how they are written there."""
    if isinstance(expression, ast.Name | ast.Subscript):
        value = _value(expression, names, local)
        if not isinstance(value, np.ndarray) or value.ndim not in (1, 2):
            return {}
        # What has an index will be written over.
        is_part = isinstance(expression, ast.Subscript)
        return {ast.unparse(expression): value.copy() if is_part else value}
    found = {}
    for part in ast.iter_child_nodes(expression):
        found |= _operands(part, names, local)
    return found


def _value(expression, names, local):
    """Return what an expression is of a function's local names; None if it has others in it."""
    read = [node.id for node in ast.walk(expression) if isinstance(node, ast.Name)]
    is_local = all(name in local for name in read)
    return eval(ast.unparse(expression), names, dict(local)) if is_local else None


# ------------------------------------------------------------------------ numbers in the formulas
class _Numbers(NamedTuple):
    """What stands for each operand in the formula for one unit: numbers as text."""

    operands: dict
    sample: int
    column: int

    def of(self, name):
        row = self._row(name)
        return _number(row[self.column % len(row)])  # a mask has one column for all units

    def product(self, left, right):
        """Return the terms of a row times a column, or their sum if they are many."""
        row, column = self._row(left), self.operands[right][:, self.column]
        if len(row) > _FEW_TERMS:
            return f"{_bracketed(_number(row @ column))} [{len(row)} products]"
        terms = zip(map(_number, row), map(_number, column), strict=True)
        return " + ".join(f"{_bracketed(a)} * {_bracketed(b)}" for a, b in terms)

    def _row(self, name):
        operand = self.operands[name]
        return operand if operand.ndim == 1 else operand[self.sample]


class _Filled(ast.NodeTransformer):
    """Writes activations by their names, and with `numbers` the operands as what they are."""

    def __init__(self, naming, numbers):
        self.naming, self.numbers = naming, numbers

    def visit_BinOp(self, node):
        if self.numbers and isinstance(node.op, ast.MatMult):
            return ast.Name(self.numbers.product(node.left.id, node.right.id))
        node = self.generic_visit(node)
        for side in ("left", "right"):
            part = getattr(node, side)
            if isinstance(part, ast.Name) and " " not in part.id:
                setattr(node, side, ast.Name(_bracketed(part.id)))
        return node

    def visit_Name(self, node):
        return ast.Name(self._text(self.naming.get(node.id, node.id)))

    def visit_Subscript(self, node):
        return ast.Name(self._text(ast.unparse(node)))

    def _text(self, name):
        return self.numbers.of(name) if self.numbers and name in self.numbers.operands else name


def _number(value):
    return f"{value:.4g}" if value.dtype.kind == "f" else str(value)


def _bracketed(number):
    return f"({number})" if number.startswith("-") else number


def _copied(expression):
    return ast.parse(ast.unparse(expression), mode="eval").body

"""The lines of `reference/lstm.py`, found in its source, and its functions with calls between them.

What a debugger stops at and what `steps` yields are those very lines: here a function of the module
is compiled once more, under the same file name and line numbers, with a call before or after some
of its lines.  The module itself, and the kernels that are traced from it, have none of that.
"""

import ast
import copy
import functools
import inspect

from .reference import lstm


@functools.cache
def _source():
    try:
        return inspect.getsource(lstm)
    except OSError as error:
        raise RuntimeError(
            f"the source of {lstm.__name__} is not there ({error}), and its equations are taken "
            "from it; install npylstm with its .py files"
        ) from error


@functools.cache
def tree_of(function):
    """Return the ``ast.FunctionDef`` of a function of `reference.lstm`, not to be changed."""
    for node in ast.parse(_source()).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return node
    raise LookupError(f"{lstm.__name__} has no function {function!r}")


@functools.cache
def formula_of(statement):
    """Return the source of a statement, and the comment beside it ("" without one)."""
    formula = " ".join(ast.get_source_segment(_source(), statement).split())
    rest = _source().splitlines()[statement.end_lineno - 1][statement.end_col_offset :]
    return formula, rest.strip().removeprefix("#").strip()


def assigned_names(function):
    """Return the names that the statements of a function assign to, in order."""
    return [
        target.id
        for statement in tree_of(function).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]


def code_with_calls(function, between):
    """Compile a function of `reference.lstm` with statements put between its own.

    Parameters
    ----------
    function : str
    between : callable
        ``between(statement) -> (before, after)``, each a line of Python or "", for each assignment;
        for the function itself (an ``ast.FunctionDef``), `before` goes before its first statement.

    Returns
    -------
    code
        To be run with ``exec`` in a copy of the module's names; it defines the function in them.
    """
    tree = _Inserter(between).visit(copy.deepcopy(tree_of(function)))
    file = getattr(lstm, function).__code__.co_filename
    return compile(ast.Module([tree], []), file, "exec")


class _Inserter(ast.NodeTransformer):
    def __init__(self, between):
        self.between = between

    def visit_FunctionDef(self, node):
        before, _ = self.between(node)
        docstring, *body = [self.visit(statement) for statement in node.body]
        node.body = [docstring, *_parsed(before, node.lineno)]
        for statement in body:
            node.body += statement if isinstance(statement, list) else [statement]
        return node

    def visit_Assign(self, node):
        before, after = self.between(node)
        return [*_parsed(before, node.lineno), node, *_parsed(after, node.lineno)]


def _parsed(text, line):
    """Return the statements of a text, all on one line of the file."""
    statements = ast.parse(text).body
    for statement in statements:
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = line
    return statements

"""A run as one JSON file: the machine's card, and every figure with its rounds."""

import json
import os
from pathlib import Path

FOLDER = Path(__file__).parent
LATEST = FOLDER / "latest.json"  # of whatever was run last; git ignores it
PUBLISHED = FOLDER / "RESULTS.json"  # what RESULTS.md and the README's table are made from
ELSEWHERE = FOLDER / "machines"  # records of other machines


def write(path, card, settings, rows, words):
    """Write a run, the old file being replaced whole or not at all.

    Parameters
    ----------
    path : path-like
    card : dict
        See `card`.
    settings : dict
        What was asked for.
    rows : list of dict
        See `steady` and `programs`.
    words : list of str
        Which peers are absent, and why.
    """
    write_run(path, {"card": card, "settings": settings, "skipped": words, "rows": rows})


def write_run(path, run):
    """Write a run as `read` returns it."""
    path = Path(path)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def read(path):
    """Return what `write` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file: it says how to make one.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no record {path}; make one: python -m benchmarks --questions all "
            f"--record {path}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def updated(old, new):
    """Return a run in which the questions of another, later one are answered anew.

    Parameters
    ----------
    old, new : dict
        As `read` returns them, both of as many rounds.

    Returns
    -------
    dict
        With the card of the old one; ``settings["later"]`` says which questions were asked when.

    Raises
    ------
    ValueError
        If they were measured with different effort.
    """
    for name in ("quick", "rounds", "seconds_a_turn"):
        if old["settings"][name] != new["settings"][name]:
            raise ValueError(
                f"the record was made with {name} = {old['settings'][name]}, not with "
                f"{new['settings'][name]}: make a whole new one"
            )
    asked = new["settings"]["questions"]
    rows = [row for row in old["rows"] if row["question"] not in asked]
    later = old["settings"].get("later", {}) | dict.fromkeys(asked, new["card"]["date"])
    questions = list(dict.fromkeys([*old["settings"]["questions"], *asked]))
    settings = old["settings"] | {"later": later, "questions": questions}
    return old | {"settings": settings, "rows": rows + new["rows"]}


def of(run, question, **wanted):
    """Return the rows of a question, in which each name has the wanted value."""
    return [
        row
        for row in run["rows"]
        if row["question"] == question
        and all(row.get(name) == value for name, value in wanted.items())
    ]

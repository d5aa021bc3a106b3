"""What a comparison found: as text, Markdown, one HTML page, or JSON."""

import html
import json
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path

from .differences import DIFFERS, SAFETY, Row
from .divergence import Divergence

_COLUMNS = ("layer", "tensor", "max abs error", "scale", "max ulp", "bound", "verdict")

LEGEND = (
    "scale: the largest magnitude in the tensor, on either side.",
    "max ulp: the largest error in units in the last place of the larger of the two numbers; "
    "numbers below a thousandth of the scale are left out.",
    f"bound: {SAFETY} times what rounding does to the tensor: how far it moves when every weight "
    "and input changes by eps * sqrt(n) of itself, n being how many terms are summed up on the "
    "way, and eps of the scale; after a step also sqrt(eps) of the step, as powers such as "
    "1 - beta**t have half their digits.  Up to there the verdict is rounding; equal means all "
    "bits.",
    "Each layer's output is compared for the same input, that of theirs.",
)


@dataclass(frozen=True)
class Report:
    """What a comparison found.

    Attributes
    ----------
    ours, theirs : str
        What computed on either side.
    dtype : str
    input_shape : tuple of int
    rows : list of Row
        A row for each tensor compared.
    divergences : list of Divergence
        Where both part, in the order of the computation, and why.
    notes : list of str
        What was not compared, and why.
    """

    ours: str
    theirs: str
    dtype: str
    input_shape: tuple[int, ...]
    rows: list[Row]
    divergences: list[Divergence]
    notes: list[str]

    @property
    def agrees(self):
        """Whether nothing differs by more than rounding."""
        return not self.divergences and all(row.verdict != DIFFERS for row in self.rows)

    def verdict(self):
        """Return the result in a sentence."""
        if not self.agrees:
            apart = sum(row.verdict == DIFFERS for row in self.rows)
            return f"The two differ: {apart} of {len(self.rows)} tensors by more than rounding."
        equal = sum(row.verdict == "equal" for row in self.rows)
        return (
            f"The two agree: {len(self.rows)} tensors compared, {equal} equal to the last bit, the "
            "rest but for rounding."
        )

    # ------------------------------------------------------------------------------------- forms
    def text(self):
        """Return the report as plain text in columns."""
        table = [_COLUMNS, *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [self._heading(), ""]
        for number, cells in enumerate(table):
            left = [f"{cell:<{w}}" for cell, w in zip(cells[:2], widths, strict=False)]
            right = [f"{cell:>{w}}" for cell, w in zip(cells[2:6], widths[2:6], strict=True)]
            lines.append("  ".join([*left, *right, cells[6]]))
            lines += [rule] if number == 0 else []
        lines += [rule, "", self.verdict()]
        for number, divergence in enumerate(self.divergences):
            first, *rest = divergence.sentences()
            title = "First divergence" if number == 0 else "Another one"
            lines.append("")
            for line in (f"{title}: {first}", *(f"  {line}" for line in rest)):
                lines += textwrap.wrap(line, 100, subsequent_indent="    ")
        notes = [f"Note: {note}" for note in self.notes] + [*LEGEND]
        lines += ["", *(part for note in notes for part in textwrap.wrap(note, 100))]
        return "\n".join(lines)

    __str__ = text

    def markdown(self):
        """Return the report as Markdown."""
        lines = ["# Parity report", "", _md(self._heading()), "", f"**{self.verdict()}**", ""]
        for number, divergence in enumerate(self.divergences):
            title = "First divergence" if number == 0 else "Another divergence"
            lines += [f"## {title}", "", *(f"- {_md(s)}" for s in divergence.sentences()), ""]
        lines += ["## All tensors", ""]
        lines += [_md_row(_COLUMNS), "| --- | --- | ---: | ---: | ---: | ---: | --- |"]
        lines += [_md_row(map(_md, _cells(row))) for row in self.rows]
        lines += ["", *(f"- {_md(line)}" for line in (*self.notes, *LEGEND)), ""]
        return "\n".join(lines)

    def html(self):
        """Return the report as one HTML page that needs nothing else."""
        found = []
        for number, divergence in enumerate(self.divergences):
            title = "First divergence" if number == 0 else "Another divergence"
            items = "".join(f"<li>{_escape(line)}</li>" for line in divergence.sentences())
            found.append(f"<section><h2>{title}</h2><ul>{items}</ul></section>")
        head = "".join(f'<th scope="col">{_escape(column)}</th>' for column in _COLUMNS)
        body = "".join(
            f'<tr class="{row.verdict.lower()}">'
            + "".join(f"<td>{_escape(cell)}</td>" for cell in _cells(row))
            + "</tr>\n"
            for row in self.rows
        )
        notes = "".join(f"<li>{_escape(line)}</li>" for line in (*self.notes, *LEGEND))
        return _PAGE.format(
            heading=_escape(self._heading()),
            state="agree" if self.agrees else "differ",
            verdict=_escape(self.verdict()),
            found="".join(found),
            head=head,
            body=body,
            notes=notes,
        )

    def to_dict(self):
        """Return the report as plain dicts and lists; what is not finite becomes None."""
        return _plain(
            {
                "ours": self.ours,
                "theirs": self.theirs,
                "dtype": self.dtype,
                "input_shape": self.input_shape,
                "agrees": self.agrees,
                "verdict": self.verdict(),
                "rows": [row._asdict() for row in self.rows],
                "divergences": [
                    d._asdict() | {"causes": [cause._asdict() for cause in d.causes]}
                    for d in self.divergences
                ],
                "notes": self.notes,
                "legend": LEGEND,
            }
        )

    def json(self):
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def write(self, filepath):
        """Write the report to a file; its ending says in which form.

        Raises
        ------
        ValueError
            Unless the name ends in ".html", ".md" or ".json".
        OSError
            If it cannot be written.
        """
        filepath = check_report_path(filepath)
        forms = {".html": self.html, ".md": self.markdown, ".json": self.json}
        filepath.write_text(forms[filepath.suffix](), encoding="utf-8")

    def _heading(self):
        shape = " x ".join(map(str, self.input_shape))
        return f"ours: {self.ours}; theirs: {self.theirs}; {self.dtype}, input {shape}"


def check_report_path(filepath):
    """Return the path of a report to be; raise ValueError if its ending says no known form."""
    filepath = Path(filepath)
    if filepath.suffix not in (".html", ".md", ".json"):
        raise ValueError(f"a report is an .html, .md or .json file, got {str(filepath)!r}")
    return filepath


def _cells(row):
    numbers = (row.error, row.scale, row.ulps, row.bound)
    return (row.layer, row.tensor, *(_short(number) for number in numbers), row.verdict)


def _short(number):
    return "0" if number == 0 else f"{number:.3g}"


def _escape(text):
    return html.escape(str(text), quote=True)


def _md(text):
    escaped = html.escape(str(text), quote=False)
    return "".join(f"\\{c}" if c in "|*_`[]\\" else c for c in escaped)


def _md_row(cells):
    return f"| {' | '.join(cells)} |"


def _plain(value):
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parity report</title>
<style>
:root {{
  color-scheme: light dark;
  --line: #ddd; --bad: #b00020; --good: #1b6e32; --quiet: #666;
}}
@media (prefers-color-scheme: dark) {{
  :root {{ --line: #444; --bad: #ff8a80; --good: #81c995; --quiet: #aaa }}
}}
body {{
  font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem
}}
h1 {{ font-size: 1.4rem; margin: 0 }}
h2 {{ font-size: 1.1rem }}
.heading, footer {{ color: var(--quiet) }}
.verdict {{ font-weight: 600; border-left: .3rem solid; padding-left: .7rem }}
.agree {{ color: var(--good) }}
.differ {{ color: var(--bad) }}
.scroll {{ overflow-x: auto }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
th, td {{ padding: .25rem .7rem; text-align: left; border-bottom: 1px solid var(--line) }}
th {{ position: sticky; top: 0; background: Canvas }}
td:nth-child(n+3):nth-child(-n+6), th:nth-child(n+3):nth-child(-n+6) {{ text-align: right }}
tr.differs td:last-child {{ color: var(--bad); font-weight: 600 }}
tr.equal td:last-child {{ color: var(--good) }}
footer {{ font-size: .85rem }}
</style>
</head>
<body>
<h1>Parity report</h1>
<p class="heading">{heading}</p>
<p class="verdict {state}">{verdict}</p>
{found}
<h2>All tensors</h2>
<div class="scroll"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}</tbody>
</table></div>
<footer><ul>{notes}</ul></footer>
</body>
</html>
"""

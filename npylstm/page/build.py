"""The page put together: the files of this folder and a trace's numbers in one HTML file."""

import base64
import hashlib
import html as escaping
import json
import re
from functools import cache
from importlib import resources

from ..files import replacing
from .payload import payload

# In the order in which they need each other: a file stands below those that it imports.
SCRIPTS = (
    "dom.js",
    "data.js",
    "colour.js",
    "tooltip.js",
    "state.js",
    "lines.js",
    "terms.js",
    "words.js",
    "equations.js",
    "gradients.js",
    "cell.js",
    "timeline.js",
    "model.js",
    "controls.js",
    "main.js",
)
_IMPORT = re.compile(r"^import \{[^}]*\} from \"\./([\w.]+)\";\n", re.MULTILINE)
_STYLES = re.compile(r"^@import \"\./([\w.]+)\";$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function |class |const )", re.MULTILINE)
_TITLE = "<title>LSTM</title>"
_STYLE = '<link rel="stylesheet" href="page.css">'
_SCRIPT = '<script type="module" src="main.js"></script>'
HEIGHT = 900  # px of the frame in a notebook


def html(trace, samples=None, title=None):
    """Return a web page, whole, through which one can walk a trace's numbers.

    Parameters
    ----------
    trace : Trace
    samples : int, sequence of int, or None
        Which samples, counted from 0; None takes all for which there is room, from the first on.
    title : str or None
        The heading; None makes one of the model's name.

    Returns
    -------
    str
        HTML that loads nothing.  Around 1.8 MB at most: what has no room is left out, samples
        first, and the page says so.

    Raises
    ------
    TypeError
        If `samples` are no integers, or `title` is no text.
    ValueError
        If there are no samples, or none of that index.
    """
    numbers = payload(trace, samples, title)
    page, style, script = _parts()
    # Within <script> only "<" could end the element or open a comment; ">" and "&" are written
    # alike so that the text is the same to whoever reads it as HTML or XML.
    data = json.dumps(numbers, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        data = data.replace(character, f"\\u{ord(character):04x}")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    heading = escaping.escape(numbers["title"]).encode("ascii", "xmlcharrefreplace").decode()
    for place, content in (
        (_TITLE, f"<title>{heading}</title>"),
        (
            _STYLE,
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            f"    <style>{style}</style>",
        ),
        (
            _SCRIPT,
            f'<script type="application/json" id="trace">{data}</script>\n'
            f'    <script type="module">{script}</script>',
        ),
    ):
        before, after = page.split(place)
        page = before + content + after
    return page


def write(trace, path, samples=None, title=None):
    """Write the page into a file, which is replaced whole or not at all; see `Trace.to_html`."""
    page = html(trace, samples, title)
    with replacing(path) as file:
        file.write(page.encode("utf-8"))
    return path


def notebook(trace):
    """Return the page in a frame, for notebooks."""
    page = escaping.escape(html(trace))
    title = escaping.escape(f"Trace of {trace.model}")
    return (
        f'<iframe title="{title}" srcdoc="{page}" width="100%" height="{HEIGHT}" '
        'sandbox="allow-scripts" style="border: 0"></iframe>'
    )


@cache
def _parts():
    """Return the template, all styles as one, and all scripts as one."""
    folder = resources.files(__package__)

    def read(name):
        return folder.joinpath(name).read_text(encoding="utf-8")

    styles, scripts = map(read, _STYLES.findall(read("page.css"))), map(read, SCRIPTS)
    return read("page.html"), "\n".join(styles), "\n".join(map(_joined, scripts))


def _joined(script):
    """Return a module as a part of one module that has them all: nothing to import or export."""
    return _EXPORT.sub("", _IMPORT.sub("", script))


def _digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()

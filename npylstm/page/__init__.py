"""A trace as a web page: one file to walk through an LSTM's real numbers, step by step.

The page is HTML, CSS and JavaScript as they lie in this folder, put into one file together with
the numbers; it loads nothing, and says so to the browser.
"""

from .build import html, notebook, write

__all__ = ["html", "notebook", "write"]

"""A browser for the tests of the page, and traces to show in it."""

import os
import shutil
import time

import numpy as np
import pytest

import npylstm
from npylstm import Sequential
from npylstm.layers import LSTM, Bidirectional, Dense, Input, Masking

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def no_browser(reason):
    """Skip, or fail where a browser is required: NPYLSTM_BROWSER=required."""
    if os.environ.get("NPYLSTM_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        no_browser("playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        no_browser(f"there is no browser here: none of {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        # A root user's Chromium starts without its sandbox only; the pages are the tests' own.
        one = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Open a page in a window of its own; at the end nothing may have gone wrong in it."""
    troubles, contexts = [], []

    def open_page(trace, link="", width=1280, title=None, samples=None, **settings):
        file = trace.to_html(tmp_path / "page.html", title=title, samples=samples)
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        watch(page, troubles, allowed=file.as_uri())
        page.goto(file.as_uri() + link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def until(page, expression):
    """Wait until something is true; Playwright's own way needs eval, which the page forbids."""
    end = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"in vain: {expression}"
        page.wait_for_timeout(20)


def watch(page, troubles, allowed):
    """Take down errors, messages, questions and requests for anything but the file."""
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on(
        "dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss())
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.split("#")[0] == allowed or request.url.startswith("data:")
            else troubles.append(f"request: {request.url}")
        ),
    )


@pytest.fixture(scope="session")
def trace():
    """A model with an LSTM and a Bidirectional, of whose samples one is masked at its end."""
    with npylstm.using_backend("numpy"):
        npylstm.utils.set_random_seed(3)
        rng = np.random.default_rng(3)
        layers = [
            Masking(),
            LSTM(5, return_sequences=True),
            Bidirectional(LSTM(4)),
            Dense(3, activation="softmax"),
        ]
        model = Sequential([Input((6, 2)), *layers], name="little")
        model.compile("adam", "sparse_categorical_crossentropy")
        x = rng.normal(size=(4, 6, 2))
        x[1, 4:] = 0
        weights = model.get_weights()
        model.set_weights([array + rng.normal(0, 0.2, array.shape) for array in weights])
        return model.trace(x, rng.integers(3, size=4))


@pytest.fixture(scope="session")
def plain_trace(trace):
    """The smallest one: a single step, unit and feature, and no gradients, in float64."""
    with npylstm.using_backend("numpy"):
        model = Sequential([Input((1, 1)), LSTM(1, dtype="float64"), Dense(1, dtype="float64")])
        return model.trace(np.full((1, 1, 1), 0.3))

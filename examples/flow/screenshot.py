"""Take the README's picture of a page: ``python -m examples.flow.screenshot``.

It needs playwright, which ``pip install '.[test]'`` brings along, and Chromium.
"""

import shutil
import tempfile
from pathlib import Path

from ..command import run
from ..console import Console
from . import people
from .__main__ import SEED
from .texts import TEXTS

PICTURE = Path(__file__).with_name("page.png")
LINK = "#t=6&unit=10&sample=1&element=c"
SIZE = {"width": 1180, "height": 1000}


def main():
    """Train the network of `people`, open its page in a browser and save what is seen."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "flow.html")
        people.run(Console(TEXTS, html=file), SEED)
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(file.as_uri() + LINK)
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURE)
        browser.close()
    print(PICTURE)
    return 0


if __name__ == "__main__":
    run(main)

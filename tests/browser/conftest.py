"""A browser without a network, and the book's pages."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from print_book import wait_until_drawn

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "book" / "_build" / "html"
PAGES = sorted(
    str(path.relative_to(HTML))
    for path in HTML.rglob("*.html")
    if not {"_static", "_sources", "_downloads"} & set(path.parts)
)


@pytest.fixture(scope="session")
def chromium():
    """Chromium: of CHROMIUM, of the system, or Playwright's own. No browser is a failure."""
    assert PAGES, "the book is not built; run make report"
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        # Root may not use Chromium's sandbox, and containers run as root.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open a page of the book from disk at a width, with the network cut.

    What the browser complains of is in the page's `complaints`.
    """
    contexts = []

    def opened(name, width=1280, has_touch=False):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, offline=True, has_touch=has_touch
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda r: page.complaints.append(f"{r.url[:100]}: {r.failure}"))
        page.goto((HTML / name).as_uri())
        wait_until_drawn(page)
        return page

    yield opened
    for context in contexts:
        context.close()

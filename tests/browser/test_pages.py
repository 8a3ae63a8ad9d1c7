"""Every page, wide and narrow: nothing broken, nothing cut off, nothing unnamed."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import HTML, PAGES

pytestmark = pytest.mark.browser
SERIOUS = {"serious", "critical"}


# Docutils' markup of a bibliography, which no theme or page of ours decides.
CONTENT = {"include": [["#main-content"]], "exclude": [[".citation-list"]]}


# Pages of one notebook are alike but for their numbers: a few of the runs' stand for all.
SHOWN = {
    "runs/c0-1_seed-1.html",
    "runs/c0-100_seed-4.html",
    "runs/T-800_c0-1_seed-2.html",
    "runs/smc_seed-1.html",
    "runs/smc_T-800_seed-7.html",
}
ALIKE = {name for name in PAGES if name.startswith("runs/")} - SHOWN


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", [name for name in PAGES if name not in ALIKE])
def test_page(open_page, name, width):
    page = open_page(name, width)
    assert page.complaints == []
    overflow = page.evaluate(
        "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )
    assert overflow <= 0
    for alt in page.locator("main img").evaluate_all(
        "images => Promise.all(images.map(i => i.decode().then(() => i.alt)))"
    ):
        assert len(alt) > 40, alt
    for link in page.locator("a[href]").evaluate_all("links => links.map(l => l.href)"):
        check_link(page, name, link)
    found = Axe().run(page, context=CONTENT).response["violations"]
    serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in SERIOUS]
    assert serious == []


def check_link(page, name, link):
    url = urlparse(link)
    if url.scheme != "file":
        assert url.scheme in ("https", "mailto"), link
        return
    target = Path(unquote(url.path))
    assert target.is_file(), link
    if url.fragment and target == HTML / name:
        assert page.evaluate("i => !!document.getElementById(i)", unquote(url.fragment)), link


def test_search_finds_entropy(open_page):
    page = open_page("search.html")
    page.goto(f"{page.url}?q=entropy")
    page.locator("#search-results li a", has_text="The method").first.wait_for()


def test_equations_are_typeset(open_page):
    page = open_page("method.html")
    page.locator("mjx-container").first.wait_for()
    assert page.locator("mjx-container").count() > 20
    assert page.locator("mjx-merror").count() == 0

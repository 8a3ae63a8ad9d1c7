"""Every page, wide and narrow: nothing broken, nothing cut off, nothing unnamed."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import HTML, PAGES

pytestmark = pytest.mark.browser
SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole(open_page, name, width):
    page = open_page(name, width)
    assert page.complaints == []
    overflow = page.evaluate(
        "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )
    assert overflow <= 0
    for image in page.locator("main img").all():
        assert image.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0
        assert len(image.get_attribute("alt") or "") > 40


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(open_page, name):
    page = open_page(name)
    for link in page.locator("a[href]").all():
        url = urlparse(link.evaluate("e => e.href"))
        if url.scheme != "file":
            assert url.scheme in ("https", "mailto")
            continue
        target = Path(unquote(url.path))
        assert target.is_file(), target
        if url.fragment and target == HTML / name:
            assert page.evaluate("i => !!document.getElementById(i)", unquote(url.fragment)), url


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_in_the_content(open_page, name):
    page = open_page(name)
    found = Axe().run(page, context="#main-content").response["violations"]
    assert [
        (v["id"], node["html"][:200]) for v in found if v["impact"] in SERIOUS for node in v["nodes"]
    ] == []


def test_search_finds_entropy(open_page):
    page = open_page("search.html?q=entropy".split("?")[0])
    page.goto(page.url + "?q=entropy")
    page.locator("#search-results li").first.wait_for()
    titles = page.locator("#search-results li a").all_inner_texts()
    assert "The method" in titles


def test_equations_are_typeset(open_page):
    page = open_page("method.html")
    page.locator("mjx-container").first.wait_for()
    assert page.locator("mjx-container").count() > 20
    assert page.locator("mjx-merror").count() == 0

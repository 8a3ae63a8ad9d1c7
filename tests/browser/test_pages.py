"""Every page, wide and narrow: nothing broken, nothing cut off, nothing unnamed."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import HTML, PAGES, ROOT

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


# Executed notebooks, none of them exempt. The others are text, whose code is what they are about.
EXECUTED = {name for name in PAGES if (ROOT / "book" / name).with_suffix(".ipynb").is_file()}
WRITTEN = {name for name in PAGES if (ROOT / "book" / name).with_suffix(".md").is_file()} - {
    "api.html"  # made of docstrings
}
CAPTIONED = EXECUTED | {"index.html"}


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
    if name in CAPTIONED:
        check_captions(page)
    if name in WRITTEN:
        assert page.locator("main table:not(:has(.caption-number), figure *)").count() == 0
    if name in EXECUTED:
        check_code(page)
    if name in EXECUTED and not name.startswith("runs/"):
        check_origins(page, name)


def check_captions(page):
    """Every figure has a numbered caption."""
    bare = page.locator("main :is(img, video, .jupyter-widgets)").evaluate_all(
        """all => all.filter(e => !e.closest('figure')?.querySelector('.caption-number'))
        .map(e => e.alt || e.className)"""
    )
    assert bare == []


def check_code(page):
    """Code stands in one fold after the results."""
    assert page.locator("main details.hide, main .toggle, main .toggle-hidden").count() == 0
    assert page.locator("main .cell_input:not(details.page-code *)").count() == 0
    assert page.locator("main .cell .highlight:not(.cell_output *)").count() == 0
    assert page.locator("main details.page-code").count() == 1
    fold = page.locator("main details.page-code:not([open])")
    assert fold.locator(".highlight").count() > 0
    assert not fold.evaluate(
        """fold => [...document.querySelectorAll('main .cell_output')].some(
            e => fold.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)"""
    )


def check_origins(page, name):
    """Figures say what remakes them, and lead to their data."""
    for figure in page.locator("main figure:has(.caption-number)").all():
        if figure.locator(".caption-number").first.inner_text().startswith("Table"):
            continue
        origin = figure.locator("p.origin")
        assert origin.inner_text().startswith(f"Made by make book/{Path(name).stem}.ipynb")
        links = origin.locator("a").evaluate_all("links => links.map(a => a.href)")
        if not links:
            assert figure.get_attribute("id").endswith("-circuit")  # shapes, no numbers
            continue
        (data,) = (Path(unquote(urlparse(link).path)) for link in links)
        if data.suffix == ".csv":
            lines = [line for line in data.read_text().splitlines() if not line.startswith("#")]
            assert len(lines) > 1
            if figure.locator("img:not([src^='data:'])").count():
                assert lines[0] == "panel,kind,label,x,y,value,low,high"
        else:
            assert data.name.startswith("runs_")  # whose pages offer the runs' files


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


def test_terms_say_what_they_mean(open_page):
    term = open_page("method.html").locator('a[href="glossary.html#term-hub"]').first
    assert term.get_attribute("title").startswith("The neuron of the five")


def test_runs_stand_under_one_entry_a_method(open_page):
    page = open_page("index.html")
    run = page.locator('nav a[href="runs/smc_seed-8.html"]')
    assert run.count() == 1
    assert not run.is_visible()
    page.locator('nav a[href="runs_smc.html"]').click()
    page.wait_for_url("**/runs_smc.html")
    assert page.locator('nav a[href="runs/smc_seed-8.html"]').is_visible()
    assert page.locator('main table a[href="runs/smc_seed-8.html"]').is_visible()


def test_figures_on_a_phone(open_page):
    boxes = open_page("exact.html", 390).locator(".figure-box")
    scrolls = [box.evaluate("e => e.scrollWidth > e.clientWidth + 1") for box in boxes.all()]
    assert scrolls == [False, True, True]  # the density; three panels side by side, twice
    link = boxes.first.locator("a")
    assert Path(unquote(urlparse(link.evaluate("e => e.href")).path)).is_file()


def test_figures_have_no_frame_in_the_dark(open_page):
    page = open_page("exact.html")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    for image in page.locator(".cell_output img").all():
        style = "e => [getComputedStyle(e).padding, getComputedStyle(e).backgroundColor]"
        assert image.evaluate(style) == ["0px", "rgb(255, 255, 255)"]


def test_labels_of_widgets_are_read_in_the_dark(open_page):
    page = open_page("runs/c0-1_seed-1.html")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    for part in (".widget-label", ".widget-readout"):
        colour = page.locator(part).first.evaluate("e => getComputedStyle(e).color")
        assert min(map(int, colour[4:-1].split(","))) > 150

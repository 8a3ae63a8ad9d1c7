"""Scrubber, explorer and film work by mouse and by keyboard, without kernel and network."""

import pytest

pytestmark = pytest.mark.browser
# Pages of one notebook are alike but for their numbers.
RUNS = ["runs/c0-1_seed-1.html", "runs/c0-100_seed-4.html", "runs/T-800_c0-1_seed-2.html"]


def visible_alt(page, start):
    """Alternative text of the one frame that is shown."""
    shown = page.locator(f'img[alt^="{start}"]:visible')
    assert shown.count() == 1
    return shown.get_attribute("alt")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        *((name, "Samples of the network") for name in RUNS),
        ("synthesis.html", "Samples of every run"),
    ],
)
def test_scrubber(open_page, name, start):
    page = open_page(name)
    handle = page.locator(".widget-slider [role=slider]").first
    handle.wait_for()
    assert visible_alt(page, start).endswith("After 0 epochs.")
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert visible_alt(page, start).endswith("After 2 epochs.")
    play = page.locator(".widget-play button").first
    play.click()
    page.locator(f'img[alt^="{start}"][alt$="After 4 epochs."]:visible').wait_for()
    play.click()  # pause
    paused = visible_alt(page, start)
    page.wait_for_timeout(1_800)  # more than two frames
    assert visible_alt(page, start) == paused
    play.focus()
    page.keyboard.press("Space")
    page.wait_for_function(
        "([start, old]) => [...document.querySelectorAll(`img[alt^='${start}']`)]"
        ".some(e => e.offsetParent && e.alt !== old)",
        arg=[start, paused],
    )


def test_explorer(open_page):
    page = open_page("explore.html")
    handles = page.locator(".widget-slider [role=slider]")
    handles.first.wait_for()
    start = "Voltages of the five neurons"
    before = visible_alt(page, start)
    handles.nth(0).focus()
    page.keyboard.press("ArrowRight")
    moved = visible_alt(page, start)
    handles.nth(1).focus()
    page.keyboard.press("ArrowRight")
    both = visible_alt(page, start)
    assert len({before, moved, both}) == 3
    track = page.locator(".widget-slider .slider").first
    box = track.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert "g_el = 12 nS" in visible_alt(page, start)


def test_film(open_page):
    page = open_page("explore.html")
    film = page.locator("video")
    assert film.get_attribute("poster").startswith("data:image/png")
    assert len(film.get_attribute("aria-label")) > 40
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    assert film.evaluate("e => e.duration") > 10
    film.focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2")
    page.keyboard.press("Space")
    assert film.evaluate("e => e.paused")
    box = film.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.wait_for_function("!document.querySelector('video').paused")

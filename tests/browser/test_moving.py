"""Sliders over frames work by mouse, keyboard and touch, without kernel and network."""

import pytest
from playwright.sync_api import expect

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


STAGES, EPOCHS, G_EL, G_SYNA = range(4)  # sliders of explore.html, from its top
RHO = "\N{GREEK SMALL LETTER RHO}"
FRAMES = {STAGES: "SMC, stage", EPOCHS: "network, AL epochs done"}


def sliders(page):
    """Handles of the page's sliders, once they are there."""
    handles = page.locator(".widget-slider [role=slider]")
    handles.first.wait_for()
    return handles


def shown(page, words):
    """Alternative text of the one frame with these words that is shown."""
    frame = page.locator(f'img[alt*="{words}"]:visible')
    assert frame.count() == 1
    assert frame.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0
    return frame.get_attribute("alt")


def tap_end(page, slider, tap):
    """Tap or click the right end of a slider's track."""
    track = page.locator(".widget-slider .slider").nth(slider)
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    tap(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("slider", "name", "texts"),
    [
        (STAGES, "SMC stage", ["0: uniform", f"1: {RHO} = 70,000", f"7: {RHO} = 0"]),
        (EPOCHS, "AL epochs done", ["0", "1", "12"]),
    ],
)
def test_stages_and_epochs(open_page, width, slider, name, texts):
    page = open_page("explore.html", width)
    handle = sliders(page).nth(slider)
    other = EPOCHS if slider == STAGES else STAGES
    before = shown(page, FRAMES[other])
    seen = []
    for key, text in zip(["Home", "ArrowRight", "End"], texts, strict=True):
        handle.press(key)
        expect(handle).to_have_attribute("aria-valuetext", text)
        seen.append(shown(page, FRAMES[slider]))
        assert f"{FRAMES[slider]}{' ' if slider == STAGES else ': '}{text}. Share" in seen[-1]
    assert len(set(seen)) == 3
    assert handle.get_attribute("aria-label") == name
    assert shown(page, FRAMES[other]) == before


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("slider", [STAGES, EPOCHS])
def test_stages_and_epochs_by_mouse_and_touch(open_page, width, slider):
    last = ["stage 7", "done: 12"][slider]
    page = open_page("explore.html", width)
    sliders(page)
    tap_end(page, slider, page.mouse.click)
    assert last in shown(page, FRAMES[slider])
    page = open_page("explore.html", width, has_touch=True)
    sliders(page)
    tap_end(page, slider, page.touchscreen.tap)
    page.locator(f'img[alt*="{last}"]:visible').wait_for()


def test_columns_stand_side_by_side_or_one_below_the_other(open_page):
    for width, below in ((1280, False), (390, True)):
        page = open_page("explore.html", width)
        sliders(page)
        left, right = (
            page.locator(f'img[alt*="{words}"]:visible').bounding_box() for words in FRAMES.values()
        )
        assert (left["width"], left["height"]) == (right["width"], right["height"])
        assert (right["y"] >= left["y"] + left["height"]) is below
        assert left["x"] + left["width"] <= width
        if not below:
            assert (left["y"], left["x"] + left["width"] <= right["x"]) == (right["y"], True)


@pytest.mark.parametrize("width", [1280, 390])
def test_each_slider_is_one_stop_of_the_tab_key(open_page, width):
    page = open_page("explore.html", width)
    handles = sliders(page)
    assert handles.count() == 4
    handles.first.focus()
    stops = []
    for _ in range(12):
        stops.append(
            page.evaluate(
                "[...document.querySelectorAll('.widget-slider [role=slider]')]"
                ".indexOf(document.activeElement)"
            )
        )
        hidden = "!document.activeElement.checkVisibility()"
        in_widget = "!!document.activeElement.closest('.jupyter-widgets')"
        assert not page.evaluate(hidden)
        assert stops[-1] >= 0 or not page.evaluate(in_widget)
        page.keyboard.press("Tab")
    assert [stop for stop in stops if stop >= 0] == [STAGES, EPOCHS, G_EL, G_SYNA]


@pytest.mark.parametrize("width", [1280, 390])
def test_explorer(open_page, width):
    page = open_page("explore.html", width)
    handles = sliders(page)
    starts = ["Voltages of the five neurons", "Map with a marker"]
    before = [visible_alt(page, start) for start in starts]
    assert "in the upper region" in before[1]
    expect(handles.nth(G_EL)).to_have_attribute("aria-valuetext", "8 nS")
    expect(handles.nth(G_SYNA)).to_have_attribute("aria-valuetext", "1 nS")
    handles.nth(G_EL).press("ArrowLeft")
    expect(handles.nth(G_EL)).to_have_attribute("aria-valuetext", "6 nS")
    moved = [visible_alt(page, start) for start in starts]
    handles.nth(G_SYNA).press("ArrowRight")
    expect(handles.nth(G_SYNA)).to_have_attribute("aria-valuetext", "2 nS")
    both = [visible_alt(page, start) for start in starts]
    for texts in zip(before, moved, both, strict=True):
        assert len(set(texts)) == 3
    tap_end(page, G_EL, page.mouse.click)
    assert all("g_el = 12 nS" in visible_alt(page, start) for start in starts)

"""What a figure carries as text/csv is what it draws."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Circle

import dsnlib
from circuits import Product
from dsnlib.plots import draw_plane
from report.figures.data import ALL_ROWS, COLUMNS, ROWS, SIDE, figure_table

ROOT = Path(__file__).parent.parent


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def table(figure):
    """The head without its signs, and the rest as a table."""
    lines = figure_table(figure).splitlines(keepends=True)
    head = [line[2:].strip() for line in lines if line.startswith("#")]
    rest = "".join(lines[len(head) :])
    assert tuple(next(csv.reader(io.StringIO(rest)))) == COLUMNS
    return head, pd.read_csv(io.StringIO(rest), keep_default_na=False, na_values=[""])


def test_lines_and_points(ax):
    x = np.linspace(0, 1, 7) ** 3
    ax.plot(x, np.exp(x), label="growth, of\nwhat")
    ax.plot(x, 2 * x, "o", label="_hidden")
    ax.scatter(x, x**2, c=x / 3)
    ax.scatter([0.5], [0.5], color="red", label="one")
    ax.set(title="Title", xlabel="time (s)", ylabel="size")
    head, found = table(ax.figure)
    assert head == ["Title: x is time (s)", "Title: y is size"]
    assert set(found.panel) == {"Title"}
    line = found[found.label == "growth, of what"]
    assert set(line.kind) == {"line"}
    np.testing.assert_allclose(line[["x", "y"]], np.stack([x, np.exp(x)], 1), rtol=5e-5)
    marks, cloud = found[7:14], found.dropna(subset="value")
    assert set(marks.kind) == {"points"}
    assert marks.label.isna().all()
    np.testing.assert_allclose(marks.y, 2 * x, rtol=5e-5)
    np.testing.assert_allclose(cloud[["x", "y", "value"]], np.stack([x, x**2, x / 3], 1), rtol=5e-5)
    assert found[found.label == "one"][["x", "y"]].values.tolist() == [[0.5, 0.5]]


def test_five_digits(ax):
    ax.plot([1234567.0, 1 / 3], [1e-12, np.nan])
    assert figure_table(ax.figure).splitlines()[-2:] == [
        "panel 1,line,,1.2346e+06,1e-12,,,",
        "panel 1,line,,0.33333,,,,",
    ]


def test_lines_of_one_name_are_separated(ax):
    ax.plot([0, 1], [2, 3])
    ax.plot([0, 1], [4, 5])
    ax.vlines([7, 8], 0, 1)
    _, found = table(ax.figure)
    gap = [np.nan, np.nan]
    expected = [[0, 2], [1, 3], gap, [0, 4], [1, 5], gap, [7, 0], [7, 1], gap, [8, 0], [8, 1]]
    np.testing.assert_array_equal(found[["x", "y"]], expected)


def test_lines_across_have_one_coordinate(ax):
    ax.axhline(3, label="level")
    ax.axvline(4)
    ax.axhspan(1, 2)
    ax.add_patch(Circle((0, 0), 1))
    ax.annotate("here", (0, 0), (1, 1), arrowprops={"arrowstyle": "->"})
    _, found = table(ax.figure)
    np.testing.assert_array_equal(found[["x", "y"]], [[np.nan, 3], [4, np.nan]])


@pytest.mark.parametrize("mark", ["o", "none"])
def test_error_bars(ax, mark):
    x, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, np.nan])
    below, above = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 3.0])
    ax.errorbar(x, y, [below, above], 0.5, fmt=mark, label="both", capsize=2)
    _, found = table(ax.figure)
    assert set(found.label) == {"both"}
    up, across = found[found.kind == "errorbars"], found[found.kind == "x errorbars"]
    assert len(up) == len(across) == 3
    np.testing.assert_allclose(up[:2][["low", "high"]], np.stack([y - below, y + above], 1)[:2])
    np.testing.assert_allclose(across[:2][["low", "high"]], np.stack([x - 0.5, x + 0.5], 1)[:2])
    np.testing.assert_allclose(up.x[:2], x[:2])
    np.testing.assert_allclose(across.y[:2], y[:2])
    if mark == "o":
        np.testing.assert_allclose(up.y, y)
        np.testing.assert_allclose(across.x, x)


def test_bars(ax):
    ax.bar([0, 1], [3, 4], 0.7, label="lower")
    ax.bar([0, 1], [5, 6], 0.7, [3, 4], label="upper")
    ax.set_xticks([0, 1], ["one\nregion", "two"])
    head, found = table(ax.figure)
    assert head == ["panel 1: ticks of x are 0 = one region, 1 = two"]
    assert set(found.kind) == {"bars"}
    np.testing.assert_allclose(found[found.label == "lower"][["x", "y"]], [[0, 3], [1, 4]])
    upper = found[found.label == "upper"][["x", "y", "low", "high"]]
    np.testing.assert_allclose(upper, [[0, 5, 3, 8], [1, 6, 4, 10]])


def test_bars_that_lie(ax):
    ax.barh(["a", "b"], [10.0, 20.0], xerr=[[1, 2], [3, 4]])
    head, found = table(ax.figure)
    assert head == ["panel 1: ticks of y are 0 = a, 1 = b"]
    bars, errors = found[found.kind == "bars"], found[found.kind == "x errorbars"]
    np.testing.assert_allclose(bars[["x", "y"]], [[10, 0], [20, 1]])
    np.testing.assert_allclose(errors[["y", "low", "high"]], [[0, 9, 13], [1, 18, 24]])


def test_histograms(ax):
    values = np.random.default_rng(0).normal(size=100)
    counts, edges = np.histogram(values, 5)
    middle = (edges[1:] + edges[:-1]) / 2
    ax.hist(values, edges)
    ax.stairs(counts, edges, orientation="horizontal", label="stairs")
    ax.hist(values, edges, histtype="step", label="outline")
    _, found = table(ax.figure)
    bars = found[found.kind == "bars"]
    np.testing.assert_allclose(bars[:5][["x", "y"]], np.stack([middle, counts], 1), rtol=5e-5)
    np.testing.assert_allclose(bars[5:][["y", "x"]], np.stack([middle, counts], 1), rtol=5e-5)
    outline = found[found.label == "outline"]
    np.testing.assert_allclose(outline.x[: 2 * len(edges)], np.repeat(edges, 2), rtol=5e-5)
    np.testing.assert_allclose(outline.y[1:-1:2], counts)


def test_maps(ax):
    x, y = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0])
    values = np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]])
    mesh = ax.pcolormesh(x, y, values)
    ax.figure.colorbar(mesh, label="value")
    _, found = table(ax.figure)
    assert set(found.panel) == {"panel 1"}
    expected = [[1, 10, 1], [2, 10, 2], [1, 20, 4], [2, 20, 5], [3, 20, 6]]
    np.testing.assert_array_equal(found[["x", "y", "value"]], expected)


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_images(ax, origin):
    ax.imshow([[1, 2, 3], [4, 5, 6]], origin=origin)
    _, found = table(ax.figure)
    expected = [[0, 0, 1], [1, 0, 2], [2, 0, 3], [0, 1, 4], [1, 1, 5], [2, 1, 6]]
    np.testing.assert_array_equal(found[["x", "y", "value"]], expected)


def test_images_over_an_extent(ax):
    ax.imshow([[1, 2]], origin="lower", extent=(0, 20, 5, 7))
    ax.imshow(np.zeros((2, 2, 3)))  # a picture
    _, found = table(ax.figure)
    np.testing.assert_array_equal(found[["x", "y", "value"]], [[5, 6, 1], [15, 6, 2]])


def test_contours(ax):
    x = np.linspace(-2, 2, 41)
    ax.contour(x, x, x**2 + x[:, None] ** 2, levels=[1.0, 2.0])
    _, found = table(ax.figure)
    assert set(found.kind) == {"line"}
    found = found.dropna(subset=["x", "y"])
    np.testing.assert_allclose(found.x**2 + found.y**2, found.value, atol=0.01)
    assert set(found.value) == {1.0, 2.0}


def test_what_is_long_is_thinned_and_says_so(ax):
    ax.plot(np.arange(2 * ROWS + 1), label="long")
    ax.pcolormesh(np.arange(7.0 * SIDE * 5).reshape(5, -1))
    head, found = table(ax.figure)
    assert head == [
        "panel 1: line: long: every 3. row of 4001",
        "panel 1: map: every 7. cell along x and every 1. along y of 700 x 5",
    ]
    np.testing.assert_array_equal(found[found.kind == "line"].y, np.arange(0, 2 * ROWS + 1, 3))
    cells = found[found.kind == "map"]
    assert len(cells) == SIDE * 5
    np.testing.assert_array_equal(np.diff(cells.x[:SIDE]), 7)


def test_many_panels_share_the_rows():
    figure, axes = plt.subplots(4, 5)
    for ax in axes.flat:
        ax.plot(np.arange(ROWS))
        ax.pcolormesh(np.zeros((SIDE, SIDE)))
    _, found = table(figure)
    plt.close(figure)
    assert (found.kind == "line").sum() <= ALL_ROWS
    assert 0.5 * ALL_ROWS < (found.kind == "map").sum() <= ALL_ROWS
    assert found.panel.nunique() == 20


def test_panels_are_told_apart():
    figure, axes = plt.subplots(2, 2)
    for ax in axes.flat:
        ax.plot([1, 2])
    axes[0, 0].set_ylabel("rate\n(Hz)")
    axes[1, 0].set_xlabel("time (s)")
    axes[0, 1].set_title("right")
    axes[1, 1].set_visible(False)
    head, found = table(figure)
    plt.close(figure)
    names = ["rate (Hz)", "right", "time (s)"]
    assert list(found.panel.unique()) == names
    # what the axes at the border of a grid say holds for its row or column
    assert head == [
        "rate (Hz): x is time (s)",
        "rate (Hz): y is rate (Hz)",
        "right: y is rate (Hz)",
        "time (s): x is time (s)",
    ]


@pytest.fixture(scope="module")
def exact():
    prop = dsnlib.EmergentProperty(mean=[0.5], sd=[0.2])
    return dsnlib.exact_maxent(Product(), prop, cells=60)


def test_the_map_below_is_left_out(exact):
    figure, (both, bare) = plt.subplots(1, 2)
    draw_plane(both, exact)
    both.plot([1.0], [2.0], "o", label="here")
    draw_plane(bare, exact)
    assert [text.get_text() for text in both.legend().get_texts()] == ["here"]
    _, found = table(figure)
    plt.close(figure)
    own, whole = (part for _, part in found.groupby("panel", sort=False))
    assert own[["kind", "x", "y"]].values.tolist() == [["points", 1, 2]]
    assert {"map", "line"} == set(whole.kind)  # where there is nothing else


CELLS = (
    "import matplotlib.pyplot as plt; import report.text; from dsnlib.plots import use_style",
    "use_style(); _ = plt.plot([1, 4]); plt.show()",
    "fig, ax = plt.subplots(); ax.plot([2, 5]); plt.close(fig); fig",
    "plt.plot([3, 6]); 1",
    "fig, ax = plt.subplots(); ax.add_patch(plt.Circle((0, 0), 1)); plt.close(fig); fig",
    "from report.figures import show_data; fig, ax = plt.subplots(); ax.plot([4, 7]); "
    "show_data(fig); plt.close(fig)",
    "import pandas as pd; show_data(pd.DataFrame({'x': [1 / 3], 'y': ['a']}))",
)


def test_chapters_carry_it(tmp_path):
    source, target = tmp_path / "chapter.ipynb", tmp_path / "out.ipynb"
    cells = [nbformat.v4.new_code_cell(cell) for cell in (*CELLS, "print('complete')")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    command = [sys.executable, "-m", "workflow.execute", source, tmp_path / "scratch", target, "{}"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ, cwd=ROOT)
    outputs = [cell["outputs"] for cell in json.loads(target.read_text())["cells"]]
    for shown, ends in zip(outputs[1:4], ([1, 4], [2, 5], [3, 6]), strict=True):
        (data,) = [o["data"] for o in shown if "image/svg+xml" in o.get("data", {})]
        assert set(data) == {"image/svg+xml", "text/plain", "text/csv"}
        assert "".join(data["text/csv"]).splitlines()[1:] == [
            f"panel 1,line,,{x},{y},,," for x, y in enumerate(ends)
        ]
    assert "text/csv" not in outputs[3][0]["data"]
    (drawing,) = outputs[4]
    assert set(drawing["data"]) == {"image/svg+xml", "text/plain"}  # shapes, no numbers
    for told, lines in zip(
        outputs[5:7], (["panel 1,line,,0,4,,,", "panel 1,line,,1,7,,,"], ["0.3333,a"]), strict=True
    ):
        (data,) = (output["data"] for output in told)
        assert set(data) == {"text/csv"}
        assert "".join(data["text/csv"]).splitlines()[1:] == lines

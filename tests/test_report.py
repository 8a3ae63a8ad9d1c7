"""The report's helpers: numbers as text, names of runs, sources of chapters, its packages."""

import ast
import re
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest
import xarray as xr

import dsnlib
from report.judged import Judged, judged_runs
from report.names import order, title
from report.rates import wilson
from report.text import bracketed, count, fixed, from_to, per_cent, plus_minus, rough, spread
from workflow.sources import read

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "report" / "chapters").glob("*.py"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (per_cent(0), "0"),
        (per_cent(0.0423), "4.2"),
        (per_cent(0.0996), "10"),
        (count(1, "run"), "1 run"),
        (count(0, "run"), "0 runs"),
        (fixed(-0.005, 1), "0.0"),
        (fixed(15_049, -2), "15,000"),
        (rough(0.0999), "0.10"),
        (rough(996.0), "1,000"),
        (plus_minus(12_346, 678), "12,350 ± 680"),
        (plus_minus(-0.5, 0.00123), "-0.5000 ± 0.0012"),
        (plus_minus(1.234, 0.056, 1), "1.2 ± 0.1"),
        (spread([3, 1, np.nan, 2], 0), "2 [1, 3]"),
        (spread([0.501, 0.499], 1), "0.5"),
        (bracketed("2", "1", "3"), "2 [1, 3]"),
        (from_to([0.5, 0.25], 2), "0.25 to 0.50"),
        (from_to([0.5, 0.501], 2), "0.50"),
    ],
)
def test_numbers_as_text(written, expected):
    assert written == expected


@pytest.mark.parametrize(("hits", "n"), [(0, 4), (3, 4), (11, 108)])
def test_wilson_interval_solves_its_equation(hits, n):
    z = 1.959963984540054
    for end in wilson(hits, n):  # |share - p| = z sqrt(p (1 - p) / n), Wilson (1927)
        assert abs(hits / n - end) == pytest.approx(z * np.sqrt(end * (1 - end) / n), abs=1e-9)


def test_names_of_runs():
    names = ["c0-100_seed-1", "c0-2_seed-10", "c0-2_seed-9", "T-800_c0-0.1_seed-1"]
    assert sorted(names[:3], key=order) == ["c0-2_seed-9", "c0-2_seed-10", "c0-100_seed-1"]
    assert title(names[3]) == "T = 800, c0 = 0.1, seed 1"
    assert title("smc_T-800_seed-2") == "T = 800, seed 2"


def test_judged_runs_are_those_of_the_prefix_in_order(tmp_path, monkeypatch):
    for name in ("c0-100_seed-1", "c0-1_seed-2", "c0-1_seed-10", "smc_seed-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.nc").touch()
    (tmp_path / "c0-1_seed-3").mkdir()  # not complete
    monkeypatch.setattr(dsnlib, "load_run", lambda path: path.name)
    monkeypatch.setattr(dsnlib, "judge", lambda path, exact: (path.name, exact))
    found = judged_runs(tmp_path, "exact")
    assert list(found) == ["c0-1_seed-2", "c0-1_seed-10", "c0-100_seed-1"]
    assert found["c0-1_seed-2"] == Judged("c0-1_seed-2", ("c0-1_seed-2", "exact"))
    assert list(judged_runs(str(tmp_path), "exact", "smc_")) == ["smc_seed-1"]


def test_final_numbers_are_those_of_the_last_snapshot():
    judged = xr.Dataset(
        {"kl": ("snapshot", [9.0, 0.5]), "mode_mass": (("snapshot", "mode"), [[0, 1], [0.2, 0.7]])},
        {"mode": ["lower", "upper"]},
    )
    one = Judged(None, judged)
    assert one.final("kl") == 0.5
    assert one.final_mass("lower") == 0.2


SOURCE = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A title
#
# Prose.


# %% tags=["hide-input"] mystnb={"image": {"alt": "Text."}}
def f():
    return 1


# %% tags=["parameters"]
runs = "runs"
"""


def test_source_is_read_as_cells_with_their_tags(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    notebook = read(path)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells] == [
        ("markdown", "# A title\n\nProse.", {}),
        (
            "code",
            "def f():\n    return 1",
            {"tags": ["hide-input"], "mystnb": {"image": {"alt": "Text."}}},
        ),
        ("code", 'runs = "runs"', {"tags": ["parameters"]}),
    ]
    assert [cell.id for cell in notebook.cells] == ["mine-00", "mine-01", "mine-02"]
    assert notebook.metadata.kernelspec.name == "python3"
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "other.py")


def test_source_takes_in_the_cells_of_another(tmp_path):
    (tmp_path / "shared").mkdir()
    figure = '# %% mystnb={"figure": {"caption": "C", "name": "pairs"}}\nplot()\n'
    table = '# %% caption="T" name="tab-told"\nb = 2\n'
    (tmp_path / "shared" / "part.py").write_text(f"{figure}\n{table}")
    (tmp_path / "page_one.py").write_text(
        "# %%\na = 1\n\n# %%\n# include: shared/part.py\n\n# %%\n# a comment\nc = 3\n"
    )
    cells = read(tmp_path / "page_one.py").cells
    assert [cell.source for cell in cells] == ["a = 1", "plot()", "b = 2", "# a comment\nc = 3"]
    assert cells[1].metadata.mystnb.figure == {"caption": "C", "name": "fig-page-one-pairs"}
    assert cells[2].metadata["name"] == "tab-page-one-told"
    assert len({cell.id for cell in cells}) == 4
    (tmp_path / "page_two.py").write_text("# %%\n# include: shared/gone.py\n")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "page_two.py")


def test_tables_and_widgets_taken_in_get_unique_names(tmp_path):
    (tmp_path / "part.py").write_text(
        '# %% caption="A table." name="shares"\nshares\n\n'
        '# %% kind="figure" caption="A film." name="film"\nfilm\n\n# %%\nsilent = 1\n'
    )
    for page in ("page_one", "page_two"):
        (tmp_path / f"{page}.py").write_text("# %%\n# include: part.py\n")
    table, film, silent = (cell.metadata for cell in read(tmp_path / "page_one.py").cells)
    assert table == {"caption": "A table.", "name": "tab-page-one-shares"}
    assert film == {"caption": "A film.", "kind": "figure", "name": "fig-page-one-film"}
    assert silent == {}
    assert read(tmp_path / "page_two.py").cells[0].metadata.name == "tab-page-two-shares"


def named_in(cell):
    """Name of the figure or table that a cell shows, and its caption; None where it has none."""
    shown = cell.metadata.get("mystnb", {}).get("figure") or cell.metadata
    return (shown["name"], shown["caption"]) if "name" in shown else None


def test_names_of_figures_and_tables_are_their_chapters():
    names = []
    for path in CHAPTERS:
        found = [named for cell in read(path).cells if (named := named_in(cell))]
        for name, caption in found:
            assert re.match(rf"(fig|tab)-{path.stem.replace('_', '-')}(-|$)", name), name
            assert caption.endswith((".", ")")), name
        names += [name for name, _ in found]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_are_whole_notebooks(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# ")
    assert notebook.cells[-1].source.endswith('print("complete")')
    assert notebook.cells[-1].metadata.tags == ["remove-cell"]
    for cell in notebook.cells:
        assert cell.metadata.keys() <= {"tags", "mystnb", "caption", "name", "kind", "data"}
        assert ("caption" in cell.metadata) == ("name" in cell.metadata)
        assert cell.metadata.get("kind", "figure") == "figure"
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            assert "caption" not in cell.metadata  # one thing a cell
            assert len(cell.metadata.mystnb.image.alt) > 40, figure["name"]
        if cell.cell_type == "code":
            ast.parse(cell.source)


def test_the_library_knows_nothing_of_the_report():
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not [name for name in names if name.split(".")[0] == "report"], path


def test_every_package_of_the_report_is_installed():
    declared = tomllib.loads((ROOT / "report" / "pyproject.toml").read_text())
    folders = {path.parent for path in (ROOT / "report").rglob("__init__.py")}
    assert set(declared["tool"]["setuptools"]["packages"]) == {
        ".".join(folder.relative_to(ROOT).parts) for folder in folders
    }

"""The sweep makes what is due, all of it and nothing else; what fails is named."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

import train as train_step
from book import contents
from book import main as lay_out
from dsnlib import Population, Settings, load_run
from dsnlib.runs.identity import numerics_files
from execute import device
from status import describe
from sweeps import ROOT, TINY, copy_of_the_repository, due, git, snakemake

# The committed runs with seed 1 stand for any: nothing of them is trained here.
PAIR = "{folder: runs, grid: {c0: [1, 100], seed: [1]}}"
RUNS = ["runs/c0-1_seed-1", "runs/c0-100_seed-1"]
TRAINED = sorted(f"{run}/run.nc" for run in RUNS)
PAGES = sorted(f"{run}.ipynb" for run in RUNS)
BOOK = "book/_build/html/.complete"
CHAPTERS = sorted(f"book/{path.name}" for path in (ROOT / "chapters").glob("*.ipynb"))


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    """A repository whose runs are declared to be up to date, as `make adopt` does, committed."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("adopted"))
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    (folder / "config" / "pair.yaml").write_text(PAIR)
    done = snakemake(folder, "runs", "chapters", sweep="config/pair.yaml", options=["--touch"])
    assert done.returncode == 0, done.stderr
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


@pytest.fixture
def clone(adopted, tmp_path):
    git(tmp_path, "clone", "--quiet", str(adopted), "clone")
    return tmp_path / "clone"


def due_of_pair(folder, *targets):
    return due(folder, *(targets or ["all"]), sweep="config/pair.yaml")


def append(path, text="\n"):
    path.write_text(path.read_text() + text)


def test_fresh_clone_trains_nothing(clone):
    assert due_of_pair(clone, "runs", "chapters") == []
    assert due_of_pair(clone) == [BOOK]


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("book/method.md", [BOOK]),
        ("src/dsnlib/training/lagrangian.py", [*TRAINED, *PAGES, *CHAPTERS, BOOK]),
        ("src/dsnlib/plots/history.py", [*PAGES, *CHAPTERS, BOOK]),
        ("src/dsnlib/runs/session.py", [BOOK]),
        ("train.ipynb", [*PAGES, BOOK]),
        ("chapters/background.ipynb", ["book/background.ipynb", BOOK]),
        ("workflow/Snakefile", [BOOK]),
        ("README.md", [BOOK]),
    ],
)
def test_an_edit_makes_due_what_depends_on_it(clone, edited, expected):
    append(clone / edited)
    assert due_of_pair(clone) == sorted(expected)


def test_a_new_seed_trains_that_seed_alone(clone):
    (clone / "config" / "pair.yaml").write_text(PAIR.replace("seed: [1]", "seed: [1, 9]"))
    new = ["runs/c0-100_seed-9", "runs/c0-1_seed-9"]
    assert due_of_pair(clone, "runs") == sorted(
        [f"{run}/run.nc" for run in new] + [f"{run}.ipynb" for run in new]
    )


def test_other_parameters_make_due_the_runs_they_are_of(clone):
    (clone / "config" / "pair.yaml").write_text(PAIR[:-1] + ", fixed: {batch: 500}}")
    assert due_of_pair(clone, "runs") == sorted([*TRAINED, *PAGES])


def test_a_run_that_was_removed_is_due(clone):
    shutil.rmtree(clone / RUNS[0])
    assert set(due_of_pair(clone)) >= {f"{RUNS[0]}/run.nc", f"{RUNS[0]}.ipynb", BOOK}


def test_prose_edit_rebuilds_its_page_alone_and_broken_notebooks_are_refused(clone):
    sweep = "config/pair.yaml"
    # The report's contents name all the runs that are committed; the pair has two.
    done = snakemake(clone, "all", sweep=sweep)
    assert done.returncode == 0, done.stderr
    html = clone / "book" / "_build" / "html"
    before = {path: path.stat().st_mtime_ns for path in html.rglob("*.html")}
    assert html / "runs" / "c0-1_seed-1.html" in before
    append(clone / "book" / "bibliography.md", "\nA sentence more.\n")
    assert snakemake(clone, "all", sweep=sweep).returncode == 0
    written = {path.name for path in before if path.stat().st_mtime_ns > before[path]}
    # Sphinx writes the page with the contents, and those of its own, with every build.
    assert written - {"index.html", "genindex.html", "search.html"} == {"bibliography.html"}
    assert "A sentence more." in (html / "bibliography.html").read_text()

    page = clone / PAGES[0]
    whole = page.read_text()
    for damage, message in (
        (half_run, "code cell 3 of .* never ran"),
        (with_error, "code cell 3 failed with ValueError: no"),
        (lambda notebook: whole[: len(whole) // 2], "cannot be read"),
    ):
        page.write_text(damage(nbformat.reads(whole, as_version=4)))
        done = snakemake(clone, "all", sweep=sweep)
        assert done.returncode == 1
        assert re.search(f"{PAGES[0]}: .*{message}", done.stderr), done.stderr
    assert not (html / ".complete").exists()


def half_run(notebook):
    [cell for cell in notebook.cells if cell.cell_type == "code"][2].execution_count = None
    return nbformat.writes(notebook)


def with_error(notebook):
    cell = [cell for cell in notebook.cells if cell.cell_type == "code"][2]
    cell.outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])]
    return nbformat.writes(notebook)


WORKS, FAILS = "runs/learning_rate-0.001", "runs/learning_rate-1e+20"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of which one run fails: at a rate of 1e20 its gradients are not finite."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("swept"))
    fixed = TINY.replace("}", ", seed: 1}")
    (folder / "config" / "tiny.yaml").write_text(
        f"{{folder: tiny/runs, grid: {{learning_rate: [1.0e-3, 1.0e+20]}}, fixed: {fixed}}}"
    )
    return folder, snakemake(folder, "runs", sweep="config/tiny.yaml")


def test_a_failing_run_stops_no_other_and_is_named(swept):
    folder, done = swept
    assert done.returncode == 1
    assert load_run(folder / f"tiny/{WORKS}").settings.epochs == 2
    assert (folder / f"tiny/{WORKS}.ipynb").exists()
    assert not (folder / f"tiny/{FAILS}.ipynb").exists()
    last = (done.stdout + done.stderr).split("Where the sweep stands")[1]
    log, notebook = (
        f"logs/tiny/{FAILS}.log",
        f"logs/tiny/{FAILS}.ipynb",
    )
    assert "learning_rate-0.001  complete" in last
    assert f"see {log} and {notebook}" in last
    assert "not finite" in (folder / log).read_text()
    assert "SimulationError" in (folder / notebook).read_text()
    epoch = "epoch 2 done: c "
    assert epoch in (folder / f"logs/tiny/{WORKS}.log").read_text()


def test_one_thread_a_run(swept):
    assert load_run(swept[0] / f"tiny/{WORKS}").data.device.startswith("cpu: one thread of ")


def test_edited_training_code_trains_afresh(swept):
    folder = swept[0]
    run = folder / f"tiny/{WORKS}"
    before = load_run(run).data
    # What a killed run of the old code would have left must not be gone on with.
    append(folder / "src/dsnlib/training/lagrangian.py", "\n# edited\n")
    shutil.copy(folder / f"tiny/{FAILS}/checkpoint.npz", run)
    target = f"tiny/{WORKS}/run.nc"
    assert due(folder, target, sweep="config/tiny.yaml") == [target]
    done = snakemake(folder, target, sweep="config/tiny.yaml")
    assert done.returncode == 0, done.stderr
    after = load_run(run).data
    assert after.numerics != before.numerics
    assert "seconds" in after.attrs
    assert after.seconds != before.seconds
    assert after.equals(before)  # a comment changes no bit
    log = (folder / f"logs/tiny/{WORKS}.log").read_text()
    assert "learning_rate-0.001/checkpoint.npz was written by other training code: removed" in log


def test_status_line(tmp_path):
    log = tmp_path / "run.log"
    assert describe(tmp_path, log) == "not started"
    (tmp_path / "checkpoint.npz").write_bytes(b"half")
    (tmp_path / ".lock").write_text("process 7 on host a")
    assert describe(tmp_path, log) == "training, checkpoint unreadable, process 7 on host a"
    (tmp_path / ".lock").unlink()
    log.write_text("")
    assert describe(tmp_path, log) == f"STOPPED, checkpoint unreadable, see {log}"


def test_bad_grid_stops_before_anything_starts(tmp_path):
    folder = copy_of_the_repository(tmp_path)
    (folder / "config" / "bad.yaml").write_text("{folder: a/runs, grid: {cO: [1]}}")
    done = snakemake(folder, "all", sweep="config/bad.yaml")
    assert done.returncode == 1
    assert "bad.yaml: train.ipynb has no parameter 'cO' for grid; choose from T, batch" in (
        done.stdout + done.stderr
    )
    assert not (folder / "a").exists()
    assert not (folder / "logs").exists()


def test_stamp_covers_what_makes_runs_due():
    names = {path.name for path in numerics_files(dataclasses.asdict(Settings()))}
    assert {"stg.py", "lagrangian.py", "planar.py", "settings.py", "_xla.py"} <= names
    assert not {"session.py", "maps.py", "history.mplstyle", "dual.py", "resampled.py"} & names
    names = {path.name for path in numerics_files(dataclasses.asdict(Population()))}
    assert {"stg.py", "spline.py", "tempering.py", "resampled.py", "dual.py"} <= names


def test_training_part_of_the_notebook():
    source = nbformat.read(ROOT / "train.ipynb", as_version=4)
    cells = len(source.cells)
    part = train_step.training_part(source)
    assert "dsnlib.fit(" in part.cells[-1].source
    assert len(part.cells) < cells
    part.cells = part.cells[:-1]
    with pytest.raises(ValueError, match=r"must call dsnlib.fit\(...\) in one cell, got it in 0"):
        train_step.training_part(part)


HOLD = """
import os, sys
sys.path.insert(0, "workflow")
from execute import device
with device(["3", "7"]):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


def test_devices_are_assigned_one_a_run():
    def hold():
        return subprocess.Popen(
            [sys.executable, "-c", HOLD],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    first, second = hold(), hold()
    try:
        assert {p.stdout.readline().strip() for p in (first, second)} == {"3", "7"}
        with pytest.raises(RuntimeError, match=r"devices must .* got 3,7, all"), device(["3", "7"]):
            pass
    finally:
        first.kill()
        first.wait()
    third = hold()  # a killed run holds nothing
    assert third.stdout.readline().strip() in {"3", "7"}
    for process in (second, third):
        process.communicate("")


def test_no_devices_leave_the_environment_alone(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with device([]):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_contents_of_another_sweeps_book():
    report = yaml.safe_load((ROOT / "_toc.yml").read_text())
    other = contents(report, ["c0-1_seed-5", "flow-planar_learning_rate-1e-05_c0-100"])
    entries = [entry for part in other["parts"] for entry in part["chapters"]]
    files = [entry["file"] for entry in entries]
    assert files.count("runs/c0-1_seed-5") == 1
    assert "runs/c0-1_seed-1" not in files
    assert "method" in files
    titles = [entry["title"] for entry in entries if "title" in entry]
    assert titles[:2] == ["c0 = 1, seed = 5", "flow = planar, learning_rate = 1e-05, c0 = 100"]
    assert files.count("runs/recipe_seed-1") == 1
    assert len(files) == len(set(files))
    recipe = contents(report, ["recipe_seed-1"])
    files = [entry["file"] for part in recipe["parts"] for entry in part["chapters"]]
    assert files.count("runs/recipe_seed-1") == 1


def test_another_sweeps_book_has_what_its_pages_include(tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of_the_repository(tmp_path))
    lay_out("smoke/book", "smoke/runs", "c0-1_seed-5")
    included = [
        page.parent / name
        for page in Path("smoke/book").glob("*.md")
        for name in re.findall(r"^```\{(?:literal)?include\} (\S+)$", page.read_text(), re.M)
    ]
    assert included
    sources = [*Path("chapters").glob("*.ipynb"), *Path("book").glob("*.md")]
    linked = [
        Path("smoke/book") / name
        for source in sources
        for name in re.findall(r"\]\((runs/[^)]+)\)", source.read_text())
    ]
    assert linked
    assert [path for path in [*included, *linked] if not path.is_file()] == []

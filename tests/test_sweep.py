"""The sweep makes what is due, all of it and nothing else; what fails is named."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
import yaml

from dsnlib import AugmentedLagrangian, load_run
from dsnlib.methods import METHODS
from dsnlib.runs.provenance import numerics_files
from report.gallery.systems import SYSTEMS
from sweeps import ROOT, TINY, copy_of_the_repository, due, git, snakemake
from workflow.book import contents, files
from workflow.book import main as lay_out
from workflow.experiment import CIRCUIT_FILES, PAGES, experiment
from workflow.processes import device
from workflow.sources import parameters, read
from workflow.status import describe

# The committed runs with seed 1 stand for any: nothing of them is trained here.
PAIR = "{folder: runs, grid: {c0: [1, 100], seed: [1]}}"
RUNS = ["runs/c0-1_seed-1", "runs/c0-100_seed-1"]
TRAINED = sorted(f"{run}/run.nc" for run in RUNS)
SHOWN = sorted(f"{run}.ipynb" for run in RUNS)
BOOK = "book/_build/html/.complete"
GALLERY = sorted(f"report/gallery/{name}/run.nc" for name in SYSTEMS)
CHAPTERS = sorted(f"book/{path.stem}.ipynb" for path in (ROOT / "report/chapters").glob("*.py"))


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """A clone of a repository whose runs are up to date; git would write Windows' line ends."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("adopted"))
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    (folder / "config" / "pair.yaml").write_text(PAIR)
    done = snakemake(
        folder, "runs", "chapters", sweep="config/pair.yaml", options=["--touch", "--forceall"]
    )
    assert done.returncode == 0, done.stdout
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    parent = tmp_path_factory.mktemp("clones")
    git(parent, "clone", "--quiet", "--config", "core.autocrlf=true", str(folder), "a clone")
    return parent / "a clone"


@pytest.fixture
def clone(committed):
    """The clone, as it was committed."""
    yield committed
    git(committed, "reset", "--quiet", "--hard")
    git(committed, "clean", "--quiet", "-dffx", "--exclude", "__pycache__")


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
        ("src/dsnlib/methods/lagrangian/training.py", [*TRAINED, *SHOWN, *CHAPTERS, BOOK]),
        ("src/dsnlib/circuits/stg/equations.py", [*TRAINED, *GALLERY, *SHOWN, *CHAPTERS, BOOK]),
        ("src/dsnlib/circuits/linear2d.py", [*GALLERY, *SHOWN, *CHAPTERS, BOOK]),
        ("src/dsnlib/plots/history.py", [*SHOWN, *CHAPTERS, BOOK]),
        ("src/dsnlib/runs/folder.py", [BOOK]),
        ("src/dsnlib/storage/files.py", [BOOK]),
        ("report/claims.py", [*CHAPTERS, BOOK]),
        ("report/rules/modes.py", [*CHAPTERS, BOOK]),
        ("report/studies/gradients.py", [BOOK]),
        ("report/studies/problems.py", [*CHAPTERS, BOOK]),
        ("report/chapters/shared/gallery_trust.py", [*CHAPTERS, BOOK]),
        (
            "benchmarks/results/scaling.json",
            [
                "book/comparison.ipynb",
                "book/cost.ipynb",
                "book/systems.ipynb",
                "book/wrong.ipynb",
                BOOK,
            ],
        ),
        ("train.ipynb", [*SHOWN, BOOK]),
        ("report/chapters/background.py", ["book/background.ipynb", BOOK]),
        ("workflow/Snakefile", [BOOK]),
        ("README.md", [BOOK]),
    ],
)
def test_an_edit_makes_due_what_depends_on_it(clone, edited, expected):
    append(clone / edited, "# edited\n" if edited.endswith(".py") else "\n")
    assert due_of_pair(clone) == sorted(expected)


STRAYS = [
    "src/dsnlib/circuits/._stg.py", "src/dsnlib/plots/.#maps.py", "src/dsnlib/flows/x copy.py",
    "report/._claims.py", "report/figures/.#film.py", "report/chapters/._cause.py",
    "report/chapters/.#x.py", "report/chapters/cause copy.py", "report/studies/results/._x.nc",
    "benchmarks/results/._step.json", "benchmarks/results/step.json~", "book/._index.md",
    "book/.#api.md", "book/assets/._book.css", "book/extensions/.#x.py", "runs/._x/run.nc",
    "workflow/._grid.py", "config/._note.yaml",
]  # fmt: skip


def leave_strays(folder):
    """What macOS (binary), emacs (a link that leads nowhere) and others leave beside files."""
    for stray in STRAYS:
        path = folder / stray
        path.parent.mkdir(exist_ok=True)
        if path.name.startswith(".#"):
            path.symlink_to("somebody@somewhere.7")
        else:
            path.write_bytes(b"\x00\x05\x16\x07\xff")


def test_what_editors_leave_behind_makes_nothing_due(clone):
    leave_strays(clone)
    assert due_of_pair(clone) == [BOOK]


def test_a_new_seed_trains_only_that_seed(clone):
    (clone / "config" / "pair.yaml").write_text(PAIR.replace("seed: [1]", "seed: [1, 9]"))
    new = ["runs/c0-100_seed-9", "runs/c0-1_seed-9"]
    assert due_of_pair(clone, "runs") == sorted(
        [f"{run}/run.nc" for run in new] + [f"{run}.ipynb" for run in new]
    )


def test_other_parameters_make_due_the_runs_they_are_of(clone):
    (clone / "config" / "pair.yaml").write_text(PAIR[:-1] + ", fixed: {batch: 500}}")
    assert due_of_pair(clone, "runs") == sorted([*TRAINED, *SHOWN])


def test_a_run_that_was_removed_is_due(clone):
    shutil.rmtree(clone / RUNS[0])
    assert set(due_of_pair(clone)) >= {f"{RUNS[0]}/run.nc", f"{RUNS[0]}.ipynb", BOOK}


def test_prose_edit_rebuilds_only_its_page_and_broken_notebooks_are_refused(clone):
    sweep = "config/pair.yaml"
    pages = ["bibliography", "runs/c0-1_seed-1"]
    toc = {"format": "jb-book", "root": "cite", "chapters": [{"file": page} for page in pages]}
    (clone / "_toc.yml").write_text(yaml.safe_dump(toc))
    leave_strays(clone)
    done = snakemake(clone, "all", sweep=sweep)
    assert done.returncode == 0, done.stdout
    html = clone / "book" / "_build" / "html"
    before = {path: path.stat().st_mtime_ns for path in html.rglob("*.html")}
    assert html / "runs" / "c0-1_seed-1.html" in before
    append(clone / "book" / "bibliography.md", "\nA sentence more.\n")
    assert snakemake(clone, "all", sweep=sweep).returncode == 0
    written = {path.name for path in before if path.stat().st_mtime_ns > before[path]}
    # Sphinx writes the root, which has the contents, and pages of its own with every build.
    always = {"cite.html", "index.html", "genindex.html", "search.html"}
    assert written - always == {"bibliography.html"}
    assert "A sentence more." in (html / "bibliography.html").read_text()

    damages = {
        SHOWN[0]: (half_run, "code cell 3 of .* never ran"),
        SHOWN[1]: (with_error, "code cell 3 failed with ValueError: no"),
        CHAPTERS[0]: (lambda notebook: nbformat.writes(notebook)[:1_000], "cannot be read"),
    }
    for path, (damage, _) in damages.items():
        page = clone / path
        page.write_text(damage(nbformat.read(page, as_version=4)))
    done = snakemake(clone, "all", sweep=sweep)
    assert done.returncode == 1
    for path, (_, message) in damages.items():
        assert re.search(f"{path}: .*{message}", done.stdout), done.stdout
    assert not (html / ".complete").exists()


def half_run(notebook):
    [cell for cell in notebook.cells if cell.cell_type == "code"][2].execution_count = None
    return nbformat.writes(notebook)


def with_error(notebook):
    cell = [cell for cell in notebook.cells if cell.cell_type == "code"][2]
    cell.outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])]
    return nbformat.writes(notebook)


WORKS, FAILS = "runs/learning_rate-0.001", "runs/learning_rate-1e+20"
FOREIGN = {"argv": ["false"], "display_name": "of another environment", "language": "python"}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of which one run fails: at a rate of 1e20 its gradients are not finite.

    Its surroundings are what broke sweeps: a space in the path, a kernel `python3` that is not
    this Python's, no imports from the script's folder.
    """
    parent = tmp_path_factory.mktemp("swept")
    folder = copy_of_the_repository(parent / "a sweep")
    kernel = parent / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(FOREIGN))
    fixed = TINY.replace("}", ", seed: 1}")
    (folder / "config" / "tiny.yaml").write_text(
        "{folder: tiny/runs, notebook: page.ipynb, "
        f"grid: {{learning_rate: [1.0e-3, 1.0e+20]}}, fixed: {fixed}}}"
    )
    page = read(ROOT / "train.ipynb")
    page.cells = [cell for cell in page.cells if "parameters" in cell.metadata.get("tags", [])]
    page.cells[0].source += '\ngradient = "score"'  # compiles faster
    for code in ("import sys", "print(sys.prefix)", 'print("complete")'):
        page.cells.append(nbformat.v4.new_code_cell(code))
    nbformat.write(page, folder / "page.ipynb")
    variables = {"PYTHONSAFEPATH": "1", "JUPYTER_PATH": str(parent)}
    done = snakemake(folder, "runs", sweep="config/tiny.yaml", variables=variables)
    return folder, done


def test_a_failing_run_stops_no_other_and_is_named(swept):
    folder, done = swept
    assert done.returncode == 1
    assert load_run(folder / f"tiny/{WORKS}").method.epochs == 2, done.stdout
    assert not (folder / f"tiny/{FAILS}.ipynb").exists()
    log = f"logs/tiny/{FAILS}.log"
    last = done.stdout.split("Where the sweep stands")[1]
    assert "learning_rate-0.001  complete" in last
    assert re.search(f"STOPPED, epoch 0 done, 0% done [0-9]+ s ago, see {re.escape(log)}", last)
    assert "SimulationError" in (folder / log).read_text()
    # The log of a run has a line for each epoch, and no progress bar.
    lines = (folder / f"logs/tiny/{WORKS}.log").read_text().splitlines()
    assert any(line.startswith("learning_rate-0.001: epoch 2 done: c ") for line in lines)
    assert not any("it/s" in line for line in lines)


def test_pages_run_in_the_sweeps_own_python(swept):
    page = nbformat.read(swept[0] / f"tiny/{WORKS}.ipynb", as_version=4)
    assert page.cells[-2].outputs[0].text == f"{sys.prefix}\n"


def test_one_thread_a_run(swept):
    assert load_run(swept[0] / f"tiny/{WORKS}").data.device.startswith("cpu: one thread of ")


def test_edited_training_code_trains_afresh(swept):
    folder = swept[0]
    run = folder / f"tiny/{WORKS}"
    before = load_run(run).data
    # What a killed run of the old code would have left must not be gone on with.
    append(folder / "src/dsnlib/methods/lagrangian/training.py", "\n# edited\n")
    shutil.copy(folder / f"tiny/{FAILS}/checkpoint.npz", run)
    target = f"tiny/{WORKS}/run.nc"
    assert due(folder, target, sweep="config/tiny.yaml") == [target]
    done = snakemake(folder, target, sweep="config/tiny.yaml")
    assert done.returncode == 0, done.stdout
    after = load_run(run).data
    assert after.numerics != before.numerics
    assert "seconds" in after.attrs
    assert after.seconds != before.seconds
    assert after.equals(before)  # a comment changes no bit
    log = (folder / f"logs/tiny/{WORKS}.log").read_text()
    assert "learning_rate-0.001/checkpoint.npz was written by other training code: removed" in log


def test_status_line(tmp_path):
    log = tmp_path / "run.log"
    given = {"method": "lagrangian", "mean": 0.5, "sd": 0.1, "seed": 1}
    line = partial(describe, experiment(given), tmp_path, log)
    assert line() == "not started"
    (tmp_path / "checkpoint.npz").write_bytes(b"half")
    (tmp_path / ".lock").write_text("process 7 on host a")
    assert line() == "training, checkpoint damaged, process 7 on host a"
    (tmp_path / ".lock").unlink()
    log.write_text("")
    assert line() == f"STOPPED, checkpoint damaged, see {log}"
    assert (tmp_path / "checkpoint.npz").read_bytes() == b"half"  # only looked at


def test_bad_grid_stops_before_anything_starts(tmp_path):
    folder = copy_of_the_repository(tmp_path)
    (folder / "config" / "bad.yaml").write_text("{folder: a/runs, grid: {cO: [1]}}")
    done = snakemake(folder, "all", sweep="config/bad.yaml")
    assert done.returncode == 1
    assert "bad.yaml: train.ipynb has no parameter 'cO' for grid; choose from T, batch" in (
        done.stdout + done.stdout
    )
    assert not (folder / "a").exists()
    assert not (folder / "logs").exists()


def test_stamp_covers_what_makes_runs_due():
    names = {path.name for path in numerics_files(AugmentedLagrangian)}
    assert {"base.py", "training.py", "planar.py", "settings.py", "_xla.py"} <= names
    assert {Path(path).name for path in CIRCUIT_FILES} >= {"circuit.py", "gates.py", "frequency.py"}
    assert all(Path(path).is_file() for path in CIRCUIT_FILES)
    assert not {"folder.py", "maps.py", "history.mplstyle", "grid.py", "smc.py"} & names


def test_every_method_has_a_page_whose_parameters_it_takes():
    own = {name for name, method in METHODS.items() if method.__module__.startswith("dsnlib.")}
    assert PAGES.keys() == own - {"uniform"}  # which circuit.ipynb shows, for any circuit
    for name, page in PAGES.items():
        given = parameters(read(ROOT / page))
        wanted = experiment({"method": name} | given)
        assert type(wanted.method) is METHODS[name]
        assert (wanted.circuit.T, wanted.prop.mean) == (given["T"], (given["mean"],))


def test_parameters_reach_their_owners():
    given = {"method": "lagrangian", "mean": 0.5, "sd": 0.1, "seed": 7, "T": 300, "c0": 10.0}
    wanted = experiment(given)
    assert (wanted.circuit.T, wanted.prop.sd, wanted.seed) == (300, (0.1,), 7)
    assert wanted.method == AugmentedLagrangian(c0=10.0)
    with pytest.raises(ValueError, match=r"nor method lagrangian takes 'cO'; choose from T, batch"):
        experiment(given | {"cO": 1.0})
    with pytest.raises(ValueError, match=r"method must be one of .*lagrangian.*, got 'em'"):
        experiment(given | {"method": "em"})


def test_makefile_where_paths_hold_spaces(tmp_path):
    folder = tmp_path / "a b"
    (folder / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml", ".venv/installed"):
        (folder / name).touch()
    stub = folder / ".venv/bin/snakemake"
    stub.write_text('#!/bin/sh\nprintf "%s\\n" "$JAX_COMPILATION_CACHE_DIR" "$@"\n')
    stub.chmod(0o755)

    def made(*arguments):
        command = ["make", "--silent", *arguments]
        return subprocess.check_output(command, cwd=folder, text=True).splitlines()

    profile = ["--profile", "profiles/laptop", "--config"]
    smoke = [f"{folder}/smoke/compiled", *profile, "sweep=config/smoke.yaml", "--", "all"]
    assert made("smoke") == smoke
    assert made("runs", "SWEEP=my grid.yaml")[1:] == [*profile, "sweep=my grid.yaml", "--", "runs"]


HOLD = """
import os, sys
from workflow.processes import device
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
    entries = {entry["file"]: entry for part in other["parts"] for entry in part["chapters"]}
    pages = list(files(other))
    assert pages.count("runs/c0-1_seed-5") == 1
    assert not {"runs/c0-1_seed-1", "runs_lagrangian"} & set(pages)
    assert "method" in pages
    titles = [page["title"] for page in entries["sweep"]["sections"]]
    assert titles == ["c0 = 1, seed = 5", "flow = planar, learning_rate = 1e-05, c0 = 100"]
    assert pages.count("runs/smc_seed-1") == 1
    assert len(pages) == len(set(pages))
    smc = contents(report, ["smc_seed-1"])
    assert list(files(smc)).count("runs/smc_seed-1") == 1
    seeds = [f"smc_seed-{seed}" for seed in range(1, 9)]
    assert "runs_smc" not in files(contents(report, seeds))  # nothing would be left under it


def test_every_committed_run_has_its_page_in_the_book():
    report = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [page for page in files(report) if page.startswith("runs/")]
    assert sorted(listed) == sorted(f"runs/{path.stem}" for path in (ROOT / "runs").glob("*.ipynb"))


def test_another_sweeps_book_has_what_its_pages_include(tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of_the_repository(tmp_path))
    lay_out("smoke/book", "smoke/runs", "c0-1_seed-5")
    included = [
        page.parent / name
        for page in Path("smoke/book").glob("*.md")
        for name in re.findall(r"^```\{(?:literal)?include\} (\S+)$", page.read_text(), re.M)
    ]
    assert included
    chapters = list(Path("report/chapters").glob("*.py"))
    own = {str(path) for path in chapters if "runs" in parameters(read(path))}
    sources = [*chapters, *Path("book").glob("*.md")]
    linked = [
        Path("smoke/book") / name
        for source in sources
        for name in re.findall(r"\]\(([\w/.-]+\.(?:md|ipynb))\)", source.read_text())
        # Chapters with a parameter `runs` are executed for the sweep, into its book.
        if f"report/chapters/{Path(name).stem}.py" not in own
    ]
    assert linked
    assert [path for path in [*included, *linked] if not path.is_file()] == []

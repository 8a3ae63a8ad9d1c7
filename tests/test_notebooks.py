"""Source notebooks are empty, executed ones complete and true to their source."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import nbformat
import numpy as np
import pytest
from scipy import stats

from dsnlib import AugmentedLagrangian, load_run
from workflow.sources import parameters, read

ROOT = Path(__file__).parent.parent
SOURCES = [
    ROOT / "train.ipynb",
    ROOT / "smc.ipynb",
    ROOT / "circuit.ipynb",
]
EXECUTED = [
    path
    for folder in ("runs", "book")
    for path in sorted((ROOT / folder).glob("*.ipynb"))
    if not path.name.endswith(".tmp.ipynb")  # papermill is still at work on these
]
RUNS = sorted((ROOT / "runs").glob("c0-*/run.nc"))
SENTINEL = "complete\n"


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def source_of(path):
    if path.parent.name == "book":
        return ROOT / "report" / "chapters" / f"{path.stem}.py"
    return ROOT / ("smc.ipynb" if path.name.startswith("smc") else "train.ipynb")


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_source_notebooks_hold_no_outputs(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_figures_and_tables_of_source_notebooks_have_captions_and_names(path):
    found = []
    for cell in code_cells(path):
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if figure is not None:
            assert len(cell.metadata.mystnb.image.alt) > 40
            found.append(("fig", figure))
        elif "caption" in cell.metadata:
            found.append((cell.metadata.get("kind", "table")[:3], cell.metadata))
        else:  # nothing that matplotlib or pandas would show
            last = cell.source.rstrip().splitlines()[-1]
            assert not last.startswith(("figure", "pd.DataFrame", "pd.Series", "tables.")), last
    for kind, shown in found:
        assert shown["name"].startswith(f"{kind}-{path.stem}-")
        assert shown["caption"].endswith(".")
    assert len({shown["name"] for _, shown in found}) == len(found) > 5


def test_the_notebook_takes_every_setting_of_the_method():
    given = parameters(read(ROOT / "train.ipynb"))
    fields = {field.name: field.default for field in dataclasses.fields(AugmentedLagrangian)}
    assert {name: given[name] for name in fields} == fields | {"epochs": 12}


@pytest.mark.parametrize("path", EXECUTED, ids=names(EXECUTED))
def test_executed_notebooks_are_complete(path):
    cells = code_cells(path)
    assert all(cell.execution_count for cell in cells), "a cell never ran"
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert cells[-1].outputs[-1].text == SENTINEL


@pytest.mark.parametrize("path", EXECUTED, ids=names(EXECUTED))
def test_executed_notebooks_show_their_source(path):
    executed = [
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    assert executed == [cell.source for cell in read(source_of(path)).cells]


@pytest.mark.parametrize("path", EXECUTED, ids=names(EXECUTED))
def test_every_figure_has_alt_text(path):
    for cell in code_cells(path):
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        if kinds & {"image/png", "image/svg+xml"}:
            assert len(cell.metadata["mystnb"]["image"]["alt"]) > 40


@pytest.mark.parametrize("path", [*SOURCES, *EXECUTED], ids=names([*SOURCES, *EXECUTED]))
def test_notebooks_carry_no_absolute_path(path):
    text = path.read_text()
    assert str(ROOT) not in text
    assert "/tmp/" not in text


def test_committed_run_is_the_notes_own_size():
    run = load_run(ROOT / "runs" / "c0-1_seed-1")
    settings = run.method
    assert (settings.c0, run.data.seed) == (1.0, 1)
    assert (settings.epochs, settings.iterations, settings.batch) == (12, 10_000, 1_000)
    assert (settings.flow, settings.layers, settings.beta, settings.gamma) == (
        "planar",
        10,
        4,
        0.25,
    )
    assert json.loads(run.data.circuit) == {
        "name": "STG", "T": 200, "dt": 0.025, "window": 20, "g_synB": 5.0
    }  # fmt: skip
    assert not run.data.git_commit.endswith("+changes")
    files = [ROOT / "runs" / "c0-1_seed-1.ipynb", ROOT / "runs" / "c0-1_seed-1" / "run.nc"]
    assert sum(file.stat().st_size for file in files) < 5e6


@pytest.mark.parametrize("path", RUNS, ids=names(RUNS))
def test_committed_runs_agree_with_the_circuit_of_today(path):
    from test_stg import plain_frequency, plain_voltage  # the second implementation

    data = load_run(path.parent).data
    assert np.isfinite(data.entropy).all()
    assert (
        (data.z > data.bounds.sel(bound="low")) & (data.z < data.bounds.sel(bound="high"))
    ).all()
    z = data.z[::3, :100].values.reshape(-1, 2).astype(float)
    stored = data.moments[::3, :100, 0].values.ravel()
    recomputed = plain_frequency(plain_voltage(z, 200, 0.025, 5.0)[:, 2], 0.025, 20)
    # Single precision: the frequency agrees but on the cliffs of the map.
    assert (np.abs(stored - recomputed) < 2e-3).mean() > 0.98


@pytest.mark.parametrize("path", RUNS, ids=names(RUNS))
def test_initial_fit_of_committed_runs_by_quadrature(x64, path):
    run = load_run(path.parent)
    cells = 500
    midpoints = 20 * (np.arange(cells) + 0.5) / cells
    grid = np.stack(np.meshgrid(midpoints, midpoints), axis=-1).reshape(-1, 2)
    log_q = np.asarray(run.network(0).log_prob(grid.astype(np.float32)), float)
    log_p = stats.truncnorm(-4 / 3, 16 / 3, loc=4, scale=3).logpdf(grid).sum(axis=1)
    kl = (np.exp(log_q) * (log_q - log_p)).sum() * (20 / cells) ** 2
    assert abs(kl - run.data.initial_kl) < 5 * run.data.initial_kl_se
    assert run.data.initial_kl < 0.01


@pytest.mark.parametrize("path", RUNS, ids=names(RUNS))
@pytest.mark.parametrize("epoch", [0, 4, -1])
def test_log_prob_of_committed_networks_at_their_own_samples(x64, path, epoch):
    q = load_run(path.parent).network(epoch)
    z, intermediates = q.sample_with_intermediates(jax.random.key(0), (1_000,))
    np.testing.assert_allclose(q.log_prob(z), q.log_prob(z, intermediates), atol=1e-5)


def papermill(target, *parameters):
    return subprocess.run(
        [sys.executable, "-m", "papermill", "train.ipynb", str(target), *parameters],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_committed_run_is_loaded_and_not_trained(tmp_path):
    outcome = papermill(tmp_path / "out.ipynb", "-p", "c0", "1")
    assert outcome.returncode == 0, outcome.stderr
    text = (tmp_path / "out.ipynb").read_text()
    assert "runs/c0-1_seed-1 held this run complete: it was loaded, not trained." in text
    assert "To train afresh, remove runs/c0-1_seed-1" in text
    assert code_cells(tmp_path / "out.ipynb")[-1].outputs[-1].text == SENTINEL


FIGURE = """
import matplotlib.pyplot as plt
from dsnlib.plots import use_style
use_style()
_, (lines, cells) = plt.subplots(1, 2)
lines.plot([1, 3, 2], label="a line")
lines.legend()
cells.pcolormesh([[1, 2], [3, 4]], rasterized=True)
"""


def test_executed_pages_keep_no_progress_bars(tmp_path):
    source = tmp_path / "bar.ipynb"
    cells = ["from tqdm.auto import tqdm\nlist(tqdm(range(3)))", f"print({SENTINEL.strip()!r})"]
    cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    target = tmp_path / "executed.ipynb"
    command = [sys.executable, "-m", "workflow.execute", source, tmp_path / "scratch", target, "{}"]
    environment = os.environ | {"TQDM_DISABLE": "1"}
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=ROOT)
    assert [o.output_type for o in code_cells(target)[0].outputs] == ["execute_result"]


def test_kernels_share_no_ports(tmp_path):
    """Of two that chose the same, one dies before its first cell."""
    source, places = tmp_path / "where.ipynb", []
    cells = ["import ipykernel; print(ipykernel.get_connection_info())"]
    cells = [nbformat.v4.new_code_cell(cell) for cell in (*cells, f"print({SENTINEL.strip()!r})")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    for name in ("one", "two"):
        target = tmp_path / f"{name}.ipynb"
        command = [sys.executable, "-m", "workflow.execute", source, tmp_path / name, target, "{}"]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        (said,) = code_cells(target)[0].outputs
        connection = json.loads(said.text)
        assert connection["transport"] == "ipc"
        places.append(connection["ip"])
    assert len({*places}) == 2  # beginnings of the names of their sockets
    assert not any(Path(place).parent.exists() for place in places)


def test_figures_are_svg_and_the_same_in_every_process(tmp_path):
    source = tmp_path / "figure.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FIGURE)]), source)
    figures = []
    for name in ("one.ipynb", "two.ipynb"):
        command = [sys.executable, "-m", "papermill", "-k", "python3", source, tmp_path / name]
        subprocess.run(command, check=True, capture_output=True)
        (cell,) = code_cells(tmp_path / name)
        figures += [o.data for o in cell.outputs if "data" in o and len(o.data) > 1]
    one, two = figures
    assert one == two
    assert "image/png" not in one
    assert "<dc:date>" not in one["image/svg+xml"]
    assert 'xlink:href="data:image/png' in one["image/svg+xml"]  # cells, not lines, are pixels


def test_small_run_through_the_notebook(tmp_path):
    small = [
        "-p",
        "epochs",
        "2",
        "-p",
        "iterations",
        "20",
        "-p",
        "batch",
        "20",
        "-p",
        "layers",
        "2",
    ]
    folder = str(tmp_path / "run")
    outcome = papermill(tmp_path / "out.ipynb", *small, "-p", "c0", "100", "-p", "out", folder)
    assert outcome.returncode == 0, outcome.stderr
    assert load_run(folder).method.c0 == 100
    assert f"Trained into {folder}" in (tmp_path / "out.ipynb").read_text()


def modified():
    """When each file of the committed runs was last written."""
    return {path: path.stat().st_mtime_ns for path in (ROOT / "runs").rglob("*")}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (["-p", "c0", "0"], "c0 must be finite and above 0, got 0"),
        (["-p", "epoch", "3"], "no parameter is called epoch; choose from"),
    ],
)
def test_bad_parameters_stop_the_notebook(tmp_path, parameters, message):
    before = modified()
    outcome = papermill(tmp_path / "out.ipynb", *parameters)
    assert outcome.returncode == 1
    assert message in outcome.stderr
    assert modified() == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"seed": "1"}, "seed must be a whole number from 0 on, got '1'"),
        ({"layers": "[64]"}, "layers must be a whole number from 1 on, got '[64]'"),
        ({"out": 2024}, "out must be the path of a folder, got 2024; pass"),
        ({"iterations": 7}, "out must be a new folder or one of the same run"),
    ],
)
def test_bad_parameters_stop_its_cells(monkeypatch, parameters, message):
    before = modified()
    monkeypatch.chdir(ROOT)
    space = {}

    def execute():
        for cell in code_cells(ROOT / "train.ipynb"):
            exec(cell.source, space)
            if "parameters" in cell.metadata.tags:
                space.update(parameters)  # as papermill injects them

    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        execute()
    assert "run" not in space
    assert modified() == before

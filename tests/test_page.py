"""The page of an answer: conditionals, directions, traces, tables, sharing, and its notebook."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import dsnlib
from dsnlib import Circuit, EmergentProperty, Parameter, Statistic, Uniform
from dsnlib.answer import (
    Regions,
    conditional,
    covariance_directions,
    directions,
    regions,
    traced,
    traces,
)
from dsnlib.answer.tables import parameters_table, statistics_table
from dsnlib.circuits.box import Box
from dsnlib.plots import conditional_widget, plot_conditionals, plot_traces

ROOT = Path(__file__).parent.parent


def run_with(z, low=-9.0, high=9.0, scale="linear", seed=1):
    """What these functions ask of a run whose samples are z (islands, n, P)."""
    names = [f"x{k}" for k in range(z.shape[-1])]
    samples = {name: (("island", "sample"), z[..., k]) for k, name in enumerate(names)}
    bounds = {"low": low, "high": high, "scale": scale}
    parameters = [{"name": name, "unit": "nS", **bounds} for name in names]
    data = xr.Dataset(attrs={"parameters": json.dumps(parameters)})
    box = Box.of(dsnlib.Parameter(**described) for described in parameters)
    return SimpleNamespace(data=data, samples=xr.Dataset(samples), z=z, seed=seed, box=box)


def pair(rho, n=10_000, seed=0):
    """Two correlated standard normals on four islands, and a third one."""
    x, e, other = np.random.default_rng(seed).normal(size=(3, 4, n))
    return np.stack([x, rho * x + np.sqrt(1 - rho**2) * e, other], axis=-1)


@pytest.mark.parametrize(("rho", "at"), [(0.9, 0.0), (0.9, 1.0), (-0.99, -1.5)])
def test_conditional_of_a_correlated_pair(rho, at):
    left = conditional(run_with(pair(rho)), {"x0": at})
    assert left.effective == pytest.approx(1_000, rel=1e-6)
    # x0 is normal with sd 1, seen through a kernel of width h
    h = left.bandwidth["x0"]
    mean, variance = at / (1 + h**2), h**2 / (1 + h**2)
    sd = np.sqrt(1 - rho**2 + rho**2 * variance)
    row = left.table.loc["x1"]
    error = sd / np.sqrt(left.effective)
    assert row["mean"] == pytest.approx(rho * mean, abs=4 * error)
    assert row["sd"] == pytest.approx(sd, abs=4 * error / np.sqrt(2))
    assert sd < 1.2 * np.sqrt(1 - rho**2)  # narrow enough for a stiff answer
    for level, z in ((5, -1.6449), (50, 0.0), (95, 1.6449)):
        spread = np.sqrt(level * (100 - level)) / 100 / np.exp(-(z**2) / 2) * np.sqrt(2 * np.pi)
        assert row[f"{level} %"] == pytest.approx(rho * mean + z * sd, abs=4 * spread * error)
    assert abs(left.table.loc["x2"]["mean"]) < 4 / np.sqrt(left.effective)
    assert left.weights.sum() == pytest.approx(1)


def test_conditional_of_a_ring():
    """Where x0 is small, x1 is at both sides: its mean is 0, its distance is the radius."""
    rng = np.random.default_rng(2)
    angle, radius = rng.uniform(0, 2 * np.pi, (4, 10_000)), rng.normal(3, 0.1, (4, 10_000))
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    row = conditional(run_with(ring), {"x0": 0.0}).table.loc["x1"]
    assert abs(row["mean"]) < 4 * 3 / np.sqrt(1_000)
    assert row["sd"] == pytest.approx(3, abs=0.05)
    assert (row["5 %"], row["95 %"]) == pytest.approx((-3, 3), abs=0.3)


def test_conditional_on_a_logarithmic_scale():
    z = np.exp(pair(0.9))
    left = conditional(run_with(z, 1e-4, 1e4, "log"), {"x0": 1.0})
    same = conditional(run_with(pair(0.9), np.log(1e-4), np.log(1e4)), {"x0": 0.0})
    assert left.bandwidth["x0"] == pytest.approx(same.bandwidth["x0"])
    assert left.table.loc["x1"]["50 %"] == pytest.approx(np.exp(same.table.loc["x1"]["50 %"]))


def test_conditional_where_too_few_samples_remain():
    left = conditional(run_with(pair(0.5)), {"x0": 5.0, "x1": 0.0})
    assert left.effective < 50
    assert left.table.loc["x2"].drop("unit").isna().all()
    assert not left.weights.any()
    assert left.note.startswith("Too few samples remain")
    assert conditional(run_with(pair(0.5)), {"x0": 8.0}).effective == 0


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({}, "fixed must map names among x0, x1, x2 to values"),
        ({"y": 1.0}, "fixed must hold names among x0, x1, x2, got 'y'"),
        ({"x0": 10.0}, r"x0 must lie in \[-9, 9\] nS, its bounds, got 10"),
    ],
)
def test_conditional_refuses(fixed, message):
    with pytest.raises(ValueError, match=message):
        conditional(run_with(pair(0.5, 100)), fixed)


def test_directions_of_the_covariance():
    z = pair(0.9, 500)
    z[..., 2] *= 0.1
    half = z[..., 2] > 0
    found = Regions((~half).astype(int), pd.DataFrame({"share": [half.mean(), 1 - half.mean()]}))
    for chosen, got in (
        (z.reshape(-1, 3), covariance_directions(run_with(z))),
        (z[~half], covariance_directions(run_with(z), found, 1)),
    ):
        centred = (chosen - chosen.mean(axis=0)) / 18  # the box
        values, vectors = np.linalg.eigh(centred.T @ centred / (len(chosen) - 1))
        np.testing.assert_allclose(got.sd, np.sqrt(values), rtol=1e-9)
        np.testing.assert_allclose(abs(got.vectors @ vectors), np.eye(3), atol=1e-7)
        np.testing.assert_allclose(got.z, chosen.mean(axis=0))
    with pytest.raises(ValueError, match="region must be from 0 to 1, got 2"):
        covariance_directions(run_with(z), found, 2)
    assert covariance_directions(run_with(z[..., :1])).vectors.shape == (1, 1)


@pytest.mark.parametrize("n", [400, 2_500])
def test_regions_of_one_parameter(n):
    """On a line, chance gaps are no regions, a real one is."""
    rng = np.random.default_rng(n)
    z = rng.normal(size=(4, n, 1))
    assert len(regions(run_with(z)).table) == 1
    small = rng.random((4, n, 1)) < 0.05
    found = regions(run_with(z + np.where(small, 8, 0)))
    assert len(found.table) == 2
    assert (found.labels == small[..., 0]).mean() > 0.99


def test_conditional_figure_and_widget():
    run = run_with(pair(0.9, 1_000))
    figure = plot_conditionals(run, "x0", [0.0, 8.0])
    assert [ax.get_xlabel() for ax in figure.axes] == ["x1 (nS)", "x2 (nS)"]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["all", "x0 = 0 nS", "x0 = 8 nS (too few samples)"]
    with pytest.raises(ValueError, match="got one; there is nothing to show"):
        plot_conditionals(run_with(pair(0.9, 100)[..., :1]), "x0")
    with pytest.raises(ValueError, match="fixed must hold names among x0, x1, x2, got 'y'"):
        plot_conditionals(run, "y")
    (choice, slider), note, _ = (
        w.children if hasattr(w, "children") else w for w in conditional_widget(run).children
    )
    assert slider.min == run.samples.x0.values.min()
    assert slider.value == pytest.approx(np.median(run.samples.x0), abs=0.1)
    before = note.value
    slider.value = slider.max
    assert note.value != before
    choice.value = "x1"
    assert (slider.description, slider.max) == ("x1 (nS)", run.samples.x1.values.max())


@dataclasses.dataclass(frozen=True)
class Decay(Circuit):
    """A rate and an amplitude; its activity can be drawn."""

    parameters = (Parameter("rate", "1/s", 0, 2), Parameter("size", "mV", 0, 2))
    observables = (Statistic("half", "mV"),)

    def evaluate(self, z):
        return z[:, 1:] * jnp.exp(-z[:, :1])

    def trace(self, z):
        t = np.linspace(0, 1, 11)
        return t, {"v (mV)": z[:, 1:] * np.exp(-z[:, :1] * t)}


class Outside(Decay):
    """The same, outside of JAX."""

    def evaluate(self, z):
        def simulate(z):
            z = np.asarray(z)
            return (z[:, 1:] * np.exp(-z[:, :1])).astype(z.dtype)

        return jax.pure_callback(simulate, jax.ShapeDtypeStruct((len(z), 1), z.dtype), z)


@pytest.fixture(scope="module")
def decay(tmp_path_factory):
    out = tmp_path_factory.mktemp("decay") / "run"
    method = Uniform(samples=4_000)  # quicker to compile than SMC
    return dsnlib.fit(Decay(), EmergentProperty([0.5], [0.1]), method, seed=1, out=out), out


def test_traces(decay):
    run, _ = decay
    found = regions(run)
    got = traces(run, found, 2)
    assert len(got.regions) == len(found.table)
    assert got.regions[0]["v (mV)"].shape == (2, 11)
    chosen = run.z.reshape(-1, 2)
    assert np.isin(got.regions[0]["v (mV)"][:, 0], chosen[:, 1]).all()
    figure = plot_traces(run, found, 2)
    assert figure.subfigs[-1].axes[-1].get_xlabel() == "time (s)"
    held = traced(Decay().fix(rate=1.0))
    np.testing.assert_allclose(
        held.trace(np.array([[2.0]]))[1]["v (mV)"][0], 2 * np.exp(-np.linspace(0, 1, 11)), rtol=1e-5
    )
    assert traced(dsnlib.Linear2D()) is None
    with pytest.raises(ValueError, match="circuit must have a method trace"):
        traces(dataclasses.replace(run, circuit=dsnlib.Linear2D()), found)


def test_traces_of_the_stg_are_its_voltages():
    stg = dsnlib.STG(T=20)
    t, voltages = stg.trace([[4.0, 4.0], [7.5, 1.0]])
    np.testing.assert_allclose(voltages["hub (mV)"], 1e3 * stg.simulate([[4.0, 4.0], [7.5, 1.0]]))
    assert t[-1] == pytest.approx(0.5)
    assert len(voltages) == 5


def test_curvature_needs_a_circuit_that_jax_differentiates(decay):
    run = dataclasses.replace(decay[0], circuit=Outside())
    with pytest.raises(ValueError, match="differentiates twice, got Outside"):
        directions(run)


def test_tables(decay):
    run, _ = decay
    rows = statistics_table(run)
    values = run.samples.half.values
    assert list(rows.index) == ["half (mV)"]
    assert float(rows["mean"].iloc[0]) == pytest.approx(values.mean(), abs=2e-3)
    assert rows["target sd"].iloc[0] == "0.1"
    rows = parameters_table(run)
    assert float(rows.loc["size (mV)", "95 %"]) == pytest.approx(
        np.quantile(run.samples["size"], 0.95), abs=2e-2
    )


def test_csv_holds_every_sample(decay, tmp_path):
    run, _ = decay
    run.to_csv(tmp_path / "samples.csv")
    table = pd.read_csv(tmp_path / "samples.csv")
    assert list(table.columns) == ["island", "rate (1/s)", "size (mV)", "half (mV)"]
    for island, rows in table.groupby("island"):
        np.testing.assert_array_equal(rows["size (mV)"], run.samples["size"].sel(island=island))
    assert os.listdir(tmp_path) == ["samples.csv"]
    with pytest.raises(OSError, match="cannot be written"):
        run.to_csv(tmp_path / "missing" / "samples.csv")


def test_a_handful_of_samples_is_one_region(tmp_path):
    method = Uniform(samples=400)
    with pytest.warns(UserWarning, match="not to be trusted"):
        run = dsnlib.fit(Decay(), EmergentProperty([0.5], [0.02]), method, seed=1, out=tmp_path)
    assert run.z[..., 0].size < 40
    assert regions(run).table.share.tolist() == [1.0]


def test_citation(decay):
    run, _ = decay
    text = run.citation()
    for part in (
        "Parameters of Decay() were sampled with Uniform(samples=4000, precision='float32') ",
        f"of dsnlib {dsnlib_version()}",
        "seed 1, such that half is 0.5 ± 0.1 mV (mean ± sd)",
        f"The run took {run.simulations:,} simulations and gave "
        f"{run.z[..., 0].size:,} equally weighted samples",
        f"entropy of {run.entropy.value:.3f} ± {run.entropy.se:.3f} nat",
        f"All {len(run.diagnostics)} checks of the run passed.",
    ):
        assert part in text
    failed = dsnlib.load_run(ROOT / "report" / "gallery" / "sc")
    assert "The run is not to be trusted: " in failed.citation()


def dsnlib_version():
    import importlib.metadata

    return importlib.metadata.version("dsnlib")


_ELSEWHERE = """
import sys, warnings
warnings.simplefilter("ignore")
import dsnlib
run = dsnlib.load_run(sys.argv[1])
assert run.circuit is None
run.to_csv(sys.argv[2])
print(run.samples.sizes["sample"], len(run.diagnostics), run.to_arviz().posterior.sizes["chain"])
print(run.citation())
"""


def test_a_run_is_shared_without_its_circuit(decay, tmp_path):
    run, out = decay
    command = [sys.executable, "-c", _ELSEWHERE, out, tmp_path / "samples.csv"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    first, rest = said.split("\n", 1)
    assert first == f"{run.samples.sizes['sample']} {len(run.diagnostics)} 4"
    assert rest.strip() == run.citation().strip()
    assert len(pd.read_csv(tmp_path / "samples.csv")) == run.z[..., 0].size


CIRCUIT = """
import dataclasses
import dsnlib


@dataclasses.dataclass(frozen=True)
class Sum(dsnlib.Circuit):
    scale: float = 1.0
    parameters = (dsnlib.Parameter("a", "nS", 0, 1), dsnlib.Parameter("b", "nS", 0, 1))
    observables = (dsnlib.Statistic("total", "nS"),)

    def evaluate(self, z):
        return self.scale * z.sum(axis=1, keepdims=True)
"""


def papermill(folder, *parameters):
    command = [sys.executable, "-m", "papermill", "-k", "python3", ROOT / "circuit.ipynb"]
    return subprocess.run(
        [*command, folder / "out.ipynb", *parameters],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_page_of_a_circuit_whose_run_fails(tmp_path):
    (tmp_path / "mine.py").write_text(CIRCUIT)
    targets = "{mean: [1.0], sd: [0.1], constants: {scale: 2.0}, particles: 200, islands: 2}"
    outcome = papermill(tmp_path, "-p", "circuit", "mine:Sum", "-y", targets)
    assert outcome.returncode == 0, outcome.stderr
    notebook = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert cells[-1].outputs[-1].text == "complete\n"
    text = json.dumps([o for cell in cells for o in cell.outputs])
    assert "Sum: not to be trusted" in text
    assert "Sum has no method trace" in text
    for cell in cells:
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        if kinds & {"image/png", "image/svg+xml"}:
            assert len(cell.metadata["mystnb"]["image"]["alt"]) > 40
    run = dsnlib.load_run(tmp_path / "runs" / "Sum_seed-1")
    assert json.loads(run.data.circuit) == {"name": "Sum", "scale": 2.0}
    assert len(pd.read_csv(tmp_path / "runs" / "Sum_seed-1" / "samples.csv")) == 400


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"particle": 200}, "no parameter is called particle; choose from"),
        ({"circuit": "mine"}, "circuit must be module:Class, got 'mine'"),
        ({"method": "mcmc"}, "method must be 'smc' or 'uniform', got 'mcmc'"),
        ({}, "ask for something of at least one statistic"),
    ],
)
def test_the_page_refuses(monkeypatch, tmp_path, parameters, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    space = {}

    def execute():
        for cell in nbformat.read(ROOT / "circuit.ipynb", as_version=4).cells:
            if cell.cell_type == "code":
                exec(cell.source, space)
            if "parameters" in cell.metadata.get("tags", []):
                space.update(parameters)  # as papermill injects them

    with pytest.raises((NameError, ValueError), match=message):
        execute()
    assert "run" not in space
    assert os.listdir(tmp_path) == []

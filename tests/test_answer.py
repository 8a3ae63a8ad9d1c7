"""What the chapters on SMC and comparison say is what the committed data say."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import dsnlib
from test_book import glued

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def exact():
    prop = dsnlib.EmergentProperty(mean=[0.525], sd=[0.025])
    return dsnlib.exact_maxent(dsnlib.STG(T=200), prop, cells=1000)


def shares(data, exact):
    """(islands, modes) of a stored run, from its samples, cell by cell of the exact answer."""
    return np.array(
        [
            [np.mean(exact.assign(z, f) == k) for k in range(len(exact.modes))]
            for z, f in zip(
                data.z.values.astype(float), data.statistics.values.astype(float), strict=True
            )
        ]
    )


def test_smc(exact):
    text = {key.removeprefix("answer-"): value for key, value in glued("answer.ipynb").items()}
    folders = sorted(path.parent for path in (ROOT / "runs").glob("smc_seed-*/run.nc"))
    data = [xr.load_dataset(folder / "run.nc") for folder in folders]
    assert text["runs"] == str(len(data)) == "8"
    judged = [xr.load_dataset(folder / "judged.nc") for folder in folders]
    accuracy = [float(one.c2st[-1]) for one in judged]
    assert text["c2st"] == f"{min(accuracy):.3f} to {max(accuracy):.3f}"
    off = [abs(float(one.entropy.mean()) - exact.entropy) for one in data]
    assert text["entropy-off"] == f"{max(off):.3f}"
    simulations = [float(one.simulations.sum()) / 1e6 for one in data]
    assert text["simulations"] in (
        f"{min(simulations):.2f}", f"{min(simulations):.2f} to {max(simulations):.2f}"
    )  # fmt: skip
    seconds = [float(one.attrs["seconds"]) for one in data]
    assert text["seconds"] == f"{min(seconds):.0f} to {max(seconds):.0f}"
    masses = np.array([shares(one, exact).mean(axis=0) for one in data])
    for name in ("upper", "lower"):
        k = [mode.name for mode in exact.modes].index(name)
        worst = np.abs(masses[:, k] / exact.modes[k].mass - 1).max()
        assert text[f"{name}-off"] == f"{100 * worst:.1f}"
    # The samples meet the property: mean and variance with errors between islands.
    for one in data:
        x = (one.statistics.values[..., 0].astype(float) - 0.525) / 0.025
        for values in (x.mean(axis=1), (x**2 - 1).mean(axis=1)):
            assert abs(values.mean()) < 5 * values.std(ddof=1) / 2 + 0.01


def test_comparison():
    text = {k.removeprefix("comparison-"): v for k, v in glued("comparison.ipynb").items()}
    record = json.loads((ROOT / "benchmarks" / "results" / "comparison.json").read_text())
    runs = record["results"]
    ours = [run for run in runs if run["method"] == "smc"]
    assert len(ours) == 8
    values = sorted(run["kl"]["value"] for run in ours)
    assert text["ours-kl"] == f"{np.median(values):.3f} [{values[0]:.3f}, {values[-1]:.3f}]"
    raw = [run for run in runs if "pe-" in run["method"] and "weighted" not in run["method"]]
    values = [run["kl"]["value"] for run in raw]
    assert text["sbi-kl"] == f"{min(values):.0f} to {max(values):.0f}"
    most = [run for run in runs if run["method"] == "uniform-2000k"]
    values = [100 * run["c2st"]["value"] for run in most]
    assert text["most-c2st"] == f"{min(values):.1f} to {max(values):.1f}"
    (grid,) = (run for run in runs if run["method"] == "grid-400")
    value, se = (100 * number for number in grid["own_masses"]["lower"])
    assert text["grid-lower"] == f"{value:.1f} ± {se:.1f}"
    assert text["grid-n"] == f"{400**2:,}"

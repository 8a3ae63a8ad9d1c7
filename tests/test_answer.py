"""What the chapters on recipe, phase diagram and comparison say is what the committed data say."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy import stats

import dsnlib
from ablation import ABLATIONS
from test_book import glued

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "studies" / "results"


@pytest.fixture(scope="module")
def exact():
    prop = dsnlib.EmergentProperty(mean=[0.525], sd=[0.025])
    return dsnlib.exact_maxent(dsnlib.STG(T=200), prop, cells=1000)


def kl(data, exact):
    """KL(q || p*) over the samples of the last snapshot."""
    last = data.isel(snapshot=-1)
    moments = last.moments.values.astype(float)
    return float(np.mean(last.log_q.values.astype(float) - moments @ exact.eta + exact.log_z))


def test_recipe(exact):
    text = {key.removeprefix("answer-"): value for key, value in glued("answer.ipynb").items()}
    folders = sorted(path.parent for path in (ROOT / "runs").glob("recipe_seed-*/run.nc"))
    data = [xr.load_dataset(folder / "run.nc") for folder in folders]
    divergences = [kl(one, exact) for one in data]
    assert text["runs"] == str(len(data)) == "8"
    assert text["kl-largest"] == f"{max(divergences):.2f}"
    assert float(text["kl-largest"]) <= 0.1
    minutes = [one.attrs["seconds"] / 60 for one in data]
    assert text["minutes"] == f"{min(minutes):.1f} to {max(minutes):.1f}"
    off = []
    for one in data:
        last = one.isel(snapshot=-1)
        label = exact.assign(last.z.values.astype(float), last.moments.values[:, :1])
        off += [abs(np.mean(label == k) / mode.mass - 1) for k, mode in enumerate(exact.modes)]
    assert text["mass-off"] == f"{100 * max(off):.0f}"
    note = [
        kl(xr.load_dataset(path), exact)
        for path in sorted((ROOT / "runs").glob("c0-*_seed-?/run.nc"))
    ]
    assert text["note-kl"] == f"{min(note):.1f} to {max(note):.1f} nat"
    equivalent = 0
    for one in data:
        u = (one.moments.values[-1, :, 0].astype(float) - 0.525) / 0.025
        intervals = [  # 95 % for both together
            stats.ttest_1samp(off, 0).confidence_interval(1 - 0.05 / 2) for off in (u, u**2 - 1)
        ]
        equivalent += all(interval.low > -0.1 and interval.high < 0.1 for interval in intervals)
    assert text["equivalent"] == str(equivalent)
    assert text["equivalent-fresh"] == "8"


def test_phase_diagram():
    text = {key.removeprefix("phase-"): value for key, value in glued("phase.ipynb").items()}
    design = yaml.safe_load((ROOT / "config" / "phase.yaml").read_text())
    files = sorted(path for path in RESULTS.glob("phase_*_*.nc"))
    assert len(files) == len(design["gradient"]) * (1 + len(design["vary"]))
    assert text["points"] == str(len(files))
    assert text["runs"] == str(len(files) * len(design["seeds"]))
    most = 0
    for gradient in design["gradient"]:
        both = converged = near = total = 0
        least = np.inf
        for path in files:
            if path.stem.startswith(f"phase_{gradient}_"):
                point = xr.load_dataset(path)
                settings = json.loads(point.attrs["settings"])
                assert (settings["gradient"], settings["layers"]) == (gradient, 10)
                last = point.isel(snapshot=-1)
                held = last.mode_mass >= 0.1 * last.exact_mass
                both_here = (held.sel(mode="lower") & held.sel(mode="upper")).values
                both += both_here.sum()
                converged += (both_here & (point.not_rejected.isel(epoch=-1).values > 0)).sum()
                near += (last.kl.values < 1).sum()
                most = max(most, both_here.sum())
                total += both_here.size
                least = min(least, float(last.kl.min()))
        assert text[f"{gradient}-both"].startswith(f"{both} of {total} (")
        assert text[f"{gradient}-both-converged"].startswith(f"{converged} of {total} (")
        assert text[f"{gradient}-near"].startswith(f"{near} of {total} (")
        assert text[f"{gradient}-best-kl"] == f"{least:.1f}"
    assert text["most-both"] == str(most)


def test_comparison():
    text = {k.removeprefix("comparison-"): v for k, v in glued("comparison.ipynb").items()}
    record = json.loads((ROOT / "benchmarks" / "results" / "comparison.json").read_text())
    recipe = [run for run in record["results"] if run["method"] == "recipe"]
    assert len(recipe) == 8
    values = sorted(run["kl"]["value"] for run in recipe)
    assert text["recipe-kl"] == f"{np.median(values):.3f} [{values[0]:.3f}, {values[-1]:.3f}]"
    sbi = [run for run in record["results"] if "npe" in run["method"]]
    assert text["sbi-kl"] == f"{min(run['kl']['value'] for run in sbi):.0f}"


def test_ablations_are_complete():
    records = [json.loads(path.read_text()) for path in RESULTS.glob("ablation_*.json")]
    names = {record["name"] for record in records}
    assert names == set(ABLATIONS)
    for record in records:
        assert [run["seed"] for run in record["runs"]] == [1, 2]

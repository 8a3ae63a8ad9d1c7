"""The phase study: what a point computes, and which points the sweep makes."""

import dataclasses
import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr
import yaml
from jax.flatten_util import ravel_pytree

from dsnlib import STG, AugmentedLagrangian
from dsnlib.methods.lagrangian.objective import Objective
from report.experiment import PROPERTY
from report.studies import phase
from report.studies.design import Point, initials, read_factors, read_phase, read_points
from sweeps import ROOT, copy_of_the_repository, due, snakemake

SWEEP = ["--snakefile", "workflow/phase.smk"]
RESULTS = "report/studies/results/phase_"
SMALL = {"layers": 2, "epochs": 1, "iterations": 4, "batch": 50}


@pytest.fixture(scope="module")
def initial():
    objective = Objective(STG(T=200), PROPERTY, AugmentedLagrangian(layers=2))
    weights = [ravel_pytree(objective.random_weights(jax.random.key(k)))[0] for k in (1, 2)]
    return objective, xr.Dataset({"weights": (("seed", "weight"), weights)}, {"seed": [1, 2]})


def test_points_share_networks_and_noise_and_differ_in_what_is_varied(
    initial, monkeypatch, tmp_path
):
    monkeypatch.setattr(phase, "CELLS", 200)
    objective, networks = initial
    base = phase.study(Point([1, 2], SMALL), networks, tmp_path / "base")
    varied = phase.study(Point([1, 2], SMALL | {"c0": 100.0}), networks, tmp_path / "varied")
    assert base.complete.values.tolist() == [1, 1]
    assert varied.c.values[:, 0].tolist() == [100, 100]
    for name in ("kl", "entropy", "band_share", "mode_mass", "mean", "sd"):
        start = base[name].isel(snapshot=0)
        np.testing.assert_array_equal(start, varied[name].isel(snapshot=0))
        assert np.isfinite(base[name]).all()
    assert (base.entropy.isel(snapshot=1) != varied.entropy.isel(snapshot=1)).all()

    # Broken off and begun again, the seeds that are done are not trained again.
    (tmp_path / "base" / "seed-2.nc").unlink()
    monkeypatch.setattr(phase, "trained", lambda *_: pytest.fail("all seeds but 2 are there"))
    with pytest.raises(BaseException, match="all seeds but 2"):
        phase.study(Point([1, 2], SMALL), networks, tmp_path / "base")
    again = phase.study(Point([1], SMALL), networks, tmp_path / "base")
    np.testing.assert_array_equal(again.kl, base.kl.sel(seed=[1]))

    # The entropy of the first network, from other samples of it.
    _, unravel = ravel_pytree(objective.random_weights(jax.random.key(0)))
    network = objective.network(unravel(networks.weights.values[0]))
    z, intermediates = network.sample_with_intermediates(jax.random.key(5), (20_000,))
    log_q = np.asarray(network.log_prob(z, intermediates), float)
    se = log_q.std() / np.sqrt(len(log_q))
    assert abs(base.entropy.values[0, 0] + log_q.mean()) < 4 * np.sqrt(2) * se
    # The kept samples are those of the last network, which here never passes the test.
    kept = base.z.sel(seed=1, network="last").values
    f = np.asarray(STG(T=200).statistics(kept))
    assert abs(f.mean() - float(base["mean"].sel(seed=1, snapshot=1))) < 4 * f.std() / np.sqrt(950)
    assert np.isnan(base.z.sel(network="first to pass")).all()
    shares = base.mode_mass.sum("mode")
    assert ((shares >= 0) & (shares <= 1 + 1e-6)).all()


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    folder = copy_of_the_repository(tmp_path_factory.mktemp("phase"))
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    done = snakemake(folder, "all", options=[*SWEEP, "--touch", "--forceall"])
    assert done.returncode == 0, done.stderr
    return folder


def test_exact_multipliers_stay_where_they_are(initial, monkeypatch, tmp_path):
    monkeypatch.setattr(phase, "CELLS", 200)
    seen = []
    real = phase.trained

    def trained(method, seed, weights, lam):
        records, complete = real(method, seed, weights, lam)
        seen.append((lam, records["lam"]))
        return records, complete

    monkeypatch.setattr(phase, "trained", trained)
    settings = read_factors()["factors_score_planar_500_note_exact"].settings
    settings |= SMALL | {"epochs": 3}
    phase.study(Point([1], settings, exact_multipliers=True), initial[1], tmp_path)
    (lam, recorded), eta = seen[0], phase.exact_maxent(STG(T=200), PROPERTY, cells=200).eta
    np.testing.assert_array_equal(lam, -eta)
    np.testing.assert_allclose(recorded, np.tile(-eta, (3, 1)), rtol=1e-6)


def test_factors_are_balanced_and_so_is_each_pair_of_them():
    cells = {
        name: (
            p.settings["gradient"], p.settings["flow"], p.settings["batch"], p.start,
            p.exact_multipliers,
        )
        for name, p in read_factors().items()
    }  # fmt: skip
    levels = list(cells.values())
    signs = np.array([[1 if a == b else -1 for a, b in zip(cell, levels[0], strict=True)]
                      for cell in levels])  # fmt: skip
    pairs = [signs[:, i] * signs[:, j] for i in range(5) for j in range(i)]
    columns = np.stack([*signs.T, *pairs])
    np.testing.assert_array_equal(columns @ columns.T, 16 * np.eye(15))


def test_every_point_has_initial_networks():
    for name, given in initials().items():
        flow, start = name.split("_")
        assert (given["flow"], given["start"]) == (flow, start)
        for point in read_points().values():
            if point.initial == name:
                assert set(point.seeds) <= set(given["seeds"])


def test_sweep_trains_the_points_that_are_missing(adopted, monkeypatch):
    monkeypatch.chdir(ROOT)
    files = [f"{RESULTS}{name}.nc" for name in read_points()]
    files += [f"report/studies/results/initial_{name}.nc" for name in initials()]
    missing = sorted(name for name in files if not Path(name).exists())
    assert due(adopted, "all", options=SWEEP) == missing
    file = adopted / "config" / "phase.yaml"
    design = yaml.safe_load(file.read_text())
    whole = file.read_text()
    design["note"]["vary"].append({"c0": 7.0, "gamma": 0.5})
    file.write_text(yaml.safe_dump(design, sort_keys=False))
    new = [f"{RESULTS}{gradient}_c0-7_gamma-0.5.nc" for gradient in ("pathwise", "score")]
    assert due(adopted, "all", options=SWEEP) == sorted([*missing, *new])
    design["note"]["base"]["beta"] = 3.0  # of all but those that vary it, and the new ones
    file.write_text(yaml.safe_dump(design, sort_keys=False))
    changed = {
        f"{RESULTS}{name}.nc"
        for name in read_phase(file)
        if name.startswith(("pathwise", "score")) and "beta" not in name
    }
    assert due(adopted, "all", options=SWEEP) == sorted({*missing, *changed})
    file.write_text(whole)
    assert due(adopted, "all", options=SWEEP) == missing


def test_design_with_a_point_twice_is_refused(tmp_path):
    design = yaml.safe_load((ROOT / "config" / "phase.yaml").read_text())
    design["note"]["vary"].append(design["note"]["vary"][0])
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(design, sort_keys=False))
    with pytest.raises(ValueError, match=r"got pathwise_c0-0\.1 twice; remove one"):
        read_phase(tmp_path / "mine.yaml")


def test_every_point_is_at_its_settings(monkeypatch):
    monkeypatch.chdir(ROOT)
    defaults = dataclasses.asdict(AugmentedLagrangian())
    trained = {
        name: (point, Path(f"{RESULTS}{name}.nc"))
        for name, point in read_points().items()
        if Path(f"{RESULTS}{name}.nc").exists()
    }
    assert len(trained) >= 54
    for name, (point, file) in trained.items():
        data = xr.load_dataset(file)
        found = defaults | json.loads(data.attrs["settings"])  # YAML would read 1e-12 as a text
        assert found == defaults | point.settings, name
        assert data.seed.values.tolist() == point.seeds, name

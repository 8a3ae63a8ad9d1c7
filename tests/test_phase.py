"""The phase study: what a point computes, and which points the sweep makes."""

import shutil

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


def test_points_share_networks_and_noise_and_differ_in_what_is_varied(initial, monkeypatch):
    monkeypatch.setattr(phase, "CELLS", 200)
    objective, networks = initial
    base = phase.study(AugmentedLagrangian(**SMALL), networks)
    varied = phase.study(AugmentedLagrangian(**SMALL, c0=100.0), networks)
    assert base.complete.values.tolist() == [1, 1]
    assert varied.c.values[:, 0].tolist() == [100, 100]
    for name in ("kl", "entropy", "band_share", "mode_mass"):
        start = base[name].isel(snapshot=0)
        np.testing.assert_array_equal(start, varied[name].isel(snapshot=0))
        assert np.isfinite(base[name]).all()
    assert (base.entropy.isel(snapshot=1) != varied.entropy.isel(snapshot=1)).all()

    # The entropy of the first network, from other samples of it.
    _, unravel = ravel_pytree(objective.random_weights(jax.random.key(0)))
    network = objective.network(unravel(networks.weights.values[0]))
    z, intermediates = network.sample_with_intermediates(jax.random.key(5), (20_000,))
    log_q = np.asarray(network.log_prob(z, intermediates), float)
    se = log_q.std() / np.sqrt(len(log_q))
    assert abs(base.entropy.values[0, 0] + log_q.mean()) < 4 * np.sqrt(2) * se
    shares = base.mode_mass.sum("mode")
    assert ((shares >= 0) & (shares <= 1 + 1e-6)).all()


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    folder = copy_of_the_repository(tmp_path_factory.mktemp("phase"))
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    done = snakemake(folder, "all", options=[*SWEEP, "--touch", "--forceall"])
    assert done.returncode == 0, done.stderr
    return folder


def test_sweep_trains_the_points_that_are_missing(adopted):
    assert due(adopted, "all", options=SWEEP) == []
    file = adopted / "config" / "phase.yaml"
    design = yaml.safe_load(file.read_text())
    whole = file.read_text()
    design["vary"].append({"c0": 7.0, "gamma": 0.5})
    file.write_text(yaml.safe_dump(design, sort_keys=False))
    new = [f"{RESULTS}{gradient}_c0-7_gamma-0.5.nc" for gradient in ("pathwise", "score")]
    assert due(adopted, "all", options=SWEEP) == new
    design["base"]["beta"] = 3.0  # of all points but those that vary it, and the new ones
    file.write_text(yaml.safe_dump(design, sort_keys=False))
    found = due(adopted, "all", options=SWEEP)
    assert found == sorted(
        f"{RESULTS}{point}.nc" for point in read_points(file) if "beta" not in point
    )
    file.write_text(whole)
    assert due(adopted, "all", options=SWEEP) == []


def test_design_with_a_point_twice_is_refused(tmp_path):
    design = yaml.safe_load((ROOT / "config" / "phase.yaml").read_text())
    design["vary"].append(design["vary"][0])
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(design, sort_keys=False))
    with pytest.raises(ValueError, match=r"got pathwise_c0-0\.1 twice; remove one"):
        read_points(tmp_path / "mine.yaml")


def test_every_point_is_at_its_settings():
    for point, settings in read_points(ROOT / "config" / "phase.yaml").items():
        data = xr.load_dataset(ROOT / f"{RESULTS}{point}.nc")
        assert yaml.safe_load(data.attrs["settings"]).items() >= settings.items(), point

"""The eight committed runs of the recipe, recomputed without dsnlib from their samples and log q.

The circuit and its frequency are a second implementation, in NumPy; grid, dual and modes are made
here as well.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage, optimize

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "studies"))
from external import hub_voltage  # noqa: E402

RUNS = sorted(path.parent for path in (ROOT / "runs").glob("recipe_seed-*/run.nc"))
CELLS = 400
MEAN, SD = 0.525, 0.025
FREQUENCIES = np.arange(101) / 100


def frequency(z):
    """Hub frequency (n,), Hz, at T = 200, as section 2 of the specification states it."""
    found = []
    for part in np.array_split(z, max(1, len(z) // 5_000)):
        V = hub_voltage(part, T=200, dt=0.025)
        rectified = np.maximum(V + 0.01, 0) - 0.01
        sums = np.cumsum(np.concatenate([np.zeros((1, len(part))), rectified]), axis=0)
        smooth = (sums[20:] - sums[:-20]) / 20
        phase = 2 * np.pi * np.outer(FREQUENCIES, np.arange(len(smooth)) * 0.025)
        power = np.log(np.abs(np.exp(-1j * phase) @ smooth)) * 100
        weight = np.exp(power - power.max(axis=0))
        found.append(FREQUENCIES @ weight / weight.sum(axis=0))
    return np.concatenate(found)


@pytest.fixture(scope="module")
def exact():
    """eta (of u and u^2, u = (f - mean) / sd), log Z, labels and masses of the modes."""
    axis = (np.arange(CELLS) + 0.5) * 20 / CELLS
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    f = frequency(z)
    u = (f - MEAN) / SD
    T = np.stack([u, u**2], axis=1)

    def dual(eta):
        exponent = T @ eta
        top = exponent.max()
        p = np.exp(exponent - top)
        return top + np.log(p.sum()) - eta[1], p @ T / p.sum() - np.array([0, 1])

    eta = optimize.minimize(dual, [0.0, -0.5], jac=True, tol=1e-10).x
    log_z = dual(eta)[0] + eta[1] + np.log((20 / CELLS) ** 2)
    density = np.exp(T @ eta - log_z) * (20 / CELLS) ** 2
    band = (np.abs(u) < 2).reshape(CELLS, CELLS)
    labels, count = ndimage.label(band, structure=np.ones((3, 3)))
    masses = ndimage.sum_labels(density.reshape(CELLS, CELLS), labels, np.arange(1, count + 1))
    heavy = [k + 1 for k in np.argsort(-masses) if masses[k] > 0.01]
    return eta, log_z, labels, {k: masses[k - 1] for k in heavy}


def near(labels, z, k):
    """Whether samples lie in a region or in a cell next to it."""
    grown = ndimage.binary_dilation(labels == k, structure=np.ones((3, 3)))
    cell = np.minimum((z / 20 * CELLS).astype(int), CELLS - 1)
    return grown[tuple(cell.T)]


def test_there_are_eight():
    assert [run.name for run in RUNS] == [f"recipe_seed-{seed}" for seed in range(1, 9)]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_run_meets_every_criterion(run, exact):
    eta, log_z, labels, masses = exact
    data = xr.load_dataset(run / "run.nc").isel(snapshot=-1)
    z, log_q = data.z.values.astype(float), data.log_q.values.astype(float)
    f = frequency(z)
    # Single and double precision differ at cliffs alone.
    assert np.mean(np.abs(f - data.moments.values[:, 0]) < 2e-3) > 0.995
    u = (f - MEAN) / SD
    excess = log_q - (np.stack([u, u**2], axis=1) @ eta - log_z)
    kl, se = excess.mean(), excess.std() / np.sqrt(len(z))
    assert kl + 2 * se < 0.1
    # The moments with their 95 % intervals lie inside the margins.
    assert abs(u.mean()) + 1.96 * u.std() / np.sqrt(len(u)) < 0.1
    spread = (u - u.mean()) ** 2
    assert abs(u.var() - 1) + 1.96 * spread.std() / np.sqrt(len(u)) < 0.1
    assert len(masses) == 3
    for k, mass in masses.items():
        share = np.mean((np.abs(u) < 2) & near(labels, z, k))
        assert abs(share / mass - 1) < 0.3, (k, share, mass)


def test_cost_is_within_the_budget():
    for run in RUNS:
        data = xr.load_dataset(run / "run.nc")
        settings = json.loads(data.attrs["settings"])
        simulations = (
            data.sizes["stage"] * settings["samples"]
            + settings["final_samples"]
            + settings["acceptance_samples"]
        )
        assert simulations <= 8e6
        assert data.attrs["seconds"] <= 600

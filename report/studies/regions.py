"""Small regions of the band in SMC's runs: python -m report.studies.regions.

Every region of more than 0.1 % of the exact answer, and all below 1 % together, against exact
samples by rejection from uniform draws. Leaves results/regions.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy import ndimage

from dsnlib import ExactMaxEnt, load_run
from dsnlib.estimate import over_islands
from dsnlib.maxent.modes import in_band
from dsnlib.methods.smc import SMCRun
from dsnlib.runs.provenance import provenance
from dsnlib.storage.files import write_json
from report.experiment import CELLS, exact_answer

RESULTS = Path(__file__).parent / "results"
RUNS = {200: "smc_seed-", 800: "smc_T-800_seed-"}
LEAST, SMALL = 0.001, 0.01  # of the exact mass: regions that are listed; those called small
EXACT = 100_000  # samples


class Regions:
    """Connected regions of the band on the grid; samples belong to the nearest one.

    Args:
        exact: the exact answer, of two parameters and one statistic.
    """

    def __init__(self, exact: ExactMaxEnt) -> None:
        self._exact = exact
        values = exact.grid.isel(statistic=0).values
        inside = in_band(values.reshape(-1, 1), exact.prop).reshape(values.shape)
        labels, count = ndimage.label(inside, np.ones((3, 3)))
        p = exact.density.values / exact.density.values.sum()
        #: (regions,) exact mass of each, by the grid
        self.mass = ndimage.sum_labels(p, labels, np.arange(1, count + 1))
        _, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
        self._nearest = labels[tuple(nearest)] - 1

    def shares(self, z: np.ndarray, statistics: np.ndarray) -> np.ndarray:
        """(regions,) share of samples z (n, 2) with statistics (n, 1) in each region."""
        low, high = self._exact.circuit.bounds.T
        cell = np.floor((z - low) / (high - low) * CELLS).astype(int)
        region = self._nearest[tuple(np.clip(cell, 0, CELLS - 1).T)]
        held = region[in_band(statistics, self._exact.prop)]
        return np.bincount(held, minlength=len(self.mass)) / len(z)


def measured(T: int) -> dict[str, Any]:
    """Shares of the regions in the runs at T and in exact samples."""
    exact = exact_answer(T)
    regions = Regions(exact)
    z = exact.sample(jax.random.key(0), EXACT)
    truth = regions.shares(z, exact.moments(z)[:, :1])
    listed = np.flatnonzero(regions.mass >= LEAST)
    listed = listed[np.argsort(-regions.mass[listed])]
    small = regions.mass < SMALL
    error = np.sqrt(truth * (1 - truth) / EXACT)
    runs = {}
    for seed in range(1, 9):
        run = load_run(f"runs/{RUNS[T]}{seed}")
        assert isinstance(run, SMCRun)
        islands = zip(run.data.z.values.astype(float), run.data.statistics.values, strict=True)
        shares = np.array([regions.shares(*island) for island in islands])
        found = [over_islands(each) for each in shares.T[listed]]
        runs[seed] = {
            "shares": found,
            "deviations": [
                (value - truth[k]) / np.hypot(se, error[k])
                for (value, se), k in zip(found, listed, strict=True)
            ],
            "small": over_islands(shares[:, small].sum(axis=1)),
        }
    return {
        "regions": len(regions.mass),
        "grid": regions.mass[listed].tolist(),
        "exact": [(truth[k], error[k]) for k in listed],
        "small_regions": int(small.sum()),
        "small": truth[small].sum(),
        "small_grid": regions.mass[small].sum(),
        "runs": runs,
    }


if __name__ == "__main__":
    found = {T: measured(T) for T in RUNS}
    write_json(RESULTS / "regions.json", {"exact_samples": EXACT, "T": found, **provenance()})

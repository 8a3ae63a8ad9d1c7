"""What each ingredient of the recipe is for: ablation.py NAME OUT trains without one, or with less.

Everything is at a smaller size than the recipe itself, the complete one among them, so that the
ingredients are compared with one another.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import dsnlib
from dsnlib import STG, EmergentProperty, Population, exact_maxent
from dsnlib.judging.distances import kl_divergence, share_of
from dsnlib.population import accepting, problem, resampled
from dsnlib.runs.files import write_atomically
from dsnlib.runs.identity import provenance

SEEDS = (1, 2)
CELLS = 1_000
_SMALLER: dict[str, Any] = {
    "final_samples": 200_000,
    "final_iterations": 1_500,
    "acceptance_samples": 400_000,
    "acceptance_iterations": 2_000,
}
ABLATIONS: dict[str, dict[str, Any]] = {
    "complete": {},
    "without acceptance": {"acceptance_iterations": 0},
    "without tempering": {"ess": 1e-6},
    "without memory": {"memory": 1},
    "without uniform samples": {"uniform": 1e-3},
    "with a coupling flow": {"flow": "coupling"},
    "with one layer": {"layers": 1},
    "without tilt": {},
    "without waves": {},
    "without headroom": {},
}
# What no setting takes away: constants of the method, replaced for the process that ablates them.
_CONSTANTS: dict[str, tuple[ModuleType, str, Any]] = {
    "without tilt": (accepting, "_TILTED_AFTER", ()),
    "without waves": (resampled, "_OCTAVES", 0),
    "without headroom": (problem, "_HEADROOM", 0.0),
}


def ablated(name: str) -> Population:
    """Settings of an ablation; KeyError unless it is one of `ABLATIONS`."""
    return Population(**(_SMALLER | ABLATIONS[name]))


def measured(
    circuit: dsnlib.Circuit, settings: Population, seed: int, cells: int = CELLS
) -> dict[str, Any]:
    """Train in a temporary folder, and judge the result by its 20,000 samples.

    Args:
        circuit: with the hub's frequency as its statistic.
        settings: of training.
        seed: of the run.
        cells: of the grid of the exact answer, along either parameter.

    Returns:
        KL(q || p*) with its standard error (nat), mean (in sd off target) and variance (over the
        target's) of the frequency, each mode's mass and exact mass, simulations, stages, seconds;
        or the error that ended training.
    """
    prop = EmergentProperty(mean=[0.525], sd=[0.025])
    exact = exact_maxent(circuit, prop, cells=cells)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        try:
            run = dsnlib.fit(circuit, prop, settings, seed=seed, out=folder)
        except (ValueError, dsnlib.SimulationError) as error:
            return {"seed": seed, "error": str(error), "seconds": time.monotonic() - began}
    data = run.data.isel(snapshot=-1)
    z, log_q, moments = (data[name].values.astype(float) for name in ("z", "log_q", "moments"))
    kl = kl_divergence(log_q, exact.log_prob_of(moments))
    modes = exact.assign(z, moments[:, :1])
    f = moments[:, 0]
    return {
        "seed": seed,
        "kl": kl.value,
        "kl_se": kl.se,
        "mean": (f.mean() - prop.mean[0]) / prop.sd[0],
        "variance": f.var(ddof=1) / prop.sd[0] ** 2,
        "modes": {
            mode.name: {"mass": share_of(modes == k).value, "exact": mode.mass}
            for k, mode in enumerate(exact.modes)
        },
        "simulations": run.simulations,  # type: ignore[attr-defined]
        "stages": run.data.sizes["stage"],
        "seconds": run.data.attrs["seconds"],
    }


def write(out: str, record: dict[str, Any]) -> None:
    """Write a record as JSON, with where it comes from."""
    record |= {"load": os.getloadavg()[0], "provenance": provenance()}
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1)

    def save(temporary: Path) -> None:
        temporary.write_text(text + "\n")

    write_atomically(Path(out), save)


def main(name: str, out: str) -> None:
    """Write the record of one ablation."""
    settings = ablated(name)
    if name in _CONSTANTS:
        setattr(*_CONSTANTS[name])
    runs = [measured(STG(T=200), settings, seed) for seed in SEEDS]
    write(out, {"name": name, "settings": dataclasses.asdict(settings), "runs": runs})


if __name__ == "__main__":
    main(*sys.argv[1:])

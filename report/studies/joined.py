"""Whether more free conductances join the circuit's two modes: python -m report.studies.joined.

    python -m report.studies.joined [SET ...]

A path within two sd of the target joins a point of the lower mode with one of the upper mode; the
other conductances begin and end at their nominal values. A grid checks it in two and three
dimensions. Leaves results/joined.json; sets that are there are not made again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from dsnlib import STG, EmergentProperty, exact_maxent
from dsnlib.circuits.stg.equations import MEMBRANE, NEURONS
from dsnlib.maxent.modes import BAND_SDS
from dsnlib.runs.provenance import provenance
from dsnlib.storage.files import write_json
from report.experiment import PROPERTY
from report.studies.band import CHECK, FINER, PLANNED, STEP, Band
from report.studies.cells import Gridded, gridded
from report.studies.connection import Connection, Planner
from report.studies.paths import on_level, resampled, shortened, verified
from report.studies.problems import CASES

RESULTS = Path(__file__).parent / "results"
PLANE = ("g_el", "g_synA")
NOMINAL = {"g_synB": STG().g_synB} | {
    f"g_{current}_{neuron}": value
    for current, values in MEMBRANE.items()
    for neuron, value in zip(NEURONS, values, strict=True)
}  # nS
SETS = ("d2", *NOMINAL, "d5", "d8", "d12")
PAIRS, SEED = 50, 1
PLANNER = Planner(rounds=24)
BRIEF = Planner(rounds=8)  # where a grid finds no way by cells' faces
SHORTENED, SHORTENING_ROUNDS = 5, 4  # paths; rounds of walks between their points
CELLS = {2: (2_000,) * 2, 3: (128,) * 3}  # of the grids, along each axis
#: cells and reach of a finer grid, where the modes all but touch on the coarse one
FINER_CELLS = {"g_synB": ((320, 180, 200), (1.0, 0.2, 0.3))}
LOW, HIGH = 1.0, 7.0  # nS: g_el of the pairs of twelve conductances
TOGETHER = 1_000  # points simulated at a time


@dataclasses.dataclass(frozen=True)
class Problem:
    """Pairs of points of a band, to be joined.

    Args:
        circuit, prop: what the band belongs to.
        starts, goals: (n, P) pairs, in nS: of the lower mode and of the upper one.
    """

    circuit: STG
    prop: EmergentProperty
    starts: np.ndarray
    goals: np.ndarray


def problem(name: str) -> Problem:
    """The problem of a set: modes of the plane, or for d12 reference samples of low, high g_el."""
    rng = np.random.default_rng(SEED)
    if name == "d12":
        case = CASES[name]
        assert isinstance(case.circuit, STG)
        z, band = case.exact()["z"].astype(float), Band(case.circuit, case.prop)
        z = z[band.holds(band.unit(z))]
        low, high = z[z[:, 0] < LOW], z[z[:, 0] > HIGH]
        pairs = (rng.choice(each, PAIRS, replace=False) for each in (low, high))
        return Problem(case.circuit, case.prop, *pairs)
    free = free_beside(name)
    exact = exact_maxent(STG(), PROPERTY)
    z = exact.sample(jax.random.key(SEED), 100 * PAIRS)
    mode = exact.assign(z)
    z = np.concatenate([z, np.tile([NOMINAL[each] for each in free], (len(z), 1))], axis=1)
    circuit, names = STG(free=PLANE + free), [each.name for each in exact.modes]
    band = Band(circuit, PROPERTY)
    held = band.holds(band.unit(z))
    pairs = (z[held & (mode == names.index(which))][:PAIRS] for which in ("lower", "upper"))
    return Problem(circuit, PROPERTY, *pairs)


def free_beside(name: str) -> tuple[str, ...]:
    """Names of the conductances of a set that are free beside g_el and g_synA."""
    if name in CASES:
        circuit = CASES[name].circuit
        assert isinstance(circuit, STG)
        assert circuit.free[:2] == PLANE
        return circuit.free[2:]
    return (name,) if name in NOMINAL else ()


def course(given: Problem, path: np.ndarray, band: Band) -> dict[str, Any]:
    """A path as it is stored, all of its points, in nS, with their statistics."""
    f = np.array(given.prop.mean) + band.off(path) * np.array(given.prop.sd)
    return {"z": band.parameters(path).round(7).tolist(), "statistics": f.round(5).tolist()}


def trajectory_change(given: Problem, band: Band, path: np.ndarray, distance: float) -> float:
    """Largest change of any neuron's voltage at any time from one point to the next, in mV.

    Where it shrinks with the distance of the points nothing lies hidden between them: the two sides
    of a thin wall in which the frequency leaves the band have different voltages.
    """
    u, largest = resampled(path, distance), 0.0
    for first in range(0, len(u) - 1, TOGETHER):
        z = band.parameters(u[first : first + TOGETHER + 1])
        padded = np.concatenate([z, np.repeat(z[-1:], TOGETHER + 1 - len(z), axis=0)])
        with jax.enable_x64(True):
            change = jnp.abs(jnp.diff(given.circuit.voltages(padded), axis=0)).max()
        largest = max(largest, 1e3 * float(change))
    return largest


def described(given: Problem, found: Connection) -> dict[str, Any]:
    """The paths of the pairs that are joined: verified, shortened, and where they lead."""
    chosen = np.flatnonzero(found.joined)[:SHORTENED].tolist()
    short = shortened(found, PLANNER, chosen, SHORTENING_ROUNDS, SEED)
    finely, finest = (verified(found.band, short, CHECK / FINER**power) for power in (1, 2))
    levelled = [on_level(found.band, path) for path in short]
    free, relative = given.circuit.free[2:], []
    for path in short:
        nominal = [NOMINAL[each] for each in free]
        relative.append(100 * (found.band.parameters(path)[:, 2:] / nominal - 1))
    lengths = [float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) for path in short]
    shortest = int(np.argmin(lengths))
    return {
        "shortened": {
            "pairs": chosen,
            "lengths": lengths,
            "direct": np.linalg.norm(
                found.band.unit(given.starts[chosen]) - found.band.unit(given.goals[chosen]), axis=1
            ).tolist(),
            "finely": finely,
            "finest": finest,
            "trajectories_mV": [
                max(trajectory_change(given, found.band, path, CHECK / each) for path in short)
                for each in (FINER, FINER**2)
            ],
            "narrowest": [narrow for _, narrow in levelled],
            "least_per_cent": [dict(zip(free, x.min(axis=0), strict=True)) for x in relative],
            "most_per_cent": [dict(zip(free, x.max(axis=0), strict=True)) for x in relative],
        },
        "path": course(given, short[shortest], found.band),
    }


def planned(given: Problem, grid: Gridded | None) -> dict[str, Any]:
    """Plan paths for the pairs, and describe those that are found."""
    planner = BRIEF if grid and not grid.counts["faces"] else PLANNER
    guides = grid.guides if grid else None
    found = planner.connect(given.circuit, given.prop, given.starts, given.goals, SEED, guides)
    already = grid.counts["simulations"] if grid else 0
    components = found.roadmap.components()[: 2 * PAIRS]
    joined = int(found.joined.sum())
    result = {
        "joined": joined,
        "components": found.components,
        "components_of_starts": len(np.unique(components[:PAIRS])),
        "components_of_goals": len(np.unique(components[PAIRS:])),
        "rounds": found.rounds,
        "planner_simulations": found.simulations,
        "points": len(found.roadmap.points),
        "edges_proven": found.roadmap.proven,
        "edges_refuted": found.roadmap.refuted,
        **(described(given, found) if joined else {}),
    }
    return {**result, "simulations": already + found.band.simulations}


def measured(name: str) -> dict[str, Any]:
    """Look for joined pairs of a set: on a grid where it can be, and by paths.

    No paths are planned in three dimensions where the grid has no way even by cells' corners.
    """
    began, cpu = time.monotonic(), time.process_time()
    given = problem(name)
    grid = None
    if (d := len(given.circuit.free)) in CELLS:
        cells, window = FINER_CELLS.get(name, (CELLS[d], (1.0,) * d))
        band = Band(given.circuit, given.prop)
        grid = gridded(band, given.starts, given.goals, cells, window)
    result = {
        "set": name,
        "free": given.circuit.free,
        "statistics": given.circuit.observe,
        "pairs": PAIRS,
        "grid": grid.counts if grid else None,
    }
    if name == "d2" or grid is None or grid.guides is not None:
        result |= planned(given, grid)
    else:
        result |= {"joined": 0, "components": None, "simulations": grid.counts["simulations"]}
    low, high = stats.binomtest(result["joined"], PAIRS).proportion_ci(method="wilson")
    result["joined_interval"] = (low, high)
    return {
        **result,
        "seconds": time.monotonic() - began,
        "cpu_s": time.process_time() - cpu,
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Make the sets that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    given = parser.parse_args()
    target = RESULTS / "joined.json"
    settings = {
        "planner": dataclasses.asdict(PLANNER),
        "rounds_against_a_grid": BRIEF.rounds,
        "step": STEP,
        "check": CHECK,
        "check_of_a_proof": CHECK / FINER,
        "band_sds": BAND_SDS,
        "planned_share_of_the_band": PLANNED,
        "shortening_rounds": SHORTENING_ROUNDS,
    }
    for name in given.sets:
        if name in _made(target):
            continue
        found = measured(name)
        sets = {**_made(target), name: found}  # read anew: another process may have added some
        ordered = {each: sets[each] for each in SETS if each in sets}
        write_json(target, {"settings": settings, "seed": SEED, "sets": ordered, **provenance()})
        shown = ("joined", "components", "rounds", "grid", "simulations", "cpu_s", "shortened")
        print(name, {key: found.get(key) for key in shown}, flush=True)


def _made(target: Path) -> dict[str, Any]:
    """Results of the sets that are there."""
    return json.loads(target.read_text())["sets"] if target.exists() else {}


if __name__ == "__main__":
    main()

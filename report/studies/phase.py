"""The phase diagram of the augmented Lagrangian: python -m report.studies.phase POINT INITIAL OUT.

It trains all seeds of one point of the design in config/phase.yaml. Every run starts from the
initial network of its seed, so points differ only in their settings; `initial OUT` makes these
networks. workflow/phase.smk is the sweep over all points.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import xarray as xr
import yaml
from jax.flatten_util import ravel_pytree
from tqdm.auto import tqdm

from dsnlib import STG, AugmentedLagrangian, ExactMaxEnt, SimulationError, exact_maxent
from dsnlib._xla import numerics
from dsnlib.estimate import share_of
from dsnlib.judging.distances import kl_divergence
from dsnlib.maxent.modes import in_band
from dsnlib.methods import Problem
from dsnlib.methods.base import Records
from dsnlib.methods.lagrangian.convergence import LEVEL
from dsnlib.methods.lagrangian.training import begun
from dsnlib.storage.dataset import write_dataset
from report.experiment import CELLS, PROPERTY, SHORT
from report.studies.design import DESIGN, read_points
from report.studies.stamps import stamped

_PER_SNAPSHOT = ("kl", "entropy", "band_share", "mode_mass")  # nats, nats, share, share


def initial_networks(seeds: list[int]) -> xr.Dataset:
    """The initial network of each seed: (seed, weight) its weights, flattened."""
    weights, method = [], AugmentedLagrangian()
    for seed in tqdm(seeds, desc="initial fits"):
        problem = Problem(STG(T=SHORT), PROPERTY, method, seed)
        state = method.start(problem)
        while state.epoch < 0:
            state = method.step(problem, state)
        weights.append(np.asarray(ravel_pytree(state.weights)[0]))
    return xr.Dataset({"weights": (("seed", "weight"), np.stack(weights))}, {"seed": seeds})


def trained(method: AugmentedLagrangian, seed: int, weights: np.ndarray) -> tuple[Records, bool]:
    """Train from an initial network.

    Args:
        method: with its settings.
        seed: of the run.
        weights: (W,) of the initial network.

    Returns:
        What the run records, and whether it ran to the end.
    """
    problem = Problem(STG(T=SHORT), PROPERTY, method, seed)
    first = method.start(problem)
    _, unravel = ravel_pytree(first.weights)
    state = begun(problem, method, unravel(jnp.asarray(weights)), first.initial)
    try:
        while not method.report(problem, state).finished:
            state = method.step(problem, state)
    except SimulationError as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return state.records, False
    return state.records, True


def judged(records: Records, exact: ExactMaxEnt) -> dict[str, np.ndarray]:
    """Estimates of every snapshot: (snapshots, ..) arrays."""
    rows = []
    for z, log_q, moments in zip(
        *(records[name].astype(float) for name in ("z", "log_q", "moments")), strict=True
    ):
        modes = exact.assign(z, moments[:, :1])
        rows.append(
            (
                kl_divergence(log_q, exact.log_prob_of(moments)).value,
                -log_q.mean(),
                share_of(in_band(moments[:, :1], exact.prop)).value,
                [share_of(modes == k).value for k in range(len(exact.modes))],
            )
        )
    return {
        name: np.array(values, "float32")
        for name, values in zip(_PER_SNAPSHOT, zip(*rows, strict=True), strict=True)
    }


def study(method: AugmentedLagrangian, initial: xr.Dataset) -> xr.Dataset:
    """Train and judge all seeds of a point.

    Args:
        method: with the settings of the point.
        initial: networks, as `initial_networks` makes them.

    Returns:
        Over `seed` and `snapshot` (epochs done) what was judged, over `seed` and `epoch` c, |R| at
        the epoch's end and the note's test, and whether the run ran to its end.
    """
    exact = exact_maxent(STG(T=SHORT), PROPERTY, cells=CELLS)
    began, rows, seeds = time.monotonic(), [], initial.seed.values.tolist()
    for seed in tqdm(seeds, desc="seeds"):
        with numerics(method.precision):
            records, complete = trained(method, seed, initial.weights.sel(seed=seed).values)
        rows.append(
            judged(records, exact)
            | {
                "c": records["c"],
                "violation": records["violation_end"].mean(axis=1),
                "not_rejected": (records["p_value"] > LEVEL / 2).all(axis=1),
                "complete": np.array(complete),
            }
        )
    dims: dict[str, tuple[str, ...]] = dict.fromkeys(_PER_SNAPSHOT, ("seed", "snapshot"))
    dims |= dict.fromkeys(("c", "violation", "not_rejected"), ("seed", "epoch"))
    dims |= {"mode_mass": ("seed", "snapshot", "mode"), "complete": ("seed",)}
    data = {
        name: (dims[name], np.stack([row[name] for row in rows]).astype("float32"))
        for name in rows[0]
    }
    found = xr.Dataset(
        data,
        {
            "seed": seeds,
            "snapshot": np.arange(method.epochs + 1),
            "epoch": np.arange(1, method.epochs + 1),
            "mode": [mode.name for mode in exact.modes],
            "exact_mass": ("mode", [mode.mass for mode in exact.modes]),
        },
    )
    return stamped(found, dataclasses.asdict(method), began)


def main(arguments: list[str]) -> None:
    """Write the initial networks, or the data of a point.

    Args:
        arguments: "initial" and a netCDF file; or a point's name, that file, and another.

    Raises:
        ValueError: the design has no such point.
    """
    point, *given, out = arguments
    known = read_points()
    if point not in {"initial", *known}:
        raise ValueError(f"POINT must be initial or one of {', '.join(known)}, got {point!r}")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    if point == "initial":
        data = initial_networks(yaml.safe_load(DESIGN.read_text())["seeds"])
    else:
        data = study(AugmentedLagrangian(**known[point]), xr.load_dataset(given[0]))
    write_dataset(Path(out), data)


if __name__ == "__main__":
    main(sys.argv[1:])

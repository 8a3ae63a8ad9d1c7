"""The phase diagram of the augmented Lagrangian: phase.py POINT INITIAL OUT.

Trains all seeds of one point of the design in config/phase.yaml. Every run starts from the initial
network of its seed, so points differ in the setting alone; `phase.py initial OUT` makes these
networks. workflow/phase.smk is the sweep over all points.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
import yaml
from jax.flatten_util import ravel_pytree
from tqdm.auto import tqdm

from design import DESIGN, read_points
from dsnlib import STG, EmergentProperty, ExactMaxEnt, Settings, exact_maxent
from dsnlib.exact.modes import in_band
from dsnlib.judging.distances import kl_divergence, share_of
from dsnlib.runs.dataset import write_dataset
from dsnlib.runs.identity import numerics_stamp, provenance
from dsnlib.training.calls import alone
from dsnlib.training.convergence import LEVEL
from dsnlib.training.history import History, empty_history
from dsnlib.training.initial import fit_initial
from dsnlib.training.lagrangian import INITIAL, SimulationError, initial_state, stream, train
from dsnlib.training.problem import Problem

CELLS = 1_000
_PER_SNAPSHOT = ("kl", "entropy", "band_share", "mode_mass")  # nats, nats, share, share


def initial_networks(seeds: list[int]) -> xr.Dataset:
    """The initial network of each seed: (seed, weight) its weights, flattened."""
    weights = []
    for seed in tqdm(seeds, desc="initial fits"):
        fit = fit_initial(_problem(Settings()), stream(seed, INITIAL), lambda iterations, kl: None)
        weights.append(np.asarray(ravel_pytree(alone(fit, lambda: None).weights)[0]))
    return xr.Dataset({"weights": (("seed", "weight"), np.stack(weights))}, {"seed": seeds})


def _problem(settings: Settings) -> Problem:
    return Problem(STG(T=200), EmergentProperty(mean=[0.525], sd=[0.025]), settings)


def trained(problem: Problem, seed: int, weights: Any) -> tuple[History, bool]:
    """What a run records, and whether it ran to the end."""
    history = empty_history(problem, ravel_pytree(weights)[0].size)
    run = train(problem, seed, initial_state(problem, weights), history, lambda state: None)
    try:
        alone(run, lambda: None)
    except SimulationError as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return history, False
    return history, True


def judged(history: History, exact: ExactMaxEnt) -> dict[str, np.ndarray]:
    """Estimates of every snapshot: (snapshots, ..) arrays."""
    rows = []
    for z, log_q, moments in zip(
        *(history[name].astype(float) for name in ("z", "log_q", "moments")), strict=True
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


def study(settings: Settings, initial: xr.Dataset) -> xr.Dataset:
    """Train and judge all seeds of a point.

    Args:
        settings: of the point.
        initial: networks, as `initial_networks` makes them.

    Returns:
        Over `seed` and `snapshot` (epochs done) what was judged, over `seed` and `epoch` c, |R| at
        the epoch's end and the note's test, and whether the run ran to its end.
    """
    problem = _problem(settings)
    exact = exact_maxent(problem.circuit, problem.prop, cells=CELLS)
    _, unravel = ravel_pytree(problem.random_weights(jax.random.key(0)))
    began, rows, seeds = time.monotonic(), [], initial.seed.values.tolist()
    for seed in tqdm(seeds, desc="seeds"):
        weights = unravel(jnp.asarray(initial.weights.sel(seed=seed).values))
        history, complete = trained(problem, seed, weights)
        rows.append(
            judged(history, exact)
            | {
                "c": history["c"],
                "violation": history["violation_end"].mean(axis=1),
                "not_rejected": (history["p_value"] > LEVEL / 2).all(axis=1),
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
    return xr.Dataset(
        data,
        {
            "seed": seeds,
            "snapshot": np.arange(settings.epochs + 1),
            "epoch": np.arange(1, settings.epochs + 1),
            "mode": [mode.name for mode in exact.modes],
            "exact_mass": ("mode", [mode.mass for mode in exact.modes]),
        },
        {
            "settings": json.dumps(dataclasses.asdict(settings)),
            "seconds": time.monotonic() - began,
            "load": os.getloadavg()[0],
            "numerics": numerics_stamp(dataclasses.asdict(settings)),
            "provenance": json.dumps(provenance()),
        },
    )


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
        data = study(Settings(**known[point]), xr.load_dataset(given[0]))
    write_dataset(Path(out), data)


if __name__ == "__main__":
    main(sys.argv[1:])

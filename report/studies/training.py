"""Small trainings by the augmented Lagrangian, judged after every epoch, for designed studies."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree
from tqdm.auto import tqdm

from dsnlib import STG, AugmentedLagrangian, ExactMaxEnt, Parameter, SimulationError
from dsnlib._xla import numerics
from dsnlib.estimate import share_of
from dsnlib.judging.distances import kl_divergence
from dsnlib.maxent.modes import in_band
from dsnlib.methods import Problem
from dsnlib.methods.base import Records
from dsnlib.methods.lagrangian.convergence import LEVEL
from dsnlib.methods.lagrangian.objective import Objective
from dsnlib.methods.lagrangian.programs import draw
from dsnlib.methods.lagrangian.training import begun
from report.experiment import PROPERTY, SHORT

SAMPLES = 20_000  # of each network, for its judgement
KEPT = 1_000  # of them, of the last network and of the first that passes the note's test
STARTS = ("note", "wide")
_JUDGING_KEY = 99


class Wide(STG):
    """The note's circuit, from whose whole plane a network starts: 10 nS with an sd of 10 nS."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:  # type: ignore[override]
        """The free conductances, with another initial distribution."""
        return tuple(
            dataclasses.replace(p, initial_mean=10.0, initial_sd=10.0) for p in super().parameters
        )


def initial_networks(flow: str, layers: int, start: str, seeds: list[int]) -> xr.Dataset:
    """The initial network of each seed: (seed, weight) its weights, flattened.

    Args:
        flow, layers: architecture of the network.
        start: "note", the truncated Gaussian of the note; or "wide", one over the whole plane.
        seeds: of the fits.
    """
    weights, method = [], AugmentedLagrangian(flow=flow, layers=layers)
    circuit = {"note": STG, "wide": Wide}[start](T=SHORT)
    for seed in tqdm(seeds, desc="initial fits"):
        problem = Problem(circuit, PROPERTY, method, seed)
        with numerics(method.precision):
            state = method.start(problem)
            while state.epoch < 0:
                state = method.step(problem, state)
        weights.append(np.asarray(ravel_pytree(state.weights)[0]))
    return xr.Dataset({"weights": (("seed", "weight"), np.stack(weights))}, {"seed": seeds})


def trained(
    method: AugmentedLagrangian, seed: int, weights: np.ndarray, lam: np.ndarray | None = None
) -> tuple[Records, bool]:
    """Train from an initial network.

    Args:
        method: with its settings.
        seed: of the run.
        weights: (W,) of the initial network.
        lam: (M,) multipliers of the first epoch, 0 by default.

    Returns:
        What the run records, and whether it ran to the end.
    """
    problem = Problem(STG(T=SHORT), PROPERTY, method, seed)
    first = method.start(problem)
    _, unravel = ravel_pytree(first.weights)
    state = begun(problem, method, unravel(jnp.asarray(weights)), first.initial)
    if lam is not None:
        state = state._replace(lam=lam)
    try:
        while not method.report(problem, state).finished:
            state = method.step(problem, state)
    except SimulationError as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return state.records, False
    return state.records, True


def judged(method: AugmentedLagrangian, records: Records, exact: ExactMaxEnt) -> xr.Dataset:
    """What a training came to.

    Args:
        method: with its settings.
        records: of the training.
        exact: the exact answer.

    Returns:
        Over `snapshot` (epochs done), from 20,000 samples each: `kl` and its `kl_se`, `entropy`,
        `mean` and `sd` of f (Hz), `band_share`, `mode_mass` (mode); over `epoch` the penalty `c`,
        `violation` |R| at the epoch's end and whether the note's test does `not_rejected`; over
        `sample` 1,000 of z (nS) of the `last` network and of the first that passes the test, if
        any.
    """
    objective = Objective.of(Problem(STG(T=SHORT), PROPERTY, method, 0), method)
    _, unravel = ravel_pytree(objective.random_weights(jax.random.key(0)))
    rows: dict[str, list[Any]] = {}
    kept = []
    for snapshot, weights in enumerate(records["weights"]):
        key = jax.random.fold_in(jax.random.key(_JUDGING_KEY), snapshot)
        drawn = draw(objective, SAMPLES, unravel(jnp.asarray(weights, method.precision)), key)
        z, log_q, moments = (np.asarray(values, float) for values in drawn)
        f, modes = moments[:, :1], exact.assign(z, moments[:, :1])
        kl = kl_divergence(log_q, exact.log_prob_of(moments))
        for name, value in {
            "kl": kl.value,
            "kl_se": kl.se,
            "entropy": -log_q.mean(),
            "mean": f.mean(),
            "sd": f.std(),
            "band_share": share_of(in_band(f, exact.prop)).value,
            "mode_mass": [share_of(modes == k).value for k in range(len(exact.modes))],
        }.items():
            rows.setdefault(name, []).append(value)
        kept.append(z[:KEPT])
    passed = (records["p_value"] > LEVEL / records["p_value"].shape[1]).all(axis=1)
    first = int(passed.argmax()) + 1 if passed.any() else None
    nowhere = np.full_like(kept[0], np.nan)
    data: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        name: (("snapshot", "mode")[: np.ndim(values[0]) + 1], np.array(values, "float32"))
        for name, values in rows.items()
    }
    data |= {
        name: (("epoch",), np.asarray(values, "float32"))
        for name, values in {
            "c": records["c"],
            "violation": records["violation_end"].mean(axis=1),
            "not_rejected": passed,
        }.items()
    }
    data["z"] = (
        ("network", "sample", "parameter"),
        np.array([kept[-1], nowhere if first is None else kept[first]], "float32"),
    )
    return xr.Dataset(
        data,
        {
            "snapshot": np.arange(method.epochs + 1),
            "epoch": np.arange(1, method.epochs + 1),
            "mode": [mode.name for mode in exact.modes],
            "network": ["last", "first to pass"],
            "exact_mass": ("mode", [mode.mass for mode in exact.modes]),
        },
    )

"""Judge all methods by the same rules: every record of the others, and every run of dsnlib."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from measure import write
from record import RESULTS, read_target
from target import exact_answer

import dsnlib
from dsnlib.estimate import Estimate, mean_of, share_of
from dsnlib.judging.distances import c2st, kl_divergence
from dsnlib.maxent import ExactMaxEnt
from dsnlib.maxent.modes import in_band

RUNS = Path(__file__).parents[2] / "runs"
_C2ST_SAMPLES = 1_000  # of each of the two sets; the runs keep no more


class Sampled(NamedTuple):
    """What one run of a method is judged by."""

    method: str
    seed: int
    z: np.ndarray  # (n, 2), nS
    f: np.ndarray  # (n,), Hz
    log_q: np.ndarray | None  # (n,) where the method has a density
    log_q_exact: np.ndarray | None  # the same at the exact samples
    group: np.ndarray  # (n,) samples of one group depend on each other
    facts: dict[str, Any]  # simulations, wall time, settings ...


def records(folder: Path) -> Iterator[Sampled]:
    """What the methods of this folder wrote."""
    for file in sorted(folder.glob("*_seed-*.nc")):
        data = xr.load_dataset(file)
        facts = {name: np.asarray(value).tolist() for name, value in data.attrs.items()}
        for name in ("settings", "versions"):
            facts[name] = json.loads(facts[name])
        log_q, log_q_exact = (
            data[name].values if name in data else None for name in ("log_q", "log_q_exact")
        )
        group = data.chain.values if "chain" in data else np.arange(data.sizes["sample"])
        yield Sampled(
            facts.pop("method"), facts.pop("seed"), data.z.values, data.f.values,
            log_q, log_q_exact, group, facts,
        )  # fmt: skip


def trained(folder: Path, exact: ExactMaxEnt, exact_samples: np.ndarray) -> Iterator[Sampled]:
    """Complete runs of dsnlib for the same circuit and property, judged by their answer."""
    exact_moments = exact.moments(exact_samples)
    for file in sorted(folder.glob("*/run.nc")):
        run = dsnlib.load_run(file.parent)
        if json.loads(run.data.circuit) != exact.circuit.configuration():
            continue
        data, last = run.data, list(run.snapshots().values())[-1]
        islands = run.samples.sizes["island"]
        n = len(last.z)
        # Particles of one island depend on each other; a network's samples do not.
        group = np.arange(n) if islands == 1 else np.repeat(np.arange(islands), n // islands)
        facts = {
            "simulations": run.simulations,
            "wall_s": data.seconds,
            "settings": dataclasses.asdict(run.method),
            "versions": json.loads(data.versions),
            "device": data.device,
        }
        yield Sampled(
            file.parent.name.partition("_seed-")[0], run.seed, last.z, last.moments[:, 0],
            last.log_q, last.log_prob(exact_samples, exact_moments), group, facts,
        )  # fmt: skip


def judged(
    sampled: Sampled, exact: ExactMaxEnt, exact_samples: np.ndarray, log_p_exact: np.ndarray
) -> dict[str, Any]:
    """All that is reported of one run."""
    statistics = sampled.f.astype(float)[:, None]
    masses = _masses(sampled.z, statistics, exact)
    few = np.random.default_rng(0).permutation(len(sampled.z))[:_C2ST_SAMPLES]
    kl = forward_kl = share = None
    if sampled.log_q is not None and sampled.log_q_exact is not None:
        with jax.enable_x64(True):
            moments = np.asarray(exact.prop.moments(jnp.asarray(statistics)))
        log_p = exact.log_prob_of(moments)
        kl = kl_divergence(sampled.log_q, log_p)
        share = effective_share(log_p - sampled.log_q)
        forward_kl = kl_divergence(log_p_exact, sampled.log_q_exact)
    return {
        "method": sampled.method,
        "seed": sampled.seed,
        "samples": len(sampled.z),
        "distinct": len(np.unique(sampled.z, axis=0)),
        "kl": _plain(kl),
        "forward_kl": _plain(forward_kl),
        "effective_share": share,
        "kl_at_least": kl_of_masses(masses.mean(axis=0), exact),
        "c2st": _plain(c2st(sampled.z[few], exact_samples[:_C2ST_SAMPLES])),
        "mode_mass": {
            mode.name: _plain(grouped(masses[:, k], sampled.group))
            for k, mode in enumerate(exact.modes)
        },
        "band_share": _plain(grouped(in_band(statistics, exact.prop), sampled.group)),
        "mean_f": statistics.mean(),
        "sd_f": statistics.std(),
        **sampled.facts,
    }


def kl_of_masses(masses: np.ndarray, exact: ExactMaxEnt) -> float:
    """KL(q || p*) of the masses of the modes and of the rest, nats.

    It needs no density, and KL(q || p*) is no less: by merging points a divergence cannot grow.
    """
    p = np.array([mode.mass for mode in exact.modes])
    q, p = (np.append(m, 1 - m.sum()) for m in (masses, p))
    return float(np.sum(q[q > 0] * np.log(q[q > 0] / p[q > 0])))


def effective_share(log_weights: np.ndarray) -> float:
    """Effective over actual number of samples (n,), were they weighted to the target."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def grouped(hits: np.ndarray, group: np.ndarray) -> Estimate:
    """Share of (n,) booleans; its error is that between groups where samples come in groups."""
    count = len(np.unique(group))
    if count == len(hits):
        return share_of(hits)
    return mean_of(np.bincount(group, hits, count) / np.bincount(group, minlength=count))


def _masses(z: np.ndarray, statistics: np.ndarray, exact: ExactMaxEnt) -> np.ndarray:
    """(n, modes) whether each sample belongs to each mode."""
    return exact.assign(z, statistics)[:, None] == np.arange(len(exact.modes))


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else estimate._asdict()


def main() -> None:
    """Judge what there is and write ../results/comparison.json."""
    exact = exact_answer()
    exact_samples = read_target().z.values.astype(float)
    log_p_exact = exact.log_prob(exact_samples)
    everything = [*records(RESULTS), *trained(RUNS, exact, exact_samples)]
    results = [judged(sampled, exact, exact_samples, log_p_exact) for sampled in everything]
    answer = {
        "cells": exact.cells,
        "eta": exact.eta.tolist(),
        "simulations": exact.cells**2,
        "entropy": exact.entropy,
        "modes": {m.name: {"value": m.mass, "se": m.mass_se} for m in exact.modes},
        "c2st_samples": _C2ST_SAMPLES,
    }
    write("comparison", {"exact": answer, "results": results})


if __name__ == "__main__":
    main()

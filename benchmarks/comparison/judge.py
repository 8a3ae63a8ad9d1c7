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
from estimates import effective_share, kl_of_masses, mass
from measure import write
from record import RESULTS, read_target
from target import exact_answer
from told_apart import LARGEST, SMALLEST, Samples, calibrated, distinct, told_apart

import dsnlib
from dsnlib.estimate import Estimate, share_of
from dsnlib.judging.distances import kl_divergence
from dsnlib.maxent import ExactMaxEnt
from dsnlib.maxent.modes import in_band
from dsnlib.methods.lagrangian import LagrangianRun

RUNS = Path(__file__).parents[2] / "runs"
_SEED = 7  # of the exact samples for the classifier; those of target.nc have 0
_STARVED = np.log(10)  # nats: the density is below a tenth of the exact one


class Sampled(NamedTuple):
    """What one run of a method is judged by."""

    method: str
    seed: int
    samples: Samples
    weight: np.ndarray  # (n,) of the samples
    log_q: np.ndarray | None  # (n,) where the method has a density
    log_q_exact: np.ndarray | None  # the same at the exact samples
    group: np.ndarray  # (n,) samples of one group depend on each other
    facts: dict[str, Any]  # simulations, time, settings ...


class Truth(NamedTuple):
    """The exact answer, and samples of it."""

    exact: ExactMaxEnt
    z: np.ndarray  # (n, 2) at which the methods' densities are known
    log_p: np.ndarray  # (n,) there
    other: Samples  # further ones, for the classifier


def records(folder: Path, eta: np.ndarray) -> Iterator[Sampled]:
    """What the methods of this folder wrote.

    Those that were handed eta and have a density come once more, weighted by p*/q.
    """
    for file in sorted(folder.glob("*_seed-*.nc")):
        data = xr.load_dataset(file)
        facts = {name: np.asarray(value).tolist() for name, value in data.attrs.items()}
        for name in {"settings", "versions", "own_masses"} & set(facts):
            facts[name] = json.loads(facts[name])
        method, seed = facts.pop("method"), facts.pop("seed")
        facts["handed_eta"] = "eta" not in facts
        facts["seconds"] = facts["cpu_s"] + facts.get("simulation_s", 0)
        facts["seconds_of"] = "processor"
        log_q, log_q_exact = (
            data[name].values if name in data else None for name in ("log_q", "log_q_exact")
        )
        n = data.sizes["sample"]
        group = data.chain.values if "chain" in data else np.arange(n)
        samples = Samples(data.z.values, data.f.values)
        yield Sampled(method, seed, samples, np.ones(n), log_q, log_q_exact, group, facts)
        if log_q is not None and facts["handed_eta"]:
            f = samples.f.astype(float)
            log_weight = eta[0] * f + eta[1] * f**2 - log_q
            weight = np.exp(log_weight - log_weight.max())
            facts = facts | {"simulations": facts["simulations"] + n}
            yield Sampled(f"{method}, weighted", seed, samples, weight, None, None, group, facts)


def trained(folder: Path, truth: Truth) -> Iterator[Sampled]:
    """Complete runs of dsnlib for the same circuit and property, judged by their answer."""
    exact = truth.exact
    exact_moments = exact.moments(truth.z)
    for file in sorted(folder.glob("*/run.nc")):
        run = dsnlib.load_run(file.parent)
        if json.loads(run.data.circuit) != exact.circuit.configuration():
            continue
        data, last = run.data, list(run.snapshots().values())[-1]
        if isinstance(run, LagrangianRun):  # it kept 1,000 samples; its network gives more
            z = np.asarray(run.network().sample(jax.random.key(run.seed), (LARGEST,)), np.float32)
            moments = exact.moments(z)
            log_q, group = last.log_prob(z.astype(float), moments), np.arange(len(z))
        else:  # particles of one island depend on each other
            z, moments, log_q = last.z, last.moments, last.log_q
            group = np.repeat(np.arange(run.z.shape[0]), run.z.shape[1])
        facts = {
            "simulations": run.simulations,
            "wall_s": data.seconds,
            "seconds": data.seconds,
            "seconds_of": "wall",
            "handed_eta": False,
            "settings": dataclasses.asdict(run.method),
            "versions": json.loads(data.versions),
            "device": data.device,
        }
        yield Sampled(
            file.parent.name.partition("_seed-")[0], run.seed,
            Samples(z.astype(np.float32), moments[:, 0].astype(np.float32)), np.ones(len(z)),
            log_q, last.log_prob(truth.z, exact_moments), group, facts,
        )  # fmt: skip


def judged(sampled: Sampled, truth: Truth) -> dict[str, Any]:
    """All that is reported of one run."""
    exact, samples, weight = truth.exact, sampled.samples, sampled.weight
    statistics = samples.f.astype(float)[:, None]
    points = distinct(samples, weight)
    accuracy, size = told_apart(points.unweighted(np.random.default_rng(0)), truth.other)
    masses = exact.assign(samples.z, statistics)[:, None] == np.arange(len(exact.modes))
    kl = forward_kl = starved = share = None
    if sampled.log_q is not None and sampled.log_q_exact is not None:
        with jax.enable_x64(True):
            moments = np.asarray(exact.prop.moments(jnp.asarray(statistics)))
        log_p = exact.log_prob_of(moments)
        kl = kl_divergence(sampled.log_q, log_p)
        forward_kl = kl_divergence(truth.log_p, sampled.log_q_exact)
        starved = share_of(sampled.log_q_exact < truth.log_p - _STARVED)
        share = effective_share(log_p - sampled.log_q)
    elif len(np.unique(weight)) > 1:
        share = effective_share(np.log(np.maximum(weight, np.finfo(float).tiny)))
    mean = np.average(statistics[:, 0], weights=weight)
    return {
        "method": sampled.method,
        "seed": sampled.seed,
        "samples": len(samples.f),
        "distinct": len(points.weight),
        "effective": points.effective,
        "kl": _plain(kl),
        "forward_kl": _plain(forward_kl),
        "starved": _plain(starved),
        "effective_share": share,
        "kl_at_least": kl_of_masses(np.average(masses, axis=0, weights=weight), exact),
        "c2st": _plain(accuracy),
        "c2st_samples": size,
        "mode_mass": {
            mode.name: _plain(mass(masses[:, k], weight, sampled.group))
            for k, mode in enumerate(exact.modes)
        },
        "band_share": _plain(mass(in_band(statistics, exact.prop), weight, sampled.group)),
        "mean_f": mean,
        "sd_f": np.sqrt(np.average((statistics[:, 0] - mean) ** 2, weights=weight)),
        **sampled.facts,
    }


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else estimate._asdict()


def main() -> None:
    """Judge what there is and write ../results/comparison.json."""
    exact, z = exact_answer(), read_target().z.values.astype(float)
    # The records keep float32, so the exact samples are rounded too before anything is computed.
    drawn = exact.sample(jax.random.key(_SEED), 3 * LARGEST).astype(np.float32)
    drawn = Samples(drawn, exact.moments(drawn)[:, 0].astype(np.float32))
    other, further = drawn.at(np.arange(LARGEST)), drawn.at(np.arange(LARGEST, 3 * LARGEST))
    names = [mode.name for mode in exact.modes]
    lower = exact.assign(further.z, further.f[:, None]) == names.index("lower")
    truth = Truth(exact, z, exact.log_prob(z), other)
    everything = [*records(RESULTS, exact.eta), *trained(RUNS, truth)]
    answer = {
        "cells": exact.cells,
        "eta": exact.eta.tolist(),
        "log_z": exact.log_z,
        "simulations": exact.cells**2,
        "entropy": exact.entropy,
        "entropy_se": exact.entropy_se,
        "modes": {m.name: {"value": m.mass, "se": m.mass_se} for m in exact.modes},
    }
    results = [judged(sampled, truth) for sampled in everything]
    check = calibrated(other, further, lower)
    given = {"exact": answer, "c2st_smallest": SMALLEST, "c2st_check": check}
    write("comparison", given | {"results": results})


if __name__ == "__main__":
    main()

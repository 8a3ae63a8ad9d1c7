"""The two simplest methods, which find eta by themselves: weighted uniform draws and a grid."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from typing import Any, NamedTuple

import jax
import numpy as np
from record import Stopwatch, read_target, write_record
from target import CIRCUIT, PROPERTY

import dsnlib

_SAMPLES = 10_000  # of a grid


class Answer(NamedTuple):
    """What a method found."""

    z: np.ndarray  # (n, 2) samples, nS
    f: np.ndarray  # (n,) Hz
    log_q: np.ndarray  # (n,) log-density, nats per nS^2
    log_q_exact: np.ndarray  # the same at the exact samples
    facts: dict[str, Any]  # `eta`, `simulations` and what else is worth knowing


def uniform(draws: int, seed: int, exact_samples: np.ndarray) -> Answer:
    """Uniform draws weighted by exp(eta.T), eta solved on the same draws; kept by rejection."""
    with tempfile.TemporaryDirectory() as folder:
        run = dsnlib.fit(CIRCUIT, PROPERTY, dsnlib.Uniform(samples=draws), seed=seed, out=folder)
    (answer,) = run.snapshots().values()
    facts = {
        "eta": run.eta["value"].values,
        "effective_draws": float(run.data.effective.sum()),
        "entropy": list(run.entropy),
        "simulations": run.simulations,
        "trusted": int(run.trusted),
    }
    log_q_exact = answer.log_prob(exact_samples, _moments(exact_samples))
    return Answer(answer.z, answer.moments[:, 0], answer.log_q, log_q_exact, facts)


def grid(cells: int, seed: int, exact_samples: np.ndarray) -> Answer:
    """f at the midpoints of cells x cells cells; eta, masses and entropy are sums over them.

    The answer costs one simulation a cell, and its density exp(eta.T - log Z) one a point. Samples
    of it cost more: they are rejected from uniform draws, whose expected number is
    `sampling_simulations`.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DSNLIB_CACHE"] = folder  # empty, so that the grid is simulated here and now
        watch = Stopwatch()
        found = dsnlib.exact_maxent(CIRCUIT, PROPERTY, cells=cells)
        answered = watch.reading()
    z = found.sample(jax.random.key(seed), _SAMPLES).astype(np.float32)
    moments = _moments(z)
    linear, square = found.eta
    log_volume = np.log(np.diff(CIRCUIT.bounds, axis=1)).sum()
    facts = {
        "eta": found.eta,
        "entropy": [found.entropy, found.entropy_se],
        "own_masses": json.dumps({m.name: [m.mass, m.mass_se] for m in found.modes}),
        "simulations": cells**2,
        "answer_cpu_s": answered["cpu_s"],
        "sampling_simulations": round(
            _SAMPLES * np.exp(log_volume - linear**2 / (4 * square) - found.log_z)
        ),
    }
    log_q_exact = found.log_prob_of(_moments(exact_samples))
    return Answer(z, moments[:, 0], found.log_prob_of(moments), log_q_exact, facts)


def _moments(z: np.ndarray) -> np.ndarray:
    """(n, 2) f and f^2 in double precision; not counted."""
    with jax.enable_x64(True):
        return np.asarray(PROPERTY.moments(CIRCUIT.statistics(np.asarray(z, float))))


def main() -> None:
    """Run one of the two and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the record")
    parser.add_argument("--algorithm", choices=["uniform", "grid"], default="uniform")
    parser.add_argument("--size", type=int, default=200_000, help="draws, or cells along an axis")
    parser.add_argument("--seed", type=int, default=1, help="of a grid: of its samples alone")
    settings = vars(parser.parse_args())
    name, seed = settings.pop("name"), settings.pop("seed")
    exact_samples = read_target().z.values.astype(float)
    watch = Stopwatch()
    method = {"uniform": uniform, "grid": grid}[settings["algorithm"]]
    answer = method(settings["size"], seed, exact_samples)
    write_record(
        name, seed, answer.z, answer.f,
        packages=["dsnlib", "jax", "jaxlib", "numpy"],
        attributes=answer.facts | watch.reading(), settings=settings,
        extra={
            "log_q": ("sample", answer.log_q),
            "log_q_exact": ("exact", answer.log_q_exact),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()

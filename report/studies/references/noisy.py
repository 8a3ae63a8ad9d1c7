"""The circuits with noise, from draws near the answer and uniform ones together.

    python -m report.studies.references.noisy OUT v1 sc

The circuits are the library's, with its common random numbers, and nothing else is: tests compare
them with a second implementation. Uniform draws of the box (the pilot) say where the answer lies;
a mixture of Gaussians around the best of them, on the box only, and uniform draws make up the
proposal. Its density is known, so weights are exact whatever the pilot has missed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from dsnlib import Circuit
from report.studies.problems import CASES
from report.studies.references.uniform_references import Problem, solve, standardised
from report.studies.references.weighing import Draws, answer, planned, run

CHUNK = 10_000  # draws
CENTRES = 500
TEMPERED = 9.0  # the pilot's answer is made broader by this factor in variance
UNIFORM = 0.2  # share of uniform draws in the proposal
SAMPLES = 10_000
LEAST = 1e-3  # of the box, width of a Gaussian


@dataclasses.dataclass(frozen=True)
class Noisy(Problem):
    """A case of the gallery on the box of its circuit; see `Problem`."""

    circuit: Circuit = dataclasses.field(kw_only=True)

    @property
    def bounds(self) -> np.ndarray:
        """(d, 2) of the parameters."""
        return self.circuit.bounds

    @property
    def volume(self) -> float:
        """Logarithm of the box's volume."""
        return float(np.log(np.diff(self.bounds, axis=1)).sum())

    def statistics(self, unit: np.ndarray) -> np.ndarray:
        """(n, d) points of the unit box to (n, S) statistics."""
        low, high = self.bounds.T
        return np.asarray(self.circuit.statistics(low + (high - low) * unit), float)


def problem_of(name: str, pilot: int, draws: int) -> Noisy:
    """The gallery's case as a problem; `chunk` is the size of the pilot."""
    circuit, prop = CASES[name].circuit, CASES[name].prop
    names = tuple(p.name for p in circuit.parameters)
    return Noisy(
        names, (), tuple(prop.mean), tuple(prop.sd), draws, pilot, SAMPLES, circuit=circuit
    )


def proposal(
    centres: np.ndarray, width: np.ndarray, seeds: list[np.random.SeedSequence], problem: Noisy
) -> Iterator[Draws]:
    """Chunks from the mixture of uniform and of Gaussians cut off at the box's walls."""
    inside = norm.cdf((1 - centres) / width) - norm.cdf(-centres / width)
    low, high = problem.bounds.T
    for seed in seeds:
        generator = np.random.default_rng(seed)
        d = centres.shape[1]
        which = generator.integers(len(centres), size=CHUNK)
        share = norm.cdf(-centres[which] / width) + generator.random((CHUNK, d)) * inside[which]
        unit = np.clip(centres[which] + width * norm.ppf(share), 0, 1)
        uniform = generator.random(CHUNK) < UNIFORM
        unit[uniform] = generator.random((uniform.sum(), d))
        unit = unit.astype(np.float32).astype(float)
        each = norm.logpdf(unit[:, None], centres, width) - np.log(inside)
        near = logsumexp(each.sum(axis=2), axis=1) - np.log(len(centres))
        log_q = np.logaddexp(near + np.log(1 - UNIFORM), np.log(UNIFORM))
        yield Draws(low + (high - low) * unit, problem.statistics(unit), -log_q)


def make(problem: Noisy, seed: int) -> dict[str, np.ndarray]:
    """The reference of a problem."""
    first, second, *rest = np.random.SeedSequence(seed).spawn(12 + problem.draws // CHUNK)
    generator = np.random.default_rng(first)
    unit = generator.random((problem.chunk, len(problem.free)))
    moments = standardised(problem, problem.statistics(unit))
    u = moments[:, : len(problem.mean)] / np.sqrt(TEMPERED)
    tempered = np.concatenate([u, u**2 - 1], axis=1)
    p = np.exp(tempered @ solve(tempered))
    p /= p.sum()
    spread = np.sqrt(p @ (unit - p @ unit) ** 2)
    centres = unit[generator.choice(len(unit), CENTRES, p=p)]
    width = np.maximum(spread / 3, LEAST)
    trial = list(proposal(centres, width, rest[:10], problem))
    plan = planned(
        standardised(problem, np.concatenate([chunk.statistics for chunk in trial])),
        np.concatenate([chunk.log_base for chunk in trial]),
        problem.draws,
    )
    chunks = proposal(centres, width, rest[10:], problem)
    return answer(problem, plan, chunks, np.random.default_rng(second)) | {
        "pilot": np.asarray(problem.chunk)
    }


if __name__ == "__main__":
    run(
        str(__doc__),
        {"v1": problem_of("v1", 100_000, 1_000_000), "sc": problem_of("sc", 200_000, 1_000_000)},
        make,
    )

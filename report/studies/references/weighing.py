"""Answers from weighted draws: the dual, the entropy and samples, of as many draws as one likes.

Draws come in chunks from a density that is known, uniform or other. A pilot says roughly how much
each will weigh. Of the draws a part is kept, at random and the likelier the heavier it is, which
counts by the inverse of that probability: enough for the dual and for samples, and little to hold
in memory. The entropy is that of all draws.
"""

from __future__ import annotations

import argparse
import dataclasses
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import scipy
from scipy.special import logsumexp

from report.studies.references.closed_forms import linear2d, rank_two
from report.studies.references.uniform_references import (
    Problem,
    natural,
    save,
    solve,
    standardised,
)

KEEP = 100_000  # draws, about

AnyProblem = TypeVar("AnyProblem", bound=Problem)


@dataclasses.dataclass(frozen=True)
class Box(Problem):
    """A problem on the box (-half, half)^d whose statistics have a closed form.

    Args:
        statistics: (n, d) parameters to (n, S) statistics.
        half: half of the box's width.
    """

    statistics: Callable[[np.ndarray], np.ndarray] = linear2d
    half: float = 1.0

    @property
    def volume(self) -> float:
        """Logarithm of the box's volume."""
        return float(len(self.free) * np.log(2 * self.half))


def network(N: int, draws: int, samples: int) -> Box:
    """The network of rank two with N neurons."""
    names = [f"{m}{i}{j}" for m in "uv" for i in range(1, N + 1) for j in (1, 2)]
    mean, sd = (0.5, 1.5), (0.25, 0.25)
    return Box(tuple(names), (), mean, sd, draws, 0, samples, rank_two)


class Draws(NamedTuple):
    """A chunk: (n, d) parameters, (n, S) statistics, log of uniform over proposal density."""

    z: np.ndarray
    statistics: np.ndarray
    log_base: np.ndarray


class Plan(NamedTuple):
    """What a pilot says: natural parameters, and the log weight above which all draws are kept."""

    theta: np.ndarray
    log_cut: float


def planned(moments: np.ndarray, log_base: np.ndarray, draws: int, keep: int = KEEP) -> Plan:
    """The plan by which about `keep` of `draws` draws will be kept, from a pilot's."""
    theta = solve(moments, log_base)
    log_weight = moments @ theta + log_base
    low, high = log_weight.min(), log_weight.max() + 30
    for _ in range(60):
        cut = (low + high) / 2
        many = np.exp(np.minimum(log_weight - cut, 0)).mean() * draws > keep
        low, high = (cut, high) if many else (low, cut)
    return Plan(theta, float(high))


def answer(
    problem: Problem, plan: Plan, chunks: Iterable[Draws], generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """The maximum-entropy distribution from all chunks.

    Returns:
        z (n, d) float32 and statistics (n, S) of samples, by rejection where that leaves enough of
        them, else by systematic resampling, of which `repeats` come more than once; eta, theta,
        log_z, entropy, names as `uniform_references.natural`; eta_se, by the sandwich of the kept
        draws; entropy_se, from the chunks' spread (that eta is fitted to the same draws changes
        the entropy in second order only); draws; ess, the effective sample size of all draws;
        kept; heaviest, the largest weight of a kept draw; mean and sd of each parameter over all
        kept draws, which are more than z has.
    """
    kept_rows, kept_measure, sums, squares, draws = [], [], [], 0.0, 0
    for chunk in chunks:
        log_weight = standardised(problem, chunk.statistics) @ plan.theta + chunk.log_base
        log_share = np.minimum(log_weight - plan.log_cut, 0)
        kept = np.log(generator.random(len(log_share))) < log_share
        row = np.concatenate([chunk.z, chunk.statistics], axis=1)[kept]
        kept_rows.append(row.astype(np.float32))
        kept_measure.append((chunk.log_base - log_share)[kept])
        weight = np.exp(log_weight - plan.log_cut)
        sums.append(weight.mean())
        squares += float((weight**2).sum())
        draws += len(weight)
    z, f = np.split(np.concatenate(kept_rows), [len(problem.free)], axis=1)
    measure, moments = np.concatenate(kept_measure), standardised(problem, f)
    theta = solve(moments, measure)
    log_weight = moments @ theta + measure
    change = logsumexp(log_weight) - logsumexp(moments @ plan.theta + measure)
    log_mean = float(np.log(np.mean(sums)) + plan.log_cut + change)
    p = np.exp(log_weight - logsumexp(log_weight))
    chosen, how = _chosen(log_weight, problem.samples, generator)
    inverse = np.linalg.inv((moments.T * p) @ moments)
    noise = inverse @ ((moments.T * p**2) @ moments) @ inverse
    average = p @ z.astype(float)
    return {
        "z": z[chosen],
        "statistics": f[chosen],
        **natural(problem, theta, log_mean),
        "eta_se": eta_error(problem, noise),
        "entropy_se": np.asarray(np.std(sums, ddof=1) / np.sqrt(len(sums)) / np.mean(sums)),
        "draws": np.asarray(draws),
        "ess": np.asarray((draws * np.mean(sums)) ** 2 / squares),
        "kept": np.asarray(len(z)),
        "heaviest": np.asarray(p.max()),
        "by": np.asarray(how),
        "repeats": np.asarray(len(chosen) - len(np.unique(chosen))),
        "mean": average,
        "sd": np.sqrt(p @ (z - average) ** 2),
    }


def eta_error(problem: Problem, noise: np.ndarray) -> np.ndarray:
    """Standard errors of eta, from the covariance (2 S, 2 S) of theta's errors."""
    mean, sd = np.array(problem.mean), np.array(problem.sd)
    change = np.block(
        [[np.diag(1 / sd), np.diag(-2 * mean / sd**2)], [np.diag(0 * sd), np.diag(1 / sd**2)]]
    )
    return np.asarray(np.sqrt(np.diag(change @ noise @ change.T)))


def _chosen(
    log_weight: np.ndarray, samples: int, generator: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Which draws become samples, and how that was decided."""
    accepted = np.flatnonzero(
        np.log(generator.random(len(log_weight))) < log_weight - log_weight.max()
    )
    if len(accepted) >= samples:
        return accepted[:samples], "rejection"
    ladder = (np.arange(samples) + generator.random()) / samples
    total = np.cumsum(np.exp(log_weight - logsumexp(log_weight)))
    rung = np.minimum(np.searchsorted(total, ladder), len(total) - 1)
    return generator.permutation(rung), "systematic resampling"


def run(
    doc: str, problems: dict[str, AnyProblem], make: Callable[[AnyProblem, int], dict[str, Any]]
) -> None:
    """The command line of a script: make the references asked for, with how they were made."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("problems", nargs="+", choices=problems)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.problems:
        began = time.monotonic()
        result = make(problems[name], arguments.seed)
        versions = f"Python {platform.python_version()}, NumPy {np.__version__}, "
        result |= {
            "seed": np.asarray(arguments.seed),
            "seconds": np.asarray(time.monotonic() - began),
            "versions": np.asarray(versions + f"SciPy {scipy.__version__}"),
        }
        save(arguments.out / f"{name}.npz", result)
        shown = {k: v.tolist() for k, v in result.items() if v.size < 5}
        print(name, f"samples={len(result['z'])}", shown, flush=True)

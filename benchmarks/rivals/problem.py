"""The two rare problems of the rivals, and the figures by which every method's samples are judged.

The target is p*(z) proportional to exp(theta.(x, x^2 - 1)) on the box, x = (f - mean) / sd. The
problems and their exact samples are those of report/studies/references. All of this needs NumPy
alone, but for `score`, which imports dsnlib.
"""

from __future__ import annotations

import dataclasses
import runpy
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
_REFERENCES = ROOT / "report" / "studies" / "references"
# By path, since the package `report` needs dsnlib.
_MODULE = runpy.run_path(str(_REFERENCES / "uniform_references.py"), run_name="references")

NAMES = ("d8", "d12")
LARGEST = 10_000  # samples a side that C2ST compares
SMALLEST = 1_000  # effective samples below which there is no C2ST


@dataclasses.dataclass(frozen=True)
class Problem:
    """A circuit, targets, the natural parameters of the answer and exact samples of it.

    Args:
        name: "d8" or "d12".
        free: (d,) names of the free conductances.
        observe: (S,) names of the statistics.
        mean, sd: (S,) targets, Hz.
        upper: (d,) upper ends of the box, nS; the lower ones are 0.
        theta: (2 S,) natural parameters for (x, x^2 - 1).
        entropy, entropy_se: of the answer, nats.
        z: (n, d) exact samples without repeats, nS.
    """

    name: str
    free: tuple[str, ...]
    observe: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    upper: np.ndarray
    theta: np.ndarray
    entropy: float
    entropy_se: float
    z: np.ndarray

    @property
    def log_volume(self) -> float:
        """Of the box, nS^d."""
        return float(np.log(self.upper).sum())

    def x(self, statistics: np.ndarray) -> np.ndarray:
        """(n, S) statistics in Hz as distances from their targets in sd."""
        return (np.asarray(statistics, float) - self.mean) / self.sd

    def log_likelihood(self, statistics: np.ndarray) -> np.ndarray:
        """(n,) theta.(x, x^2 - 1); -inf where a statistic is not finite."""
        x = self.x(statistics)
        value = np.concatenate([x, x**2 - 1], axis=1) @ self.theta
        return np.where(np.isfinite(value), value, -np.inf)

    @property
    def observed(self) -> tuple[np.ndarray, np.ndarray]:
        """The same as a Gaussian likelihood: what was observed and the noise's sd, both (S,) Hz."""
        linear, square = np.split(self.theta, 2)
        return self.mean - self.sd * linear / (2 * square), self.sd / np.sqrt(-2 * square)


def load(name: str) -> Problem:
    """The problem with its reference."""
    given = _MODULE["PROBLEMS"][name]
    reference = np.load(_REFERENCES / f"{name}.npz")
    free = tuple(map(str, reference["names"]))
    assert free == given.free
    index = [_MODULE["CONDUCTANCES"].index(conductance) for conductance in free]
    return Problem(
        name=name,
        free=free,
        observe=tuple(f"f_{neuron}" for neuron in given.neurons),
        mean=np.array(given.mean),
        sd=np.array(given.sd),
        upper=np.array(_MODULE["UPPER"], float)[index],
        theta=reference["theta"],
        entropy=float(reference["entropy"]),
        entropy_se=float(reference["entropy_se"]),
        z=np.unique(reference["z"], axis=0),
    )


def chosen(weight: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Positions that systematic resampling draws, each at most once; `weight` adds up to 1."""
    ladder = (np.arange(size) + generator.random()) / size
    return np.unique(np.minimum(np.searchsorted(np.cumsum(weight), ladder), len(weight) - 1))


def score(
    problem: Problem, z: np.ndarray, statistics: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, Any]:
    """Judge samples against the exact ones.

    Equal rows are one point with the sum of their weights. C2ST finds repeats before anything
    else, so it gets points without repeats: where all points weigh the same, all of them, else
    half as many as are effective, by systematic resampling; what that draws twice is kept once.

    Args:
        problem: see `load`.
        z: (n, d) samples, nS.
        statistics: (n, S) theirs, Hz.
        weights: (n,) theirs, not normalised; equal by default.

    Returns:
        `samples` rows with a weight, `distinct` of them, `effective` (Kish's, of distinct points),
        `largest_weight`; `c2st`, `c2st_se`, `c2st_samples` a side and `c2st_repeats`, those that
        were drawn again, as a share (None for all, where fewer than 1,000 are effective);
        `mean_in_sd` and `variance_ratio` of each statistic, whose targets are 0 and 1;
        `z_mean_error`, the root mean square over parameters of the difference of means in sd of
        the exact samples.
    """
    from dsnlib.judging.distances import c2st

    z = np.asarray(z, np.float32)
    weight = np.ones(len(z)) if weights is None else np.asarray(weights, float)
    kept = weight > 0
    z, statistics, weight = z[kept], np.asarray(statistics)[kept], weight[kept]
    _, first, owner = np.unique(z, axis=0, return_index=True, return_inverse=True)
    total = np.bincount(owner.ravel(), weight)
    points, total = z[first], total / total.sum()
    x = problem.x(statistics[first])
    effective = float(1 / (total**2).sum())
    mean = total @ x
    center, spread = problem.z.mean(axis=0), problem.z.std(axis=0)
    figures: dict[str, Any] = {
        "samples": len(z),
        "distinct": len(points),
        "effective": effective,
        "largest_weight": float(total.max()),
        "mean_in_sd": mean.tolist(),
        "variance_ratio": (total @ (x - mean) ** 2).tolist(),
        "z_mean_error": float(np.sqrt(np.mean(((total @ points - center) / spread) ** 2))),
        **dict.fromkeys(["c2st", "c2st_se", "c2st_samples", "c2st_repeats"]),
    }
    if effective < SMALLEST:
        return figures
    generator = np.random.default_rng(0)
    level = np.isclose(total.max(), total.min())
    size = min(LARGEST, len(problem.z), len(points) if level else int(effective / 2))
    one = points[chosen(total, size, generator)]
    other = generator.permutation(problem.z)[: len(one)]
    accuracy = c2st(one, other)
    return figures | {
        "c2st": accuracy.value,
        "c2st_se": accuracy.se,
        "c2st_samples": len(one),
        "c2st_repeats": 1 - len(one) / size,
    }

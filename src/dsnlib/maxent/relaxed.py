"""The relaxed dual: natural parameters for a relaxation rho, and how far rho may fall at once.

The features of a property (`dsnlib.maxent.features`) have the target 0. Given particles of the
distribution proportional to exp(theta_0.features), the natural parameters for rho minimise
log Z(theta) + rho / 2 |theta|^2. They always exist; rho = infinity is the uniform distribution on
the box, rho = 0 the answer. Each statistic has a relaxation of its own. At rho = 0 an interval is
a cut: its theta is so low that nothing outside weighs anything.

Source: Dudik, Phillips and Schapire, "Maximum entropy density estimation with generalized
regularization" (2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_NEWTON_STEPS = 60
_DECREMENT = 1e-10  # Newton's, at which it stops
_HALVINGS = 40
REACHED = 0.05  # largest mean feature at which rho = 0 counts as solved
_SMALLEST = 1e-7  # rho
_CUT = -1e30  # natural parameter of a distance that must be 0; leaves room within float32


class Weighted(NamedTuple):
    """Particles weighted to the natural parameters of a relaxation."""

    theta: np.ndarray  # (M,)
    p: np.ndarray  # (n,) weights, of sum 1
    log_ratio: float  # log Z(theta) - log Z(theta_0)
    mean: np.ndarray  # (M,) weighted mean of the features

    @property
    def effective_share(self) -> float:
        """Effective sample size of the weights over their number."""
        return float(1 / (self.p**2).sum() / len(self.p))


def solve(
    points: np.ndarray,
    theta_0: np.ndarray,
    rho: np.ndarray | float,
    start: np.ndarray,
    log_weights: np.ndarray | float = 0.0,
) -> Weighted:
    """Minimise log mean exp((theta - theta_0).features) + rho.theta^2 / 2 by Newton's method.

    Args:
        points: (n, M) features of particles of the distribution with theta_0; a particle whose
            features are not finite has failed and weighs nothing.
        theta_0: (M,) their natural parameters.
        rho: relaxation of each feature (M,) or of all, at least 0; where it is infinite, theta
            stays as it starts.
        start: (M,) where to start, 0 where rho is infinite.
        log_weights: (n,) that the particles have before, where they have any.

    Returns:
        The solution, or where Newton's method came to a stop: `mean` is its certificate.
    """
    rho = np.broadcast_to(rho, theta_0.shape)
    free = np.isfinite(rho)
    cost = np.where(free, rho, 0.0)
    whole = np.isfinite(points).all(axis=1)
    used, before = points[whole], np.broadcast_to(log_weights, len(points))[whole]

    def at(theta: np.ndarray) -> tuple[float, np.ndarray]:
        exponent = used @ (theta - theta_0) + before
        largest = exponent.max()
        p = np.exp(exponent - largest)
        total = p.sum()
        return float(largest + np.log(total) + cost / 2 * theta @ theta), p / total

    theta = start
    value, p = at(theta)
    for _ in range(_NEWTON_STEPS):
        mean = p @ used
        gradient = np.where(free, mean + cost * theta, 0)
        hessian = (used * p[:, None]).T @ used - np.outer(mean, mean) + np.diag(cost)
        hessian[np.diag_indices_from(hessian)] += 1e-12 * (1 + np.trace(hessian))
        hessian = np.where(np.outer(free, free), hessian, np.eye(len(theta)))
        step = -np.linalg.solve(hessian, gradient)
        decrement = -gradient @ step
        if decrement < _DECREMENT:
            break
        for halving in range(_HALVINGS):
            trial = theta + step / 2**halving
            trial_value, trial_p = at(trial)
            if trial_value <= value - 1e-4 * decrement / 2**halving:
                break
        else:
            break
        theta, value, p = trial, trial_value, trial_p
    weights = np.zeros(len(points))
    weights[whole] = p
    log_ratio = value - cost / 2 * theta @ theta - np.log(len(points))
    return Weighted(theta, weights, float(log_ratio), p @ used)


def relaxed(
    points: np.ndarray,
    theta_0: np.ndarray,
    rho: np.ndarray,
    distances: np.ndarray,
    start: np.ndarray,
    log_weights: np.ndarray | float = 0.0,
) -> Weighted:
    """`solve` with relaxations (S,) of the statistics, where intervals at 0 are cuts.

    Args:
        points, theta_0, start, log_weights: as in `solve`; some point must lie inside those
            intervals.
        rho: (S,) relaxations.
        distances: (2 S,) which features are distances from an interval.
    """
    relaxations = np.tile(rho, 2)
    cut = distances & (relaxations == 0)
    if not cut.any():
        return solve(points, theta_0, relaxations, start, log_weights)
    kept = np.where((points[:, cut] > 0).any(axis=1, keepdims=True), np.nan, points)
    relaxations[cut] = np.inf
    return solve(kept, theta_0, relaxations, np.where(cut, _CUT, start), log_weights)


def next_relaxations(
    points: Sequence[np.ndarray],
    theta_0: np.ndarray,
    rho: np.ndarray,
    distances: np.ndarray,
    share: float,
    last_share: float,
    order: str,
) -> np.ndarray:
    """The relaxations of the next stage: they fall together, or statistics take turns.

    In turn, the statistic nearest to its target falls down to 0 first, and holds while the next one
    falls. Together, the one that is farthest off rules the early stages, and may push the particles
    where another can no longer be met.

    Args:
        points: (n, M) features of each island's particles.
        theta_0: (islands, M) their natural parameters.
        rho: (S,) the relaxations now, infinite where a statistic's turn has not begun.
        distances: (2 S,) which features are distances from an interval.
        share: effective share to keep in every island, of the particles that have not failed.
        last_share: share that is enough to go to rho = 0.
        order: "together" or "in turn".

    Returns:
        (S,) of which those whose turn it is are lower, unless nothing below keeps the share.
    """
    if not rho.any():
        return rho
    begun = np.isfinite(rho) & (rho > 0)
    if order == "together":
        turn = np.arange(len(rho))
    elif begun.any():
        turn = np.flatnonzero(begun)
    else:
        x = np.concatenate(points)[:, : len(rho)]
        distance = np.abs(x[np.isfinite(x).all(axis=1)]).mean(axis=0)
        turn = np.array([np.argmin(np.where(rho > 0, distance, np.inf))])
    lowered = rho.copy()
    lowered[turn] = max(
        _next_rho(each, theta, rho, distances, turn, share, last_share)
        for each, theta in zip(points, theta_0, strict=True)
    )
    return lowered


def _next_rho(
    points: np.ndarray,
    theta_0: np.ndarray,
    rho: np.ndarray,
    distances: np.ndarray,
    turn: np.ndarray,
    share: float,
    last_share: float,
) -> float:
    """The smallest relaxation of the statistics `turn` for which one island keeps its share."""
    whole = np.isfinite(points).all(axis=1)
    alive = whole.mean()
    both = np.concatenate([turn, turn + len(rho)])  # their features

    def at(value: float, start: np.ndarray) -> Weighted:
        relaxations = rho.copy()
        relaxations[turn] = value
        return relaxed(points, theta_0, relaxations, distances, start)

    outside = (points[:, both[distances[both]]] > 0).any(axis=1)
    if (whole & ~outside).mean() >= last_share * alive:  # else no weights can keep so many
        end = at(0.0, theta_0)
        if end.effective_share >= last_share * alive and abs(end.mean[both]).max() < REACHED:
            return 0.0
    high = float(rho[turn[0]])
    if not np.isfinite(high):
        high = 10 * float((points[whole][:, both] ** 2).sum(axis=1).max())
    if high <= _SMALLEST:  # the property cannot be had
        return high
    low, theta = 1e-3 * high, theta_0
    while low > _SMALLEST:
        trial = at(low, theta)
        if trial.effective_share < share * alive:
            break
        high, theta, low = low, trial.theta, 1e-2 * low
    for _ in range(8):
        middle = float(np.sqrt(low * high))
        trial = at(middle, theta)
        if trial.effective_share < share * alive:
            low = middle
        else:
            high, theta = middle, trial.theta
    return high

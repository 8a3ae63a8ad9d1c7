"""The relaxed dual: natural parameters for a relaxation rho, and how far rho may fall at once.

For each statistic x = (f - mean) / sd, with the features (x, x^2 - 1), whose target is 0. Given
particles of the distribution proportional to exp(theta_0.features), the natural parameters for rho
minimise log Z(theta) + rho / 2 |theta|^2. They always exist; rho = infinity is the uniform
distribution on the box, rho = 0 the answer.

Source: Dudik, Phillips and Schapire, "Maximum entropy density estimation with generalized
regularization" (2007).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsnlib.property import EmergentProperty

_NEWTON_STEPS = 60
_DECREMENT = 1e-10  # Newton's, at which it stops
_HALVINGS = 40
_REACHED = 0.05  # largest mean feature at which rho = 0 counts as solved
_SMALLEST = 1e-7  # rho


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


def features(statistics: np.ndarray, prop: EmergentProperty) -> np.ndarray:
    """(n, S) statistics to (n, 2 S) features; not finite where a simulation failed."""
    x = (np.asarray(statistics, float) - np.array(prop.mean)) / np.array(prop.sd)
    return np.concatenate([x, x**2 - 1], axis=-1)


def solve(
    points: np.ndarray,
    theta_0: np.ndarray,
    rho: float,
    start: np.ndarray,
    log_weights: np.ndarray | float = 0.0,
) -> Weighted:
    """Minimise log mean exp((theta - theta_0).features) + rho / 2 |theta|^2 by Newton's method.

    Args:
        points: (n, M) features of particles of the distribution with theta_0; a particle whose
            features are not finite has failed and weighs nothing.
        theta_0: (M,) their natural parameters.
        rho: relaxation, at least 0.
        start: (M,) where to start.
        log_weights: (n,) that the particles have before, where they have any.

    Returns:
        The solution, or where Newton's method came to a stop: `mean` is its certificate.
    """
    whole = np.isfinite(points).all(axis=1)
    used, before = points[whole], np.broadcast_to(log_weights, len(points))[whole]

    def at(theta: np.ndarray) -> tuple[float, np.ndarray]:
        exponent = used @ (theta - theta_0) + before
        largest = exponent.max()
        p = np.exp(exponent - largest)
        total = p.sum()
        return float(largest + np.log(total) + rho / 2 * theta @ theta), p / total

    theta = start
    value, p = at(theta)
    for _ in range(_NEWTON_STEPS):
        mean = p @ used
        gradient = mean + rho * theta
        hessian = (used * p[:, None]).T @ used - np.outer(mean, mean) + rho * np.eye(len(theta))
        hessian[np.diag_indices_from(hessian)] += 1e-12 * (1 + np.trace(hessian))
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
    log_ratio = value - rho / 2 * theta @ theta - np.log(len(points))
    return Weighted(theta, weights, float(log_ratio), p @ used)


def next_rho(
    points: np.ndarray, theta_0: np.ndarray, rho: float, share: float, last_share: float
) -> float:
    """The smallest relaxation for which the particles keep an effective share.

    Args:
        points: (n, M) features of particles of the distribution with theta_0.
        theta_0: (M,) their natural parameters.
        rho: the relaxation now, may be infinite.
        share: effective share to keep, of the particles that have not failed.
        last_share: share that is enough to go to rho = 0.

    Returns:
        The next relaxation, below the present one unless nothing below keeps the share.
    """
    whole = np.isfinite(points).all(axis=1)
    alive = whole.mean()
    end = solve(points, theta_0, 0.0, theta_0)
    if end.effective_share >= last_share * alive and abs(end.mean).max() < _REACHED:
        return 0.0
    high = rho if np.isfinite(rho) else 10 * float((points[whole] ** 2).sum(axis=1).max())
    low, theta = 1e-3 * high, theta_0
    while low > _SMALLEST:
        trial = solve(points, theta_0, low, theta)
        if trial.effective_share < share * alive:
            break
        high, theta, low = low, trial.theta, 1e-2 * low
    for _ in range(8):
        middle = float(np.sqrt(low * high))
        trial = solve(points, theta_0, middle, theta)
        if trial.effective_share < share * alive:
            low = middle
        else:
            high, theta = middle, trial.theta
    return high

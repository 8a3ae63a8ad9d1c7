"""The convex dual of maximum entropy: the natural parameters that meet the constraints."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize
from scipy.special import logsumexp

from dsnlib.property import EmergentProperty

_TOLERANCE = 1e-8  # of the gradient, in standard deviations


class Dual(NamedTuple):
    """The distribution p proportional to exp(eta.T) on a set of points, under the constraints."""

    eta: np.ndarray  # (2 S,) natural parameters of the moments (f_1, .., f_S, f_1^2, .., f_S^2)
    log_mean: float  # log of the (weighted) mean of exp(eta.T) over the points
    log_p: np.ndarray  # (n,) log of the points' probabilities
    gradient_norm: float  # |E_p[T] - mu|, each moment in units of its target sd

    @property
    def relative_entropy(self) -> float:
        """Entropy less that of equal weights on the points, nats; 0 at most."""
        finite = np.where(self.log_p == -np.inf, 0, self.log_p)  # where p = 0, p log p is 0
        return float(-(np.exp(self.log_p) * finite).sum() - np.log(len(self.log_p)))


def solve_dual(
    statistics: np.ndarray, prop: EmergentProperty, log_weights: np.ndarray | None = None
) -> Dual:
    """Minimise log mean exp(eta.(T - mu)) over eta; its gradient is E_p[T] - mu.

    With u = (f - mean) / sd for each statistic the moments become (u, u^2 - 1), whose target is 0;
    in them the problem is well conditioned. A trust-region Newton method solves it, and a
    root search of the gradient takes it to the last digits.

    Args:
        statistics: (n, S) at points; rows that are not finite have no probability.
        prop: targets.
        log_weights: (n,) logarithms of the points' weights, up to a constant; equal by default.

    Returns:
        The solution, with the gradient's norm as certificate: the dual is convex, so where its
        gradient vanishes it is solved.

    Raises:
        ValueError: no distribution over the points has these means and standard deviations.

    Source: Jaynes (1957); Loaiza-Ganem, Gao and Cunningham (2017), eq. 3.
    """
    finite = np.isfinite(statistics).all(axis=1)
    if not finite.any():
        raise ValueError(
            "circuit must give finite statistics somewhere within its bounds, got none; "
            "try a smaller step or other bounds"
        )
    mean, sd = np.array(prop.mean), np.array(prop.sd)
    u = (statistics[finite] - mean) / sd
    moments = np.concatenate([u, u**2 - 1], axis=1)
    relative, share = np.zeros(len(u)), np.log(finite.mean())
    if log_weights is not None:
        total = logsumexp(log_weights[finite])
        relative = log_weights[finite] - total + np.log(len(u))  # of mean 1
        share = total - logsumexp(log_weights)
    best: dict[bytes, tuple[float, np.ndarray]] = {}

    def at(theta: np.ndarray) -> tuple[float, np.ndarray]:
        """log mean exp(theta.moments) and the points' probabilities, kept for the derivatives."""
        if theta.tobytes() not in best:
            exponent = moments @ theta
            # Where every point lies on one side, the target lies outside what they can average to.
            if theta.any() and exponent.max() < 0:
                raise ValueError(_infeasible(statistics[finite], prop))
            exponent += relative
            total = logsumexp(exponent)
            best.clear()
            best[theta.tobytes()] = (total - np.log(len(u)), np.exp(exponent - total))
        return best[theta.tobytes()]

    def gradient(theta: np.ndarray) -> np.ndarray:
        return at(theta)[1] @ moments  # type: ignore[no-any-return]

    def hessian(theta: np.ndarray) -> np.ndarray:
        p = at(theta)[1]
        average = p @ moments
        return (moments * p[:, None]).T @ moments - np.outer(average, average)

    start = np.repeat([0.0, -0.5], len(mean))  # the answer where f is spread evenly
    outcome = optimize.minimize(
        lambda theta: at(theta)[0], start, jac=gradient, hess=hessian, method="trust-exact",
        options={"gtol": _TOLERANCE, "maxiter": 1_000},
    )  # fmt: skip
    # The function's rounding stops the minimiser early; the gradient has more digits to give.
    theta = optimize.root(gradient, outcome.x, jac=hessian, tol=1e-14).x
    norm = float(np.linalg.norm(gradient(theta)))
    if norm > _TOLERANCE:
        raise ValueError(_infeasible(statistics[finite], prop))
    linear, square = np.split(theta, 2)
    eta = np.concatenate([linear / sd - 2 * mean * square / sd**2, square / sd**2])
    constant = linear @ (-mean / sd) + square @ (mean**2 / sd**2 - 1)  # theta.moments - eta.T
    value, _ = at(theta)
    log_p = np.full(len(statistics), -np.inf)
    log_p[finite] = moments @ theta + relative - value - np.log(len(u))
    return Dual(eta, value - constant + share, log_p, norm)


def _infeasible(statistics: np.ndarray, prop: EmergentProperty) -> str:
    """What the points allow, statistic by statistic: a mean in the range, an sd for that mean."""
    for i, (mean, sd) in enumerate(zip(prop.mean, prop.sd, strict=True)):
        values = statistics[:, i]
        low, high = values.min(), values.max()
        if not low < mean < high:
            return (
                f"mean[{i}] must lie between {low:.4g} and {high:.4g}, what the circuit produces "
                f"within its bounds, got {mean:g}; choose a target inside"
            )
        below, above = values[values <= mean].max(), values[values >= mean].min()
        least, most = (np.sqrt((mean - a) * (b - mean)) for a, b in ((below, above), (low, high)))
        if not least < sd < most:
            return (
                f"sd[{i}] must lie between {least:.4g} and {most:.4g}, what the circuit can have "
                f"at a mean of {mean:g}, got {sd:g}; choose a target inside"
            )
    return (
        f"mean and sd must be possible together, got mean={list(prop.mean)}, sd={list(prop.sd)}: "
        "no distribution over the circuit's bounds has them all; choose other targets"
    )

"""What is known in closed form of a problem's answer, by quadrature: entropies, distributions."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import optimize, special

_POINTS = 20_001


@dataclasses.dataclass(frozen=True)
class Marginal:
    """Maximum entropy over the values of statistics, of which the density of states is known.

    Args:
        entropy: of the parameters, nats.
        values: (n,) of one statistic, rising.
        cdf: (n,) its distribution there.
        squared: integral of the squared density over the parameters.
    """

    entropy: float
    values: np.ndarray
    cdf: np.ndarray
    squared: float


def solve(
    f: np.ndarray, log_states: np.ndarray, mean: np.ndarray, sd: np.ndarray
) -> tuple[float, np.ndarray]:
    """Entropy of the maximum-entropy distribution over states.

    Args:
        f: (n, S) statistics of the states.
        log_states: (n,) log of their volumes in the box.
        mean, sd: (S,) targets.

    Returns:
        Entropy in nats, and (n,) probabilities of the states.
    """
    x = (f - mean) / sd
    T = np.concatenate([x, x**2 - 1], axis=1)

    def dual(theta: np.ndarray) -> tuple[float, np.ndarray]:
        exponent = T @ theta + log_states
        log_z = special.logsumexp(exponent)
        return float(log_z), np.exp(exponent - log_z) @ T

    start = np.r_[np.zeros(x.shape[1]), np.full(x.shape[1], -0.5)]
    found = optimize.minimize(dual, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    exponent = T @ found.x + log_states
    assert np.abs(found.jac).max() < 1e-6, found.message
    return float(found.fun), np.exp(exponent - found.fun)


def ring(d: int, mean: float, sd: float) -> Marginal:
    """The shell of `problems.Ring`: volume of a sphere's surface times the thickness."""
    r = np.linspace(max(mean - 12 * sd, 1e-6), mean + 12 * sd, _POINTS)
    log_surface = np.log(2) + d / 2 * np.log(np.pi) - special.gammaln(d / 2)
    log_states = log_surface + (d - 1) * np.log(r) + np.log(r[1] - r[0])
    entropy, p = solve(r[:, None], log_states, np.array([mean]), np.array([sd]))
    return Marginal(entropy, r, np.cumsum(p), float((p**2 * np.exp(-log_states)).sum()))


def linear2d(mean: np.ndarray, sd: np.ndarray) -> float:
    """Entropy of `dsnlib.Linear2D`'s answer, for properties that no real eigenvalues have.

    With half the trace h, half the difference of the diagonal d and the angular frequency w, the
    product of the other two entries is -(w^2 + d^2), and a product p of two numbers in (-10, 10)
    has the density 2 log(100 / |p|). The volume of states is 8 w log(100 / (w^2 + d^2)) dh dw dd.
    """
    h = np.linspace(mean[0] - 10 * sd[0], mean[0] + 10 * sd[0], 401)
    f = np.linspace(max(mean[1] - 10 * sd[1], 1e-6), mean[1] + 10 * sd[1], 401)
    w = 2 * np.pi * f
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = 10 - np.abs(h)[:, None, None]  # d lies between -half and half
    d = np.minimum(half, np.sqrt(np.maximum(100 - w[:, None] ** 2, 0))) * nodes
    states = 2 * np.log(100 / (w[:, None] ** 2 + d**2)) * 2 * w[:, None] * 2
    reach = np.minimum(half, np.sqrt(np.maximum(100 - w[:, None] ** 2, 0)))[..., 0]
    volume = (states @ weights) * reach * 2 * np.pi  # dw = 2 pi df
    cell = (h[1] - h[0]) * (f[1] - f[0])
    grid = np.stack(np.meshgrid(h, f, indexing="ij"), axis=-1).reshape(-1, 2)
    log_states = np.log(np.maximum(volume.ravel() * cell, 1e-300))
    return solve(grid, log_states, mean, sd)[0]

"""Numbers of weighted or dependent samples: masses with errors, effective share, a bound of KL."""

from __future__ import annotations

import numpy as np

from dsnlib.estimate import Estimate, mean_of, share_of
from dsnlib.maxent import ExactMaxEnt


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


def mass(hits: np.ndarray, weight: np.ndarray, group: np.ndarray) -> Estimate:
    """Weighted share of (n,) booleans; its error is that between groups where there are such."""
    if weight.min() < weight.max():
        p = weight / weight.sum()
        share = float(p @ hits)
        return Estimate(share, float(np.sqrt(p**2 @ (hits - share) ** 2)))
    count = len(np.unique(group))
    if count == len(hits):
        return share_of(hits)
    return mean_of(np.bincount(group, hits, count) / np.bincount(group, minlength=count))

"""Rates of what happens in some of n runs."""

from __future__ import annotations

from scipy import stats


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate, hits of n (Wilson 1927)."""
    interval = stats.binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)

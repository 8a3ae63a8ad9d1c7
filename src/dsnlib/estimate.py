"""Numbers with their standard errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A mean over samples with its standard error."""

    value: float
    se: float


def mean_of(values: np.ndarray) -> Estimate:
    """Mean of (n,) independent values; infinite, without an error, where one of them is."""
    if np.isposinf(values).any():
        return Estimate(np.inf, np.nan)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def share_of(hits: np.ndarray) -> Estimate:
    """Share of (n,) booleans, with an error that is not 0 where all or none are true.

    The error is that of Agresti and Coull (1998): two hits and two misses are added for it.
    """
    n = len(hits)
    near = (hits.sum() + 2) / (n + 4)
    return Estimate(float(hits.mean()), float(np.sqrt(near * (1 - near) / (n + 4))))


def over_islands(values: np.ndarray) -> Estimate:
    """Mean of (islands,) independent estimates; its error, from their spread, needs two or more."""
    n = len(values)
    se = float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    return Estimate(float(np.mean(values)), se)

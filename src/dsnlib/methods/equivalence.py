"""The equivalence test: is the property demonstrably met?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from dsnlib.property import EmergentProperty

LEVEL = 0.05  # family-wise
MARGIN = 0.1  # in sd for a mean, as a share for a variance


class Equivalence(NamedTuple):
    """Confidence intervals of the means and variances, relative to their targets."""

    low: np.ndarray  # (2 S,) lower ends of (E[f] - m) / s, then of E[(f - m)^2] / s^2 - 1
    high: np.ndarray  # (2 S,) upper ends

    @property
    def met(self) -> np.ndarray:
        """(2 S,) whether the whole interval lies within the margin."""
        return (self.low > -MARGIN) & (self.high < MARGIN)


def equivalence(moments: np.ndarray, prop: EmergentProperty) -> Equivalence:
    """Are mean and variance of each statistic demonstrably close to their targets?

    Student's confidence intervals of the mean, in sd off target, and of the variance about the
    target mean, as a share off target, must lie within +-0.1; they hold together at 95 %
    (Bonferroni). The raw second moment would not do: where the mean is many sd it says next to
    nothing about the variance.

    Args:
        moments: (n, 2 S) samples of the moments.
        prop: targets of the statistics.

    Returns:
        The intervals.

    Source: equivalence shown by confidence intervals, as in Berger and Hsu, "Bioequivalence trials,
    intersection-union tests and equivalence confidence sets" (1996).
    """
    u = (moments[:, : len(prop.mean)] - np.array(prop.mean)) / np.array(prop.sd)
    off = np.concatenate([u, u**2 - 1], axis=1)
    centre = off.mean(axis=0)
    reach = stats.t.ppf(1 - LEVEL / (2 * off.shape[1]), len(u) - 1) * stats.sem(off)
    return Equivalence(centre - reach, centre + reach)

"""The equivalence test: is the property demonstrably met?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from dsnlib.property import EmergentProperty

LEVEL = 0.05  # family-wise
MARGIN = 0.1  # in sd for a mean, as a share for a variance


class Equivalence(NamedTuple):
    """Confidence intervals of means and variances, relative to their targets."""

    low: np.ndarray  # (K,) lower ends of (E[f] - m) / s, then of E[(f - m)^2] / s^2 - 1
    high: np.ndarray  # (K,) upper ends
    of: tuple[tuple[str, int], ...]  # (K,) "mean" or "variance", and the statistic's number

    @property
    def met(self) -> np.ndarray:
        """(K,) whether the whole interval lies within the margin."""
        return (self.low > -MARGIN) & (self.high < MARGIN)


def equivalence(
    moments: np.ndarray, prop: EmergentProperty, noise: np.ndarray | None = None
) -> Equivalence:
    """Are mean and variance of each statistic demonstrably close to their targets?

    Student's confidence intervals of the mean, in sd off target, and of the variance about the
    target mean, as a share off target, must lie within +-0.1; they hold together at 95 %
    (Bonferroni). The raw second moment would not do: where the mean is many sd it says next to
    nothing about the variance. A mean without a target sd is measured in the samples' own sd; an
    interval or what is recorded only has nothing to be tested here.

    Args:
        moments: (n, 2 S) samples of the moments.
        prop: targets of the statistics.
        noise: (n, S) variances over trials, where the property is about single trials.

    Returns:
        The intervals, at most 2 S.

    Source: equivalence shown by confidence intervals, as in Berger and Hsu, "Bioequivalence trials,
    intersection-union tests and equivalence confidence sets" (1996).
    """
    off, of = [], []
    for i, (m, s) in enumerate(zip(prop.mean, prop.sds, strict=True)):
        if m is not None:
            f = moments[:, i]
            off.append((f - m) / (s if s is not None else f.std()))
            of.append(("mean", i))
    for i, (m, s) in enumerate(zip(prop.mean, prop.sds, strict=True)):
        if m is not None and s is not None:
            within = 0 if noise is None else noise[:, i] / s**2
            off.append(((moments[:, i] - m) / s) ** 2 - 1 + within)
            of.append(("variance", i))
    if not off:
        return Equivalence(np.zeros(0), np.zeros(0), ())
    each = np.stack(off, axis=1)
    centre = each.mean(axis=0)
    reach = stats.t.ppf(1 - LEVEL / (2 * each.shape[1]), len(each) - 1) * stats.sem(each)
    return Equivalence(centre - reach, centre + reach, tuple(of))

"""The note's tests on the violation of the constraints: has it fallen, and is it still there?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

_BOOTSTRAP_MEANS = 200
_BOOTSTRAP_SAMPLES = 200
LEVEL = 0.05  # family-wise level


class Welch(NamedTuple):
    """Outcome of Welch's t-test on the violations."""

    t: float
    p: float  # two-sided


def welch(now: np.ndarray, before: np.ndarray, gamma: float) -> Welch:
    """Compare violations now with gamma times those at the epoch's start.

    Args:
        now, before: values of |R|, each from an independent batch.
        gamma: the fraction to which an epoch should reduce them.

    Returns:
        t > 0 where the violation is above the aim, and its two-sided p.
    """
    if np.ptp(now) == 0 and np.ptp(before) == 0:  # no spread, so no test: the means decide
        difference = float(now[0] - gamma * before[0])
        return Welch(
            float(np.sign(difference)) * np.inf if difference else 0.0, float(not difference)
        )
    outcome = stats.ttest_ind(now, gamma * before, equal_var=False)
    return Welch(float(outcome.statistic), float(outcome.pvalue))


def next_penalty(c: float, beta: float, outcome: Welch, rng: np.random.Generator) -> float:
    """The penalty of the next epoch: beta c with probability 1 - p/2 where t > 0, else c.

    Args:
        c: penalty now.
        beta: its factor of growth.
        outcome: of `welch`.
        rng: random numbers.

    Returns:
        The next penalty.
    """
    grows = outcome.t > 0 and rng.random() < 1 - outcome.p / 2
    return beta * c if grows else c


def bootstrap_p(moments: np.ndarray, mu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The note's convergence test of each moment's mean against its target.

    200 means of 200 samples, drawn without replacement; p = 2 min(share above, share below the
    target). Converged where every p exceeds 0.05 / M. It fails to reject the more easily the
    noisier the samples are; `equivalence` does not.

    Args:
        moments: (n, M) samples of the moments, n >= 200.
        mu: (M,) targets.
        rng: random numbers.

    Returns:
        (M,) p-values.
    """
    rows = rng.random((_BOOTSTRAP_MEANS, len(moments))).argsort(axis=1)[:, :_BOOTSTRAP_SAMPLES]
    means = moments[rows].mean(axis=1)
    return 2 * np.minimum((means > mu).mean(axis=0), (means < mu).mean(axis=0))

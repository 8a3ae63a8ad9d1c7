"""How much the answer of a stochastic circuit depends on its common random numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsnlib.maxent.features import Features
from dsnlib.maxent.relaxed import relaxed
from dsnlib.methods.base import Problem
from dsnlib.methods.run import Check

OTHERS = 4  # sets of random numbers beside the run's own
_SAMPLES = 2_000
MOST_SHIFT = 0.2  # sd
LEAST_SHARE = 0.1

_MORE = "the answer depends on one draw of the noise: average over more trials"


class Dependence(NamedTuple):
    """The answers under other random numbers, by weighting the run's samples."""

    share: np.ndarray  # (OTHERS,) effective share of the weights
    shift: np.ndarray  # (OTHERS, P) of the parameters' means, in their standard deviations


def dependence(
    problem: Problem,
    features: Features,
    z: np.ndarray,
    statistics: np.ndarray,
    theta: np.ndarray,
) -> Dependence:
    """The answers under other random numbers.

    With statistics f under the run's random numbers and g under others, samples of the answer
    proportional to exp(theta.T(f)) are weighted by exp(theta'.T(g) - theta.T(f)), where theta'
    meets the targets under the others.

    Args:
        problem: solved by the run.
        features: of its property.
        z: (n, P) samples of its answer, in the circuit's units.
        statistics: (n, C) of these.
        theta: (M,) natural parameters of the features.

    Returns:
        Nothing (no rows) for a circuit without noise.
    """
    circuit, S = problem.circuit, len(problem.prop.mean)
    if circuit.renewed(1) is None:
        return Dependence(np.zeros(0), np.zeros((0, z.shape[1])))
    few = np.random.default_rng(problem.seed).permutation(len(z))[:_SAMPLES]
    z, own = z[few].astype(float), features.of(statistics[few]) @ theta
    scaled = (z - z.mean(axis=0)) / z.std(axis=0)
    shares, shifts = [], []
    for other in range(1, OTHERS + 1):
        renewed = circuit.renewed(other)
        assert renewed is not None
        points = features.of(np.asarray(renewed.statistics(z.astype(statistics.dtype))))
        weights = points @ theta - own
        found = relaxed(points, theta, np.zeros(S), features.distances, theta, weights)
        shares.append(found.effective_share)
        shifts.append(found.p @ scaled)
    return Dependence(np.array(shares), np.array(shifts))


def check_noise(shift: np.ndarray, share: np.ndarray) -> list[Check]:
    """Check that answers under other random numbers are the same; nothing where there is no noise.

    Args:
        shift, share: as in `Dependence`.
    """
    if not len(share):
        return []
    spread = float(np.sqrt((shift**2).mean(axis=0)).max())
    least = float(share.min())
    return [
        Check(
            "largest shift of a parameter's mean under other random numbers, sd",
            spread,
            f"below {MOST_SHIFT:g}",
            spread < MOST_SHIFT,
            _MORE,
        ),
        Check(
            "smallest effective share of the samples under other random numbers",
            least,
            f"above {LEAST_SHARE:g}",
            least > LEAST_SHARE,
            _MORE,
        ),
    ]

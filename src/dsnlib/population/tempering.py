"""Adaptive tempering: how far the target may be sharpened by the effective number of samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsnlib.emergent import EmergentProperty
from dsnlib.exact.dual import Dual, solve_dual

_STEPS = 25  # scales from the sharpest to the widest


class Tempered(NamedTuple):
    """The sharpest target that the samples support."""

    scale: float  # of the property's standard deviations, from 1
    dual: Dual  # maximum entropy at that scale; log_p are the samples' weights
    ess: float  # effective number of samples, as a share


def effective_share(log_p: np.ndarray) -> float:
    """Effective number of samples with probabilities exp(log_p), (n,), as a share of n.

    Source: Kong, Liu and Wong (1994).
    """
    return float(1 / (np.exp(2 * log_p).sum() * len(log_p)))


def sharpest(
    statistics: np.ndarray,
    log_weights: np.ndarray,
    prop: EmergentProperty,
    least: float,
    widest: float,
) -> Tempered:
    """The smallest scale of the standard deviations at which enough samples count.

    Args:
        statistics: (n, S) of the samples.
        log_weights: (n,) logarithms of their importance weights under the uniform distribution.
        prop: the property.
        least: the effective share that is enough.
        widest: largest scale, from 1.

    Returns:
        The smallest scale between 1 and `widest` whose effective share is at least `least`, or,
        where there is none, the one with the largest share.

    Raises:
        ValueError: at no scale do the samples meet the constraints.

    Source: Jasra, Stephens, Doucet and Tsagaris (2011), for choosing the next target so.
    """
    found: list[Tempered] = []
    problem = None
    for scale in np.geomspace(1, widest, _STEPS):
        wider = EmergentProperty(mean=prop.mean, sd=[float(scale * sd) for sd in prop.sd])
        try:
            dual = solve_dual(statistics, wider, log_weights)
        except ValueError as error:
            problem = error
            continue
        found.append(Tempered(float(scale), dual, effective_share(dual.log_p)))
        if found[-1].ess >= least:
            return found[-1]
    if not found:
        raise ValueError(
            f"the samples of a stage must allow the targets, but {problem}; "
            "draw more samples a stage, or choose a target that is less rare"
        )
    return max(found, key=lambda tempered: tempered.ess)


def widest_scale(statistics: np.ndarray, prop: EmergentProperty) -> float:
    """The scale at which the sds are half the range of (n, S) statistics, but at least 1."""
    finite = statistics[np.isfinite(statistics).all(axis=1)]
    ranges = np.ptp(finite, axis=0) if len(finite) else np.zeros(len(prop.sd))
    return float(max(1.0, (ranges / 2 / np.array(prop.sd)).max()))

"""How good samples are: anyone's, against the reference of a problem.

    from report.studies.score import score
    score("d8", z)  # z (n, P), as columns the circuit's parameters in their units

Every figure that chance alone would move comes with what it is for exact samples: `of_exact` has
the same comparisons for as many samples of the reference as there are of z, against the rest of it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from dsnlib.estimate import Estimate, mean_of
from dsnlib.judging.distances import c2st
from report.studies.problems import CASES

MOST = 10_000  # samples of each kind that trees are given
WEAK = 20  # reference samples per parameter below which trees see little


def score(name: str, z: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Compare samples with the reference of a problem.

    Args:
        name: of a problem in `problems.CASES` that has a reference.
        z: (n, P) samples, taken to be independent, n at least 100.
        seed: of the random choices.

    Returns:
        c2st, accuracy of trees and its standard error, 0.5 is best; mean, for the parameter whose
        mean is furthest off in standard errors: its name, the difference in reference sd and the
        standard error; sd, likewise the ratio of sds; moments, for each statistic (f - target) in
        target sd, and variance over target variance, each with its standard error; n; of_exact,
        the first three as an exact sampler would score them, with half of the reference if z is
        longer than that; weak, whether the reference has so few samples for its parameters that
        c2st tells little, and means, sds and moments are what to read. Where the answer is split
        or curled up, means and sds tell little, and c2st is what to read.

    Raises:
        KeyError: there is no such problem, or it has no reference.
        ValueError: z has another shape, too few samples, or leaves the box.

    Example:
        >>> found = score("d3", CASES["d3"].exact()["z"][:2_000])
        >>> found["c2st"].value < 0.53  # the very samples of the reference
        True
    """
    case = CASES.get(name)
    if case is None or case.reference is None:
        known = [each for each in CASES if CASES[each].reference]
        raise KeyError(f"name must be one of {known}, got {name!r}")
    z, exact = np.asarray(z, float), case.exact()["z"].astype(float)
    low, high = case.circuit.bounds.T
    if z.ndim != 2 or z.shape[1] != len(low) or len(z) < 100:
        raise ValueError(f"z must have shape (100 or more, {len(low)}), got {z.shape}; reshape it")
    if not ((z >= low) & (z <= high)).all():
        raise ValueError("z must lie in the circuit's bounds; check its units and columns")
    generator = np.random.default_rng(seed)
    z, exact = generator.permutation(z), generator.permutation(exact)
    half = min(len(z), len(exact) // 2)
    names = [parameter.name for parameter in case.circuit.parameters]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of failed simulations, which are nan here
        f = np.asarray(case.circuit.statistics(z), float)
    u = (f - np.array(case.prop.mean)) / np.array(case.prop.sd)
    return {
        **_compared(z, exact, names),
        "moments": {
            observable.name: (mean_of(each), _variance(each))
            for observable, each in zip(case.circuit.observables, u.T, strict=True)
        },
        "n": len(z),
        "of_exact": _compared(exact[:half], exact[half:], names),
        "weak": len(exact) < WEAK * len(low),
    }


def _compared(z: np.ndarray, exact: np.ndarray, names: list[str]) -> dict[str, Any]:
    """C2ST of equally many samples, and the parameters whose mean and sd are furthest off."""
    n = min(len(z), len(exact), MOST)
    unit = exact.std(axis=0)
    shift = (z.mean(axis=0) - exact.mean(axis=0)) / unit
    shift_se = np.sqrt(z.var(axis=0) / unit**2 / len(z) + 1 / len(exact))
    ratio = z.std(axis=0) / unit
    ratio_se = ratio * np.sqrt(_log_sd_error(z) ** 2 + _log_sd_error(exact) ** 2)
    first = int(np.argmax(np.abs(shift) / shift_se))
    second = int(np.argmax(np.abs(ratio - 1) / np.maximum(ratio_se, 1e-12)))
    return {
        "c2st": c2st(z[:n], exact[:n]),
        "mean": (names[first], Estimate(float(shift[first]), float(shift_se[first]))),
        "sd": (names[second], Estimate(float(ratio[second]), float(ratio_se[second]))),
    }


def _log_sd_error(z: np.ndarray) -> np.ndarray:
    """Standard errors of the logarithms of (P,) sds: by the fourth moment, not as of a Gaussian."""
    x = (z - z.mean(axis=0)) / np.maximum(z.std(axis=0), 1e-300)
    return np.asarray(np.sqrt(np.maximum((x**4).mean(axis=0) - 1, 0) / len(z)) / 2)


def _variance(u: np.ndarray) -> Estimate:
    """Variance of (n,) values with its standard error."""
    return mean_of((u - u.mean()) ** 2)

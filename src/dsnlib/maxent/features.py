"""A property as features of the statistics, whose expected value is to be 0.

With x = (f - mean) / scale a statistic with mean and sd has the features x and x^2 - 1, the scale
being its sd; one with a mean only has x, on the scale that its values have over the box. One with
an interval has its distance from it, in half widths, which is 0 inside. One that is recorded only
has none. Every statistic has two places, of which those that it does not need are 0.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from dsnlib.circuits import Circuit
from dsnlib.property import EmergentProperty

_DRAWN = 1_000  # uniform draws that tell the scale of a statistic without an sd


@dataclasses.dataclass(frozen=True)
class Features:
    """The features of a property.

    Args:
        prop: the property.
        scales: (S,) that make statistics with a target dimensionless, in their units.
    """

    prop: EmergentProperty
    scales: tuple[float, ...]

    @property
    def size(self) -> int:
        """Number of features, 2 S."""
        return 2 * len(self.scales)

    @property
    def distances(self) -> np.ndarray:
        """(2 S,) which features are distances from an interval."""
        interval = [kind == "interval" for kind in self.prop.kinds]
        return np.array(interval + [False] * len(interval))

    def of(self, statistics: Any, xp: Any = np) -> Any:
        """The features of statistics.

        Args:
            statistics: (..., S), or (..., 2 S) where variances over trials follow the means.
            xp: NumPy, or jax.numpy where JAX traces this.

        Returns:
            (..., 2 S); not finite where a statistic with a target is not.
        """
        prop, kinds, S = self.prop, self.prop.kinds, len(self.scales)
        f = statistics.astype(float) if xp is np else statistics
        scale = xp.asarray(self.scales, f.dtype)
        mean = xp.asarray([0.0 if m is None else m for m in prop.mean], f.dtype)
        x = (f[..., :S] - mean) / scale
        square = x**2 - 1
        if f.shape[-1] > S:
            square = square + f[..., S:] / scale**2
        if set(kinds) == {"moments"}:
            return xp.concatenate([x, square], axis=-1)
        # In the statistics' own precision, so that what lies at an end is inside for all who ask.
        ends = [(0.0, 0.0) if interval is None else interval for interval in prop.intervals]
        low, high = xp.asarray(ends, statistics.dtype).T
        f = statistics[..., :S]
        away = xp.maximum(xp.maximum(low - f, f - high), 0) / scale
        is_a = {kind: np.array([each == kind for each in kinds]) for kind in set(kinds)}
        none = np.zeros(S, bool)
        linear = xp.where(is_a.get("interval", none), away, x)
        return xp.concatenate(
            [
                xp.where(is_a.get("recorded", none), 0, linear),
                xp.where(is_a.get("moments", none), square, 0),
            ],
            axis=-1,
        )

    def natural(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Natural parameters of the moments (f_1, .., f_S, f_1^2, .., f_S^2).

        Args:
            theta: (..., 2 S) natural parameters of the features.

        Returns:
            (..., 2 S) eta, 0 for intervals, and (...) theta.features - eta.T inside them.
        """
        S = len(self.scales)
        mean = np.array([0.0 if m is None else m for m in self.prop.mean])
        scale = np.array(self.scales)
        linear, square = np.where(self.distances, 0, theta)[..., :S], theta[..., S:]
        eta = np.concatenate(
            [linear / scale - 2 * mean * square / scale**2, square / scale**2], axis=-1
        )
        return eta, linear @ (-mean / scale) + square @ (mean**2 / scale**2 - 1)


@functools.lru_cache(maxsize=64)
def features_of(circuit: Circuit, prop: EmergentProperty, precision: str) -> Features:
    """The features of a property of a circuit.

    A mean without an sd is scaled by the standard deviation of the statistic over uniform draws, to
    two digits: it is no part of the answer, only of the way there.

    Args:
        circuit, prop: what is asked for.
        precision: "float32" or "float64", of the circuit's statistics.
    """
    spread = np.ones(len(prop.mean))
    if "mean" in prop.kinds:
        rng = np.random.default_rng(0)
        unit = rng.random((_DRAWN, len(circuit.parameters))).astype(precision)
        z = np.asarray(circuit.box.from_unit(unit))
        f = np.asarray(circuit.statistics(z), float)[:, : len(spread)]
        for i, values in enumerate(f.T):
            finite = values[np.isfinite(values)]
            sd = float(f"{finite.std():.2g}") if len(finite) else 0.0
            spread[i] = sd if sd > 0 else 1.0
    scales = tuple(
        (interval[1] - interval[0]) / 2 if interval else float(sd or spread[i])
        for i, (sd, interval) in enumerate(zip(prop.sds, prop.intervals, strict=True))
    )
    return Features(prop, scales)

"""The emergent property: what the circuit's statistics must be."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib import _check
from dsnlib.circuits import Circuit


@dataclasses.dataclass(frozen=True)
class EmergentProperty:
    """What each statistic of a circuit must be, in one of four ways.

    - A mean and a standard deviation (sd), over all parameters of the answer together.
    - A mean only.
    - An interval: every parameter of the answer has its statistic there.
    - Nothing: the statistic is recorded only, and may be undefined (not a number) anywhere.

    Args:
        mean: S target means, in the statistics' units; None where a statistic has none.
        sd: S target standard deviations, above 0, in the statistics' units; None where a statistic
            has none, or instead of the list where none has one.
        within: S intervals (low, high), in the statistics' units; None where a statistic has none,
            or instead of the list.

    Raises:
        TypeError, ValueError: entries that are no finite numbers, sd <= 0, an empty interval,
            lengths that differ, a statistic with both mean and interval, or nothing asked for.

    Source: Loaiza-Ganem, Gao and Cunningham, "Maximum entropy flow networks" (2017), for means and
    standard deviations; an interval is the limit of a constraint on the distance from it.

    Example:
        >>> EmergentProperty(mean=[0.5], sd=[0.1]).mu.round(4).tolist()
        [0.5, 0.26]
        >>> resting_and_rate = EmergentProperty(mean=[-65.0, None], within=[None, (5, 10)])
        >>> resting_and_rate.kinds
        ('mean', 'interval')
    """

    mean: Sequence[Any]  # after the checks: tuples of floats and None
    sd: Any = None
    within: Any = None

    def __post_init__(self) -> None:
        mean = _check.numbers("mean", self.mean, or_none=True)
        missing = (None,) * len(mean)
        sd = missing if self.sd is None else _check.numbers("sd", self.sd, above=0, or_none=True)
        within = missing if self.within is None else _check.intervals("within", self.within)
        for name, values in (("sd", sd), ("within", within)):
            if len(values) != len(mean):
                raise ValueError(
                    f"mean and {name} must have one entry for each statistic, got {len(mean)} and "
                    f"{len(values)} entries; pass lists of one length"
                )
        for i, (m, s, interval) in enumerate(zip(mean, sd, within, strict=True)):
            if interval is not None and m is not None:
                raise ValueError(
                    f"mean[{i}] must be None where within[{i}] is given, got {m:g} and "
                    f"{interval}; choose one of them"
                )
            if s is not None and m is None:
                raise ValueError(f"mean[{i}] must be a number where sd[{i}] is {s:g}; pass it")
        if mean == within == missing:
            raise ValueError(
                "mean or within must ask for something of at least one statistic, got None of "
                "all; pass a mean, or an interval (low, high)"
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "sd", sd)
        object.__setattr__(self, "within", None if within == missing else within)

    @property
    def kinds(self) -> tuple[str, ...]:
        """(S,) of each statistic: "moments", "mean", "interval" or "recorded"."""
        kinds = []
        for m, s, interval in zip(self.mean, self.sds, self.intervals, strict=True):
            if interval is not None:
                kinds.append("interval")
            else:
                kinds.append("recorded" if m is None else "mean" if s is None else "moments")
        return tuple(kinds)

    @property
    def intervals(self) -> tuple[tuple[float, float] | None, ...]:
        """(S,) interval of each statistic, None where it has none."""
        return (None,) * len(self.mean) if self.within is None else tuple(self.within)

    @property
    def sds(self) -> tuple[float | None, ...]:
        """(S,) sd of each statistic, None where it has none."""
        return tuple(self.sd)

    @property
    def mu(self) -> np.ndarray:
        """(2 S,) target values of the moments; not a number where there is no target."""
        mean, sd = np.array(self.mean, float), np.array(self.sds, float)
        return np.concatenate([mean, mean**2 + sd**2])

    def moments(self, statistics: jax.Array) -> jax.Array:
        """Moments T(z): (n, S) statistics to (n, 2 S)."""
        return jnp.concatenate([statistics, statistics**2], axis=1)

    def inside(self, statistics: Any) -> np.ndarray:
        """(..., S) statistics to (...) whether all lie in their intervals, where they have one."""
        statistics = np.asarray(statistics)
        inside = np.ones(statistics.shape[:-1], bool)
        for i, interval in enumerate(self.intervals):
            if interval is not None:
                low, high = np.asarray(interval, statistics.dtype)
                inside &= (statistics[..., i] >= low) & (statistics[..., i] <= high)
        return inside

    def asked(self, statistic: int) -> str:
        """What is asked of a statistic, in words, by its number from 0."""
        mean, sd = self.mean[statistic], self.sds[statistic]
        if (interval := self.intervals[statistic]) is not None:
            return f"{interval[0]:g} to {interval[1]:g}"
        if mean is None:
            return "nothing"
        return f"a mean of {mean:g}" if sd is None else f"{mean:g} \u00b1 {sd:g}"

    def check_against(self, circuit: Circuit) -> None:
        """ValueError where the circuit has other statistics or cannot report what is asked for."""
        observables = circuit.observables
        if len(self.mean) != len(observables):
            names = ", ".join(o.name for o in observables)
            raise ValueError(
                f"mean must have one entry for each statistic ({names}), got {len(self.mean)}; "
                "pass as many means and sds as the circuit has statistics"
            )
        name = type(circuit).__name__
        for target, interval, o in zip(self.mean, self.intervals, observables, strict=True):
            reported = f"[{o.low:g}, {o.high:g}] {o.unit}, the range that {name} reports"
            if target is not None and not o.low <= target <= o.high:
                raise ValueError(
                    f"mean of {o.name} must lie in {reported}, got {target:g}; "
                    "choose a target inside"
                )
            if interval is not None and not (interval[0] <= o.high and interval[1] >= o.low):
                raise ValueError(
                    f"within of {o.name} must overlap {reported}, got {interval}; "
                    "choose an interval that does"
                )

    def check_moments(self, who: str) -> None:
        """ValueError, in the name of `who`, unless every statistic has a mean and an sd."""
        for i, kind in enumerate(self.kinds):
            if kind != "moments":
                raise ValueError(
                    f"mean[{i}] and sd[{i}] must be numbers for {who}, got {self.mean[i]} and "
                    f"{self.sds[i]}; pass both, or use dsnlib.SMC() or dsnlib.Uniform()"
                )


def moment_names(circuit: Circuit) -> list[str]:
    """Names of the moments of a circuit's statistics, for example ["f_hub", "f_hub^2"]."""
    names = [o.name for o in circuit.observables]
    return names + [f"{name}^2" for name in names]


def moment_units(circuit: Circuit) -> list[str]:
    """Units of the moments, in the order of `moment_names`."""
    units = [o.unit for o in circuit.observables]
    return units + [f"({unit})^2" if "/" in unit else f"{unit}^2" for unit in units]

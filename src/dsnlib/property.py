"""The emergent property: what the circuit's statistics must be on average."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib import _check
from dsnlib.circuits import Circuit


@dataclasses.dataclass(frozen=True)
class EmergentProperty:
    """A mean and a standard deviation for each statistic of a circuit.

    Training constrains the moments T(z) = (f_1, .., f_S, f_1^2, .., f_S^2) of the S statistics to
    mu = (mean, mean^2 + sd^2).

    Args:
        mean: S target means, in the statistics' units.
        sd: S target standard deviations, above 0, in the statistics' units.

    Raises:
        TypeError, ValueError: entries that are no finite numbers, sd <= 0, lengths that differ.

    Example:
        >>> EmergentProperty(mean=[0.5], sd=[0.1]).mu.round(4).tolist()
        [0.5, 0.26]
    """

    mean: Sequence[float]
    sd: Sequence[float]

    def __post_init__(self) -> None:
        mean = _check.numbers("mean", self.mean)
        sd = _check.numbers("sd", self.sd, above=0)
        if len(mean) != len(sd):
            raise ValueError(
                f"mean and sd must have one entry for each statistic, got {len(mean)} and "
                f"{len(sd)} entries; pass lists of one length"
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "sd", sd)

    @property
    def mu(self) -> np.ndarray:
        """(2 S,) target values of the moments."""
        mean, sd = np.array(self.mean), np.array(self.sd)
        return np.concatenate([mean, mean**2 + sd**2])

    def moments(self, statistics: jax.Array) -> jax.Array:
        """Moments T(z): (n, S) statistics to (n, 2 S)."""
        return jnp.concatenate([statistics, statistics**2], axis=1)

    def check_against(self, circuit: Circuit) -> None:
        """ValueError where the circuit has other statistics or cannot report a target mean."""
        observables = circuit.observables
        if len(self.mean) != len(observables):
            names = ", ".join(o.name for o in observables)
            raise ValueError(
                f"mean must have one entry for each statistic ({names}), got {len(self.mean)}; "
                "pass as many means and sds as the circuit has statistics"
            )
        for target, o in zip(self.mean, observables, strict=True):
            if not o.low <= target <= o.high:
                raise ValueError(
                    f"mean of {o.name} must lie in [{o.low:g}, {o.high:g}] {o.unit}, the range "
                    f"that {type(circuit).__name__} reports, got {target:g}; choose a target inside"
                )


def moment_names(circuit: Circuit) -> list[str]:
    """Names of the moments of a circuit's statistics, for example ["f_hub", "f_hub^2"]."""
    names = [o.name for o in circuit.observables]
    return names + [f"{name}^2" for name in names]


def moment_units(circuit: Circuit) -> list[str]:
    """Units of the moments, in the order of `moment_names`."""
    units = [o.unit for o in circuit.observables]
    return units + [f"({unit})^2" if "/" in unit else f"{unit}^2" for unit in units]

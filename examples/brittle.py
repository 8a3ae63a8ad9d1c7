"""A population that excites itself, whose simulator gives up where the rate runs away.

    tau dr/dt = -r + weight r + drive, which settles at r = drive / (1 - weight) if weight < 1.

Units: Hz; the weight has none. The weight is uniform on (0, 10/7), so that 30 % of the box have no
steady rate, and there `simulate` raises an exception, as simulators do. Such points are no part of
the answer.

Source: the linear rate model, for example Dayan and Abbott, Theoretical Neuroscience (2001), 7.4.

The answer is known in closed form. Uniform weights and drives in (low, high) give rates of density
proportional to (min(r, high)^2 - low^2) / r^2 from low on, and among the points of rate r the drive
has density proportional to itself on (low, min(r, high)); the property multiplies the rates'
density by exp(eta . (r, r^2)), with the eta that meets mean and standard deviation.

After `import dsnlib` it is solved by

    from examples.brittle import PROPERTY, Brittle
    run = dsnlib.fit(Brittle(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/brittle")
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

import dsnlib

#: Of the box, 13 % lie within two standard deviations of the mean.
PROPERTY = dsnlib.EmergentProperty(mean=[20.0], sd=[3.0])


def steady_rate(weight: float, drive: float) -> float:
    """Rate at which the population settles, in Hz, for a drive in Hz.

    Raises:
        ArithmeticError: it does not settle.
    """
    if weight >= 1:
        raise ArithmeticError(f"the rate runs away with a weight of {weight:g}")
    return drive / (1 - weight)


@dataclasses.dataclass(frozen=True)
class Brittle(dsnlib.ExternalCircuit):
    """The steady rate of the population, see `steady_rate`."""

    parameters: ClassVar = (
        dsnlib.Parameter("weight", "1", 0, 10 / 7),
        dsnlib.Parameter("drive", "Hz", 1, 10),
    )
    observables: ClassVar = (dsnlib.Statistic("rate", "Hz", low=0),)

    def simulate(self, z: np.ndarray) -> np.ndarray:
        """(1,) rate; z (2,)."""
        weight, drive = z
        return np.array([steady_rate(weight, drive)])

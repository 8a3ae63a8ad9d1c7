"""When a neuron fires first, a statistic that 90 % of the box do not have.

    tau dV/dt = -V + R I,  V(0) = 0,  a spike where V = THRESHOLD

Units: ms, mV above rest, megaohm, nA. The first spike comes after

    latency = tau log(R I / (R I - THRESHOLD)),

and never where R I <= THRESHOLD: there the statistic is NaN, not some large number that means
"never". Points without a latency are no part of the answer.

Source: the leaky integrate-and-fire neuron, Lapicque, J. Physiol. Pathol. Gen. 9 (1907); for
example Dayan and Abbott, Theoretical Neuroscience (2001), 5.4.

After `import dsnlib` it is solved by

    from examples.silent import PROPERTY, FirstSpike
    run = dsnlib.fit(FirstSpike(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/silent")
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

import dsnlib

THRESHOLD = 15.0  # mV above rest

#: An early spike: 0.6 % of the box lie within two standard deviations of the mean.
PROPERTY = dsnlib.EmergentProperty(mean=[10.0], sd=[1.0])


@dataclasses.dataclass(frozen=True)
class FirstSpike(dsnlib.Circuit):
    """Latency of the first spike after the current begins; NaN where there is none.

    Example:
        >>> FirstSpike().statistics([[10.0, 100.0, 0.2], [10.0, 100.0, 0.1]]).round().tolist()
        [[14.0], [nan]]
    """

    parameters: ClassVar = (
        dsnlib.Parameter("tau", "ms", 5, 30),
        dsnlib.Parameter("R", "megaohm", 0, 100),
        dsnlib.Parameter(
            "current", "nA", 0, 0.255
        ),  # of all products R I, 10 % reach the threshold
    )
    observables: ClassVar = (dsnlib.Statistic("latency", "ms", low=0),)

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Latency, see `Circuit.evaluate`."""
        tau, R, current = z.T
        excess = R * current - THRESHOLD  # mV, of what V would reach
        fires = excess > 0
        # The inner choice keeps the derivative finite where there is no spike.
        latency = tau * jnp.log1p(THRESHOLD / jnp.where(fires, excess, 1))
        return jnp.where(fires, latency, jnp.nan)[:, None]

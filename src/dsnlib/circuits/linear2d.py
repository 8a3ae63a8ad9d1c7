"""A linear system in the plane, whose statistics are known in closed form."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from dsnlib.circuits.base import Circuit
from dsnlib.circuits.quantities import Parameter, Statistic


@dataclasses.dataclass(frozen=True)
class Linear2D(Circuit):
    """dx/dt = A x with the four entries of A free, each in (-10, 10) per s.

    Its statistics are the growth rate Re(l) in 1/s and the oscillation frequency |Im(l)| / (2 pi)
    in Hz of the leading eigenvalue pair, from the characteristic polynomial:
    l = tr/2 +- sqrt(tr^2/4 - det). The frequency is 0 where both eigenvalues are real.

    Example:
        >>> rotation = [[0.0, -3.0, 3.0, 0.0]]
        >>> growth, frequency = Linear2D().statistics(rotation)[0].tolist()
        >>> growth, round(frequency, 4)
        (0.0, 0.4775)
    """

    parameters: ClassVar = tuple(
        Parameter(name, "1/s", -10, 10) for name in ("a11", "a12", "a21", "a22")
    )
    observables: ClassVar = (Statistic("growth", "1/s"), Statistic("frequency", "Hz", low=0))

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Growth rate and frequency, see `Circuit.evaluate`."""
        a11, a12, a21, a22 = z.T
        half_trace = (a11 + a22) / 2
        discriminant = ((a11 - a22) / 2) ** 2 + a12 * a21
        growth = half_trace + _root(discriminant)
        frequency = _root(-discriminant) / (2 * jnp.pi)
        return jnp.stack([growth, frequency], axis=1)


def _root(x: jax.Array) -> jax.Array:
    """sqrt(x) where x > 0, else 0, with derivative 0 there (plain sqrt would give NaN)."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1)), 0)

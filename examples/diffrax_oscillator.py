"""A van der Pol oscillator, integrated by diffrax, whose period and speed are given.

    x'' = omega mu (1 - x^2) x' - omega^2 x

Units: s; x has none. mu says how far the oscillation is from a sine: from 2 pi / omega at mu = 0
its period grows, and its upstroke steepens.

Source: van der Pol, Phil. Mag. 2 (1926); diffrax: Kidger, "On neural differential equations",
thesis, Oxford (2021).

Needs `pip install -r examples/requirements-diffrax.txt`. After `import dsnlib` it is solved by

    from examples.diffrax_oscillator import PROPERTY, VanDerPol
    run = dsnlib.fit(VanDerPol(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/van-der-pol")
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import diffrax
import jax
import jax.numpy as jnp

import dsnlib

START = (2.0, 0.0)  # x and x' / omega, near the cycle
SETTLED = 3 / 5  # of the time, before the period is taken
SAMPLES = 2_000

#: Of the box, 1.5 % lie within two standard deviations of both means.
PROPERTY = dsnlib.EmergentProperty(mean=[1.0, 30.0], sd=[0.05, 3.0])


def slopes(t: jax.Array, state: tuple, args: tuple) -> tuple:
    """Time derivative of x and y = x' / omega, in 1/s."""
    (x, y), (mu, omega) = state, args
    return omega * y, omega * (mu * (1 - x * x) * y - x)


@dataclasses.dataclass(frozen=True)
class VanDerPol(dsnlib.Circuit):
    """Period and highest speed of the oscillator.

    Args:
        cycles: time that is integrated, in cycles of a sine of frequency omega.
        tolerance: of a step, relative and absolute.
    """

    cycles: float = 15.0
    tolerance: float = 1e-5

    parameters: ClassVar = (
        dsnlib.Parameter("mu", "1", 0.1, 5),
        dsnlib.Parameter("omega", "rad/s", 2, 20),
    )
    observables: ClassVar = (
        dsnlib.Statistic("period", "s", low=0),
        dsnlib.Statistic("speed", "1/s", low=0),
    )

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Period and highest speed, see `Circuit.evaluate`."""
        return jax.vmap(self._one)(z)

    def _one(self, z: jax.Array) -> jax.Array:
        mu, omega = z
        end = 2 * jnp.pi * self.cycles / omega
        times = jnp.linspace(SETTLED * end, end, SAMPLES, dtype=z.dtype)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(slopes),
            diffrax.Tsit5(),
            t0=jnp.zeros_like(end),
            t1=end,
            dt0=None,
            y0=tuple(jnp.asarray(start, z.dtype) for start in START),
            args=(mu, omega),
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=self.tolerance, atol=self.tolerance),
            throw=False,  # one row that needs too many steps would end the whole run
        )
        x, y = solution.ys
        up = (x[:-1] < 0) & (x[1:] >= 0)
        crossing = times[:-1] - x[:-1] * jnp.diff(times) / jnp.where(up, jnp.diff(x), 1)
        first = jnp.where(up, crossing, jnp.inf).min()
        last = jnp.where(up, crossing, -jnp.inf).max()
        period, speed = (last - first) / (up.sum() - 1), omega * jnp.abs(y).max()
        defined = (solution.result == diffrax.RESULTS.successful) & (up.sum() > 1)
        return jnp.where(defined, jnp.stack([period, speed]), jnp.nan)

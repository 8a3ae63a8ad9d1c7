"""A Hodgkin-Huxley neuron that must fire at one rate, from one resting potential.

    C dV/dt = I - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L)
    dx/dt   = q (alpha_x(V) (1 - x) - beta_x(V) x)                      for x = m, h, n

Units: ms, mV, mS/cm2, uA/cm2, uF/cm2 (C = 1). q speeds all gates up, as warmth does: 1 at the
paper's 6.3 degrees C, 3 at 16.3.

Source: Hodgkin and Huxley, J. Physiol. 117 (1952), potentials as they are written today (rest near
-65 mV, a spike goes up).

After `import dsnlib` it is solved by

    from examples.hodgkin_huxley import PROPERTY, HodgkinHuxley
    run = dsnlib.fit(HodgkinHuxley(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/hodgkin-huxley")
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

import dsnlib

E_NA, E_K = 50.0, -77.0  # mV
THRESHOLD = -10.0  # mV; a spike is a crossing upwards
START = -65.0  # mV, with the gates at rest there
SETTLED = 10.0  # ms before the current, over which the resting potential is a mean

#: Of the box, 0.25 % lie within two standard deviations of all three means.
PROPERTY = dsnlib.EmergentProperty(mean=[80.0, -65.0, 90.0], sd=[5.0, 2.0, 5.0])


def ratio(x: jax.Array) -> jax.Array:
    """x / (1 - exp(-x)), whose limit at 0 is 1."""
    small = jnp.abs(x) < 1e-3
    safe = jnp.where(small, 1.0, x)
    return jnp.where(small, 1 + x / 2, safe / (1 - jnp.exp(-safe)))


def gate_rates(V: jax.Array) -> tuple[tuple[jax.Array, jax.Array], ...]:
    """Opening and closing rates (alpha, beta) of m, h and n, in 1/ms, at V in mV."""
    return (
        (ratio((V + 40) / 10), 4 * jnp.exp(-(V + 65) / 18)),
        (0.07 * jnp.exp(-(V + 65) / 20), 1 / (1 + jnp.exp(-(V + 35) / 10))),
        (0.1 * ratio((V + 55) / 10), 0.125 * jnp.exp(-(V + 65) / 80)),
    )


@dataclasses.dataclass(frozen=True)
class HodgkinHuxley(dsnlib.Circuit):
    """Rate, resting potential and spike height of a neuron, from its conductances and current.

    - rate, Hz: spikes less one, over the time from the first to the last; 0 where there are fewer
      than two. Times of crossings are interpolated, so it has no steps between whole counts.
    - rest, mV: mean over the 10 ms before the current begins.
    - height, mV: highest voltage under the current, above rest.

    Args:
        quiet, driven: time without and with the current, in ms.
        dt: step, in ms.

    Example:
        >>> squid = [[120.0, 36.0, 0.3, -54.4, 10.0, 1.0]]
        >>> HodgkinHuxley().statistics(squid)[0].round().tolist()
        [68.0, -65.0, 105.0]
    """

    quiet: float = 50.0
    driven: float = 100.0
    dt: float = 0.025

    parameters: ClassVar = (
        dsnlib.Parameter("g_Na", "mS/cm2", 40, 200),
        dsnlib.Parameter("g_K", "mS/cm2", 10, 80),
        dsnlib.Parameter("g_L", "mS/cm2", 0.05, 0.6),
        dsnlib.Parameter("E_L", "mV", -70, -45),
        dsnlib.Parameter("current", "uA/cm2", 0, 40),
        dsnlib.Parameter("q", "1", 0.5, 3),
    )
    observables: ClassVar = (
        dsnlib.Statistic("rate", "Hz", low=0),
        dsnlib.Statistic("rest", "mV"),
        dsnlib.Statistic("height", "mV"),
    )

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Rate, resting potential and spike height, see `Circuit.evaluate`."""
        V = self.voltage(z)
        onset = round(self.quiet / self.dt)
        rest = V[onset - round(SETTLED / self.dt) : onset].mean(axis=0)
        before, after = V[onset:-1], V[onset + 1 :]
        spike = (before < THRESHOLD) & (after >= THRESHOLD)
        step = jnp.arange(len(spike), dtype=z.dtype)[:, None]
        time = self.dt * (step + (THRESHOLD - before) / jnp.where(spike, after - before, 1))
        first = jnp.where(spike, time, jnp.inf).min(axis=0)
        last = jnp.where(spike, time, -jnp.inf).max(axis=0)
        count = spike.sum(axis=0)
        many = count > 1
        rate = jnp.where(many, 1_000 * (count - 1) / jnp.where(many, last - first, 1), 0)
        return jnp.stack([rate, rest, V[onset:].max(axis=0) - rest], axis=1)

    def voltage(self, z: jax.Array) -> jax.Array:
        """(steps + 1, n) voltage, in mV, at times 0, dt, ..; z (n, 6)."""
        g_Na, g_K, g_L, E_L, current, q = z.T
        onset, end = (round(time / self.dt) for time in (self.quiet, self.quiet + self.driven))

        # Each variable relaxes exactly while the others stand still; gates are known half a step
        # after the voltage. That is stable at any step and of second order.
        def step(state: tuple, k: jax.Array) -> tuple[tuple, jax.Array]:
            V, *gates = state
            m, h, n = gates = [
                (x - a / (a + b)) * jnp.exp(-self.dt * q * (a + b)) + a / (a + b)
                for x, (a, b) in zip(gates, gate_rates(V), strict=True)
            ]
            Na, K = g_Na * m**3 * h, g_K * n**4
            total = Na + K + g_L
            I = jnp.where(k < onset, 0.0, current)  # noqa: E741 (the field's symbol)
            limit = (Na * E_NA + K * E_K + g_L * E_L + I) / total
            V = limit + (V - limit) * jnp.exp(-self.dt * total)
            return (V, *gates), V

        V = jnp.full_like(current, START)
        gates = (a / (a + b) for a, b in gate_rates(V))
        _, later = jax.lax.scan(step, (V, *gates), jnp.arange(end), unroll=2)
        return jnp.concatenate([V[None], later])

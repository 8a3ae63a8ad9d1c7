"""The target on the unit box: simulations, their log-density, and what moves evaluate."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from dsnlib.circuits import Circuit
from dsnlib.circuits.differentiation import in_blocks
from dsnlib.property import EmergentProperty


@dataclasses.dataclass(frozen=True)
class Target:
    """exp(theta.features) on the unit box, which is the circuit's box scaled."""

    circuit: Circuit
    prop: EmergentProperty

    def parameters(self, z: jax.Array) -> jax.Array:
        """(..., P) points of the unit box in the circuit's units."""
        low, high = jnp.asarray(self.circuit.bounds.T, z.dtype)
        return jnp.clip(low + (high - low) * z, low, high)

    def simulate(self, z: jax.Array) -> jax.Array:
        """(islands, n, P) points to (islands, n, S) statistics; not finite where one failed."""
        rows = self.parameters(z).reshape(-1, z.shape[-1])
        return in_blocks(self.circuit.evaluate, rows).reshape(*z.shape[:-1], -1)

    def log_density(self, statistics: jax.Array, theta: jax.Array) -> jax.Array:
        """(islands, n) theta.features with theta (islands, M); -inf where a simulation failed."""
        mean = jnp.asarray(self.prop.mean, statistics.dtype)
        x = (statistics - mean) / jnp.asarray(self.prop.sd, statistics.dtype)
        value = jnp.einsum("inm,im->in", jnp.concatenate([x, x**2 - 1], axis=-1), theta)
        return jnp.where(
            jnp.isfinite(statistics).all(axis=-1) & jnp.isfinite(value), value, -jnp.inf
        )

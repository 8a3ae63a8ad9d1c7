"""The target on the unit box: simulations, their log-density, and what moves evaluate."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from dsnlib.circuits import Circuit
from dsnlib.circuits.differentiation import in_blocks
from dsnlib.maxent.features import Features


@dataclasses.dataclass(frozen=True)
class Target:
    """exp(theta.features) on the unit box, which is the circuit's box scaled."""

    circuit: Circuit
    features: Features

    def parameters(self, z: jax.Array) -> jax.Array:
        """(..., P) points of the unit box in the circuit's units."""
        return self.circuit.box.from_unit(z)

    def simulate(self, z: jax.Array) -> jax.Array:
        """(islands, n, P) points to (islands, n, C) statistics.

        They are not finite where a simulation failed or the circuit does not allow the parameters.
        """
        rows = self.parameters(z).reshape(-1, z.shape[-1])
        return in_blocks(self.circuit.permitted, rows).reshape(*z.shape[:-1], -1)

    def failures(self, z: jax.Array, statistics: jax.Array) -> jax.Array:
        """() number of points that the circuit allows, and whose simulation failed."""
        rows = self.parameters(z).reshape(-1, z.shape[-1])
        whole = jnp.isfinite(self.features.of(statistics, jnp)).all(axis=-1)
        return (self.circuit.allowed(rows) & ~whole.reshape(-1)).sum()

    def log_density(self, statistics: jax.Array, theta: jax.Array) -> jax.Array:
        """(islands, n) theta.features with theta (islands, M); -inf where a simulation failed."""
        features = self.features.of(statistics, jnp)
        value = jnp.einsum("inm,im->in", features, theta)
        return jnp.where(jnp.isfinite(features).all(axis=-1) & jnp.isfinite(value), value, -jnp.inf)

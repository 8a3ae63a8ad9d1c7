"""The map from the plane onto the circuit's box of parameters, as a numpyro transform."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import softplus
from numpyro.distributions import constraints
from numpyro.distributions.transforms import Transform


class IntervalTransform(Transform):
    """z = (low + high) / 2 + (high - low) / 2 tanh(y), elementwise, onto the open box (low, high).

    Args:
        low, high: (D,) bounds.

    numpyro's sigmoid transform may return a bound itself where floats saturate; this one stays
    strictly inside, so that the density of every sample can be evaluated again.
    """

    domain = constraints.real_vector

    def __init__(self, low: jax.Array, high: jax.Array) -> None:
        self.low, self.high = low, high

    @property
    def codomain(self) -> constraints.Constraint:  # type: ignore[override]
        """The open box."""
        return constraints.independent(constraints.interval(self.low, self.high), 1)

    def __call__(self, y: jax.Array) -> jax.Array:
        """Map y (..., D) into the box."""
        z = self.low + (self.high - self.low) * jax.nn.sigmoid(2 * y)
        return jnp.clip(z, *self.open_bounds())

    @property
    def middle(self) -> jax.Array:
        """(D,) middle of the box."""
        return (self.low + self.high) / 2

    def open_bounds(self) -> tuple[jax.Array, jax.Array]:
        """The smallest and largest floats strictly inside the box, none of them subnormal."""
        tiny = (self.high - self.low) * jnp.finfo(self.low.dtype).tiny
        low = jnp.maximum(jnp.nextafter(self.low, self.high), self.low + tiny)
        high = jnp.minimum(jnp.nextafter(self.high, self.low), self.high - tiny)
        return low, high

    def _inverse(self, z: jax.Array) -> jax.Array:
        return 0.5 * (jnp.log(z - self.low) - jnp.log(self.high - z))

    def log_abs_det_jacobian(
        self, y: jax.Array, z: jax.Array, intermediates: Any = None
    ) -> jax.Array:
        """(...) log |det dz/dy|."""
        # log of (high - low) / 2 (1 - tanh(y)^2), without cancellation where tanh saturates
        slope = jnp.log(2 * (self.high - self.low)) - softplus(2 * y) - softplus(-2 * y)
        return jnp.sum(slope, axis=-1)

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[tuple[str, ...], dict[str, Any]]]:
        """Leaves and structure, for JAX."""
        return (self.low, self.high), (("low", "high"), {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalTransform) and all(
            bool(jnp.array_equal(mine, theirs))
            for mine, theirs in ((self.low, other.low), (self.high, other.high))
        )

    __hash__ = None  # type: ignore[assignment]

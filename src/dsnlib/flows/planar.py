"""Planar layers (Rezende and Mohamed 2015) as a numpyro transform."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import softplus
from numpyro.distributions import constraints
from numpyro.distributions.transforms import Transform

# Halvings of the bracket around the root: beyond the digits of float64.
_BISECTIONS = 60


class PlanarTransform(Transform):
    """y = x + u_hat tanh(a.x + b), with u_hat = u + (softplus(a.u) - 1 - a.u) a / |a|^2.

    Args:
        a: (D,) direction.
        u: (D,) displacement before the correction.
        b: () offset.

    The correction of u keeps a.u_hat > -1, which makes the layer invertible. The inverse has no
    closed form, but along a the layer is a monotone map of one number,
    s -> s + w tanh(s + b) with w = a.u_hat > -1, whose root a bisection finds at any y.

    Source: Rezende and Mohamed, "Variational inference with normalizing flows" (2015), eq. 10 and
    appendix A.1.
    """

    domain = constraints.real_vector
    codomain = constraints.real_vector

    def __init__(self, a: jax.Array, u: jax.Array, b: jax.Array) -> None:
        self.a, self.u, self.b = a, u, b

    def _displacement(self) -> tuple[jax.Array, jax.Array]:
        """u_hat (D,) and w = a.u_hat, which is above -1."""
        along = self.a @ self.u
        w = softplus(along) - 1
        return self.u + (w - along) * self.a / (self.a @ self.a), w

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map x (..., D) to y."""
        u_hat, _ = self._displacement()
        return x + jnp.tanh(x @ self.a + self.b)[..., None] * u_hat

    def _inverse(self, y: jax.Array) -> jax.Array:
        u_hat, w = self._displacement()
        s = _monotone_root(y @ self.a, w, self.b)
        return y - jnp.tanh(s + self.b)[..., None] * u_hat

    def log_abs_det_jacobian(
        self, x: jax.Array, y: jax.Array, intermediates: Any = None
    ) -> jax.Array:
        """(...) log |det dy/dx|."""
        _, w = self._displacement()
        return jnp.log1p(w * (1 - jnp.tanh(x @ self.a + self.b) ** 2))

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[tuple[str, ...], dict[str, Any]]]:
        """Leaves and structure, for JAX."""
        return (self.a, self.u, self.b), (("a", "u", "b"), {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlanarTransform) and all(
            bool(jnp.array_equal(mine, theirs))
            for mine, theirs in ((self.a, other.a), (self.u, other.u), (self.b, other.b))
        )

    __hash__ = None  # type: ignore[assignment]


@jax.jit  # the bisection is compiled once, not at every call
def _monotone_root(target: jax.Array, w: jax.Array, b: jax.Array) -> jax.Array:
    """The s with s + w tanh(s + b) = target, differentiable in all arguments (w > -1)."""

    def residual(s: jax.Array) -> jax.Array:
        return s + w * jnp.tanh(s + b) - target

    def bisect(residual: Any, guess: jax.Array) -> jax.Array:
        def halve(_: int, bracket: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = bracket
            middle = (low + high) / 2
            below = residual(middle) < 0
            return jnp.where(below, middle, low), jnp.where(below, high, middle)

        reach = jnp.abs(w)  # |tanh| < 1
        low, high = jax.lax.fori_loop(0, _BISECTIONS, halve, (guess - reach, guess + reach))
        return (low + high) / 2

    def solve_tangent(linear: Any, rhs: jax.Array) -> jax.Array:
        return rhs / linear(jnp.ones_like(rhs))

    return jax.lax.custom_root(residual, target, bisect, solve_tangent)

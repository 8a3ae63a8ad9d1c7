"""Gating functions that share exponentials and whose derivatives cost no division.

A neuron model evaluates many functions of one voltage whose exponentials are powers of one another.
These two helpers let a vector field say so, while JAX still derives every sensitivity from it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


def exponential(u: jax.Array) -> jax.Array:
    """exp(u), computed once however often it is used.

    XLA would rather compute an exponential again in each of its uses than store it.
    """
    return jax.lax.optimization_barrier(jnp.exp(u))


@jax.custom_jvp
def logistic(u: jax.Array, exp_minus_u: jax.Array) -> jax.Array:
    """1 / (1 + exp(-u)), where exp(-u) is at hand.

    The derivative s (1 - s) is taken with respect to `u` alone, since `exp_minus_u` is a function
    of it; so none needs a division and none overflows where the exponential does.

    Args:
        u: argument, without unit.
        exp_minus_u: exp(-u), may be infinite.

    Returns:
        Values in [0, 1], of the shape of `u`.

    Example:
        >>> import jax.numpy as jnp
        >>> u = jnp.array([-1000.0, 0.0, 1000.0])
        >>> logistic(u, jnp.exp(-u)).tolist()
        [0.0, 0.5, 1.0]
    """
    return 1 / (1 + exp_minus_u)


@logistic.defjvp
def _logistic_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    s = logistic(*primals)
    return s, s * (1 - s) * tangents[0]


@jax.custom_jvp
def reciprocal(x: jax.Array) -> jax.Array:
    """1 / x, whose derivative reuses the value."""
    return 1 / x


@reciprocal.defjvp
def _reciprocal_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    y = reciprocal(*primals)
    return y, -y * y * tangents[0]

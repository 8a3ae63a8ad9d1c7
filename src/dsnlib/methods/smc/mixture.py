"""Mixtures of Gaussians in logit coordinates, fitted to particles: proposals of global jumps."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

COMPONENTS = 20
_ITERATIONS = 15  # of expectation maximisation
_EDGE = 1e-6  # logits are taken this far inside the unit box
_PRIOR = 0.6  # weight of the prior covariance, in particles for each parameter


class Mixture(NamedTuple):
    """A mixture for each island."""

    weight: jax.Array  # (islands, K)
    mean: jax.Array  # (islands, K, P)
    factor: jax.Array  # (islands, K, P, P) Cholesky factors of the covariances
    whitener: jax.Array  # their inverses


@jax.jit
def fit(z: jax.Array, key: jax.Array) -> Mixture:
    """Fit a mixture to each island's particles z (islands, n, P) on the unit box."""
    islands, n, P = z.shape
    y = _logit(z)
    chosen = jax.random.choice(key, n, (COMPONENTS,), replace=False)
    centre = y.mean(axis=1, keepdims=True)
    spread = jnp.einsum("inp,inq->ipq", y - centre, y - centre) / n
    base = spread[:, None] * COMPONENTS ** (-2 / P)
    covariance = jnp.broadcast_to(base, (islands, COMPONENTS, P, P))
    weight = jnp.full((islands, COMPONENTS), 1 / COMPONENTS)

    def iterate(_: int, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        weight, mean, covariance = state
        scores = _components(_mixture(weight, mean, covariance), y)
        share = jax.nn.softmax(scores, axis=-1)
        mass = share.sum(axis=1) + 1e-6
        mean = jnp.einsum("ink,inp->ikp", share, y) / mass[..., None]
        square = jnp.einsum("ink,inp,inq->ikpq", share, y, y) / mass[..., None, None]
        own = square - mean[..., :, None] * mean[..., None, :]
        prior = _PRIOR * P
        total = mass[..., None, None]
        covariance = (total * own + prior * base) / (total + prior) + 1e-5 * jnp.eye(P)
        return (mass + 1) / (mass + 1).sum(axis=-1, keepdims=True), mean, covariance

    state = (weight, y[:, chosen], covariance)
    weight, mean, covariance = jax.lax.fori_loop(0, _ITERATIONS, iterate, state)
    return _mixture(weight, mean, covariance)


def propose(
    mixture: Mixture, z: jax.Array, scale: jax.Array, u: jax.Array, e: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Jumps to a sample of the mixture, or steps of the shape of a point's own component.

    A step first draws the component from its responsibilities at the point. The way back draws the
    same one with those at the other end, so their ratio is part of the acceptance.

    Args:
        mixture: fitted to all islands.
        z: (islands, n, P) points of the unit box.
        scale: (islands, n) of the steps, in units of 2.38 / sqrt(P); 0 for a jump.
        u: (islands, n) uniform random numbers.
        e: (islands, n, P) normal random numbers.

    Returns:
        (islands, n, P) proposals, and (islands, n) the log of the density of the way back over that
        of the way there.
    """
    jump = scale == 0
    y = _logit(z)
    now = _components(mixture, y)
    share = jnp.where(jump[..., None], mixture.weight[:, None], jax.nn.softmax(now, axis=-1))
    below = (jnp.cumsum(share, axis=-1) < u[..., None]).sum(axis=-1)
    component = jnp.minimum(below, mixture.weight.shape[-1] - 1)
    rows = jnp.arange(len(z))[:, None]
    step = jnp.einsum("inpq,inq->inp", mixture.factor[rows, component], e)
    far = (scale * 2.38 / jnp.sqrt(z.shape[-1]))[..., None]
    y_new = jnp.where(jump[..., None], mixture.mean[rows, component] + step, y + far * step)
    new = _components(mixture, y_new)
    total, total_new = (jax.nn.logsumexp(each, axis=-1) for each in (now, new))
    own, own_new = (
        jnp.take_along_axis(each, component[..., None], axis=-1)[..., 0] for each in (now, new)
    )
    ratio = jnp.where(jump, total - total_new, (own_new - total_new) - (own - total))
    return jax.nn.sigmoid(y_new), ratio + _slope(y_new) - _slope(y)


def _logit(z: jax.Array) -> jax.Array:
    inside = jnp.clip(z, _EDGE, 1 - _EDGE)
    return jnp.log(inside) - jnp.log1p(-inside)


def _slope(y: jax.Array) -> jax.Array:
    """(islands, n) log-determinant of the derivative of the point on the unit box."""
    return (jax.nn.log_sigmoid(y) + jax.nn.log_sigmoid(-y)).sum(axis=-1)


def _components(mixture: Mixture, y: jax.Array) -> jax.Array:
    """(islands, n, K) log of weight times density of each component at y."""
    P = y.shape[-1]
    white = jnp.einsum("ikpq,inq->inkp", mixture.whitener, y)
    white = white - jnp.einsum("ikpq,ikq->ikp", mixture.whitener, mixture.mean)[:, None]
    log_volume = jnp.log(jnp.diagonal(mixture.whitener, axis1=-2, axis2=-1)).sum(axis=-1)
    constant = jnp.log(mixture.weight) + log_volume - P / 2 * jnp.log(2 * jnp.pi)
    return constant[:, None] - (white**2).sum(axis=-1) / 2


def _mixture(weight: jax.Array, mean: jax.Array, covariance: jax.Array) -> Mixture:
    factor = jnp.linalg.cholesky(covariance)
    eye = jnp.broadcast_to(jnp.eye(factor.shape[-1], dtype=factor.dtype), factor.shape)
    whitener = jax.lax.linalg.triangular_solve(factor, eye, left_side=True, lower=True)
    return Mixture(weight, mean, factor, whitener)

"""A flow whose samples are accepted with a learned probability."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from dsnlib.flows import DensityNetwork

_WIDTH, _DEPTH = 256, 3
_OCTAVES = 6
_INITIAL_LOGIT = 3.0  # nearly everything is accepted at first


class ResampledNetwork(dist.Distribution):
    """q(z) = flow(z) a(z) / A: the flow's samples are accepted with probability a(z).

    A flow is smooth, so a little of its mass crosses every cliff of the circuit's statistics; a
    classifier of the same size draws such a border far sharper.

    Args:
        flow: from which samples are proposed.
        weights: of the acceptance, as `acceptance_weights` draws them.
        log_rate: () log A, the log of the share that is accepted.

    Source: Bauer and Mnih, "Resampled priors for variational autoencoders" (2019).
    """

    pytree_data_fields = ("flow", "weights", "log_rate")
    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, flow: DensityNetwork, weights: Any, log_rate: jax.Array) -> None:
        self.flow, self.weights, self.log_rate = flow, weights, log_rate
        super().__init__((), flow.event_shape, validate_args=False)

    @property
    def support(self) -> Any:
        """The open box of the flow."""
        return self.flow.support

    def log_acceptance(self, z: jax.Array) -> jax.Array:
        """(...) log a(z) of parameters (..., D)."""
        return jax.nn.log_sigmoid(acceptance_logit(self.weights, features(self.flow, z)))

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Samples (..., D) of the leading shape `sample_shape`, by rejection."""

        def propose(carry: tuple[Any, ...]) -> tuple[Any, ...]:
            key, z, done = carry
            key, draw, decide = jax.random.split(key, 3)
            proposed = self.flow.sample(draw, sample_shape)
            accepted = jnp.log(jax.random.uniform(decide, sample_shape)) < self.log_acceptance(
                proposed
            )
            z = jnp.where((accepted & ~done)[..., None], proposed, z)
            return key, z, done | accepted

        dtype = self.flow.base_dist.base_dist.loc.dtype
        start = (
            key,
            jnp.zeros(sample_shape + self.event_shape, dtype),
            jnp.zeros(sample_shape, bool),
        )
        return jax.lax.while_loop(lambda carry: ~carry[2].all(), propose, start)[1]

    def log_prob(self, value: jax.Array) -> jax.Array:
        """(...) log-density of values (..., D), in nats per unit volume; -inf outside the box."""
        log_flow = self.flow.log_prob(value)
        safe = jnp.where(jnp.isfinite(log_flow)[..., None], value, self.flow.box.middle)
        return log_flow + self.log_acceptance(safe) - self.log_rate


def features(flow: DensityNetwork, z: jax.Array) -> jax.Array:
    """What the acceptance of parameters (..., D) depends on: (..., F).

    Their place in the box and the noise from which the flow makes them, in which narrow modes are
    as wide as their mass; and of each of these 2 D numbers sines and cosines, so F is 26 D.
    """
    box = flow.box
    place = 2 * (z - box.low) / (box.high - box.low) - 1
    plain = jnp.concatenate([place, flow.noise(z)], axis=-1)
    waves = plain[..., None] * 2.0 ** jnp.arange(_OCTAVES)
    waves = waves.reshape(*plain.shape[:-1], -1)
    return jnp.concatenate([plain, jnp.sin(waves), jnp.cos(waves)], axis=-1)


def acceptance_weights(key: jax.Array, dimension: int) -> Any:
    """Random weights of an acceptance for D parameters, a pytree of arrays."""
    network = eqx.partition(_network(key, dimension), eqx.is_inexact_array)[0]
    return eqx.tree_at(
        lambda n: n.layers[-1].bias, network, replace_fn=lambda b: b + _INITIAL_LOGIT
    )


def acceptance_logit(weights: Any, features: jax.Array) -> jax.Array:
    """(...) log a / (1 - a) from features (..., F)."""
    network = eqx.combine(weights, _fixed(features.shape[-1] // (2 * (1 + 2 * _OCTAVES))))
    return jnp.vectorize(network, signature="(d)->()")(features)  # type: ignore[no-any-return]


def _network(key: jax.Array, dimension: int) -> eqx.nn.MLP:
    return eqx.nn.MLP(
        2 * (1 + 2 * _OCTAVES) * dimension, "scalar", _WIDTH, _DEPTH, jax.nn.silu, key=key
    )


@functools.cache
def _fixed(dimension: int) -> Any:
    """What is not trained."""
    with jax.ensure_compile_time_eval():
        return eqx.partition(_network(jax.random.key(0), dimension), eqx.is_inexact_array)[1]

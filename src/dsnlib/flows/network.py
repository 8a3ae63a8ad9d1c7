"""The density network: a normalizing flow from a Gaussian to the circuit's box of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions.transforms import AffineTransform, Transform

from dsnlib import _check
from dsnlib.flows.interval import IntervalTransform
from dsnlib.flows.planar import PlanarTransform
from dsnlib.flows.spline import SplineTransform, spline_weights

Weights = dict[str, Any]


class DensityNetwork(dist.TransformedDistribution):
    """A distribution on an open box: Gaussian noise through transforms, the last one an interval.

    `sample(key, (n,))` gives (n, D) parameters and `log_prob(z)` the log-density at any z, in nats
    per unit volume, which is -inf on and outside the bounds. Where the samples' own intermediates
    are passed (`sample_with_intermediates`), no inverse is computed.

    Args:
        transforms: from the noise (D,) to the box; the last is an `IntervalTransform`.
    """

    def __init__(self, transforms: list[Transform]) -> None:
        noise = jnp.zeros_like(transforms[-1].low)
        super().__init__(dist.Normal(noise, 1).to_event(1), transforms, validate_args=False)

    @property
    def box(self) -> IntervalTransform:
        """The last transform, which knows the bounds."""
        return self.transforms[-1]  # type: ignore[return-value]

    def noise(self, z: jax.Array) -> jax.Array:
        """(..., D) the Gaussian noise that the network maps to z (..., D) in the box."""
        for transform in reversed(self.transforms):
            z = transform.inv(z)
        return z

    def log_prob(self, value: jax.Array, intermediates: Any = None) -> jax.Array:
        """(...) log-density of values (..., D), in nats per unit volume; -inf outside the box."""
        if intermediates:
            return super().log_prob(value, intermediates)
        value = jnp.asarray(value)
        dimension = len(self.box.low)
        if value.shape[-1:] != (dimension,):
            raise ValueError(
                f"value must have shape (..., {dimension}), got {value.shape}; reshape it"
            )
        if value.size == 0:
            return jnp.zeros(value.shape[:-1])
        inside = jnp.all((value > self.box.low) & (value < self.box.high), axis=-1)
        safe = jnp.where(
            inside[..., None], value, self.box.middle
        )  # keeps gradients finite outside
        return jnp.where(inside, super().log_prob(safe), -jnp.inf)


def _planar_weights(key: jax.Array, layers: int, dimension: int) -> Weights:
    keys = jax.random.split(key, 3)
    return {
        "a": jax.random.normal(keys[0], (layers, dimension)),
        "u": 0.1 * jax.random.normal(keys[1], (layers, dimension)),
        "b": jax.random.normal(keys[2], (layers,)),
    }


def _planar_layers(weights: Weights, dimension: int) -> list[Transform]:
    return [
        PlanarTransform(a, u, b)
        for a, u, b in zip(weights["a"], weights["u"], weights["b"], strict=True)
    ]


class _Flow(NamedTuple):
    """An architecture."""

    weights: Callable[[jax.Array, int, int], Any]  # random ones, of a number of layers and D
    layers: Callable[[Any, int], list[Transform]]  # the transforms they make, for D


def _spline_flow(kind: str) -> _Flow:
    return _Flow(
        lambda key, layers, dimension: spline_weights(key, kind, layers, dimension),
        lambda weights, dimension: [SplineTransform(w, kind, dimension) for w in weights],
    )


#: Architectures by name.
FLOWS: dict[str, _Flow] = {
    "planar": _Flow(_planar_weights, _planar_layers),
    "spline": _spline_flow("autoregressive"),
    "coupling": _spline_flow("coupling"),
}


def initial_weights(key: jax.Array, flow: str, layers: int, dimension: int) -> Weights:
    """Random weights of a network, as a pytree.

    Args:
        key: random key.
        flow: a name in `FLOWS`.
        layers: number of layers.
        dimension: D, number of circuit parameters.

    Returns:
        Weights of the layers, of the scale (its logarithm) and of the shift.

    Raises:
        ValueError: an unknown flow.
    """
    architecture = FLOWS[_check.choice("flow", flow, FLOWS)]
    return {
        "layers": architecture.weights(key, layers, dimension),
        "log_scale": jnp.zeros(dimension),
        "shift": jnp.zeros(dimension),
    }


def density_network(weights: Weights, flow: str, low: Any, high: Any) -> DensityNetwork:
    """The network: noise -> layers -> elementwise scale -> elementwise shift -> interval map.

    Args:
        weights: as `initial_weights` returns them.
        flow: the name in `FLOWS` with which they were drawn.
        low, high: (D,) bounds of the circuit's parameters.

    Returns:
        A numpyro distribution on the open box (low, high).

    Raises:
        ValueError: an unknown flow.

    Example:
        >>> import jax
        >>> weights = initial_weights(jax.random.key(0), "planar", layers=2, dimension=2)
        >>> q = density_network(weights, "planar", low=[0, 0], high=[20, 20])
        >>> z = q.sample(jax.random.key(1), (5,))
        >>> z.shape, q.log_prob(z).shape
        ((5, 2), (5,))
    """
    architecture = FLOWS[_check.choice("flow", flow, FLOWS)]
    shift = weights["shift"]
    return DensityNetwork(
        [
            *architecture.layers(weights["layers"], len(shift)),
            AffineTransform(shift, jnp.exp(weights["log_scale"])),
            IntervalTransform(jnp.asarray(low, shift.dtype), jnp.asarray(high, shift.dtype)),
        ]
    )

"""Flows of rational-quadratic splines, from flowjax, as numpyro transforms."""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import flowjax.bijections as fj
import jax
import jax.numpy as jnp
import paramax
from numpyro.distributions import constraints
from numpyro.distributions.transforms import Transform

_KNOTS = 16
_INTERVAL = 4.0  # the splines act on (-4, 4), beyond it they are the identity
_WIDTH, _DEPTH = 64, 2  # of the conditioners' hidden layers


class SplineTransform(Transform):
    """A layer of splines whose knots depend on the other coordinates, then the order reversed.

    The density is evaluated in one pass; sampling takes a pass for each coordinate where the layer
    is autoregressive.

    Args:
        weights: of the conditioner, a pytree as `spline_weights` returns it for one layer.
        kind: "autoregressive" or "coupling".
        dimension: D.

    Source: Durkan, Bekasov, Murray and Papamakarios, "Neural spline flows" (2019); the layers are
    flowjax's.
    """

    domain = constraints.real_vector
    codomain = constraints.real_vector

    def __init__(self, weights: Any, kind: str, dimension: int) -> None:
        self.weights, self.kind, self.dimension = weights, kind, dimension

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map x (..., D) to y."""
        return self.call_with_intermediates(x)[0]

    def call_with_intermediates(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Y (..., D) and log |det dy/dx| (...), which the density of samples needs."""
        return _forward(self.weights, x, self.kind, self.dimension)

    def _inverse(self, y: jax.Array) -> jax.Array:
        return self._inverse_and_log_det(y)[0]

    def _inverse_and_log_det(self, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _backward(self.weights, y, self.kind, self.dimension)

    def log_abs_det_jacobian(
        self, x: jax.Array, y: jax.Array, intermediates: Any = None
    ) -> jax.Array:
        """(...) log |det dy/dx|."""
        if intermediates is not None:
            return intermediates  # type: ignore[no-any-return]
        return -self._inverse_and_log_det(y)[1]  # compiled, it is one pass with `_inverse`

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[tuple[str, ...], dict[str, Any]]]:
        """Leaves and structure, for JAX."""
        return (self.weights,), (("weights",), {"kind": self.kind, "dimension": self.dimension})

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SplineTransform)
            and (self.kind, self.dimension) == (other.kind, other.dimension)
            and bool(eqx.tree_equal(self.weights, other.weights))
        )

    __hash__ = None  # type: ignore[assignment]


def spline_weights(key: jax.Array, kind: str, layers: int, dimension: int) -> list[Any]:
    """Random weights of spline layers.

    Args:
        key: random key.
        kind: "autoregressive" or "coupling".
        layers: their number.
        dimension: D; a coupling needs at least 2.

    Returns:
        A pytree of arrays for each layer.

    Raises:
        ValueError: a coupling of one dimension.
    """
    if kind == "coupling" and dimension < 2:
        raise ValueError(
            f"flow must be another than 'coupling' for {dimension} parameter; pass 'spline'"
        )
    keys = jax.random.split(key, layers)
    return [_split(_layer(key, kind, dimension))[0] for key in keys]


# Compiled once for all layers of a kind, and then cheap to call outside of other programs too.
@functools.partial(jax.jit, static_argnums=(2, 3))
def _forward(weights: Any, x: jax.Array, kind: str, dimension: int) -> tuple[jax.Array, jax.Array]:
    both = _bijection(weights, kind, dimension).transform_and_log_det
    return jnp.vectorize(both, signature="(d)->(d),()")(x)  # type: ignore[no-any-return]


@functools.partial(jax.jit, static_argnums=(2, 3))
def _backward(weights: Any, y: jax.Array, kind: str, dimension: int) -> tuple[jax.Array, jax.Array]:
    both = _bijection(weights, kind, dimension).inverse_and_log_det
    return jnp.vectorize(both, signature="(d)->(d),()")(y)  # type: ignore[no-any-return]


def _bijection(weights: Any, kind: str, dimension: int) -> fj.AbstractBijection:
    return paramax.unwrap(eqx.combine(weights, _fixed(kind, dimension)))


def _layer(key: jax.Array, kind: str, dimension: int) -> fj.AbstractBijection:
    spline = fj.RationalQuadraticSpline(knots=_KNOTS, interval=_INTERVAL)
    sizes: dict[str, Any] = {"dim": dimension, "nn_width": _WIDTH, "nn_depth": _DEPTH}
    layer: fj.AbstractBijection
    if kind == "autoregressive":
        layer = fj.MaskedAutoregressive(key, transformer=spline, **sizes)
    else:
        half = dimension // 2
        layer = fj.Coupling(key, transformer=spline, untransformed_dim=half, **sizes)
    flip = fj.Flip((dimension,))  # type: ignore[call-arg]
    return fj.Invert(fj.Chain([layer, flip]))


def _split(layer: fj.AbstractBijection) -> tuple[Any, Any]:
    """Weights, and what is not trained."""
    return eqx.partition(
        layer, eqx.is_inexact_array, is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable)
    )


@functools.cache
def _fixed(kind: str, dimension: int) -> Any:
    """What all layers of a kind have in common."""
    with jax.ensure_compile_time_eval():
        return _split(_layer(jax.random.key(0), kind, dimension))[1]

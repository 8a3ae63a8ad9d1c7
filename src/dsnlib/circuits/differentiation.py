"""Derivatives of maps that act on each row of a batch, by the cheaper mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

RowMap = Callable[[jax.Array], jax.Array]

# A reverse pass costs about as much as this many tangents: few where what it stores of the forward
# pass stays in the processor's cache, many where it does not (benchmarks/scaling.py).
_TANGENTS_PER_REVERSE_PASS = {"cached": 3, "stored": 16}
_CACHE_BYTES = 32 * 2**20
_BLOCK = 1_000  # rows whose state and tangents stay in the cache throughout a simulation


def prefers_forward(rows: RowMap, z: jax.Array) -> bool:
    """Whether forward mode is the cheaper way to the Jacobian of a row-wise map at z (n, P)."""

    def outcome(z: jax.Array) -> tuple[jax.Array, Any]:
        return jax.vjp(rows, z)

    value, pullback = jax.eval_shape(outcome, z)
    stored = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(pullback))
    ratio = _TANGENTS_PER_REVERSE_PASS["stored" if stored > _CACHE_BYTES else "cached"]
    return z.shape[1] <= ratio * value.shape[1]


def in_blocks(rows: Callable[[jax.Array], Any], z: jax.Array) -> Any:
    """A row-wise map of a large batch, block by block where that keeps a processor's cache warm.

    Args:
        rows: maps (n, P) to arrays (n, ...), row i depending on row i alone.
        z: (n, P) inputs.

    Returns:
        rows(z).
    """
    n, P = z.shape
    if n <= _BLOCK or jax.default_backend() != "cpu":
        return rows(z)
    whole = n - n % _BLOCK
    outcome = jax.tree.map(
        lambda leaf: leaf.reshape(whole, *leaf.shape[2:]),
        jax.lax.map(rows, z[:whole].reshape(-1, _BLOCK, P)),
    )
    if whole == n:
        return outcome
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), outcome, rows(z[whole:]))


def value_and_jacobian(rows: RowMap, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Value and Jacobian of a row-wise map, by the cheaper mode of differentiation.

    Args:
        rows: maps (n, P) to (n, S), row i depending on row i alone.
        z: (n, P) inputs.

    Returns:
        (n, S) values and (n, S, P) derivatives.
    """
    return (_forward if prefers_forward(rows, z) else _reverse)(rows, z)


def _reverse(rows: RowMap, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    value, pullback = jax.vjp(rows, z)
    outputs = value.shape[1]
    units = jnp.broadcast_to(jnp.eye(outputs, dtype=z.dtype)[:, None], (outputs, *value.shape))
    (jacobian,) = jax.vmap(pullback)(units)
    return value, jnp.moveaxis(jacobian, 0, 1)


def _forward(rows: RowMap, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    # Rows are independent, so one tangent moves the same input of every row at once; all tangents
    # travel beside a single evaluation.
    def push(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        inputs = z.shape[1]
        units = jnp.broadcast_to(jnp.eye(inputs, dtype=z.dtype)[:, None], (inputs, *z.shape))
        return jax.vmap(lambda unit: jax.jvp(rows, (z,), (unit,)), out_axes=(None, -1))(units)

    return in_blocks(push, z)  # type: ignore[no-any-return]


def shared_gradient(readout: RowMap) -> RowMap:
    """The same readout, whose gradient is computed once and shared by all tangents.

    For a readout of many samples into one number, one reverse pass costs less than a forward pass
    for every tangent. The surrounding simulation can still be differentiated in either mode.

    Args:
        readout: maps (samples, n) to (n,), column i to entry i alone.

    Returns:
        A map with the same values and derivatives.
    """
    wrapped = jax.custom_jvp(readout)

    @wrapped.defjvp
    def _rule(primals, tangents):  # type: ignore[no-untyped-def]
        (samples,), (direction,) = primals, tangents
        value, pullback = jax.vjp(readout, samples)
        (gradient,) = pullback(jnp.ones_like(value))
        return value, jnp.einsum("tn,tn->n", gradient, direction)

    return wrapped


def forward_gradient(rows: RowMap) -> RowMap:
    """The same map, whose reverse-mode gradient is cheap where the inputs are few.

    Training needs gradients through the statistics with respect to thousands of network weights
    (reverse mode), yet the circuit in between has few parameters: its Jacobian then comes from the
    forward pass itself, and nothing of the simulation is stored.

    Args:
        rows: maps (n, P) to (n, S), row i depending on row i alone.

    Returns:
        A map with the same values; differentiable once, in reverse mode.
    """
    forward = jax.custom_vjp(lambda z: in_blocks(rows, z))
    forward.defvjp(
        lambda z: _forward(rows, z),
        lambda jacobian, cotangent: (jnp.einsum("ns,nsp->np", cotangent, jacobian),),
    )
    return lambda z: (forward if prefers_forward(rows, z) else rows)(z)


def one_row(rows: RowMap) -> Callable[[jax.Array], jax.Array]:
    """The same map for a single row, which a sampler asks for; vectorised it is as fast as `rows`.

    `jax.vmap` over it calls `rows` on the whole batch, with the layout that suits a simulation, and
    its derivatives come from `value_and_jacobian`.

    Args:
        rows: maps (n, P) to (n, S), row i depending on row i alone.

    Returns:
        A map of (P,) to (S,); differentiable once, in either mode.
    """

    @jax.custom_batching.custom_vmap
    def value(z: jax.Array) -> jax.Array:
        return rows(z[None])[0]

    @value.def_vmap
    def _(size: int, batched: Any, z: jax.Array) -> tuple[jax.Array, bool]:
        return rows(z), True

    @jax.custom_batching.custom_vmap
    def value_and_slopes(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        result, slopes = value_and_jacobian(rows, z[None])
        return result[0], slopes[0]

    @value_and_slopes.def_vmap
    def _(size: int, batched: Any, z: jax.Array) -> tuple[tuple[jax.Array, jax.Array], Any]:
        return value_and_jacobian(rows, z), (True, True)

    row = jax.custom_jvp(value)

    @row.defjvp
    def _rule(primals, tangents):  # type: ignore[no-untyped-def]
        result, slopes = value_and_slopes(*primals)
        return result, slopes @ tangents[0]

    return row

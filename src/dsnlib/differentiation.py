"""Derivatives of maps that act on each row of a batch, by the cheaper mode."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

RowMap = Callable[[jax.Array], jax.Array]

# One tangent costs about 0.7 simulations and one reverse pass about 12 (five-neuron circuit,
# T = 200, batch 1,000, CPU), because reverse mode stores and rereads every step.
_TANGENTS_PER_REVERSE_PASS = 16


def prefers_forward(inputs: int, outputs: int) -> bool:
    """Whether forward mode is the cheaper way to the (outputs, inputs) Jacobian of a simulation."""
    return inputs <= _TANGENTS_PER_REVERSE_PASS * outputs


def value_and_jacobian(rows: RowMap, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Value and Jacobian of a row-wise map, by the cheaper mode of differentiation.

    Args:
        rows: maps (n, P) to (n, S), row i depending on row i alone.
        z: (n, P) inputs.

    Returns:
        (n, S) values and (n, S, P) derivatives.
    """
    inputs = z.shape[1]
    outputs = jax.eval_shape(rows, z).shape[1]
    return (_forward if prefers_forward(inputs, outputs) else _reverse)(rows, z)


def _reverse(rows: RowMap, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    value, pullback = jax.vjp(rows, z)
    outputs = value.shape[1]
    units = jnp.broadcast_to(jnp.eye(outputs, dtype=z.dtype)[:, None], (outputs, *value.shape))
    (jacobian,) = jax.vmap(pullback)(units)
    return value, jnp.moveaxis(jacobian, 0, 1)


def _forward(rows: RowMap, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    # Rows are independent, so one tangent moves the same input of every row at once; all tangents
    # travel beside a single evaluation.
    inputs = z.shape[1]
    units = jnp.broadcast_to(jnp.eye(inputs, dtype=z.dtype)[:, None], (inputs, *z.shape))
    push = jax.vmap(lambda unit: jax.jvp(rows, (z,), (unit,)), out_axes=(None, -1))
    return push(units)


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


def forward_gradient(rows: RowMap, inputs: int, outputs: int) -> RowMap:
    """The same map, whose reverse-mode gradient is cheap where the inputs are few.

    Training needs gradients through the statistics with respect to thousands of network weights
    (reverse mode), yet the circuit in between has few parameters: its Jacobian then comes from the
    forward pass itself, and nothing of the simulation is stored.

    Args:
        rows: maps (n, P) to (n, S), row i depending on row i alone.
        inputs, outputs: P and S.

    Returns:
        A map with the same values; differentiable once, in reverse mode.
    """
    if not prefers_forward(inputs, outputs):
        return rows
    wrapped = jax.custom_vjp(rows)
    wrapped.defvjp(
        lambda z: _forward(rows, z),
        lambda jacobian, cotangent: (jnp.einsum("ns,nsp->np", cotangent, jacobian),),
    )
    return wrapped

"""What each sample of a network contributes to the gradient of the constraint term lam_eff.E[T].

Through the simulator (pathwise) that is lam_eff.dT/dz dz/dw; as a score function it is
(lam_eff.T - b) d log q(z)/dw, b being a baseline. Networks are in double precision (JAX's x64 mode
must be on), simulations in single as in training.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from dsnlib import STG
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.methods.lagrangian.objective import Objective
from report.experiment import SHORT

BLOCK = 1_000  # samples at a time: the batch of training
ESTIMATORS = ("pathwise", "score", "difference")


class Snapshot(NamedTuple):
    """A network with what the Lagrangian makes of it."""

    objective: Objective
    weights: Any
    lam: np.ndarray  # (M,) multipliers of the epoch that starts here
    c: float  # penalty of that epoch


def snapshot(run: LagrangianRun, epoch: int) -> Snapshot:
    """The network of a run after `epoch` epochs."""
    objective = Objective(STG(T=SHORT), run.prop, run.method.compiled())
    _, unravel = ravel_pytree(objective.random_weights(jax.random.key(0)))
    then = run.data.isel(epoch=min(epoch, run.data.sizes["epoch"] - 1))
    weights = unravel(jnp.asarray(run.data.weights[epoch].values, float))
    return Snapshot(objective, weights, then.lam.values, float(then.c))


def push(objective: Objective, weights: Any, noise: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The network's map of noise (n, 2) to parameters (n, 2), and their log-density (n,)."""
    network = objective.network(weights)
    z, intermediates = noise, []
    for transform in network.transforms:
        before = z
        z, extra = transform.call_with_intermediates(before)
        intermediates.append([before, extra])
    return z, network.log_prob(z, intermediates)


def sample_gradients(
    objective: Objective, weights: Any, noise: jax.Array, slope: jax.Array, advantage: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What each sample contributes to the gradients with respect to the W weights.

    Args:
        objective: whose network it is.
        weights: of the network.
        noise: (n, 2) from which the samples come.
        slope: (n, 2) derivative of lam_eff.T with respect to the sample.
        advantage: (n,) lam_eff.T less a baseline.

    Returns:
        (n, W) each: pathwise and score-function contribution to the gradient of lam_eff.E[T], and
        the pathwise one to that of -H.
    """
    flat, unravel = ravel_pytree(weights)

    def one(noise: jax.Array, slope: jax.Array, advantage: jax.Array) -> Any:
        def of(flat: jax.Array, noise: jax.Array) -> tuple[jax.Array, jax.Array]:
            return push(objective, unravel(flat), noise)

        (z_w, z_e), (l_w, l_e) = jax.jacrev(of, argnums=(0, 1))(flat, noise)
        # log q(z(w, e), w) moves with w at fixed z, which is the score, and through z.
        score = l_w - jnp.linalg.solve(z_e.T, l_e) @ z_w
        return slope @ z_w, advantage * score, l_w

    return jax.vmap(one)(noise, slope, advantage)


@partial(jax.jit, static_argnums=0)
def summed(objective: Objective, weights: Any, *parts: jax.Array) -> dict[str, jax.Array]:
    """Contributions of blocks of samples (B, n, ..), as `sample_gradients` takes them, summed up.

    Returns:
        Of each block `mean` (B, 3, W) and `square` (B, 3) of the norms, for `ESTIMATORS`, the last
        of which is pathwise less score; `norm` (B, n, 2); `entropy` (B, W).
    """

    def block(parts: tuple[jax.Array, ...]) -> dict[str, jax.Array]:
        pathwise, score, entropy = sample_gradients(objective, weights, *parts)
        each = jnp.stack([pathwise, score, pathwise - score], axis=1)
        square = (each**2).sum(axis=-1)
        return {
            "mean": each.mean(axis=0),
            "square": square.mean(axis=0),
            "norm": jnp.sqrt(square[:, :2]),
            "entropy": entropy.mean(axis=0),
        }

    return jax.lax.map(block, parts)


@partial(jax.jit, static_argnums=(0, 3))
def _block(objective: Objective, weights: Any, key: jax.Array, n: int) -> tuple[jax.Array, ...]:
    noise = jax.random.normal(key, (n, len(objective.circuit.parameters)))
    z = push(objective, weights, noise)[0].astype("float32")
    return (noise, z, *objective.circuit.statistics_and_jacobian(z))


def drawn(objective: Objective, weights: Any, key: jax.Array, n: int) -> tuple[np.ndarray, ...]:
    """Noise (B, b, 2), samples (B, b, 2), statistics (B, b, 1) and derivatives (B, b, 1, 2)."""
    blocks = [_block(objective, weights, k, BLOCK) for k in jax.random.split(key, n // BLOCK)]
    return tuple(np.stack(part) for part in zip(*blocks, strict=True))


@partial(jax.jit, static_argnums=0)
def _difference(
    objective: Objective, weights: Any, key: jax.Array, lam: jax.Array, step: jax.Array
) -> jax.Array:
    flat, unravel = ravel_pytree(weights)
    noise = jax.random.normal(key, (BLOCK, len(objective.circuit.parameters)))

    def value(flat: jax.Array) -> jax.Array:
        z = push(objective, unravel(flat), noise)[0].astype("float32")
        return objective.prop.moments(objective.circuit.evaluate(z)) @ lam

    return (value(flat + step) - value(flat - step)) / (2 * jnp.linalg.norm(step))


def directional(
    objective: Objective, weights: Any, key: jax.Array, n: int, lam: np.ndarray, step: np.ndarray
) -> tuple[float, float]:
    """Central difference of lam.E[T] along a step of the weights, with common random numbers.

    Args:
        objective, weights: the network.
        key: random key.
        n: number of samples.
        lam: (M,) multipliers.
        step: (W,) from the middle to either side.

    Returns:
        The difference over 2 |step|, and its standard error.
    """
    keys = jax.random.split(key, n // BLOCK)
    values = np.concatenate([_difference(objective, weights, k, lam, step) for k in keys])
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def hill(values: np.ndarray, k: int) -> tuple[float, float]:
    """Hill's estimate of the tail index alpha, where P(X > x) falls as x^-alpha.

    Moments of order alpha and above are infinite.

    Args:
        values: (n,) positive.
        k: number of the largest that are used.

    Returns:
        The index and its asymptotic standard error, alpha / sqrt(k).

    Source: Hill (1975).
    """
    largest = np.sort(values)[-k - 1 :]
    alpha = 1 / np.log(largest[1:] / largest[0]).mean()
    return float(alpha), float(alpha / np.sqrt(k))

"""Moves along the gradient: Hamiltonian Monte Carlo, for smooth circuits of many parameters.

In logit coordinates of the unit box, with blackjax's kernel, a mass for each parameter from the
particles' variance, and a step for each island that is tuned to an acceptance of 0.8.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.circuits.differentiation import one_row
from dsnlib.methods.smc.moves import Moves, Swept
from dsnlib.methods.smc.target import Target

_LEAPS = 8  # of a trajectory; each takes one simulation with its gradient
_ACCEPTANCE = 0.8
_FIRST_STEP = 0.2  # in standard deviations of the particles
_EDGE = 1e-6
_MOST_CHANGE = 1.5  # of the step between two sweeps


def first_steps(islands: int, P: int) -> np.ndarray:
    """(islands, 1) steps, in standard deviations of the particles."""
    return np.full((islands, 1), _FIRST_STEP)


def next_steps(swept: Swept, steps: np.ndarray) -> np.ndarray:
    """(islands, 1) steps for which acceptance comes nearer to its aim."""
    acceptance = np.asarray(swept.accepted / swept.tried, float)
    return steps * np.clip(np.exp(2 * (acceptance - _ACCEPTANCE)), 1 / _MOST_CHANGE, _MOST_CHANGE)


def prepare(z: jax.Array, key: jax.Array) -> jax.Array:
    """(islands, P) variances of the particles z (islands, n, P) in logit coordinates."""
    return _logit(z).var(axis=1) + _EDGE


@partial(jax.jit, static_argnums=0)
def sweeps(
    target: Target,
    z: jax.Array,
    statistics: jax.Array,
    theta: jax.Array,
    steps: jax.Array,
    variances: jax.Array,
    key: jax.Array,
    count: jax.Array,
) -> Swept:
    """Move every particle along `count` trajectories; arguments as of `ensemble.sweeps`."""
    islands, n, _ = z.shape
    hmc = _hmc()
    kernel = hmc.build_kernel()
    row = one_row(target.circuit.permitted)

    def log_density(y: jax.Array, theta: jax.Array) -> jax.Array:
        inside = jax.nn.sigmoid(y)
        f = row(target.parameters(inside))
        slope = (jax.nn.log_sigmoid(y) + jax.nn.log_sigmoid(-y)).sum()
        return target.log_density(f[None, None], theta[None])[0, 0] + slope

    def trajectory(
        key: jax.Array, y: jax.Array, theta: jax.Array, step: jax.Array, variance: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        density = partial(log_density, theta=theta)
        state = hmc.init(y, density)
        state, info = kernel(key, state, density, step, variance, _LEAPS)
        return state.position, info.is_accepted

    over_particles = jax.vmap(trajectory, in_axes=(0, 0, None, None, None))
    over_islands = jax.vmap(over_particles)

    def move(i: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        y, accepted = carry
        keys = jax.random.split(jax.random.fold_in(key, i), (islands, n))
        y, took = over_islands(keys, y, theta, steps[:, 0], variances)
        return y, accepted + took.sum(axis=1, keepdims=True)

    start = _logit(z)
    nothing = jnp.zeros((islands, 1), z.dtype)
    y, accepted = jax.lax.fori_loop(0, count, move, (start, nothing))
    moved = jax.nn.sigmoid(y)
    f = target.simulate(moved)
    distance = ((moved - z) ** 2 / (z.var(axis=1, keepdims=True) + _EDGE**2)).mean(axis=-1)
    return Swept(
        moved,
        f,
        jnp.full((islands, 1), n) * count,
        accepted,
        distance.sum(axis=1, keepdims=True),
        islands * n * ((_LEAPS + 1) * count + 1),
        target.failures(moved, f),
    )


def _hmc() -> Any:
    """Blackjax's kernel; its import takes seconds and starts JAX's devices, so it comes late."""
    with jax.ensure_compile_time_eval():  # it computes, which is no part of what is being traced
        from blackjax import hmc
    return hmc


def _logit(z: jax.Array) -> jax.Array:
    inside = jnp.clip(z, _EDGE, 1 - _EDGE)
    return jnp.log(inside) - jnp.log1p(-inside)


GRADIENT = Moves(first_steps, prepare, sweeps, lambda P, S: 1, next_steps)

"""Moves of an ensemble: differential evolution and jumps to a mixture, without gradients.

Two halves of an island's particles move in turn, each by proposals made from the other half, so
every proposal is independent of the particle that it moves. The kinds of proposals compete: those
that carry particles farther are tried more often.

Source: ter Braak, "A Markov chain Monte Carlo version of the genetic algorithm differential
evolution" (2006); Goodman and Weare (2010), for the halves.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.methods.smc import mixture
from dsnlib.methods.smc.mixture import Mixture
from dsnlib.methods.smc.moves import Moves, Swept
from dsnlib.methods.smc.target import Target

# Differential evolution: the step between two particles of the other half, times a scale
# (relative to ter Braak's 2.38 / sqrt(2 d)), in a number of parameters (0: all). Scale 0 is the
# whole step, which jumps between modes.
_EVOLUTION = (
    (0.15, 0), (0.3, 0), (0.6, 0), (1.0, 0), (0.5, 1), (1.0, 1), (0.5, 3), (1.0, 3),
    (0.0, 0), (0.0, 3),
)  # fmt: skip
# The mixture: jumps (0) and steps of the shape of a point's own component, by their scale.
_MIXED = (0.0, 0.1, 0.3, 0.6, 1.0)
KINDS = len(_EVOLUTION) + len(_MIXED)
MOST_MIXED = 30  # parameters beyond which no mixture is fitted
_SCALES = np.array([scale for scale, _ in _EVOLUTION] + list(_MIXED), "float32")
_SIZES = np.array([size for _, size in _EVOLUTION] + [0] * len(_MIXED))
_SWEEPS, _MOST_LEAST_SWEEPS = 2 / 3, 24  # the former for each parameter and statistic
_LEAST_SHARE = 0.3  # of the proposals, spread evenly over all kinds
_JITTER = 1e-5  # of the unit box: keeps the chain irreducible
_SCALE_SPREAD = 0.3


@partial(jax.jit, static_argnums=0)
def sweeps(
    target: Target,
    z: jax.Array,
    statistics: jax.Array,
    theta: jax.Array,
    shares: jax.Array,
    mixed: Mixture | None,
    key: jax.Array,
    count: jax.Array,
) -> Swept:
    """Move every particle `count` times.

    Args:
        target: circuit and property.
        z, statistics: (islands, n, P) and (islands, n, S) particles.
        theta: (islands, M) natural parameters.
        shares: (islands, KINDS) of the proposals.
        mixed: mixture from which jumps are proposed, or None.
        key: random key.
        count: number of sweeps.
    """
    islands, n, _ = z.shape
    nothing = jnp.zeros((islands, KINDS), z.dtype)
    state = Swept(z, statistics, nothing, nothing, nothing, islands * n * count, 0 * count)

    def move(i: jax.Array, state: Swept) -> Swept:
        """Move the first half, then let the halves change places."""
        moved = _move_half(target, state, theta, shares, mixed, jax.random.fold_in(key, i))
        z, statistics = (jnp.roll(each, n // 2, axis=1) for each in (moved.z, moved.statistics))
        return moved._replace(z=z, statistics=statistics)

    return jax.lax.fori_loop(0, 2 * count, move, state)


def first_shares(islands: int, P: int) -> np.ndarray:
    """(islands, KINDS) equal shares of the kinds that are used with P parameters."""
    used = np.ones(KINDS)
    used[len(_EVOLUTION) :] = P <= MOST_MIXED
    return np.tile(used / used.sum(), (islands, 1))


def next_shares(swept: Swept, shares: np.ndarray) -> np.ndarray:
    """(islands, KINDS) shares by the squared distance that each kind carried particles."""
    tried, distance = np.asarray(swept.tried, float), np.asarray(swept.distance, float)
    even = first_shares(*swept.z.shape[::2])
    reach = distance / np.maximum(tried, 1)
    total = reach.sum(axis=1, keepdims=True)
    best = np.where(total > 0, reach / np.where(total > 0, total, 1), even)
    return _LEAST_SHARE * even + (1 - _LEAST_SHARE) * best


def least_sweeps(P: int, S: int) -> int:
    """Sweeps between two states that are kept, as P parameters and S statistics ask for.

    In more dimensions particles need more moves to find the parts of the next stage's distribution
    that are rare in this one's, and each statistic narrows what moves can reach; at the wide
    distributions of early stages too, where most moves are accepted.
    """
    return int(np.clip(round(_SWEEPS * P * S), 1, _MOST_LEAST_SWEEPS))


def fit_mixture(z: jax.Array, key: jax.Array) -> Mixture | None:
    """A mixture fitted to states z (islands, n, P) of the stage."""
    return mixture.fit(z, key) if z.shape[-1] <= MOST_MIXED else None


def _move_half(
    target: Target,
    state: Swept,
    theta: jax.Array,
    shares: jax.Array,
    mixed: Mixture | None,
    key: jax.Array,
) -> Swept:
    """Move the first half of the particles by proposals that the second half makes."""
    islands, n, P = state.z.shape
    half = n // 2
    now, donors = state.z[:, :half], state.z[:, half:]
    # One call for each kind of random number: each call takes seconds to compile.
    keys = jax.random.split(key)
    u = jax.random.uniform(keys[0], (islands, half, P + 6), state.z.dtype)
    e = jax.random.normal(keys[1], (islands, half, P + 1), state.z.dtype)
    kind = (jnp.cumsum(shares, axis=-1)[:, None] < u[..., :1]).sum(axis=-1)
    kind = jnp.minimum(kind, KINDS - 1)
    proposed = _evolved(now, donors, kind, u[..., 2:], e)
    log_ratio = jnp.zeros((islands, half), state.z.dtype)
    if mixed is not None:
        drawn, ratio = mixture.propose(
            mixed, now, jnp.asarray(_SCALES)[kind], u[..., 1], e[..., 1:]
        )
        to_mixture = kind >= len(_EVOLUTION)
        proposed = jnp.where(to_mixture[..., None], drawn, proposed)
        log_ratio = jnp.where(to_mixture, ratio, 0)
    f, f_now = target.simulate(proposed), state.statistics[:, :half]
    gain = target.log_density(f, theta) - target.log_density(f_now, theta)
    accepted = jnp.log(u[..., 2]) < gain + log_ratio
    variance = state.z.var(axis=1, keepdims=True) + _JITTER**2
    distance = jnp.where(accepted, ((proposed - now) ** 2 / variance).mean(axis=-1), 0)
    one = jax.nn.one_hot(kind, KINDS, dtype=state.z.dtype)
    keep = accepted[..., None]
    return Swept(
        state.z.at[:, :half].set(jnp.where(keep, proposed, now)),
        state.statistics.at[:, :half].set(jnp.where(keep, f, state.statistics[:, :half])),
        state.tried + one.sum(axis=1),
        state.accepted + (one * keep).sum(axis=1),
        state.distance + (one * distance[..., None]).sum(axis=1),
        state.simulations,
        state.failed + target.failures(proposed, f),
    )


def _evolved(
    now: jax.Array, donors: jax.Array, kind: jax.Array, u: jax.Array, e: jax.Array
) -> jax.Array:
    """Proposals of differential evolution; a step out of the box comes in at its other side.

    Args:
        now, donors: (islands, n, P) particles that move, and the others.
        kind: (islands, n) of the proposals.
        u: (islands, n, P + 4) uniform random numbers, of which the first is not used here.
        e: (islands, n, P + 1) normal random numbers.
    """
    P = now.shape[-1]
    others = donors.shape[1]
    rows = jnp.arange(len(now))[:, None]
    one = (u[..., 1] * others).astype(int)
    gap = 1 + (u[..., 2] * (others - 1)).astype(int)
    step = donors[rows, one % others] - donors[rows, (one + gap) % others]
    # About `size` of the parameters move, and at least one.
    size = jnp.asarray(_SIZES)[kind]
    size = jnp.where((size > 0) & (size < P), size, P)
    chosen = u[..., 4:] < (size / P)[..., None]
    always = ((u[..., 3] * P).astype(int) % P)[..., None] == jnp.arange(P)
    moving = (chosen & (size > 1)[..., None]) | always | (size == P)[..., None]
    scale = jnp.asarray(_SCALES)[kind]
    factor = scale * 2.38 / jnp.sqrt(2 * moving.sum(axis=-1)) * jnp.exp(_SCALE_SPREAD * e[..., 0])
    factor = jnp.where(scale == 0, 1, factor)
    # The box is a torus here: a reflection at a wall would turn one component of a step and not the
    # others, and the way back would not be as likely.
    jitter = _JITTER * e[..., 1:]
    return (now + jnp.where(moving, factor[..., None] * step + jitter, 0)) % 1


ENSEMBLE = Moves(first_shares, fit_mixture, sweeps, least_sweeps, next_shares)

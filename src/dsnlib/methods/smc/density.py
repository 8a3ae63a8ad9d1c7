"""A density for those who need one: a flow of splines fitted to the samples."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from dsnlib.flows import DensityNetwork, density_network, initial_weights

LAYERS = 4
_HELD_OUT = 0.1  # share of the samples that the fit never sees
_BATCH = 1_000
_BLOCK = 100  # iterations between two looks at the held-out samples
_PATIENCE = 10  # such looks without a gain, after which the fit ends
_MOST_ITERATIONS = 10_000
_OPTIMISER = optax.chain(optax.clip_by_global_norm(5.0), optax.adam(1e-3))


class DensityFit(NamedTuple):
    """Where the fit of a density stands."""

    weights: Any
    optimiser: optax.OptState
    best: Any  # the weights with the lowest loss so far
    best_loss: float  # mean of -log q over the held-out samples, nats
    iterations: int
    waited: int  # looks since the best

    @property
    def finished(self) -> bool:
        """Whether the held-out loss has stopped falling."""
        return self.waited >= _PATIENCE or self.iterations >= _MOST_ITERATIONS


class DensityReport(NamedTuple):
    """How good a density q is, judged against the exact p* on samples that its fit never saw."""

    forward_kl: float  # KL(p* || q), nats
    reverse_kl: float  # KL(q || p*), nats; infinite where a sample of q fails
    effective_share: float  # of importance weights p* / q at samples of q
    starved: float  # share of p* where q is below a tenth of it


def begin_fit(key: jax.Array, flow: str, dimension: int) -> DensityFit:
    """A fit that has not begun, from random weights."""
    weights = initial_weights(key, flow, LAYERS, dimension)
    return DensityFit(weights, _OPTIMISER.init(weights), weights, float(np.inf), 0, 0)


def split(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples (islands, n, P) as those to fit to and those that are held out, each (., P)."""
    n = int(z.shape[1] * (1 - _HELD_OUT))
    P = z.shape[-1]
    return z[:, :n].reshape(-1, P), z[:, n:].reshape(-1, P)


def fit_block(
    key: jax.Array, flow: str, bounds: np.ndarray, z: np.ndarray, fit: DensityFit
) -> DensityFit:
    """100 iterations of maximum likelihood, then a look at the held-out samples.

    Args:
        key: random key of the block.
        flow: a name in `dsnlib.flows.FLOWS`.
        bounds: (P, 2) bounds of the parameters.
        z: (islands, n, P) samples.
        fit: where the fit stands.

    Returns:
        Where it stands then.
    """
    seen, held_out = split(z)
    box = box_of(bounds)
    weights, optimiser = _iterate(flow, box, fit.weights, fit.optimiser, jnp.asarray(seen), key)
    loss = float(_loss(flow, box, weights, jnp.asarray(held_out)))
    better = loss < fit.best_loss
    return DensityFit(
        weights,
        optimiser,
        weights if better else fit.best,
        loss if better else fit.best_loss,
        fit.iterations + _BLOCK,
        0 if better else fit.waited + 1,
    )


@partial(jax.jit, static_argnums=(0, 1))
def log_density(
    flow: str, box: tuple[tuple[float, ...], ...], weights: Any, z: jax.Array
) -> jax.Array:
    """(n,) log-density of the flow at z (n, P), nats per unit volume; box as `box_of` gives it."""
    return _network(flow, box, weights).log_prob(z)


@partial(jax.jit, static_argnums=(0, 1, 4))
def sample(
    flow: str, box: tuple[tuple[float, ...], ...], weights: Any, key: jax.Array, n: int
) -> jax.Array:
    """(n, P) samples of the flow; box as `box_of` gives it."""
    return _network(flow, box, weights).sample(key, (n,))


def box_of(bounds: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Bounds (P, 2) in the form that compiled functions take: lower ones, upper ones."""
    return tuple(map(tuple, bounds.T.tolist()))


def report(
    log_p_held_out: np.ndarray,
    log_q_held_out: np.ndarray,
    log_p_sampled: np.ndarray,
    log_q_sampled: np.ndarray,
) -> DensityReport:
    """Judge a density from log-densities at held-out samples of p* and at samples of q.

    Args:
        log_p_held_out, log_q_held_out: (n,) at samples of p*, nats per unit volume.
        log_p_sampled, log_q_sampled: (m,) at samples of q; -inf where a simulation failed.
    """
    ratio = log_p_held_out - log_q_held_out
    log_w = log_p_sampled - log_q_sampled
    w = np.exp(log_w - log_w.max())
    return DensityReport(
        forward_kl=float(ratio.mean()),
        reverse_kl=float(-log_w.mean()),
        effective_share=float(w.sum() ** 2 / (w**2).sum() / len(w)),
        starved=float((ratio > np.log(10)).mean()),
    )


def _network(flow: str, box: tuple[tuple[float, ...], ...], weights: Any) -> DensityNetwork:
    return density_network(weights, flow, *box)


@partial(jax.jit, static_argnums=(0, 1))
def _loss(flow: str, box: tuple[tuple[float, ...], ...], weights: Any, z: jax.Array) -> jax.Array:
    return -log_density(flow, box, weights, z).mean()


@partial(jax.jit, static_argnums=(0, 1))
def _iterate(
    flow: str,
    box: tuple[tuple[float, ...], ...],
    weights: Any,
    optimiser: optax.OptState,
    seen: jax.Array,
    key: jax.Array,
) -> tuple[Any, optax.OptState]:
    def step(carry: tuple[Any, optax.OptState], key: jax.Array) -> tuple[Any, None]:
        weights, optimiser = carry
        batch = seen[jax.random.randint(key, (_BATCH,), 0, len(seen))]
        gradient = jax.grad(lambda w: _loss(flow, box, w, batch))(weights)
        updates, optimiser = _OPTIMISER.update(gradient, optimiser, weights)
        return (optax.apply_updates(weights, updates), optimiser), None

    (weights, optimiser), _ = jax.lax.scan(
        step, (weights, optimiser), jax.random.split(key, _BLOCK)
    )
    return weights, optimiser

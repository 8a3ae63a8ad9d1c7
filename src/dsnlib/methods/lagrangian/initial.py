"""The initial fit: the network before training resembles a truncated Gaussian."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import optax

from dsnlib.circuits import Circuit
from dsnlib.flows.network import Weights
from dsnlib.methods.lagrangian.objective import Objective

_OPTIMISER = optax.adam(1e-3)
_BATCH = 1_000
_WINDOW = 1_000  # iterations over which the KL is averaged
_MIN_WINDOWS, _MAX_WINDOWS = 5, 50
_EVALUATION_SAMPLES = 100_000


class InitialFit(NamedTuple):
    """Where the initial fit stands, and in the end how far it came."""

    optimiser: optax.OptState
    iterations: int  # done
    kl: float  # KL(q || truncated Gaussian), nats: mean of the last window, in the end measured
    kl_se: float  # its Monte Carlo standard error, in the end


def truncated_gaussian(circuit: Circuit) -> dist.Distribution:
    """The distribution from which training starts: independent Gaussians cut at the bounds.

    Args:
        circuit: its parameters' `initial_mean` and `initial_sd` are used.

    Returns:
        A numpyro distribution over (P,) parameters.
    """
    mean = jnp.array([p.initial_mean for p in circuit.parameters])
    sd = jnp.array([p.initial_sd for p in circuit.parameters])
    low, high = jnp.asarray(circuit.bounds, mean.dtype).T
    return dist.TruncatedNormal(mean, sd, low=low, high=high).to_event(1)


def begin(objective: Objective, key: jax.Array) -> tuple[Weights, InitialFit]:
    """Fresh weights and a fit that has not begun."""
    weights = objective.random_weights(jax.random.fold_in(key, 0))
    return weights, InitialFit(_OPTIMISER.init(weights), 0, np.inf, np.nan)


def fit_window(
    objective: Objective, key: jax.Array, weights: Weights, fit: InitialFit
) -> tuple[Weights, InitialFit, bool]:
    """Minimise KL(q || truncated Gaussian) for one window of 1,000 iterations.

    Adam with rate 1e-3 and batches of 1,000: at least five windows, until the mean KL of a window
    is no longer below that of the window before. Then the KL is measured on 100,000 samples.

    Args:
        objective: what will be trained.
        key: random key of the whole fit.
        weights: of the network so far.
        fit: where it stands.

    Returns:
        The new weights, where the fit then stands, and whether it is finished.
    """
    window = fit.iterations // _WINDOW
    weights, optimiser, kl = _window(
        objective, weights, fit.optimiser, jax.random.fold_in(key, 1 + window)
    )
    mean, iterations = float(kl), fit.iterations + _WINDOW
    finished = window + 1 >= _MAX_WINDOWS or (window + 1 >= _MIN_WINDOWS and not mean < fit.kl)
    if not finished:
        return weights, InitialFit(optimiser, iterations, mean, np.nan), False
    evaluation_key = jax.random.fold_in(key, 1 + _MAX_WINDOWS)
    log_ratio = np.asarray(
        _log_ratio_of_samples(objective, _EVALUATION_SAMPLES, weights, evaluation_key)
    )
    kl_se = float(log_ratio.std(ddof=1) / np.sqrt(len(log_ratio)))
    return weights, InitialFit(optimiser, iterations, float(log_ratio.mean()), kl_se), True


def _log_ratio(objective: Objective, n: int, weights: Weights, key: jax.Array) -> jax.Array:
    """(n,) log q(z) - log p(z) at samples of the network; its mean is the KL."""
    network = objective.network(weights)
    z, intermediates = network.sample_with_intermediates(key, (n,))
    return network.log_prob(z, intermediates) - truncated_gaussian(objective.circuit).log_prob(z)


_log_ratio_of_samples = jax.jit(_log_ratio, static_argnums=(0, 1))


@partial(jax.jit, static_argnums=0)
def _window(
    objective: Objective, weights: Weights, state: optax.OptState, key: jax.Array
) -> tuple[Weights, optax.OptState, jax.Array]:
    def step(
        carry: tuple[Weights, optax.OptState], key: jax.Array
    ) -> tuple[tuple[Weights, optax.OptState], jax.Array]:
        weights, state = carry
        kl, gradient = jax.value_and_grad(
            lambda weights: _log_ratio(objective, _BATCH, weights, key).mean()
        )(weights)
        updates, state = _OPTIMISER.update(gradient, state)
        return (optax.apply_updates(weights, updates), state), kl

    (weights, state), kl = jax.lax.scan(step, (weights, state), jax.random.split(key, _WINDOW))
    return weights, state, kl.mean()

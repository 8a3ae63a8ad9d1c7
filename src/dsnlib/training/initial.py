"""The initial fit: the network before training resembles a truncated Gaussian."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import optax

from dsnlib.circuits import Circuit
from dsnlib.flows.network import Weights
from dsnlib.training.calls import Call, Training
from dsnlib.training.problem import Problem

_OPTIMISER = optax.adam(1e-3)
_BATCH = 1_000
_WINDOW = 1_000  # iterations over which the KL is averaged
_MIN_WINDOWS, _MAX_WINDOWS = 5, 50
_EVALUATION_SAMPLES = 100_000


class InitialFit(NamedTuple):
    """The fitted weights and how far they are from the truncated Gaussian."""

    weights: Weights
    kl: float  # KL(q || truncated Gaussian), nats
    kl_se: float  # its Monte Carlo standard error
    iterations: int


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


def fit_initial(
    problem: Problem, key: jax.Array, report: Callable[[int, float], None]
) -> Training[InitialFit]:
    """Fit fresh weights to the truncated Gaussian by minimising KL(q || truncated Gaussian).

    Adam with rate 1e-3 and batches of 1,000, in windows of 1,000 iterations: at least five, until
    the mean KL of a window is no longer below that of the window before.

    Args:
        problem: what will be trained.
        key: random key.
        report: called after each window with the iterations done and the window's mean KL (nats).

    Yields:
        Calls of compiled functions, see `dsnlib.training.calls`.

    Returns:
        The fitted weights, and their KL measured on 100,000 fresh samples.
    """
    weights = problem.random_weights(jax.random.fold_in(key, 0))
    state = _OPTIMISER.init(weights)
    means: list[float] = []
    while len(means) < _MAX_WINDOWS:
        window_key = jax.random.fold_in(key, 1 + len(means))
        weights, state, kl = yield Call(
            _fit_window, (problem.compiled,), (weights, state, window_key)
        )
        means.append(float(kl))
        report(len(means) * _WINDOW, means[-1])
        if len(means) >= _MIN_WINDOWS and not means[-1] < means[-2]:
            break
    log_ratio = np.asarray(
        (
            yield Call(
                _log_ratio,
                (problem.compiled, _EVALUATION_SAMPLES),
                (weights, jax.random.fold_in(key, 1 + _MAX_WINDOWS)),
            )
        )
    )
    kl_se = float(log_ratio.std(ddof=1) / np.sqrt(len(log_ratio)))
    return InitialFit(weights, float(log_ratio.mean()), kl_se, len(means) * _WINDOW)


def _log_ratio(problem: Problem, n: int, weights: Weights, key: jax.Array) -> jax.Array:
    """(n,) log q(z) - log p(z) at samples of the network; its mean is the KL."""
    network = problem.network(weights)
    z, intermediates = network.sample_with_intermediates(key, (n,))
    return network.log_prob(z, intermediates) - truncated_gaussian(problem.circuit).log_prob(z)


def _fit_window(
    problem: Problem,
    weights: Weights,
    state: optax.OptState,
    key: jax.Array,
) -> tuple[Weights, optax.OptState, jax.Array]:
    def step(
        carry: tuple[Weights, optax.OptState], key: jax.Array
    ) -> tuple[tuple[Weights, optax.OptState], jax.Array]:
        weights, state = carry
        kl, gradient = jax.value_and_grad(
            lambda weights: _log_ratio(problem, _BATCH, weights, key).mean()
        )(weights)
        updates, state = _OPTIMISER.update(gradient, state)
        return (optax.apply_updates(weights, updates), state), kl

    (weights, state), kl = jax.lax.scan(step, (weights, state), jax.random.split(key, _WINDOW))
    return weights, state, kl.mean()

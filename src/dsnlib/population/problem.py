"""What is trained, and the functions that are compiled for it."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from dsnlib.circuits import Circuit
from dsnlib.differentiation import in_blocks
from dsnlib.emergent import EmergentProperty
from dsnlib.flows import DensityNetwork, density_network, initial_weights
from dsnlib.flows.network import Weights
from dsnlib.population.resampled import ResampledNetwork, acceptance_logit, features
from dsnlib.population.settings import CHUNK, Population

_FLOW_BATCH, _ACCEPTANCE_BATCH = 1_000, 4_096
_LEARNING_RATE = 2e-3  # of Adam at the start of a fit, from where it falls as a cosine
_LAST_RATE = 0.01  # its share at the end
_BLOCK = 1_000  # samples whose transforms stay in the processor's cache

# The target may be this much (nats) above the flow before the acceptance, at most 1, falls short.
_HEADROOM = 0.5

_ADAM = optax.scale_by_adam()


class Draw(NamedTuple):
    """Samples with what the circuit makes of them."""

    z: Any  # (n, P), on the device or on the host
    statistics: Any  # (n, S)


@dataclasses.dataclass(frozen=True)
class PopulationProblem:
    """A circuit, its emergent property and the settings of training: all that is static."""

    circuit: Circuit
    prop: EmergentProperty
    settings: Population

    @property
    def log_uniform(self) -> float:
        """Log-density of the uniform distribution over the box."""
        low, high = self.circuit.bounds.T
        return -float(np.log(high - low).sum())

    def random_weights(self, key: jax.Array) -> Weights:
        """Weights of an untrained flow."""
        settings = self.settings
        return initial_weights(key, settings.flow, settings.layers, len(self.circuit.parameters))

    def flow(self, weights: Weights) -> DensityNetwork:
        """The flow with these weights."""
        low, high = self.circuit.bounds.T
        return density_network(weights, self.settings.flow, low, high)

    def network(
        self, weights: Weights, acceptance: Any, log_rate: Any
    ) -> ResampledNetwork | DensityNetwork:
        """The trained network: the flow, with the acceptance where there is one."""
        flow = self.flow(weights)
        if not self.settings.acceptance_iterations:
            return flow
        return ResampledNetwork(flow, acceptance, log_rate)


def draw(problem: PopulationProblem, weights: Weights, key: jax.Array, uniform: jax.Array) -> Draw:
    """CHUNK samples of the flow, a share of which is replaced by uniform ones; simulated."""
    from_flow, from_box, which = jax.random.split(key, 3)
    flow = problem.flow(weights)
    z = jax.lax.map(
        lambda key: flow.sample(key, (_BLOCK,)), jax.random.split(from_flow, CHUNK // _BLOCK)
    )
    z = z.reshape(CHUNK, -1)
    low, high = flow.box.open_bounds()
    spread = jax.random.uniform(from_box, z.shape, z.dtype, low, high)
    z = jnp.where(jax.random.uniform(which, (CHUNK, 1)) < uniform, spread, z)
    return Draw(z, in_blocks(problem.circuit.evaluate, z))


def log_density(problem: PopulationProblem, weights: Weights, z: jax.Array) -> jax.Array:
    """(n,) log-density of the flow at z (n, P)."""
    return in_blocks(problem.flow(weights).log_prob, z)  # type: ignore[no-any-return]


def acceptance_features(problem: PopulationProblem, weights: Weights, z: jax.Array) -> jax.Array:
    """(n, F) what the acceptance of z (n, P) depends on."""
    flow = problem.flow(weights)
    return in_blocks(lambda z: features(flow, z), z)  # type: ignore[no-any-return]


def acceptance_of(problem: PopulationProblem, weights: Any, known: jax.Array) -> jax.Array:
    """(n,) log a from (n, F) features."""
    return in_blocks(lambda known: jax.nn.log_sigmoid(acceptance_logit(weights, known)), known)  # type: ignore[no-any-return]


def result(
    problem: PopulationProblem,
    n: int,
    weights: Weights,
    acceptance: Any,
    log_rate: jax.Array,
    key: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """n samples of the trained network, their log-density and moments."""
    network = problem.network(weights, acceptance, log_rate)
    z = network.sample(key, (n,))
    moments = problem.prop.moments(in_blocks(problem.circuit.evaluate, z))
    return z, in_blocks(network.log_prob, z), moments


def fit_flow(
    problem: PopulationProblem,
    steps: int,
    weights: Weights,
    optimiser: optax.OptState,
    key: jax.Array,
    first: int,
    total: int,
    z: jax.Array,
) -> tuple[Weights, optax.OptState, jax.Array]:
    """`steps` of `total` steps towards maximum likelihood on samples z (n, P), from `first` on."""

    def loss(weights: Weights, rows: jax.Array) -> jax.Array:
        return -problem.flow(weights).log_prob(z[rows]).mean()

    return _descend(loss, (steps, _FLOW_BATCH, len(z)), weights, optimiser, key, first, total)


def fit_acceptance(
    problem: PopulationProblem,
    steps: int,
    weights: Any,
    optimiser: optax.OptState,
    key: jax.Array,
    first: int,
    total: int,
    known: jax.Array,
    excess: jax.Array,
    ratio: jax.Array,
) -> tuple[Any, optax.OptState, jax.Array]:
    """`steps` of `total` steps towards the acceptance that makes flow x acceptance the target.

    The aim is a = exp(-d - headroom), at most 1, with d the log of flow over target. The loss is
    that of logistic regression, in which accepting a sample far off the target costs what it adds
    to KL(q || p), about d, and rejecting one on the target costs 1.

    Args:
        problem: what is trained.
        steps, total, first: of the fit.
        weights, optimiser: where it stands.
        key: random key.
        known: (n, F) features of samples.
        excess: (n,) d there.
        ratio: (n,) weights of the samples under the flow.

    Returns:
        As `fit_flow`.
    """

    def loss(weights: Any, rows: jax.Array) -> jax.Array:
        aim = jnp.exp(-jnp.maximum(excess[rows] + _HEADROOM, 0))
        logit = acceptance_logit(weights, known[rows])
        wrong_rejected, wrong_accepted = jax.nn.softplus(-logit), jax.nn.softplus(logit)
        cost = aim * wrong_rejected + (1 - aim) * jnp.maximum(excess[rows], 1) * wrong_accepted
        return (ratio[rows] * cost).mean()

    size = (steps, _ACCEPTANCE_BATCH, len(known))
    return _descend(loss, size, weights, optimiser, key, first, total)


def _descend(
    loss: Any,
    size: tuple[int, int, int],
    weights: Any,
    optimiser: optax.OptState,
    key: jax.Array,
    first: int,
    total: int,
) -> tuple[Any, optax.OptState, jax.Array]:
    """Steps of Adam on random rows: (steps, rows in a batch, rows in all); the mean loss too."""
    steps, batch, n = size

    def step(carry: tuple[Any, optax.OptState], iteration: jax.Array) -> tuple[Any, jax.Array]:
        weights, optimiser = carry
        rows = jax.random.randint(jax.random.fold_in(key, iteration), (batch,), 0, n)
        value, gradient = jax.value_and_grad(loss)(weights, rows)
        updates, optimiser = _ADAM.update(gradient, optimiser)
        part = (1 + jnp.cos(jnp.pi * iteration / total)) / 2
        rate = _LEARNING_RATE * (_LAST_RATE + (1 - _LAST_RATE) * part)
        weights = jax.tree.map(lambda w, u: w - (rate * u).astype(w.dtype), weights, updates)
        return (weights, optimiser), value

    iterations = first + jnp.arange(steps)
    (weights, optimiser), values = jax.lax.scan(step, (weights, optimiser), iterations)
    return weights, optimiser, values.mean()


def fresh_optimiser(weights: Any) -> optax.OptState:
    """The optimiser's state before the first step."""
    return _ADAM.init(weights)

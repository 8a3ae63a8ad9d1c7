"""Families of densities on a circuit's box, and how their parameters are fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.scipy.special import logsumexp

from dsnlib import Circuit
from dsnlib.flows import density_network, initial_weights

RECORD_EVERY = 100  # steps


class Model(NamedTuple):
    """A family of densities with trained parameters, as any pytree."""

    initial: Callable[[jax.Array], Any]  # random parameters, from a key
    sample: Callable[[Any, jax.Array, int], jax.Array]  # (n, 2), differentiable
    log_prob: Callable[[Any, jax.Array], jax.Array]  # (n,) at (n, 2), nats per unit volume


def single(circuit: Circuit, flow: str, layers: int) -> Model:
    """A density network.

    Args:
        circuit: whose box it lives on.
        flow, layers: its architecture.
    """
    low, high = circuit.bounds.T
    return Model(
        lambda key: initial_weights(key, flow, layers, len(low)),
        lambda weights, key, n: density_network(weights, flow, low, high).sample(key, (n,)),
        lambda weights, z: density_network(weights, flow, low, high).log_prob(z),
    )


def mixture(part: Model, circuit: Circuit, centres: np.ndarray) -> Model:
    """A mixture of density networks with trained shares.

    Args:
        part: the model of each component, a density network.
        circuit: whose box it lives on.
        centres: (K, 2) where the components' shifts start, in units of the parameters.
    """
    low, high = circuit.bounds.T
    shifts = np.arctanh(2 * (centres - low) / (high - low) - 1)

    def initial(key: jax.Array) -> Any:
        parts = jax.vmap(part.initial)(jax.random.split(key, len(shifts)))
        return {"logits": jnp.zeros(len(shifts)), "parts": parts | {"shift": jnp.asarray(shifts)}}

    def sample(parameters: Any, key: jax.Array, n: int) -> jax.Array:
        keys = jax.random.split(key, len(shifts) + 1)
        z = jax.vmap(part.sample, (0, 0, None))(parameters["parts"], keys[1:], n)
        which = jax.random.categorical(keys[0], parameters["logits"], shape=(n,))
        return jnp.take_along_axis(z, which[None, :, None], axis=0)[0]

    def log_prob(parameters: Any, z: jax.Array) -> jax.Array:
        log_share = jax.nn.log_softmax(parameters["logits"])
        each = jax.vmap(part.log_prob, (0, None))(parameters["parts"], z)
        return logsumexp(log_share[:, None] + each, axis=0)

    return Model(initial, sample, log_prob)


def models(circuit: Circuit, centres: np.ndarray) -> dict[str, Model]:
    """The families that are compared, by name.

    Args:
        circuit: whose box they live on.
        centres: (K, P) of the mixture's components.
    """
    planar = single(circuit, "planar", 10)
    return {
        "planar": planar,
        "coupling": single(circuit, "coupling", 4),
        "spline": single(circuit, "spline", 4),
        "mixture": mixture(planar, circuit, centres),
    }


Fit = Callable[[Any, jax.Array], tuple[Any, np.ndarray]]


def fitter(
    loss: Callable[[Any, jax.Array], tuple[jax.Array, jax.Array]], steps: int, learning_rate: float
) -> Fit:
    """Minimises a stochastic loss by Adam with cosine decay.

    Args:
        loss: of parameters and key; with it what is recorded, ().
        steps: their number, a multiple of 100.
        learning_rate: of the first step.

    Returns:
        A function of parameters to start from and a key, which returns the fitted parameters and
        (steps / 100,) means of what is recorded.
    """
    optimiser = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def step(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        parameters, state = carry
        gradient, recorded = jax.grad(loss, has_aux=True)(parameters, key)
        update, state = optimiser.update(gradient, state)
        return (optax.apply_updates(parameters, update), state), recorded

    block = jax.jit(lambda carry, keys: jax.lax.scan(step, carry, keys))

    def fit(parameters: Any, key: jax.Array) -> tuple[Any, np.ndarray]:
        carry, curve = (parameters, optimiser.init(parameters)), []
        for keys in jax.random.split(key, (steps // RECORD_EVERY, RECORD_EVERY)):
            carry, recorded = block(carry, keys)
            curve.append(float(recorded.mean()))
        return carry[0], np.array(curve)

    return fit

"""The compiled programs of training, each a pure function of weights and keys."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import optax

from dsnlib.flows.network import Weights
from dsnlib.methods.lagrangian.objective import Draw, Measured, Objective
from dsnlib.methods.lagrangian.records import VIOLATIONS
from dsnlib.methods.lagrangian.settings import LagrangianSettings


def optimiser_of(settings: LagrangianSettings) -> optax.GradientTransformation:
    """Adam, with clipping where it is asked for; a step that is not finite is skipped."""
    rate: optax.ScalarOrSchedule = settings.learning_rate
    if settings.decay:  # Adam starts afresh in each epoch, and so does the schedule
        rate = optax.cosine_decay_schedule(rate, settings.iterations, alpha=1 - settings.decay)
    step = optax.adam(rate)
    if settings.clip:
        step = optax.chain(optax.clip_by_global_norm(settings.clip), step)
    return optax.apply_if_finite(step, max_consecutive_errors=settings.iterations)


@partial(jax.jit, static_argnums=(0, 1))
def draw(objective: Objective, n: int, weights: Weights, key: jax.Array) -> Draw:
    """n samples of the network, their log-density and moments."""
    return objective.draw(weights, key, n)


@partial(jax.jit, static_argnums=0)
def violations_of(
    objective: Objective, weights: Weights, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """|R| of fresh batches (over the finite simulations), and how many were not finite."""

    def violation(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        moments = objective.draw(weights, key, objective.settings.batch).moments
        finite = jnp.isfinite(moments).all(axis=1)
        total = jnp.where(finite[:, None], moments, 0).sum(axis=0)
        R = objective.violation(total / jnp.maximum(finite.sum(), 1))
        return jnp.linalg.norm(R), (~finite).sum()

    return jax.lax.map(violation, jax.random.split(key, VIOLATIONS))


@partial(jax.jit, static_argnums=(0, 1))
def block(
    objective: Objective,
    steps: int,
    weights: Weights,
    optimiser: optax.OptState,
    lam: jax.Array,
    c: jax.Array,
    key: jax.Array,
    first: int,
) -> tuple[Weights, optax.OptState, Measured]:
    """`steps` optimiser steps from iteration `first` on, and the measurements before the first."""
    update = optimiser_of(objective.settings).update

    def step(
        carry: tuple[Weights, optax.OptState], iteration: jax.Array
    ) -> tuple[tuple[Weights, optax.OptState], Measured]:
        weights, optimiser = carry
        gradient, measured = objective.gradient(weights, jax.random.fold_in(key, iteration), lam, c)
        updates, optimiser = update(gradient, optimiser, weights)
        return (optax.apply_updates(weights, updates), optimiser), measured

    iterations = first + jnp.arange(steps)
    (weights, optimiser), measured = jax.lax.scan(step, (weights, optimiser), iterations)
    return weights, optimiser, jax.tree.map(lambda values: values[0], measured)

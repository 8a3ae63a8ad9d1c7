"""Training by the augmented Lagrangian: epochs of Adam, between them new multipliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from dsnlib.flows.network import Weights
from dsnlib.training.calls import Call, Training
from dsnlib.training.convergence import bootstrap_p, next_penalty, welch
from dsnlib.training.history import (
    RECORD_EVERY,
    SNAPSHOT_SAMPLES,
    VIOLATIONS,
    History,
    record_row,
)
from dsnlib.training.problem import Draw, Measured, Problem

MAX_FAILED_SHARE = 0.01
# Each use of randomness has a stream of its own; within it keys depend on epoch and iteration
# alone, so a resumed run draws what an undisturbed one draws.
INITIAL, STEP, SNAPSHOT, VIOLATION_START, VIOLATION_END, MULTIPLIER = range(6)


class SimulationError(RuntimeError):
    """Too many simulations or gradients were not finite."""


class State(NamedTuple):
    """Where training stands: before step `iteration` of epoch `epoch`, both counted from 0."""

    weights: Weights
    optimiser: optax.OptState
    lam: np.ndarray  # (M,) Lagrange multipliers
    c: float  # penalty
    epoch: int
    iteration: int


def initial_state(problem: Problem, weights: Weights) -> State:
    """The state before the first epoch, of a network with these weights."""
    lam = np.zeros(len(problem.prop.mu))
    return State(weights, _optimiser(problem).init(weights), lam, problem.settings.c0, 0, 0)


def train(
    problem: Problem,
    seed: int,
    state: State,
    history: History,
    keep: Callable[[State], None],
) -> Training[None]:
    """Train to the end, from any state.

    Args:
        problem: circuit, property and settings.
        seed: sets all randomness.
        state: where to go on.
        history: is filled in place.
        keep: is called with the state after each block of iterations and after each epoch's end;
            what has been recorded by then is in `history`.

    Yields:
        Calls of compiled functions, see `dsnlib.training.calls`.

    Raises:
        SimulationError: in an epoch more than 1 % of the steps or simulations were not finite.
    """
    if state.epoch == state.iteration == 0:
        yield from _record_snapshot(problem, seed, state.weights, history, index=0)
    while state.epoch < problem.settings.epochs:
        if state.iteration == 0:
            state = yield from _begin_epoch(problem, seed, state, history)
        if state.iteration < problem.settings.iterations:
            state = yield from _advance(problem, seed, state, history)
        else:
            state = yield from _end_epoch(problem, seed, state, history)
        keep(state)


def stream(seed: int, purpose: int, epoch: int = 0) -> jax.Array:
    """Random key for one purpose in one epoch."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), purpose), epoch)


def _optimiser(problem: Problem) -> optax.GradientTransformation:
    settings = problem.settings
    step = optax.adam(settings.learning_rate)
    if settings.clip:
        step = optax.chain(optax.clip_by_global_norm(settings.clip), step)
    return optax.apply_if_finite(step, max_consecutive_errors=settings.iterations)


def _begin_epoch(problem: Problem, seed: int, state: State, history: History) -> Training[State]:
    epoch = state.epoch
    violations, failed = yield from _violations(
        problem, state.weights, stream(seed, VIOLATION_START, epoch)
    )
    history["c"][epoch] = state.c
    history["lam"][epoch] = state.lam
    history["violation_start"][epoch] = violations
    history["failed_simulations"][epoch] = failed
    return state._replace(optimiser=_optimiser(problem).init(state.weights))


def _advance(problem: Problem, seed: int, state: State, history: History) -> Training[State]:
    """Run one block of iterations and record the measurements of its first."""
    settings, epoch = problem.settings, state.epoch
    steps = min(RECORD_EVERY, settings.iterations - state.iteration)
    weights, optimiser, measured = yield Call(
        _block,
        (problem.compiled, steps),
        (
            state.weights,
            state.optimiser,
            jnp.asarray(state.lam, settings.precision),
            jnp.asarray(state.c, settings.precision),
            stream(seed, STEP, epoch),
            state.iteration,
        ),
    )
    row = record_row(settings.iterations, epoch, state.iteration)
    history["entropy"][row] = measured.entropy
    history["loss"][row] = measured.loss
    history["statistic_mean"][row] = measured.moments
    skipped = int(optimiser.total_notfinite)
    history["skipped_steps"][epoch] = skipped
    if skipped > MAX_FAILED_SHARE * settings.iterations:
        raise SimulationError(
            f"{skipped} of {state.iteration + steps} steps in epoch {epoch + 1} were skipped "
            f"because a simulation or gradient was not finite (limit: 1 % of "
            f"{settings.iterations}); try a smaller learning_rate or dt, or precision='float64'"
        )
    return state._replace(weights=weights, optimiser=optimiser, iteration=state.iteration + steps)


def _end_epoch(problem: Problem, seed: int, state: State, history: History) -> Training[State]:
    """Snapshot and tests of the trained network; multipliers and penalty of the next epoch."""
    epoch, settings = state.epoch, problem.settings
    rng = np.random.default_rng([seed, epoch])
    snapshot = yield from _record_snapshot(problem, seed, state.weights, history, index=epoch + 1)
    history["p_value"][epoch] = bootstrap_p(snapshot, problem.prop.mu, rng)
    draw = yield _draw_call(problem, state.weights, stream(seed, MULTIPLIER, epoch))
    fresh = _finite(draw.moments)
    R = fresh.mean(axis=0) - problem.prop.mu
    violations, failed = yield from _violations(
        problem, state.weights, stream(seed, VIOLATION_END, epoch)
    )
    history["violation_end"][epoch] = violations
    history["failed_simulations"][epoch] += (
        failed + 2 * SNAPSHOT_SAMPLES - len(snapshot) - len(fresh)
    )
    _check_failures(problem, epoch, int(history["failed_simulations"][epoch]))
    outcome = welch(violations, history["violation_start"][epoch], settings.gamma)
    history["welch_t"][epoch], history["welch_p"][epoch] = outcome
    if epoch + 1 == settings.epochs:
        _record_end(problem, history, snapshot)
    return state._replace(
        lam=state.lam + state.c * R,
        c=next_penalty(state.c, settings.beta, outcome, rng),
        epoch=epoch + 1,
        iteration=0,
    )


def _record_snapshot(
    problem: Problem, seed: int, weights: Weights, history: History, index: int
) -> Training[np.ndarray]:
    """Record samples and weights after `index` epochs; return the finite moments (<= n, M)."""
    draw = yield _draw_call(problem, weights, stream(seed, SNAPSHOT, index))
    history["z"][index] = draw.z
    history["log_q"][index] = draw.log_q
    history["moments"][index] = draw.moments
    history["weights"][index] = ravel_pytree(weights)[0]
    return _finite(draw.moments)


def _record_end(problem: Problem, history: History, snapshot: np.ndarray) -> None:
    """Close the records along `step` with the trained network."""
    mean = snapshot.mean(axis=0)
    R = mean - problem.prop.mu
    entropy = -history["log_q"][-1].mean()
    history["entropy"][-1] = entropy
    history["statistic_mean"][-1] = mean
    history["loss"][-1] = -entropy + history["lam"][-1] @ R + history["c"][-1] / 2 * R @ R


def _finite(moments: np.ndarray | jax.Array) -> np.ndarray:
    """Rows of moments whose simulation succeeded, in float64."""
    rows = np.asarray(moments, np.float64)
    return rows[np.isfinite(rows).all(axis=1)]


def _check_failures(problem: Problem, epoch: int, failed: int) -> None:
    total = 2 * VIOLATIONS * problem.settings.batch + 2 * SNAPSHOT_SAMPLES
    if failed > MAX_FAILED_SHARE * total:
        raise SimulationError(
            f"{failed} of {total} simulations that evaluate epoch {epoch + 1} were not finite "
            "(limit: 1 %); try a smaller dt or narrower bounds of the parameters"
        )


def _draw_call(problem: Problem, weights: Weights, key: jax.Array) -> Call:
    return Call(_draw, (problem.compiled, SNAPSHOT_SAMPLES), (weights, key))


def _draw(problem: Problem, n: int, weights: Weights, key: jax.Array) -> Draw:
    return problem.draw(weights, key, n)


def _violations(
    problem: Problem, weights: Weights, key: jax.Array
) -> Training[tuple[np.ndarray, int]]:
    """|R| of fresh batches (over the finite simulations), and how many were not finite."""
    norms, failed = yield Call(_violations_of, (problem.compiled,), (weights, key))
    return np.asarray(norms, np.float64), int(failed.sum())


def _violations_of(
    problem: Problem, weights: Weights, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def violation(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        moments = problem.draw(weights, key, problem.settings.batch).moments
        finite = jnp.isfinite(moments).all(axis=1)
        total = jnp.where(finite[:, None], moments, 0).sum(axis=0)
        R = total / jnp.maximum(finite.sum(), 1) - jnp.asarray(problem.prop.mu, total.dtype)
        return jnp.linalg.norm(R), (~finite).sum()

    return jax.lax.map(violation, jax.random.split(key, VIOLATIONS))


def _block(
    problem: Problem,
    steps: int,
    weights: Weights,
    optimiser: optax.OptState,
    lam: jax.Array,
    c: jax.Array,
    key: jax.Array,
    first: int,
) -> tuple[Weights, optax.OptState, Measured]:
    """`steps` optimiser steps from iteration `first` on, and the measurements before the first."""
    update = _optimiser(problem).update

    def step(
        carry: tuple[Weights, optax.OptState], iteration: jax.Array
    ) -> tuple[tuple[Weights, optax.OptState], Measured]:
        weights, optimiser = carry
        gradient, measured = problem.gradient(weights, jax.random.fold_in(key, iteration), lam, c)
        updates, optimiser = update(gradient, optimiser, weights)
        return (optax.apply_updates(weights, updates), optimiser), measured

    iterations = first + jnp.arange(steps)
    (weights, optimiser), measured = jax.lax.scan(step, (weights, optimiser), iterations)
    return weights, optimiser, jax.tree.map(lambda values: values[0], measured)

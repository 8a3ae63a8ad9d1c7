"""Training by the augmented Lagrangian: epochs of Adam, between them new multipliers."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from dsnlib.flows.network import Weights
from dsnlib.methods.base import Problem, Records, SimulationError
from dsnlib.methods.lagrangian.convergence import bootstrap_p, next_penalty, welch
from dsnlib.methods.lagrangian.initial import InitialFit, begin, fit_window
from dsnlib.methods.lagrangian.objective import Objective, violation
from dsnlib.methods.lagrangian.programs import block, draw, optimiser_of, violations_of
from dsnlib.methods.lagrangian.records import (
    RECORD_EVERY,
    SNAPSHOT_SAMPLES,
    VIOLATIONS,
    empty_records,
    record_row,
)
from dsnlib.methods.lagrangian.settings import LagrangianSettings

MAX_FAILED_SHARE = 0.01
# Each use of randomness has a stream of its own; within it keys depend only on epoch and
# iteration, so a resumed run draws what an undisturbed one draws.
INITIAL, STEP, SNAPSHOT, VIOLATION_START, VIOLATION_END, MULTIPLIER = range(6)


class State(NamedTuple):
    """Where training stands: before step `iteration` of epoch `epoch`, both counted from 0.

    The initial fit is epoch -1.
    """

    weights: Weights
    optimiser: optax.OptState
    lam: np.ndarray  # (M,) Lagrange multipliers
    c: float  # penalty
    epoch: int
    iteration: int
    initial: InitialFit
    records: Records


def first_state(problem: Problem, settings: LagrangianSettings) -> State:
    """The state of a network with random weights, before the initial fit."""
    weights, initial = begin(Objective.of(problem, settings), stream(problem.seed, INITIAL))
    return State(
        weights,
        optimiser_of(settings).init(weights),
        np.zeros(len(problem.prop.mu)),
        settings.c0,
        -1,
        0,
        initial,
        empty_records(problem, settings, ravel_pytree(weights)[0].size),
    )


def advance(problem: Problem, settings: LagrangianSettings, state: State) -> State:
    """The next state: after a window of the initial fit, a block of iterations, or an epoch's end.

    Args:
        problem: circuit, property and seed.
        settings: of the training.
        state: where training stands; it is not changed.

    Returns:
        Where it stands then.

    Raises:
        SimulationError: in an epoch more than 1 % of the steps or simulations were not finite.
    """
    state = state._replace(records={name: array.copy() for name, array in state.records.items()})
    if state.epoch < 0:
        return _fit_initial(problem, settings, state)
    if state.iteration == 0:
        state = _begin_epoch(problem, settings, state)
    if state.iteration < settings.iterations:
        return _iterate(problem, settings, state)
    return _end_epoch(problem, settings, state)


def begun(
    problem: Problem, settings: LagrangianSettings, weights: Weights, initial: InitialFit
) -> State:
    """The state before the first epoch, of a network with these weights."""
    state = first_state(problem, settings)._replace(
        weights=weights, epoch=0, initial=initial, optimiser=optimiser_of(settings).init(weights)
    )
    _record_snapshot(problem, settings, state, index=0)
    return state


def stream(seed: int, purpose: int, epoch: int = 0) -> jax.Array:
    """Random key for one purpose in one epoch."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), purpose), epoch)


def _fit_initial(problem: Problem, settings: LagrangianSettings, state: State) -> State:
    objective, key = Objective.of(problem, settings), stream(problem.seed, INITIAL)
    weights, initial, finished = fit_window(objective, key, state.weights, state.initial)
    if finished:
        return begun(problem, settings, weights, initial)
    return state._replace(weights=weights, initial=initial)


def _begin_epoch(problem: Problem, settings: LagrangianSettings, state: State) -> State:
    epoch, records = state.epoch, state.records
    key = stream(problem.seed, VIOLATION_START, epoch)
    violations, failed = _violations(problem, settings, state.weights, key)
    records["c"][epoch] = state.c
    records["lam"][epoch] = state.lam
    records["violation_start"][epoch] = violations
    records["failed_simulations"][epoch] = failed
    return state._replace(optimiser=optimiser_of(settings).init(state.weights))


def _iterate(problem: Problem, settings: LagrangianSettings, state: State) -> State:
    """Run one block of iterations and record the measurements of its first."""
    epoch, records = state.epoch, state.records
    steps = min(RECORD_EVERY, settings.iterations - state.iteration)
    weights, optimiser, measured = block(
        Objective.of(problem, settings),
        steps,
        state.weights,
        state.optimiser,
        jnp.asarray(state.lam, settings.precision),
        jnp.asarray(state.c, settings.precision),
        stream(problem.seed, STEP, epoch),
        state.iteration,
    )
    row = record_row(settings.iterations, epoch, state.iteration)
    records["entropy"][row] = measured.entropy
    records["loss"][row] = measured.loss
    records["statistic_mean"][row] = measured.moments
    skipped = int(optimiser.total_notfinite)
    records["skipped_steps"][epoch] = skipped
    if skipped > MAX_FAILED_SHARE * settings.iterations:
        raise SimulationError(
            f"{skipped} of {state.iteration + steps} steps in epoch {epoch + 1} were skipped "
            f"because a simulation or gradient was not finite (limit: 1 % of "
            f"{settings.iterations}); try a smaller learning_rate or dt, or precision='float64'"
        )
    return state._replace(weights=weights, optimiser=optimiser, iteration=state.iteration + steps)


def _end_epoch(problem: Problem, settings: LagrangianSettings, state: State) -> State:
    """Snapshot and tests of the trained network; multipliers and penalty of the next epoch."""
    epoch, records, seed = state.epoch, state.records, problem.seed
    rng = np.random.default_rng([seed, epoch])
    snapshot = _record_snapshot(problem, settings, state, index=epoch + 1)
    records["p_value"][epoch] = bootstrap_p(snapshot, problem.prop.mu, rng)
    objective = Objective.of(problem, settings)
    fresh = _finite(
        draw(objective, SNAPSHOT_SAMPLES, state.weights, stream(seed, MULTIPLIER, epoch)).moments
    )
    R = violation(settings, problem.prop, fresh.mean(axis=0))
    key = stream(seed, VIOLATION_END, epoch)
    violations, failed = _violations(problem, settings, state.weights, key)
    records["violation_end"][epoch] = violations
    records["failed_simulations"][epoch] += (
        failed + 2 * SNAPSHOT_SAMPLES - len(snapshot) - len(fresh)
    )
    _check_failures(settings, epoch, int(records["failed_simulations"][epoch]))
    outcome = welch(violations, records["violation_start"][epoch], settings.gamma)
    records["welch_t"][epoch], records["welch_p"][epoch] = outcome
    if epoch + 1 == settings.epochs:
        _record_end(problem, settings, records, snapshot)
    return state._replace(
        lam=state.lam + state.c * R,
        c=next_penalty(state.c, settings.beta, outcome, rng),
        epoch=epoch + 1,
        iteration=0,
    )


def _record_snapshot(
    problem: Problem, settings: LagrangianSettings, state: State, index: int
) -> np.ndarray:
    """Record samples and weights after `index` epochs; return the finite moments (<= n, M)."""
    key = stream(problem.seed, SNAPSHOT, index)
    drawn = draw(Objective.of(problem, settings), SNAPSHOT_SAMPLES, state.weights, key)
    records = state.records
    records["z"][index] = drawn.z
    records["log_q"][index] = drawn.log_q
    records["moments"][index] = drawn.moments
    records["weights"][index] = ravel_pytree(state.weights)[0]
    return _finite(drawn.moments)


def _record_end(
    problem: Problem, settings: LagrangianSettings, records: Records, snapshot: np.ndarray
) -> None:
    """Close the records along `step` with the trained network."""
    mean = snapshot.mean(axis=0)
    R = violation(settings, problem.prop, mean)
    entropy = -records["log_q"][-1].mean()
    records["entropy"][-1] = entropy
    records["statistic_mean"][-1] = mean
    records["loss"][-1] = -entropy + records["lam"][-1] @ R + records["c"][-1] / 2 * R @ R


def _finite(moments: np.ndarray | jax.Array) -> np.ndarray:
    """Rows of moments whose simulation succeeded, in float64."""
    rows = np.asarray(moments, np.float64)
    return rows[np.isfinite(rows).all(axis=1)]


def _check_failures(settings: LagrangianSettings, epoch: int, failed: int) -> None:
    total = 2 * VIOLATIONS * settings.batch + 2 * SNAPSHOT_SAMPLES
    if failed > MAX_FAILED_SHARE * total:
        raise SimulationError(
            f"{failed} of {total} simulations that evaluate epoch {epoch + 1} were not finite "
            "(limit: 1 %); try a smaller dt or narrower bounds of the parameters"
        )


def _violations(
    problem: Problem, settings: LagrangianSettings, weights: Weights, key: jax.Array
) -> tuple[np.ndarray, int]:
    """|R| of fresh batches (over the finite simulations), and how many were not finite."""
    norms, failed = violations_of(Objective.of(problem, settings), weights, key)
    return np.asarray(norms, np.float64), int(failed.sum())

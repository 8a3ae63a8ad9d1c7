"""Population Monte Carlo: sharpen the target as far as samples allow, follow it with the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from scipy.special import logsumexp

from dsnlib.population.accepting import BLOCK_STEPS, accept, finish
from dsnlib.population.problem import (
    PopulationProblem,
    acceptance_features,
    fit_flow,
    fresh_optimiser,
    log_density,
)
from dsnlib.population.records import MAX_STAGES, record_stage
from dsnlib.population.sampling import draws_of, in_chunks, mixed, resampled, weighted
from dsnlib.population.state import (
    ACCEPTANCE,
    ACCEPTANCE_DRAW,
    DRAW,
    FINAL,
    FINAL_DRAW,
    FINAL_FIT,
    FIT,
    TEMPERING,
    State,
)
from dsnlib.population.tempering import sharpest, widest_scale
from dsnlib.training.calls import Call, Training
from dsnlib.training.history import History
from dsnlib.training.lagrangian import SimulationError, stream


def train(
    problem: PopulationProblem,
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
        history: is filled in place, see `dsnlib.population.records`.
        keep: is called with the state after each stage and each block of a long fit.

    Yields:
        Calls of compiled functions, see `dsnlib.training.calls`.

    Raises:
        SimulationError: the target is not reached in 60 stages.
        ValueError: the samples of a stage do not allow the target.

    Source: Cappe, Guillin, Marin and Robert, "Population Monte Carlo" (2004); the mixture weights
    are those of Veach and Guibas (1995), which Cornuet and others (2012) use in that way.
    """
    settings = problem.settings
    while state.phase == TEMPERING:
        state = yield from _stage(problem, seed, state, history)
        keep(state)
    if state.phase == FINAL:
        state = yield from _final_fit(problem, seed, state, history, keep)
    key = stream(seed, ACCEPTANCE_DRAW)
    draws = yield from draws_of(problem, state.weights, key, settings.acceptance_samples)
    pool = yield from weighted(problem, state.weights, draws)
    known = None
    if settings.acceptance_iterations:
        known = yield from in_chunks(problem, acceptance_features, state.weights, draws.z)
        known = known.astype(settings.precision)
        state = yield from accept(problem, seed, state, draws, pool, known, keep)
    yield from finish(problem, seed, state, history, pool, known)


def _stage(
    problem: PopulationProblem, seed: int, state: State, history: History
) -> Training[State]:
    """Draw, simulate, sharpen the target, fit the flow to it."""
    settings, stage = problem.settings, state.epoch
    if stage == MAX_STAGES:
        raise SimulationError(
            f"after {stage} stages the target's standard deviations are still reached only "
            f"{state.scale:.3g}-fold; draw more samples a stage, or lower ess"
        )
    uniform = settings.uniform if stage else 1.0
    key = stream(seed, DRAW, stage)
    new = yield from draws_of(problem, state.weights, key, settings.samples, uniform)
    slot = stage % settings.memory
    state = state._replace(
        networks=jax.tree.map(lambda a, w: _with(a, slot, w), state.networks, state.weights),
        uniform=_with(state.uniform, slot, uniform),
        z=_with(state.z, slot, new.z),
        statistics=_with(state.statistics, slot, new.statistics),
    )
    filled = int((state.uniform > 0).sum())
    z = np.concatenate(state.z[:filled])
    statistics = np.concatenate(state.statistics[:filled]).astype(float)
    densities = []
    for k in range(filled):
        network = jax.tree.map(lambda a, k=k: a[k], state.networks)
        log_q = yield from in_chunks(problem, log_density, network, z)
        densities.append(mixed(problem, log_q, state.uniform[k]))
    log_weights = np.log(filled) - logsumexp(densities, axis=0)
    widest = state.scale or widest_scale(statistics, problem.prop)
    tempered = sharpest(statistics, log_weights, problem.prop, settings.ess, widest)
    chosen = resampled(z, tempered.dual.log_p, [seed, stage])
    weights, optimiser, loss = state.weights, fresh_optimiser(state.weights), np.nan
    for first in range(0, settings.iterations, BLOCK_STEPS):
        steps = min(BLOCK_STEPS, settings.iterations - first)
        key = stream(seed, FIT, stage)
        weights, optimiser, loss = yield Call(
            fit_flow,
            (problem, steps),
            (weights, optimiser, key, first, settings.iterations, chosen),
        )
    record_stage(history, stage, tempered, float(loss), new)
    state = state._replace(
        weights=weights,
        scale=tempered.scale,
        repeats=state.repeats + (tempered.scale == 1),
        epoch=stage + 1,
    )
    if state.repeats < settings.repeats:
        return state
    return state._replace(
        phase=FINAL,
        optimiser=fresh_optimiser(weights),
        networks=jax.tree.map(lambda a, w: _with(a, 0, w), state.networks, weights),
    )


def _final_fit(
    problem: PopulationProblem,
    seed: int,
    state: State,
    history: History,
    keep: Callable[[State], None],
) -> Training[State]:
    """The flow's long fit to many samples. They are drawn again where it was broken off."""
    settings = problem.settings
    before = jax.tree.map(lambda a: a[0], state.networks)
    draws = yield from draws_of(problem, before, stream(seed, FINAL_DRAW), settings.final_samples)
    pool = yield from weighted(problem, before, draws)
    chosen = resampled(draws.z, pool.dual.log_p, [seed, MAX_STAGES])
    total = settings.final_iterations
    while state.phase == FINAL:
        steps = min(BLOCK_STEPS, total - state.iteration)
        weights, optimiser, _ = yield Call(
            fit_flow,
            (problem, steps),
            (
                state.weights,
                state.optimiser,
                stream(seed, FINAL_FIT),
                state.iteration,
                total,
                chosen,
            ),
        )
        iteration = state.iteration + steps
        state = state._replace(weights=weights, optimiser=optimiser, iteration=iteration)
        if iteration == total:
            state = state._replace(iteration=0, phase=ACCEPTANCE)
        keep(state)
    return state


def _with(array: Any, slot: int, value: Any) -> np.ndarray:
    """A copy of the array with another entry."""
    copy = np.array(array)
    copy[slot] = value
    return copy

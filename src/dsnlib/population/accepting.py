"""The last phase: which of the flow's samples to accept, and the result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from dsnlib.exact.dual import solve_dual
from dsnlib.population.problem import (
    Draw,
    PopulationProblem,
    acceptance_of,
    fit_acceptance,
    result,
)
from dsnlib.population.records import FINAL_SAMPLES, record_final
from dsnlib.population.sampling import Pool, in_chunks
from dsnlib.population.state import ACCEPTANCE_FIT, RESULT, State
from dsnlib.population.tempering import effective_share
from dsnlib.training.calls import Call, Training
from dsnlib.training.history import History
from dsnlib.training.lagrangian import stream

BLOCK_STEPS = 100  # of a fit, between two looks at the clock
_MOST_EXCESS = 100.0  # nats: beyond it a sample is off the target, no matter how far
_TILTED_AFTER = (0.5, 0.75)  # of the acceptance's iterations


def accept(
    problem: PopulationProblem,
    seed: int,
    state: State,
    draws: Draw,
    pool: Pool,
    known: np.ndarray,
    keep: Callable[[State], None],
) -> Training[State]:
    """Learn the acceptance from draws of the trained flow, with their features.

    What no network resolves is rejected, which shifts the moments; on the way the target is tilted
    so that the network as it is would meet them.
    """
    total, excess, ratio = problem.settings.acceptance_iterations, None, None
    due = [BLOCK_STEPS * round(part * total / BLOCK_STEPS) for part in _TILTED_AFTER]
    while state.iteration < total:
        if state.iteration in due:
            log_a = yield from in_chunks(problem, acceptance_of, state.acceptance, known)
            realised = pool.log_q + pool.log_weights + log_a
            tilt = solve_dual(draws.statistics.astype(float), problem.prop, realised).eta
            state, excess = state._replace(tilt=state.tilt + tilt), None
        if excess is None:
            excess, ratio = _off_target(problem, state.tilt, draws, pool)
        steps = min(BLOCK_STEPS, total - state.iteration)
        acceptance, optimiser, _ = yield Call(
            fit_acceptance,
            (problem, steps),
            (
                state.acceptance,
                state.acceptance_optimiser,
                stream(seed, ACCEPTANCE_FIT),
                state.iteration,
                total,
                known,
                excess,
                ratio,
            ),
        )
        state = state._replace(
            acceptance=acceptance, acceptance_optimiser=optimiser, iteration=state.iteration + steps
        )
        keep(state)
    return state


def _off_target(
    problem: PopulationProblem, tilt: np.ndarray, draws: Draw, pool: Pool
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) log of flow over tilted target at draws, and their weights under the flow."""
    moments = np.asarray(problem.prop.moments(draws.statistics), float)
    log_p = pool.dual.log_p + np.where(np.isfinite(pool.dual.log_p), moments @ tilt, 0)
    log_ratio = pool.log_q + pool.log_weights  # flow over the mixture that the draws are from
    excess = log_ratio - (log_p - logsumexp(log_p)) - np.log(len(log_p))
    capped = np.minimum(excess, _MOST_EXCESS)
    precision = problem.settings.precision
    return capped.astype(precision), np.exp(log_ratio).astype(precision)


def finish(
    problem: PopulationProblem,
    seed: int,
    state: State,
    history: History,
    pool: Pool,
    known: np.ndarray | None,
) -> Training[None]:
    """Record the result: its rate of acceptance (where there are features), eta, and samples."""
    log_rate = 0.0
    if known is not None:
        log_a = yield from in_chunks(problem, acceptance_of, state.acceptance, known)
        ratio = pool.log_q + pool.log_weights
        log_rate = float(logsumexp(ratio + log_a) - logsumexp(ratio))
    sampled = yield Call(
        result,
        (problem, FINAL_SAMPLES),
        (state.weights, state.acceptance, log_rate, stream(seed, RESULT)),
    )
    record_final(history, state, pool.dual, effective_share(pool.dual.log_p), log_rate, sampled)

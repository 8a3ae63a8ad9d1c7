"""The sampler: stages of falling relaxation, each with resampling and moves.

It is waste-free: a stage keeps all states that its particles visit, and the next stage resamples
from all of them.

Source: Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers" (2006); Dau and Chopin,
"Waste-free sequential Monte Carlo" (2022).
"""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.maxent.feasibility import short_of
from dsnlib.maxent.relaxed import REACHED, Weighted, next_relaxations, relaxed
from dsnlib.methods.base import Problem, SimulationError
from dsnlib.methods.smc.density import fit_block
from dsnlib.methods.smc.moves import Swept
from dsnlib.methods.smc.records import MOST_STAGES, PRODUCED, QUANTILES
from dsnlib.methods.smc.settings import SMCSettings
from dsnlib.methods.smc.state import (
    DENSITY,
    FITTED,
    MOVE,
    MOVES,
    PREPARE,
    RESAMPLE,
    SLOTS,
    UNIFORM,
    State,
    features_for,
    key_of,
    target_of,
)
from dsnlib.methods.smc.target import Target

_SHARE, _LAST_SHARE = 0.5, 0.4  # effective share that a stage keeps; enough to go to rho = 0
_STAGES_AT_ZERO = 4
_STUCK = 6  # stages without a fall of the relaxation, after which none is to come
_LEAST_ALIVE = 20  # of the states from which the next relaxation is found
_MOVES_A_STAGE = 1.5  # accepted moves of a particle
_MOST_SWEEPS = 24  # between two states that are kept

_simulate = jax.jit(Target.simulate, static_argnums=0)
_failures = jax.jit(Target.failures, static_argnums=0)


def annealed(state: State) -> bool:
    """Whether the last stage is complete: enough of them at rho = 0, or there is no way on."""
    rho = state.records["rho"][: state.stage + 1]
    whole = state.slot == SLOTS and np.isfinite(state.records["simulations"][state.stage])
    last = rho[-_STUCK:]
    # Where the property cannot be had, no smaller relaxation keeps enough particles any more.
    stuck = len(last) == _STUCK and 0 < last[-1] < np.inf and (last == last[-1]).all()
    ends = (rho == 0).sum() >= _STAGES_AT_ZERO or stuck or state.stage == MOST_STAGES
    return bool(whole and ends)


def finished(state: State) -> bool:
    """Whether nothing is left to do."""
    return annealed(state) and (state.density is None or state.density.finished)


def advance(problem: Problem, settings: SMCSettings, state: State) -> State:
    """The next state: a further state of every particle, or a block of the density's fit."""
    if annealed(state):
        return _fit_density(problem, settings, state)
    if state.stage == 0 and state.slot < SLOTS:
        return _draw(problem, settings, state)
    if state.slot == SLOTS:
        state = _begin_stage(problem, settings, state)
    return _move(problem, settings, state)


def pooled(state: State) -> tuple[np.ndarray, np.ndarray]:
    """All states of the stage: (islands, SLOTS n, P) and (islands, SLOTS n, C)."""
    z = np.concatenate([np.asarray(each) for each in state.z], axis=1)
    return z, np.concatenate([np.asarray(each) for each in state.statistics], axis=1)


def weighted(problem: Problem, state: State, rho: np.ndarray) -> list[Weighted]:
    """The states of the stage weighted to relaxations (S,), island by island."""
    _, statistics = pooled(state)
    features = features_for(problem)
    return [
        relaxed(features.of(f), theta, rho, features.distances, theta)
        for f, theta in zip(statistics, state.theta, strict=True)
    ]


def worth_of_uniform(problem: Problem, state: State) -> float:
    """Effective sample size of stage 0, its uniform states weighted to the property itself.

    It is 0 where the weights of an island cannot have the property.
    """
    features, rho = features_for(problem), np.zeros_like(state.rho)
    if any(short_of(features.of(f), features) for f in pooled(state)[1]):
        return 0.0
    found = weighted(problem, state, rho)
    if max(np.abs(each.mean).max() for each in found) > REACHED:
        return 0.0
    return float(sum(each.effective_share * len(each.p) for each in found))


def _draw(problem: Problem, settings: SMCSettings, state: State) -> State:
    """Uniform particles, simulated."""
    key = key_of(problem, UNIFORM, slot=state.slot)
    z = jax.random.uniform(key, state.z[0].shape, settings.precision)
    f = _simulate(target_of(problem), z)
    state = state._replace(
        z=_with(state.z, state.slot, z),
        statistics=_with(state.statistics, state.slot, f),
        slot=state.slot + 1,
        simulations=state.simulations + z.shape[0] * z.shape[1],
        failed=state.failed + int(_failures(target_of(problem), z, f)),
    )
    return _recorded(state) if state.slot == SLOTS else state


def _begin_stage(problem: Problem, settings: SMCSettings, state: State) -> State:
    """Lower the relaxation, weight to it, resample; islands share only the relaxation."""
    z, statistics = pooled(state)
    features = features_for(problem)
    newest = [features.of(f) for f in statistics[:, -FITTED:]]
    _check_alive(problem, newest)
    rho = next_relaxations(
        newest, state.theta, state.rho, features.distances, _SHARE, _LAST_SHARE, settings.order
    )
    found = weighted(problem, state, rho)
    stage, n = state.stage + 1, settings.particles
    rng = np.random.default_rng([problem.seed, RESAMPLE, stage])
    rows = np.stack([rng.permutation(_systematic(each.p, n, rng.random())) for each in found])
    many = np.stack([rng.permutation(_systematic(each.p, FITTED, rng.random())) for each in found])
    islands = np.arange(len(found))[:, None]
    records = {name: array.copy() for name, array in state.records.items()}
    records["rho"][stage] = rho.max()
    records["effective_share"][stage] = [each.effective_share for each in found]
    moves = MOVES[settings.moves]
    chosen = z[islands, rows]
    start = (
        _with(state.z, SLOTS - 1, chosen),
        _with(state.statistics, SLOTS - 1, statistics[islands, rows]),
    )
    return state._replace(
        z=start[0],
        statistics=start[1],
        slot=0,
        stage=stage,
        rho=rho,
        theta=np.stack([each.theta for each in found]),
        log_z=state.log_z + [each.log_ratio for each in found],
        prepared=moves.prepare(jnp.asarray(z[islands, many]), key_of(problem, PREPARE, stage)),
        tried=0 * state.tried,
        accepted=0 * state.accepted,
        simulations=0,
        failed=0,
        records=records,
    )


def _check_alive(problem: Problem, points: list[np.ndarray]) -> None:
    """SimulationError where next to no simulation of an island succeeded."""
    alive = min(int(np.isfinite(each).all(axis=1).sum()) for each in points)
    if alive < _LEAST_ALIVE:
        raise SimulationError(
            f"circuit must give finite statistics within its bounds, got {alive} in "
            f"{len(points[0]):,} simulations of {type(problem.circuit).__name__}; narrow the "
            "bounds, mend the simulator, or ask for nothing of a statistic that is hardly ever "
            "defined (mean=None)"
        )


def _move(problem: Problem, settings: SMCSettings, state: State) -> State:
    """One further state of every particle, from the last one (slot -1 is the last slot)."""
    moves, dtype = MOVES[settings.moves], settings.precision
    swept: Swept = moves.sweeps(
        target_of(problem),
        jnp.asarray(state.z[state.slot - 1]),
        jnp.asarray(state.statistics[state.slot - 1]),
        jnp.asarray(state.theta, dtype),
        jnp.asarray(state.tuning, dtype),
        state.prepared,
        key_of(problem, MOVE, state.stage, state.slot),
        state.sweeps,
    )
    state = state._replace(
        z=_with(state.z, state.slot, swept.z),
        statistics=_with(state.statistics, state.slot, swept.statistics),
        slot=state.slot + 1,
        tuning=moves.next_tuning(swept, state.tuning),
        tried=state.tried + np.asarray(swept.tried, float).sum(axis=1),
        accepted=state.accepted + np.asarray(swept.accepted, float).sum(axis=1),
        simulations=state.simulations + int(swept.simulations),
        failed=state.failed + int(swept.failed),
    )
    if state.slot < SLOTS:
        return state
    acceptance = float(state.accepted.sum() / state.tried.sum())
    wanted = np.ceil(_MOVES_A_STAGE / (SLOTS * max(acceptance, 1e-3)))
    least = moves.least_sweeps(swept.z.shape[-1], len(state.rho))
    sweeps = int(np.clip(wanted, least, _MOST_SWEEPS))
    return _recorded(state)._replace(sweeps=sweeps)


def _recorded(state: State) -> State:
    """The state with what its complete stage leaves in the records."""
    records = {name: array.copy() for name, array in state.records.items()}
    stage, last = state.stage, np.asarray(state.z[-1])
    n = last.shape[1]
    with np.errstate(invalid="ignore"):  # nothing is proposed in stage 0
        records["acceptance"][stage] = state.accepted / state.tried
    records["sweeps"][stage] = SLOTS * state.sweeps if stage else 0
    records["simulations"][stage] = state.simulations
    records["failed"][stage] = state.failed
    records["stage_theta"][stage] = state.theta
    records["stage_log_z"][stage] = state.log_z
    some = records["stage_z"].shape[1]
    rows = np.arange(some)
    records["stage_z"][stage] = last[rows % len(last), rows % n]
    if stage == 0:
        _, f = pooled(state)
        flat = np.where(np.isfinite(f), f, np.nan).reshape(-1, f.shape[-1]).astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a statistic that is never defined
            records[PRODUCED] = np.nanquantile(flat, QUANTILES, axis=0).T
        records["rho"][0] = np.inf
        records["effective_share"][0] = 1
    return state._replace(records=records)


def _fit_density(problem: Problem, settings: SMCSettings, state: State) -> State:
    fit, flow = state.density, settings.density
    assert fit is not None
    assert flow is not None
    z = np.asarray(target_of(problem).parameters(jnp.asarray(pooled(state)[0])))
    key = key_of(problem, DENSITY, stage=1 + fit.iterations)
    return state._replace(density=fit_block(key, flow, problem.circuit.bounds, z, fit))


def _systematic(p: np.ndarray, n: int, offset: float) -> np.ndarray:
    """(n,) indices, each as often as its weight asks for to within one."""
    ends = np.cumsum(p)
    return np.minimum(np.searchsorted(ends, (np.arange(n) + offset) / n * ends[-1]), len(p) - 1)


def _with(slots: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    """The slots with one of them replaced."""
    return (*slots[:index], value, *slots[index + 1 :])

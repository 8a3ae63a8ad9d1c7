"""Where a run of SMC stands, and its streams of randomness."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from dsnlib.maxent.features import Features, features_of
from dsnlib.methods.base import Problem, Records
from dsnlib.methods.smc.density import DensityFit, begin_fit
from dsnlib.methods.smc.ensemble import ENSEMBLE
from dsnlib.methods.smc.gradient import GRADIENT
from dsnlib.methods.smc.moves import Moves
from dsnlib.methods.smc.records import empty_records
from dsnlib.methods.smc.settings import SMCSettings
from dsnlib.methods.smc.target import Target

MOVES: dict[str, Moves] = {"ensemble": ENSEMBLE, "gradient": GRADIENT}
SLOTS = 5  # states that each particle contributes to a stage
FITTED = 10_000  # states from which moves are prepared
UNIFORM, RESAMPLE, PREPARE, MOVE, DENSITY = range(5)  # streams of randomness


class State(NamedTuple):
    """Where a run stands: `slot` states of every particle of stage `stage` are there."""

    z: tuple[Any, ...]  # SLOTS times (islands, n, P), on the unit box
    statistics: tuple[Any, ...]  # SLOTS times (islands, n, C), C columns of the circuit
    slot: int
    stage: int
    rho: np.ndarray  # (S,)
    theta: np.ndarray  # (islands, M)
    log_z: np.ndarray  # (islands,) log of the mean of exp(theta.features) over the unit box
    sweeps: int  # between two states that are kept
    tuning: np.ndarray  # of the moves
    prepared: Any  # by the moves, for the stage
    tried: np.ndarray  # (islands,) proposals in the stage
    accepted: np.ndarray  # (islands,)
    simulations: int  # in the stage
    failed: int
    records: Records
    density: DensityFit | None


def target_of(problem: Problem) -> Target:
    """The problem as what particles are moved for."""
    return Target(problem.circuit, features_for(problem))


def features_for(problem: Problem) -> Features:
    """The property's features."""
    return features_of(problem.circuit, problem.prop, problem.method.precision)


def first_state(problem: Problem, settings: SMCSettings) -> State:
    """The state before anything was simulated."""
    islands, n = settings.islands, settings.particles
    P, S = len(problem.circuit.parameters), len(problem.circuit.observables)
    moves, dtype = MOVES[settings.moves], settings.precision
    columns = len(problem.circuit.columns)
    z, statistics = np.zeros((islands, n, P), dtype), np.zeros((islands, n, columns), dtype)
    fitted = jax.ShapeDtypeStruct((islands, FITTED, P), dtype)
    shapes = jax.eval_shape(moves.prepare, fitted, jax.random.key(0))
    flow = settings.density
    return State(
        z=(z,) * SLOTS,
        statistics=(statistics,) * SLOTS,
        slot=0,
        stage=0,
        rho=np.full(S, np.inf),
        theta=np.zeros((islands, 2 * S)),
        log_z=np.zeros(islands),
        sweeps=moves.least_sweeps(P, S),
        tuning=moves.first_tuning(islands, P),
        prepared=jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes),
        tried=np.zeros(islands),
        accepted=np.zeros(islands),
        simulations=0,
        failed=0,
        records=empty_records(islands, 2 * S, P, columns),
        density=None if flow is None else begin_fit(key_of(problem, DENSITY), flow, P),
    )


def key_of(problem: Problem, purpose: int, stage: int = 0, slot: int = 0) -> jax.Array:
    """The random key for a purpose, a stage and a slot."""
    key = jax.random.key(problem.seed)
    for number in (purpose, stage, slot):
        key = jax.random.fold_in(key, number)
    return key

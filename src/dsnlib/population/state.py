"""Where a training by population Monte Carlo stands."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from dsnlib.flows.network import Weights
from dsnlib.population.problem import PopulationProblem, fresh_optimiser
from dsnlib.population.resampled import acceptance_weights
from dsnlib.training.lagrangian import stream

# Streams of random numbers, and the phases of training.
INITIAL, DRAW, FIT, FINAL_DRAW, FINAL_FIT, ACCEPTANCE_DRAW, ACCEPTANCE_FIT, RESULT = range(8)
TEMPERING, FINAL, ACCEPTANCE = range(3)


class State(NamedTuple):
    """Where training stands; a fit is broken off between two blocks of its iterations."""

    weights: Weights  # of the flow
    optimiser: optax.OptState
    acceptance: Any  # weights
    acceptance_optimiser: optax.OptState
    tilt: np.ndarray  # (M,) what is added to eta, for what the network does not resolve
    networks: Weights  # (memory, ..) weights of the flows that drew the samples in memory
    uniform: np.ndarray  # (memory,) share of uniform samples among them; 0 where there are none
    z: np.ndarray  # (memory, samples, P)
    statistics: np.ndarray  # (memory, samples, S)
    scale: float  # of the property's standard deviations; 0 before the first stage
    repeats: int  # stages at scale 1
    phase: int
    epoch: int  # stages done
    iteration: int  # of the fit of the phase


def initial_state(problem: PopulationProblem, seed: int) -> State:
    """The state before the first stage."""
    settings = problem.settings
    key = stream(seed, INITIAL)
    weights = problem.random_weights(key)
    P, S = len(problem.circuit.parameters), len(problem.circuit.observables)
    acceptance = acceptance_weights(jax.random.fold_in(key, 1), P)
    pool = (settings.memory, settings.samples)
    return State(
        weights=weights,
        optimiser=fresh_optimiser(weights),
        acceptance=acceptance,
        acceptance_optimiser=fresh_optimiser(acceptance),
        tilt=np.zeros(len(problem.prop.mu)),
        networks=jax.tree.map(lambda w: np.repeat(w[None], settings.memory, 0), weights),
        uniform=np.zeros(settings.memory),
        z=np.zeros((*pool, P), settings.precision),
        statistics=np.zeros((*pool, S), settings.precision),
        scale=0.0,
        repeats=0,
        phase=TEMPERING,
        epoch=0,
        iteration=0,
    )

"""What a run of population Monte Carlo records."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from dsnlib.exact.dual import Dual
from dsnlib.population.problem import Draw, PopulationProblem
from dsnlib.population.tempering import Tempered
from dsnlib.training.history import SNAPSHOT_SAMPLES, History, Variable

MAX_STAGES = 60
FINAL_SAMPLES = 20_000

VARIABLES = {
    "scale": Variable(("stage",), "standard deviation of the stage's target, over the property's"),
    "ess": Variable(("stage",), "effective number of the samples in memory, as a share"),
    "stage_eta": Variable(("stage", "moment"), "natural parameters of the stage's target"),
    "stage_loss": Variable(
        ("stage",), "mean of -log q over the samples that the flow is fitted to"
    ),
    "stage_z": Variable(("stage", "draw", "parameter"), "the first samples of the stage"),
    "stage_statistics": Variable(("stage", "draw", "statistic"), "their statistics"),
    "failed_simulations": Variable(("stage",), "simulations of the stage that were not finite"),
    "eta": Variable(("moment",), "natural parameters of the target"),
    "final_ess": Variable((), "effective number of the trained flow's samples, as a share"),
    "log_rate": Variable((), "log of the share of the flow's samples that is accepted"),
    "z": Variable(("snapshot", "sample", "parameter"), "samples of the trained network"),
    "log_q": Variable(("snapshot", "sample"), "their log-density, nats per unit volume"),
    "moments": Variable(("snapshot", "sample", "moment"), "their moments"),
    "weights": Variable(("weight",), "weights of the flow, flattened"),
    "acceptance": Variable(("acceptance_weight",), "weights of the acceptance, flattened"),
}


def empty_history(problem: PopulationProblem, weights: int, acceptance: int) -> History:
    """Arrays for everything that a run records, filled with NaN.

    Args:
        problem: what will be trained.
        weights, acceptance: number of weights of the flow and of the acceptance.

    Returns:
        An array for each of `VARIABLES`, with room for as many stages as there may be.
    """
    sizes = {
        "stage": MAX_STAGES,
        "draw": SNAPSHOT_SAMPLES,
        "snapshot": 1,
        "sample": FINAL_SAMPLES,
        "parameter": len(problem.circuit.parameters),
        "statistic": len(problem.circuit.observables),
        "moment": len(problem.prop.mu),
        "weight": weights,
        "acceptance_weight": acceptance,
    }
    single = {"draw", "sample", "weight", "acceptance_weight"}
    return {
        name: np.full(
            [sizes[dim] for dim in variable.dims],
            np.nan,
            problem.settings.precision if single & set(variable.dims) else "float64",
        )
        for name, variable in VARIABLES.items()
    }


def record_stage(
    history: History, stage: int, tempered: Tempered, loss: float, draws: Draw
) -> None:
    """Record a stage: its target, how well the samples support it, and some of them."""
    history["scale"][stage] = tempered.scale
    history["ess"][stage] = tempered.ess
    history["stage_eta"][stage] = tempered.dual.eta
    history["stage_loss"][stage] = loss
    history["stage_z"][stage] = draws.z[:SNAPSHOT_SAMPLES]
    history["stage_statistics"][stage] = draws.statistics[:SNAPSHOT_SAMPLES]
    failed = ~np.isfinite(np.asarray(draws.statistics)).all(axis=1)
    history["failed_simulations"][stage] = failed.sum()


def record_final(
    history: History, state: Any, dual: Dual, ess: float, log_rate: float, sampled: Any
) -> None:
    """Record the trained network and 20,000 of its samples."""
    history["eta"][:] = dual.eta
    history["final_ess"][...] = ess
    history["log_rate"][...] = log_rate
    history["weights"][:] = ravel_pytree(state.weights)[0]
    history["acceptance"][:] = ravel_pytree(state.acceptance)[0]
    for name, values in zip(("z", "log_q", "moments"), jax.device_get(sampled), strict=True):
        history[name][0] = values

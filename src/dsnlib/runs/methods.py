"""The methods of training, each as a run's folder needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from dsnlib.population import Population, records
from dsnlib.population import state as population
from dsnlib.population import training as population_training
from dsnlib.population.problem import PopulationProblem
from dsnlib.runs.progress import Report
from dsnlib.settings import Settings
from dsnlib.training import history as lagrangian_history
from dsnlib.training import lagrangian
from dsnlib.training.calls import Training
from dsnlib.training.history import History, Variable
from dsnlib.training.initial import fit_initial
from dsnlib.training.problem import Problem

Tell = Callable[[int, float], None]
Begun = tuple[Any, History, dict[str, Any]]  # state, history, attributes of the dataset


class Method(NamedTuple):
    """How networks are trained under one kind of settings."""

    problem: Callable[..., Any]  # of circuit, property and settings
    variables: dict[str, Variable]  # that a run records
    template: Callable[[Any], Any]  # a state of the structure that this problem's states have
    begin: Callable[[Any, int, Tell], Training[Begun]]  # with a seed
    train: Callable[..., Training[None]]
    total: Callable[[Any], int]  # iterations
    report: Callable[[Any, Any, History], Report]  # of a state
    finished: Callable[[Any, History], tuple[History, dict[str, Any]]]  # and coordinates


def method_of(settings: Settings | Population) -> Method:
    """The method that these settings are for."""
    return POPULATION if isinstance(settings, Population) else LAGRANGIAN


def settings_from(stored: dict[str, Any]) -> Settings | Population:
    """Settings as a run's data hold them."""
    return Population(**stored) if "samples" in stored else Settings(**stored)


def _begin_lagrangian(problem: Problem, seed: int, tell: Tell) -> Training[Begun]:
    key = lagrangian.stream(seed, lagrangian.INITIAL)
    fitted = yield from fit_initial(problem, key, tell)
    attributes = {
        "initial_kl": fitted.kl,
        "initial_kl_se": fitted.kl_se,
        "initial_iterations": fitted.iterations,
    }
    history = lagrangian_history.empty_history(problem, ravel_pytree(fitted.weights)[0].size)
    return lagrangian.initial_state(problem, fitted.weights), history, attributes


def _report_lagrangian(problem: Problem, state: lagrangian.State, history: History) -> Report:
    settings = problem.settings
    done = state.epoch * settings.iterations + state.iteration
    if state.iteration == 0:
        return Report(done, f"epoch {state.epoch} done", line=_epoch_line(state.epoch - 1, history))
    row = lagrangian_history.record_row(settings.iterations, state.epoch, state.iteration - 1)
    R = history["statistic_mean"][row] - problem.prop.mu
    detail = f"H {history['entropy'][row]:.3f} nat, |R| {np.linalg.norm(R):.2e}"
    return Report(done, f"epoch {state.epoch + 1}/{settings.epochs}", detail)


def _epoch_line(epoch: int, history: History) -> str:
    p = ", ".join(f"{value:.3g}" for value in history["p_value"][epoch])
    return (
        f"epoch {epoch + 1} done: c {history['c'][epoch]:g}, "
        f"H {-history['log_q'][epoch + 1].mean():.3f} nat, "
        f"|R| {history['violation_end'][epoch].mean():.2e}, p ({p}), "
        f"{history['skipped_steps'][epoch]:.0f} steps skipped"
    )


def _finished_lagrangian(problem: Problem, history: History) -> tuple[History, dict[str, Any]]:
    settings = problem.settings
    steps = lagrangian_history.step_iterations(settings.epochs, settings.iterations)
    return history, {
        "step": ("step", steps, {"long_name": "iterations done"}),
        "epoch": np.arange(1, settings.epochs + 1),
        "snapshot": ("snapshot", np.arange(settings.epochs + 1), {"long_name": "epochs done"}),
    }


LAGRANGIAN = Method(
    problem=Problem,
    variables=lagrangian_history.VARIABLES,
    template=lambda problem: lagrangian.initial_state(
        problem, problem.random_weights(jax.random.key(0))
    ),
    begin=_begin_lagrangian,
    train=lagrangian.train,
    total=lambda problem: problem.settings.epochs * problem.settings.iterations,
    report=_report_lagrangian,
    finished=_finished_lagrangian,
)


def _begin_population(problem: PopulationProblem, seed: int, tell: Tell) -> Training[Begun]:
    state = population.initial_state(problem, seed)
    sizes = (ravel_pytree(weights)[0].size for weights in (state.weights, state.acceptance))
    yield from ()  # nothing is computed
    return state, records.empty_history(problem, *sizes), {}


def _report_population(
    problem: PopulationProblem, state: population.State, history: History
) -> Report:
    settings, stage = problem.settings, state.epoch - 1
    ess = f"ESS {100 * history['ess'][stage]:.1f} %"
    if state.phase == population.TEMPERING or (
        state.phase == population.FINAL and state.iteration == 0
    ):
        scale = f"target sd x {state.scale:.3g}"
        return Report(
            0, f"stage {stage + 1}", f"{scale}, {ess}", f"stage {stage + 1}: {scale}, {ess}"
        )
    if state.phase == population.FINAL:
        return Report(state.iteration, "flow")
    return Report(settings.final_iterations + state.iteration, "acceptance")


def _finished_population(
    problem: PopulationProblem, history: History
) -> tuple[History, dict[str, Any]]:
    stages = int(np.isfinite(history["scale"]).sum())
    trimmed = {
        name: history[name][:stages] if variable.dims[:1] == ("stage",) else history[name]
        for name, variable in records.VARIABLES.items()
    }
    return trimmed, {
        "stage": np.arange(1, stages + 1),
        "snapshot": ("snapshot", [stages], {"long_name": "stages done"}),
        "statistic": [o.name for o in problem.circuit.observables],
    }


POPULATION = Method(
    problem=PopulationProblem,
    variables=records.VARIABLES,
    template=lambda problem: population.initial_state(problem, 0),
    begin=_begin_population,
    train=population_training.train,
    total=lambda problem: (
        problem.settings.final_iterations + problem.settings.acceptance_iterations
    ),
    report=_report_population,
    finished=_finished_population,
)

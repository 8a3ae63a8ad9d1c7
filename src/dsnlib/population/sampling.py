"""Samples of a flow on the host: drawn, simulated, weighted and resampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from dsnlib.exact.dual import Dual, solve_dual
from dsnlib.flows.network import Weights
from dsnlib.population.problem import Draw, PopulationProblem, draw, log_density
from dsnlib.population.settings import CHUNK
from dsnlib.training.calls import Call, Training

RESAMPLED = 200_000  # samples that a fit of the flow sees


class Pool(NamedTuple):
    """Importance sampling with draws of one flow."""

    log_q: np.ndarray  # (n,) log-density of the flow alone
    log_weights: np.ndarray  # (n,) of the samples, -log of the density that they are drawn from
    dual: Dual


def weighted(problem: PopulationProblem, weights: Weights, draws: Draw) -> Training[Pool]:
    """Weight draws of a flow, uniform ones among them, and solve for the target's eta."""
    log_q = yield from in_chunks(problem, log_density, weights, draws.z)
    log_weights = -mixed(problem, log_q, problem.settings.uniform)
    dual = solve_dual(draws.statistics.astype(float), problem.prop, log_weights)
    return Pool(log_q, log_weights, dual)


def draws_of(
    problem: PopulationProblem,
    weights: Weights,
    key: jax.Array,
    n: int,
    uniform: float | None = None,
) -> Training[Draw]:
    """n samples, in (n, ..) arrays on the host."""
    share = problem.settings.uniform if uniform is None else uniform
    parts = []
    for k in range(n // CHUNK):
        part = yield Call(draw, (problem,), (weights, jax.random.fold_in(key, k), share))
        parts.append(jax.tree.map(np.asarray, part))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)  # type: ignore[no-any-return]


def in_chunks(
    problem: PopulationProblem, function: Callable[..., Any], weights: Any, rows: np.ndarray
) -> Training[np.ndarray]:
    """function(problem, weights, rows), in double precision, a chunk of rows (n, ..) at a time."""
    parts = []
    for start in range(0, len(rows), CHUNK):
        part = yield Call(function, (problem,), (weights, rows[start : start + CHUNK]))
        parts.append(np.asarray(part, float))
    return np.concatenate(parts)


def mixed(problem: PopulationProblem, log_q: np.ndarray, uniform: float) -> np.ndarray:
    """(n,) log-density of flow and uniform distribution, mixed."""
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log1p(-uniform) + log_q, np.log(uniform) + problem.log_uniform)  # type: ignore[no-any-return]


def resampled(z: np.ndarray, log_p: np.ndarray, seed: list[int]) -> np.ndarray:
    """Samples with probabilities exp(log_p), always as many: one program fits them all."""
    p = np.exp(log_p)
    return z[np.random.default_rng(seed).choice(len(z), RESAMPLED, p=p / p.sum())]

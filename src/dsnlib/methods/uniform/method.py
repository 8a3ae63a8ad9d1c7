"""Weighted uniform draws as a method."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dsnlib.circuits import Circuit
from dsnlib.circuits.differentiation import in_blocks
from dsnlib.maxent.feasibility import PropertyError, explain, short_of
from dsnlib.maxent.features import Features, features_of
from dsnlib.maxent.relaxed import REACHED, Weighted, relaxed
from dsnlib.methods.base import Method, Problem, Report, Result, Variable
from dsnlib.methods.uniform.run import UniformRun
from dsnlib.methods.uniform.settings import ISLANDS, UniformSettings
from dsnlib.property import EmergentProperty

_BLOCK = 2_500  # draws of each island at a time
_MOST_KEPT = 10_000  # samples of each island

VARIABLES = {
    "z": Variable(("island", "sample", "parameter"), "samples of the answer"),
    "statistics": Variable(("island", "sample", "statistic"), "their statistics"),
    "theta": Variable(("island", "moment"), "natural parameters of the features"),
    "eta": Variable(("island", "moment"), "natural parameters of the moments"),
    "log_z": Variable(("island",), "log of the integral of exp(eta.T) over the box, nats"),
    "entropy": Variable(("island",), "entropy of the answer, nats"),
    "effective": Variable(("island",), "effective sample size of the weighted draws"),
    "miss": Variable(("island",), "largest mean of a feature over the weighted draws"),
    "simulations": Variable(("island",), "draws"),
    "failed": Variable(("island",), "of these, simulations that were not finite"),
}


class State(NamedTuple):
    """How many draws of every island are there, and their statistics."""

    statistics: np.ndarray  # (islands, n, C), not a number where there is none yet
    done: int
    failed: np.ndarray  # (islands,)


@dataclasses.dataclass(frozen=True)
class Uniform(UniformSettings, Method):
    """Weighted uniform draws: the simplest method, exact where a property is not rare.

    Draws from the uniform distribution on the box are weighted by exp(eta.T), with the natural
    parameters eta for which the weighted draws have the property. There is nothing to tune and no
    region can be lost that holds a few draws. The cost grows with how rare the property is, not
    with the number of parameters: draws within a share s of the box are worth about s effective
    samples each. Four parts of the draws, each with an eta of its own, give the errors.

    Args:
        samples: number of draws, a multiple of 4.
        precision: "float32" or "float64".

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of its range.

    Source: importance sampling; Robert and Casella, "Monte Carlo statistical methods" (2004).
    """

    name: ClassVar[str] = "uniform"
    variables: ClassVar[dict[str, Variable]] = VARIABLES
    run: ClassVar[type[UniformRun]] = UniformRun

    def check(self, circuit: Circuit, prop: EmergentProperty) -> None:
        """Any circuit and any property will do."""

    def start(self, problem: Problem) -> State:
        """Nothing has been drawn."""
        shape = (ISLANDS, self.samples // ISLANDS, len(problem.circuit.columns))
        return State(np.full(shape, np.nan, self.precision), 0, np.zeros(ISLANDS))

    def step(self, problem: Problem, state: State) -> State:
        """A further block of draws, simulated."""
        z = _drawn(problem, state.done, state.statistics.shape[1])
        rows = z.reshape(-1, z.shape[-1])
        f = np.asarray(_simulated(problem.circuit, rows)).reshape(*z.shape[:-1], -1)
        allowed = np.asarray(problem.circuit.allowed(rows)).reshape(z.shape[:-1])
        whole = np.isfinite(_features(problem).of(f)).all(axis=-1)
        statistics = state.statistics.copy()
        statistics[:, state.done : state.done + z.shape[1]] = f
        return State(
            statistics, state.done + z.shape[1], state.failed + (allowed & ~whole).sum(axis=1)
        )

    def report(self, problem: Problem, state: State) -> Report:
        """How many draws are there."""
        n = state.statistics.shape[1]
        return Report(
            state.done == n, "uniform draws", ISLANDS * state.done, ISLANDS * n,
            f"{state.failed.sum() / max(ISLANDS * state.done, 1):.1%} failed",
        )  # fmt: skip

    def result(self, problem: Problem, state: State) -> Result:
        """Samples, natural parameters and entropies, island by island.

        The samples are kept by rejection, so they are independent given eta.
        """
        features = _features(problem)
        found = [self._solved(problem, state, k) for k in range(ISLANDS)]
        theta = np.stack([each.theta for each in found])
        eta, constant = features.natural(theta)
        log_volume = problem.circuit.box.log_volume
        log_ratio = np.array([each.log_ratio for each in found])
        rng = np.random.default_rng([problem.seed, 1])
        kept = [np.flatnonzero(rng.random(len(e.p)) * e.p.max() < e.p) for e in found]
        n = min(_MOST_KEPT, *map(len, kept))
        rows = np.stack([rng.permutation(each)[:n] for each in kept])
        records = {
            "z": _rows(problem, rows, state.statistics.shape[1]),
            "statistics": state.statistics[np.arange(ISLANDS)[:, None], rows],
            "theta": theta,
            "eta": eta,
            "log_z": log_ratio - constant + log_volume,
            "entropy": log_ratio + log_volume,
            "effective": np.array([each.effective_share * len(each.p) for each in found]),
            "miss": np.array([np.abs(each.mean).max() for each in found]),
            "simulations": np.full(ISLANDS, state.statistics.shape[1]),
            "failed": state.failed,
        }
        coordinates = {
            "island": np.arange(ISLANDS),
            "snapshot": [0],
            "statistic": [o.name for o in problem.circuit.columns],
        }
        return Result(records, coordinates, {"scales": list(features.scales)})

    def _solved(self, problem: Problem, state: State, island: int) -> Weighted:
        """The draws of an island, weighted to the property.

        Raises:
            PropertyError: no weights give them the property.
        """
        features, S = _features(problem), len(problem.prop.mean)
        points = features.of(state.statistics[island])
        start = np.zeros(features.size)
        if not short_of(points, features):
            found = relaxed(points, start, np.zeros(S), features.distances, start)
            if np.abs(found.mean).max() < REACHED:
                return found
        raise PropertyError(explain(state.statistics, problem.circuit, problem.prop))


def _features(problem: Problem) -> Features:
    return features_of(problem.circuit, problem.prop, problem.method.precision)


def _drawn(problem: Problem, start: int, n: int) -> jax.Array:
    """(islands, m, P) the block of draws that begins at `start` of n."""
    key = jax.random.fold_in(jax.random.key(problem.seed), start)
    shape = (ISLANDS, min(_BLOCK, n - start), len(problem.circuit.parameters))
    return problem.circuit.box.from_unit(
        jax.random.uniform(key, shape, jnp.dtype(problem.method.precision))
    )


def _rows(problem: Problem, rows: np.ndarray, n: int) -> np.ndarray:
    """(islands, k, P) the draws with these numbers (islands, k), drawn again."""
    z = np.zeros((*rows.shape, len(problem.circuit.parameters)), problem.method.precision)
    for start in range(0, n, _BLOCK):
        block = np.asarray(_drawn(problem, start, n))
        here = (rows >= start) & (rows < start + block.shape[1])
        island, place = np.nonzero(here)
        z[island, place] = block[island, rows[here] - start]
    return z


@partial(jax.jit, static_argnums=0)
def _simulated(circuit: Circuit, z: jax.Array) -> jax.Array:
    """(n, C) statistics of parameters (n, P), not finite where there are none."""
    return in_blocks(circuit.permitted, z)  # type: ignore[no-any-return]

"""A method that the library does not know: what a user adds in a folder of their own."""

from __future__ import annotations

import dataclasses
import time
from typing import ClassVar, NamedTuple

import jax
import numpy as np
import numpyro.distributions as dist

from dsnlib.methods import Method, Report, Result, Run, Variable
from dsnlib.methods.run import Check, Snapshot

PAUSE = 0.0  # s, for which a step waits: what disturbs a run needs time to do so
ELITE = 0.25  # share of the draws to which the next normal distribution is fitted


class State(NamedTuple):
    """A truncated normal distribution, and what was drawn from it."""

    mean: np.ndarray  # (P,)
    sd: np.ndarray  # (P,)
    steps: int
    z: np.ndarray  # (draws, P)
    f: np.ndarray  # (draws, S)


class CrossEntropyRun(Run["CrossEntropy"]):
    """A complete run: the last truncated normal distribution, and draws of it."""

    @property
    def samples(self):
        return self._labelled_samples(self.data.z.values[None], self.data.f.values[None])

    @property
    def simulations(self):
        return self.method.steps * self.method.draws

    def checks(self):
        widest = float(self.data.sd.max())
        return [Check("widest sd", widest, "below 1", widest < 1, "take more steps")]

    def network(self, epoch=-1):
        low, high = self.data.bounds.values.T
        mean, sd = self.data["mean"].values, self.data["sd"].values
        return dist.TruncatedNormal(mean, sd, low=low, high=high).to_event(1)

    def snapshots(self):
        z, f = self.data.z.values.astype(float), self.data.f.values.astype(float)

        def log_prob(z, moments):
            return np.asarray(self.network().log_prob(z))

        return {1: Snapshot(z, np.hstack([f, f**2]), log_prob(z, None), log_prob)}


@dataclasses.dataclass(frozen=True)
class CrossEntropy(Method):
    """Fit a normal distribution to the best of its own draws, over and over."""

    steps: int  # without a default
    draws: int = 400
    precision: str = "float32"

    name: ClassVar = "cross-entropy"
    variables: ClassVar = {
        "mean": Variable(("parameter",), "means of the last normal distribution"),
        "sd": Variable(("parameter",), "its standard deviations"),
        "z": Variable(("sample", "parameter"), "draws of it"),
        "f": Variable(("sample", "statistic"), "their statistics"),
    }
    run: ClassVar = CrossEntropyRun

    def check(self, circuit, prop):
        pass

    def start(self, problem):
        low, high = problem.circuit.bounds.T
        z = np.full((self.draws, len(low)), np.nan, "float32")
        f = np.full((self.draws, len(problem.prop.mean)), np.nan, "float32")
        return State((low + high) / 2, (high - low) / 2, 0, z, f)

    def step(self, problem, state):
        time.sleep(PAUSE)
        low, high = problem.circuit.bounds.T
        key = jax.random.fold_in(jax.random.key(problem.seed), state.steps)
        normal = dist.TruncatedNormal(state.mean, state.sd, low=low, high=high)
        z = np.asarray(normal.sample(key, (self.draws,)), "float32")
        f = np.asarray(problem.circuit.statistics(z))
        off = np.abs((f - problem.prop.mean) / problem.prop.sd).max(axis=1)
        best = z[np.argsort(off)[: int(ELITE * self.draws)]].astype(float)
        return State(best.mean(axis=0), best.std(axis=0), state.steps + 1, z, f)

    def report(self, problem, state):
        finished, milestone = state.steps == self.steps, state.steps % 10 == 0
        return Report(finished, "cross-entropy", state.steps, self.steps, milestone=milestone)

    def result(self, problem, state):
        records = {name: getattr(state, name) for name in self.variables}
        names = [o.name for o in problem.circuit.observables]
        return Result(records, {"statistic": names}, {})

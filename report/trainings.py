"""The runs of one duration, with what their networks emit and the exact answer for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import jax
import numpy as np

from dsnlib import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from report.judged import JudgedLagrangian
from report.rules.verdict import NOTE_EPOCHS

SAMPLES = 100_000  # fresh ones of each network
_CHUNK = 10_000  # simulations in one call, so that all calls share a compiled program
_KEY = 2019  # of the fresh samples


class Emission(NamedTuple):
    """Shares of a network's fresh samples that lie in each mode."""

    samples: int
    shares: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Trainings:
    """Runs of the note's method for one circuit.

    Args:
        exact: the exact answer for their circuit and property.
        runs: judged.
        emitted: of each run's network after 8 epochs, at which the note judges c0 = 1.
        at_end: of each run's network at its end.
    """

    exact: ExactMaxEnt
    runs: tuple[JudgedLagrangian, ...] = ()
    emitted: tuple[Emission, ...] = ()
    at_end: tuple[Emission, ...] = ()

    def of(self, c0: float) -> Trainings:
        """Those with one c0."""
        kept = [i for i, r in enumerate(self.runs) if r.run.method.c0 == c0]
        return dataclasses.replace(
            self,
            runs=tuple(self.runs[i] for i in kept),
            emitted=tuple(self.emitted[i] for i in kept),
            at_end=tuple(self.at_end[i] for i in kept),
        )


def trainings(
    runs: Iterable[JudgedLagrangian], exact: ExactMaxEnt, samples: int = SAMPLES
) -> Trainings:
    """Runs with what their networks emit, by simulation of fresh samples.

    Args:
        runs: judged against `exact`.
        exact: the exact answer for their circuit and property.
        samples: of each network.
    """
    runs = tuple(runs)
    return Trainings(
        exact,
        runs,
        tuple(emission(r.run, exact, NOTE_EPOCHS, samples) for r in runs),
        tuple(emission(r.run, exact, -1, samples) for r in runs),
    )


def emission(run: LagrangianRun, exact: ExactMaxEnt, epoch: int, samples: int) -> Emission:
    """Shares of fresh samples of a run's network that lie in each mode.

    Args:
        run: that has the network.
        exact: whose modes are meant.
        epoch: after which the network is taken, -1 for the last.
        samples: how many, from a fixed random key.
    """
    z = np.asarray(run.network(epoch).sample(jax.random.key(_KEY), (samples,)), float)
    chunks = [exact.assign(z[start : start + _CHUNK]) for start in range(0, samples, _CHUNK)]
    labels = np.concatenate(chunks)
    return Emission(
        samples, {mode.name: float((labels == k).mean()) for k, mode in enumerate(exact.modes)}
    )

"""Who emits samples in which mode, and what "emits" may mean."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from report.trainings import Emission, Trainings

GREEN = ("lower", "upper")  # the modes of which the note speaks
KINDS = ("both", "upper only", "lower only", "neither")
ERRORS = 2  # standard errors of a share within which a threshold leaves a seed open


class Emits(NamedTuple):
    """What it takes to emit samples in a mode."""

    name: str
    share: float = 0.0  # of all samples
    of_mass: float = 0.0  # of the mode's exact mass

    def least(self, exact_mass: float) -> float:
        """The least share of the samples."""
        return self.share + self.of_mass * exact_mass


ONE_SAMPLE = Emits("one of 1,000 samples", share=0.001)
EMITS = (
    ONE_SAMPLE,
    *(Emits(f"{p} % of the exact mass", of_mass=p / 100) for p in (1, 2, 5, 10, 25)),
)


def _kind(modes: Sequence[str]) -> str:
    """Which of `KINDS` a network is that has these of the green modes."""
    if len(modes) == len(GREEN):
        return "both"
    return f"{modes[0]} only" if modes else "neither"


def possible_kinds(emission: Emission, exact_mass: dict[str, float], emits: Emits) -> list[str]:
    """What a network emits, the likeliest first: one kind, or more where chance leaves it open.

    Args:
        emission: of the network.
        exact_mass: of each mode.
        emits: what it takes to emit.

    Returns:
        Those of `KINDS` that two standard errors of the shares allow.
    """
    found = []
    for errors in itertools.product((0, -ERRORS, ERRORS), repeat=len(GREEN)):
        modes = []
        for name, k in zip(GREEN, errors, strict=True):
            share = emission.shares[name]
            se = np.sqrt(share * (1 - share) / emission.samples)
            if share + k * se >= emits.least(exact_mass[name]):
                modes.append(name)
        found.append(_kind(modes))
    return list(dict.fromkeys(found))


def kinds_of(
    emissions: Sequence[Emission], exact_mass: dict[str, float], emits: Emits
) -> list[str]:
    """What each network emits: both modes, one of them, or neither.

    Args:
        emissions: of the networks.
        exact_mass: of each mode.
        emits: what it takes to emit.

    Returns:
        One of `KINDS` for each.
    """
    return [possible_kinds(emission, exact_mass, emits)[0] for emission in emissions]


def exact_masses(trainings: Trainings) -> dict[str, float]:
    """The exact mass of each mode."""
    return {mode.name: mode.mass for mode in trainings.exact.modes}


def shares_of(trainings: Trainings, at_end: bool = False) -> dict[str, dict[str, float]]:
    """Shares of the samples in the green modes, by run.

    Args:
        trainings: the runs.
        at_end: of the networks at the end, not after 8 epochs.
    """
    emissions = trainings.at_end if at_end else trainings.emitted
    return {
        f"c0 = {r.run.method.c0:g}, seed {r.seed}": {name: e.shares[name] for name in GREEN}
        for r, e in zip(trainings.runs, emissions, strict=True)
    }

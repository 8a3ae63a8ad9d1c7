"""What a verdict is, and how the seeds in which a claim holds are counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from report.judged import JudgedLagrangian

NOTE_EPOCHS = 8  # after which the note judges c0 = 1
CONVERGED_BY = 10  # the epoch of the note's later convergence with c0 = 100
NOT_TESTED = "not tested"
UNDECIDED = "undecided"

Measured = dict[str, Any]  # numbers by name, as JSON can hold them


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim of the note, and what became of it."""

    claim: str  # its number
    statement: str  # what the note says
    rule: str  # when it is taken to hold
    numbers: dict[str, str]  # what the rule was applied to, by seed, run or circuit
    outcome: str  # "holds", "holds in k of n seeds", "fails", "undecided" or "not tested"
    otherwise: dict[str, str]  # the outcome with other thresholds, by what is changed
    values: dict[str, Any]  # the numbers as numbers, under the keys of `numbers`


def counted(hits: int, n: int, unit: str = "seeds") -> str:
    """The outcome of a claim about all of n that holds in some of them.

    Example:
        >>> counted(4, 4), counted(1, 4), counted(0, 4)
        ('holds', 'holds in 1 of 4 seeds', 'fails')
    """
    return "holds" if hits == n else f"holds in {hits} of {n} {unit}" if hits else "fails"


def by_seed(
    claim: str,
    statement: str,
    rule: str,
    runs: Sequence[JudgedLagrangian],
    *,
    measure: Callable[[JudgedLagrangian], Measured],
    holds: Callable[..., bool],
    write: Callable[[Measured], str],
    others: Mapping[str, Mapping[str, Any]],
) -> Verdict:
    """The verdict on a claim about every seed.

    Args:
        claim, statement, rule: as in `Verdict`.
        runs: one a seed.
        measure: the numbers of a run on which the claim rests.
        holds: whether the claim holds for such numbers; its thresholds are keyword arguments.
        write: the numbers as text.
        others: thresholds to try instead, by what they are called.
    """
    measured = {f"seed {r.seed}": measure(r) for r in runs}

    def outcome(**thresholds: Any) -> str:
        hits = sum(holds(numbers, **thresholds) for numbers in measured.values())
        return counted(hits, len(measured))

    return Verdict(
        claim,
        statement,
        rule,
        {seed: write(numbers) for seed, numbers in measured.items()},
        outcome(),
        {name: outcome(**changed) for name, changed in others.items()},
        measured,
    )


def half_and_double(name: str, value: float, label: str, unit: str = "") -> dict[str, Any]:
    """Half and double a threshold: what is changed, and the keyword argument that changes it.

    Example:
        >>> half_and_double("rise", 0.1, "rise of", " nat")
        {'rise of 0.05 nat': {'rise': 0.05}, 'rise of 0.2 nat': {'rise': 0.2}}
    """
    return {f"{label} {v:g}{unit}": {name: v} for v in (value / 2, value * 2)}

"""Claims about time: what a run took (C9), and whether T = 200 teaches what T = 800 does (C11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from report.judged import JudgedLagrangian
from report.rules.emitting import GREEN, ONE_SAMPLE, exact_masses, kinds_of, shares_of
from report.rules.entropy import does_not_rise, rises_and_falls, spreads
from report.rules.moments import does_not_converge, is_close, undershoots
from report.rules.verdict import CONVERGED_BY, NOT_TESTED, UNDECIDED, Verdict

if TYPE_CHECKING:
    from report.trainings import Trainings

NOTE_HOURS = 30
APART = 0.5  # difference between two shares of the seeds


def took_hours(runs: Sequence[JudgedLagrangian]) -> Verdict:
    """C9: a run took 30 hours."""
    minutes = [float(r.run.data.seconds) / 60 for r in runs]
    devices = sorted({str(r.run.data.device) for r in runs})
    low, high = (f"{m:.0f}" if m >= 1 else f"{m:.1g}" for m in (min(minutes), max(minutes)))
    return Verdict(
        "C9",
        f"a run took {NOTE_HOURS} hours",
        "the note names neither hardware nor iterations, so this is not tested; the time of the "
        "runs here stands beside it",
        {"here": f"{low} to {high} minutes a run ({'; '.join(devices)})"},
        NOT_TESTED,
        {},
        {"here": {"minutes": minutes}},
    )


def _hits(verdict: Verdict, n: int) -> int:
    """In how many of n seeds a claim about each holds."""
    if verdict.outcome == "holds":
        return n
    words = verdict.outcome.split()
    return int(words[2]) if verdict.outcome.startswith("holds in") else 0


def _counts(trainings: Trainings) -> dict[str, tuple[int, int]]:
    """For each thing compared: in how many seeds it is so, and of how many."""
    small, large = trainings.of(1.0), trainings.of(100.0)
    found: dict[str, tuple[int, int]] = {}
    rules: tuple[tuple[Callable[[Sequence[JudgedLagrangian]], Verdict], Trainings], ...] = (
        (rises_and_falls, small),
        (spreads, small),
        (does_not_converge, small),
        (is_close, small),
        (undershoots, small),
        (does_not_rise, large),
    )
    for rule, group in rules:
        verdict, n = rule(group.runs), len(group.runs)
        found[verdict.claim] = _hits(verdict, n), n
    mass = exact_masses(trainings)
    for group, c0 in ((small, "c0 = 1"), (large, "c0 = 100")):
        kinds, n = kinds_of(group.emitted, mass, ONE_SAMPLE), len(group.runs)
        found[f"both modes, {c0}"] = kinds.count("both"), n
        found[f"only the upper, {c0}"] = kinds.count("upper only"), n
    epochs = [r.run.converged_epoch for r in large.runs]
    found[f"convergence within {CONVERGED_BY} epochs, c0 = 100"] = (
        sum(epoch is not None and epoch <= CONVERGED_BY for epoch in epochs),
        len(epochs),
    )
    return found


def carries_over(short: Trainings, long: Trainings) -> Verdict:
    """C11: what T = 200 teaches carries over to T = 800."""
    statement = "what T = 200 teaches carries over to T = 800"
    rule = (
        "at both durations, count the seeds for which C1 to C4 and C6 hold, those that emit both "
        "modes or only the upper one after 8 epochs (C5), and those with c0 = 100 that converge "
        f"within {CONVERGED_BY} epochs (C7); a count carries over if the two shares of the seeds "
        f"differ by less than {APART:g}; the claim holds if all counts carry over, fails if half "
        "or fewer do, and is undecided otherwise"
    )
    if not all(long.of(c0).runs for c0 in (1.0, 100.0)):
        return Verdict("C11", statement, rule, {"T = 800": "no runs"}, NOT_TESTED, {}, {})
    one, other = _counts(short), _counts(long)
    gaps = {name: abs(k / n - other[name][0] / other[name][1]) for name, (k, n) in one.items()}

    def outcome(apart: float) -> str:
        carried = np.mean([gap < apart for gap in gaps.values()])
        return "holds" if carried == 1 else "fails" if carried <= 0.5 else UNDECIDED

    numbers = {
        name: f"{k} of {n} seeds at T = 200, {other[name][0]} of {other[name][1]} at T = 800"
        + ("" if gaps[name] < APART else ": apart")
        for name, (k, n) in one.items()
    }
    return Verdict(
        "C11",
        statement,
        rule,
        numbers | _what_they_should_hold(short, long),
        outcome(APART),
        {f"shares that differ by less than {apart:g}": outcome(apart) for apart in (0.25, 1.0)},
        {
            "counts": {
                name: {"T = 200": list(counts), "T = 800": list(other[name])}
                for name, counts in one.items()
            },
            "shares at T = 800": shares_of(long),
        },
    )


def _what_they_should_hold(short: Trainings, long: Trainings) -> dict[str, str]:
    """The exact masses at either duration."""
    masses = [exact_masses(trainings) for trainings in (short, long)]
    return {
        "exact mass": "; ".join(
            f"{name} {100 * masses[0][name]:.1f} % and {100 * masses[1][name]:.1f} %"
            for name in GREEN
        )
    }

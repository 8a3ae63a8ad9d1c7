"""Verdicts on the claims of the 2019 note."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dsnlib.methods.lagrangian.records import RECORD_EVERY
from report import rules
from report.curves import WINDOW
from report.judged import JudgedLagrangian
from report.rules import Verdict
from report.rules.verdict import CONVERGED_BY
from report.trainings import Trainings

__all__ = ["Verdict", "as_json", "judge_claims"]

_DIGITS = 8  # significant ones, in JSON


def judge_claims(short: Trainings, long: Trainings) -> list[Verdict]:
    """Judge the note's claims C1 to C12; C3 has two halves, C3a and C3b.

    Args:
        short: runs at T = 200 with c0 = 1 and with c0 = 100, and the exact answer.
        long: the same at T = 800, where there may be no runs; then C11 is not tested.

    Returns:
        A verdict for each claim.

    Raises:
        ValueError: no run with one of the two c0, or one of too few epochs or iterations.
    """
    for c0 in (1.0, 100.0):
        if not short.of(c0).runs:
            raise ValueError(f"runs must hold one with c0 = {c0:g}, got none; train or add it")
    for run in (*short.runs, *long.runs):
        _check_length(run)
    small, large = short.of(1.0), short.of(100.0)
    return [
        rules.rises_and_falls(small.runs),
        rules.spreads(small.runs),
        rules.does_not_converge(small.runs),
        rules.is_close(small.runs),
        rules.undershoots(small.runs),
        rules.emits_both_or_upper(small),
        rules.does_not_rise(large.runs),
        rules.converges_to_one(large),
        rules.two_regions(short.exact, long.exact),
        rules.took_hours(short.runs),
        rules.settles(short.runs),
        rules.carries_over(short, long),
        rules.serves_better(small, large),
    ]


def as_json(verdicts: Sequence[Verdict]) -> str:
    """Verdicts for programs: an object with outcome, otherwise and values of each claim.

    Args:
        verdicts: as `judge_claims` returns them.
    """
    return json.dumps(
        {
            verdict.claim: {
                "outcome": verdict.outcome,
                "otherwise": verdict.otherwise,
                "values": _rounded(verdict.values),
            }
            for verdict in verdicts
        }
    )


def _rounded(value: Any) -> Any:
    """Numbers, in lists and dictionaries, without digits that say nothing."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _check_length(judged: JudgedLagrangian) -> None:
    """Raise where a run is too short to be judged."""
    settings = judged.run.method
    for name, size, least in (
        ("epochs", settings.epochs, CONVERGED_BY),
        ("iterations an epoch", settings.iterations, WINDOW * RECORD_EVERY + 1),
    ):
        if size < least:
            raise ValueError(
                f"runs must have at least {least:,} {name}, got {size} for c0 = {settings.c0:g}, "
                f"seed {judged.seed}; train it longer"
            )

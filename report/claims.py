"""Verdicts on the claims of the 2019 note."""

from __future__ import annotations

from collections.abc import Sequence

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian.records import RECORD_EVERY
from report import rules
from report.curves import WINDOW
from report.judged import JudgedLagrangian
from report.rules import Verdict

__all__ = ["Verdict", "judge_claims"]


def judge_claims(
    runs: Sequence[JudgedLagrangian], short: ExactMaxEnt, long: ExactMaxEnt
) -> list[Verdict]:
    """Judge the note's claims C1 to C8.

    Args:
        runs: of the note's circuit, with c0 = 1 and with c0 = 100.
        short, long: the exact answers at T = 200 and T = 800.

    Returns:
        A verdict for each claim.

    Raises:
        ValueError: no run with one of the two c0, or one of too few epochs or iterations.
    """
    groups = {c0: [r for r in runs if r.run.method.c0 == c0] for c0 in (1.0, 100.0)}
    for c0, members in groups.items():
        if not members:
            raise ValueError(f"runs must hold one with c0 = {c0:g}, got none; train or add it")
        for member in members:
            settings = member.run.method
            for name, size, least in (
                ("epochs", settings.epochs, rules.CONVERGED_BY),
                ("iterations an epoch", settings.iterations, WINDOW * RECORD_EVERY + 1),
            ):
                if size < least:
                    raise ValueError(
                        f"runs must have at least {least:,} {name}, got {size} for c0 = {c0:g}, "
                        f"seed {member.seed}; train it longer"
                    )
    small, large = groups[1.0], groups[100.0]
    return [
        rules.rises_and_falls(small),
        rules.spreads(small),
        rules.is_close(small),
        rules.undershoots(small),
        rules.holds_both_or_upper(small),
        rules.does_not_rise(large),
        rules.converges_to_one(large),
        rules.two_regions(short, long),
    ]

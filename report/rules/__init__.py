"""The rules by which the claims of the 2019 note hold or fail, one function a claim.

    verdict.py     what a verdict is, and how seeds are counted
    entropy.py     C1, C2, C6, C10
    moments.py     C3 in its two halves, C4
    emitting.py    what it takes to emit samples in a mode
    modes.py       C5, C7, C12
    regions.py     C8
    duration.py    C9, C11

Every rule is fixed here, with its thresholds as constants; a verdict says besides what would have
become of the claim with other thresholds.
"""

from report.rules.duration import carries_over, took_hours
from report.rules.entropy import does_not_rise, rises_and_falls, settles, spreads
from report.rules.modes import converges_to_one, emits_both_or_upper, serves_better
from report.rules.moments import does_not_converge, is_close, undershoots
from report.rules.regions import two_regions
from report.rules.verdict import Verdict

__all__ = [
    "Verdict",
    "carries_over",
    "converges_to_one",
    "does_not_converge",
    "does_not_rise",
    "emits_both_or_upper",
    "is_close",
    "rises_and_falls",
    "serves_better",
    "settles",
    "spreads",
    "took_hours",
    "two_regions",
    "undershoots",
]

"""The report on the note of 2019: its claims, figures, studies and chapters, beside the library."""

import sys

from report.claims import Verdict, as_json, judge_claims
from report.judged import Judged
from report.losses import mode_losses
from report.trainings import Trainings, trainings

__all__ = [
    "Judged",
    "Trainings",
    "Verdict",
    "as_json",
    "judge_claims",
    "mode_losses",
    "trainings",
]

if "IPython" in sys.modules:  # in a chapter, whose figures then carry what they draw
    from report.figures.data import carry_data

    carry_data()

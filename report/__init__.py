"""The report on the note of 2019: its claims, figures, studies and chapters, beside the library."""

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

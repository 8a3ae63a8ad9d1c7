"""The report on the note of 2019: its claims, figures, studies and chapters, beside the library."""

from report.claims import Verdict, judge_claims
from report.judged import Judged
from report.losses import mode_losses

__all__ = ["Judged", "Verdict", "judge_claims", "mode_losses"]

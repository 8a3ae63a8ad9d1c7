"""Judging runs against the exact answer, and the note's claims by runs."""

from dsnlib.judging.claims import Judged, Verdict, judge_claims
from dsnlib.judging.losses import mode_losses
from dsnlib.judging.networks import judge

__all__ = ["Judged", "Verdict", "judge", "judge_claims", "mode_losses"]

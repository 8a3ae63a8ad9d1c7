"""Runs on disk: training into a folder, resuming, loading."""

from dsnlib.runs.fitting import fit
from dsnlib.runs.loading import load_run

__all__ = ["fit", "load_run"]

"""Runs on disk: training into a folder, resuming, loading."""

from dsnlib.runs.checkpoint import CheckpointError
from dsnlib.runs.fitting import fit, fit_many
from dsnlib.runs.lock import RunLockedError
from dsnlib.runs.run import Run, load_run

__all__ = ["CheckpointError", "Run", "RunLockedError", "fit", "fit_many", "load_run"]

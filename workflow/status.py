"""Where a sweep stands, run by run: python -m workflow.status GRID."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from dsnlib.methods import Problem
from dsnlib.runs.loading import DATA_FILE
from dsnlib.storage.checkpoint import (
    CHECKPOINT_FILES,
    CheckpointError,
    load_checkpoint,
    read_meta,
)
from dsnlib.storage.lock import LOCK_FILE
from workflow.grid import read_grid


def describe(problem: Problem, folder: Path, log: Path) -> str:
    """One line on a run.

    Args:
        problem: what the run is asked to do.
        folder: of the run.
        log: of its training.
    """
    lock, checkpoint = folder / LOCK_FILE, folder / CHECKPOINT_FILES[0]
    if (folder / DATA_FILE).exists():
        return "complete"
    parts = [_progress(problem, checkpoint)] if checkpoint.exists() else []
    if lock.exists():
        return ", ".join(["training", *parts, lock.read_text()])
    if log.exists():
        return ", ".join(["STOPPED", *parts, f"see {log}"])
    return ", ".join(["not started", *parts])


def _progress(problem: Problem, file: Path) -> str:
    """Where the newest checkpoint stands, which is only looked at."""
    method = problem.method
    try:
        age = time.time() - file.stat().st_mtime
        if not read_meta(file):
            return "checkpoint damaged"
        found = load_checkpoint(file.parent, lambda: method.start(problem), lambda meta: None)
    except (OSError, CheckpointError):  # just replaced, or not of this run: dsnlib.fit will judge
        found = None
    if not found:
        return "checkpoint unreadable"
    report = method.report(problem, found.state)
    share = f", {report.done / report.total:.0%} done" if report.total else ""
    return f"{report.title}{share} {age:.0f} s ago"


def main(file: str) -> None:
    """Print a line for each run of the grid."""
    grid = read_grid(Path(file))
    width = max(map(len, grid.runs))
    for run in grid.runs:
        log = Path("logs") / grid.folder / f"{run}.log"
        line = describe(grid.problems[run], Path(grid.folder) / run, log)
        print(f"{run:{width}}  {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])

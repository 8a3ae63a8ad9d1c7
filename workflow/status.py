"""Where a sweep stands, run by run: status.py GRID."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from dsnlib.runs.checkpoint import CHECKPOINT_FILES
from dsnlib.runs.lock import LOCK_FILE
from dsnlib.runs.run import DATA_FILE
from grid import read_grid


def describe(folder: Path, log: Path) -> str:
    """One line on a run.

    Args:
        folder: of the run.
        log: of its training; the notebook of an attempt that failed lies beside it.
    """
    lock, checkpoint = folder / LOCK_FILE, folder / CHECKPOINT_FILES[0]
    if (folder / DATA_FILE).exists():
        return "complete"
    parts = [_progress(checkpoint)] if checkpoint.exists() else []
    if lock.exists():
        return ", ".join(["training", *parts, lock.read_text()])
    if log.exists():
        files = [str(file) for file in (log, log.with_suffix(".ipynb")) if file.exists()]
        return ", ".join(["STOPPED", *parts, "see " + " and ".join(files)])
    return ", ".join(["not started", *parts])


def _progress(checkpoint: Path) -> str:
    try:
        age = time.time() - checkpoint.stat().st_mtime
        with np.load(checkpoint, allow_pickle=False) as members:
            settings = json.loads(str(members["meta"]))["identity"]["settings"]
            epoch, iteration = int(members["state.epoch"]), int(members["state.iteration"])
    except Exception:  # damaged, or just replaced: dsnlib.fit will judge
        return "checkpoint unreadable"
    if "epochs" not in settings:  # population Monte Carlo, whose stages are not known before
        return f"stage {epoch}, iteration {iteration} {age:.0f} s ago"
    share = (epoch + iteration / settings["iterations"]) / settings["epochs"]
    return f"epoch {epoch + 1} of {settings['epochs']}, {share:.0%} done {age:.0f} s ago"


def main(file: str) -> None:
    """Print a line for each run of the grid."""
    grid = read_grid(Path(file))
    width = max(map(len, grid.runs))
    for run in grid.runs:
        line = describe(Path(grid.folder) / run, Path("logs") / grid.folder / f"{run}.log")
        print(f"{run:{width}}  {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])

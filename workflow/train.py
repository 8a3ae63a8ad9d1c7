"""Train one run: execute a notebook up to its call of dsnlib.fit.

train.py NOTEBOOK FOLDER SCRATCH DEVICES PARAMETERS (JSON). What comes after the call, figures and
tables, is the page's, and cannot take a trained network away by failing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat

from dsnlib.runs.session import discard_stale
from execute import device, execute

_CALL = "dsnlib.fit("


def training_part(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook up to and with the cell that trains.

    Args:
        notebook: source.

    Raises:
        ValueError: not exactly one code cell trains.
    """
    found = [
        number
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and _CALL in cell.source
    ]
    if len(found) != 1:
        raise ValueError(
            f"the notebook must call {_CALL}...) in one cell, got it in {len(found)}; mend it"
        )
    notebook.cells = notebook.cells[: found[0] + 1]
    return notebook


def main(notebook: str, folder: str, scratch: str, devices: str, parameters: str) -> None:
    """Train or resume the run; checkpoints that other training code wrote are removed first."""
    for file in discard_stale(Path(folder)):
        print(f"{file} was written by other training code: removed, training starts afresh")
    part = training_part(nbformat.read(notebook, as_version=4))
    with device(devices.split(",") if devices else []):
        execute(part, Path(scratch), {**json.loads(parameters), "out": folder})
    Path(scratch).unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])

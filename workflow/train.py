"""Train one run of a sweep: python -m workflow.train PAGE FOLDER GIVEN [DEVICES].

GIVEN, in JSON, is what the grid gives the run: the name of its method, and the parameters that
do not have the page's defaults. What the page shows is executed later, from the run's data.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dsnlib
from dsnlib.methods import Problem
from dsnlib.runs.folder import discard_stale
from workflow.experiment import experiment
from workflow.processes import device, follow_head
from workflow.sources import parameters, read


def main(page: str, folder: str, given: str, devices: str = "") -> None:
    """Train or resume the run; checkpoints that other training code wrote are removed first.

    SIGTERM, Ctrl-C and the death of the sweep's head end it with a checkpoint, see `dsnlib.fit`.

    Args:
        page: notebook whose parameters have the defaults.
        folder: of the run.
        given: in JSON.
        devices: of which the run takes one, separated by commas; none: what JAX finds.
    """
    train(experiment(parameters(read(Path(page))) | json.loads(given)), Path(folder), devices)


def train(wanted: Problem, folder: Path, devices: str = "") -> None:
    """The same for a run that is known; arguments as of `main`."""
    follow_head()
    with device(devices.split(",") if devices else []):
        for file in discard_stale(folder):
            print(f"{file} was written by other training code: removed, training starts afresh")
        dsnlib.fit(wanted.circuit, wanted.prop, wanted.method, seed=wanted.seed, out=folder)


if __name__ == "__main__":
    main(*sys.argv[1:])

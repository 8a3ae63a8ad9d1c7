"""The systems of the gallery, and the run of each in report/gallery/SYSTEM/run.nc."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import dsnlib
from dsnlib.methods import Problem
from dsnlib.methods.smc import SMCRun
from report.studies.problems import CASES

FOLDER = Path("report/gallery")
_SEED = 1


class System(NamedTuple):
    """A system of the gallery."""

    title: str  # what its page is called
    picture: str  # of its circuit, see `report.figures.plot_circuit`
    shown: tuple[str, ...] | None = None  # parameters in figures and tables, where not all


#: By their names among `report.studies.problems.CASES`.
SYSTEMS = {
    "d2": System("The note's circuit, two conductances", "stg"),
    "d8": System("The circuit, eight conductances", "stg"),
    "d12": System("The circuit, twelve conductances", "stg"),
    "linear2d": System("A linear system in the plane", "linear2d"),
    "rnn10": System("A recurrent network of rank two", "rnn", ("u11", "u12", "v11", "v12")),
    "v1": System("Visual cortex", "v1"),
    "sc": System("Superior colliculus", "sc"),
}


def problem_of(name: str) -> Problem:
    """What the run of a system is asked to do."""
    case = CASES[name]
    return Problem(case.circuit, case.prop, case.method, _SEED)


def run_of(name: str) -> SMCRun:
    """The run of a system; made where it is not there."""
    asked = problem_of(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the page shows the diagnostics
        run = dsnlib.fit(
            asked.circuit, asked.prop, asked.method, seed=asked.seed, out=FOLDER / name
        )
    assert isinstance(run, SMCRun)
    return run

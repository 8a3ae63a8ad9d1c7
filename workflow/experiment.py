"""What a run of a sweep is asked to do, from the parameters of its page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from reprlib import repr as shorten
from typing import Any

from dsnlib import STG, EmergentProperty, _check
from dsnlib.methods import METHODS, Method, Problem
from workflow.files import found

DEFAULT_METHOD = "lagrangian"
#: The page of each method's runs.
PAGES = {"lagrangian": "train.ipynb", "smc": "smc.ipynb"}
#: Where the circuit of all runs, the five-neuron one, is written.
CIRCUIT_FILES = found(
    "src/dsnlib/circuits/stg/*.py",
    "src/dsnlib/circuits/frequency.py",
    "src/dsnlib/circuits/integration.py",
)
_TARGET = {"mean", "sd"}  # of the circuit's one statistic, each a number
_PAGE = {"out"}  # what a page is told besides: where the data lie


def experiment(given: Mapping[str, Any]) -> Problem:
    """The experiment of a run; nothing is simulated.

    Args:
        given: all parameters of the run's page, and the name of the method as `method`. The circuit
            and the method take those that are theirs; `mean` and `sd` are the property's.

    Returns:
        Circuit, property, method and seed, checked.

    Raises:
        TypeError, ValueError: a value that its owner refuses, or a parameter that nobody takes.

    Example:
        >>> given = {"method": "lagrangian", "c0": 100.0, "T": 800, "mean": 0.525, "sd": 0.025}
        >>> found = experiment(given | {"seed": 1})
        >>> found.circuit.T, found.method.c0
        (800, 100.0)
    """
    kind = method_of(given["method"])
    known = {"method", "seed"} | _TARGET | _PAGE | _fields(STG) | _fields(kind)
    if unknown := sorted(given.keys() - known):
        raise ValueError(
            f"neither circuit, property nor method {kind.name} takes {shorten(unknown[0])}; "
            f"choose from {', '.join(sorted(known - {'method'} - _PAGE))}"
        )
    circuit = STG(**_of(STG, given))
    prop = EmergentProperty(mean=[given["mean"]], sd=[given["sd"]])
    prop.check_against(circuit)
    return Problem(circuit, prop, kind(**_of(kind, given)), _check.seed(given["seed"]))


def method_of(name: object) -> type[Method]:
    """The method of that name; ValueError where there is none."""
    if not isinstance(name, str) or name not in METHODS:
        known = ", ".join(sorted(METHODS))
        raise ValueError(f"method must be one of {known}, got {shorten(name)}; pass one of them")
    return METHODS[name]


def _fields(kind: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def _of(kind: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in _fields(kind)}

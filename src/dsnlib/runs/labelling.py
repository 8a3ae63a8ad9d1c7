"""The arrays of a finished run as a labelled dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import xarray as xr

from dsnlib.methods.base import Problem, Result
from dsnlib.property import moment_names, moment_units


def to_dataset(problem: Problem, result: Result, attributes: Mapping[str, Any]) -> xr.Dataset:
    """Label the arrays of a finished run, and add its bounds and targets.

    Args:
        problem: what was asked for.
        result: what the method leaves behind.
        attributes: strings, numbers, or dicts and lists, which are stored as JSON.
    """
    circuit = problem.circuit
    data: dict[str, Any] = {
        name: (variable.dims, result.records[name], {"long_name": variable.meaning})
        for name, variable in problem.method.variables.items()
    }
    data["bounds"] = (
        ("parameter", "bound"),
        circuit.bounds,
        {"long_name": "bounds of the parameters"},
    )
    data["mu"] = (("moment",), problem.prop.mu, {"long_name": "targets of the moments"})
    common = {
        "parameter": [p.name for p in circuit.parameters],
        "moment": moment_names(circuit),
        "bound": ["low", "high"],
        "parameter_units": ("parameter", [p.unit for p in circuit.parameters]),
        "moment_units": ("moment", moment_units(circuit)),
    }
    plain = {
        name: json.dumps(value) if isinstance(value, (dict, list)) else value
        for name, value in {**attributes, **result.attributes}.items()
    }
    return xr.Dataset(data, common | dict(result.coordinates), plain)

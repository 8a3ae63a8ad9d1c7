"""The data of a run as an xarray Dataset in one netCDF file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dsnlib.emergent import moment_names, moment_units
from dsnlib.runs.files import write_atomically
from dsnlib.training.history import VARIABLES, History, step_iterations
from dsnlib.training.problem import Problem


def to_dataset(problem: Problem, history: History, attributes: dict[str, Any]) -> xr.Dataset:
    """Label the arrays of a complete run.

    Args:
        problem: what was trained.
        history: what was recorded.
        attributes: strings, numbers, or dicts and lists, which are stored as JSON.

    Returns:
        A dataset with the variables of `dsnlib.training.history.VARIABLES`, the bounds and the
        targets, and coordinates: `step` in iterations, `epoch` from 1, `snapshot` in epochs done.
    """
    circuit, settings = problem.circuit, problem.settings
    data = {
        name: (variable.dims, history[name], {"long_name": variable.meaning})
        for name, variable in VARIABLES.items()
    }
    data["bounds"] = (
        ("parameter", "bound"),
        circuit.bounds,
        {"long_name": "bounds of the parameters"},
    )
    data["mu"] = (("moment",), problem.prop.mu, {"long_name": "targets of the moments"})
    coordinates = {
        "step": step_iterations(settings.epochs, settings.iterations),
        "epoch": np.arange(1, settings.epochs + 1),
        "snapshot": np.arange(settings.epochs + 1),
        "parameter": [p.name for p in circuit.parameters],
        "moment": moment_names(circuit),
        "bound": ["low", "high"],
        "parameter_units": ("parameter", [p.unit for p in circuit.parameters]),
        "moment_units": ("moment", moment_units(circuit)),
    }
    dataset = xr.Dataset(data, coordinates, _plain(attributes))
    dataset["step"].attrs["long_name"] = "iterations done"
    dataset["snapshot"].attrs["long_name"] = "epochs done"
    return dataset


def write_dataset(path: Path, dataset: xr.Dataset) -> None:
    """Write the dataset to a netCDF file, compressed and atomically; OSError where it cannot be."""
    encoding = {name: {"zlib": True, "complevel": 6} for name in dataset.data_vars}
    write_atomically(
        path, lambda temporary: dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    )


def read_dataset(path: Path) -> xr.Dataset:
    """Read what `write_dataset` wrote; OSError or ValueError where the file is damaged."""
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return dataset.load()


def attribute(dataset: xr.Dataset, name: str) -> Any:
    """The attribute `name` as a Python object."""
    value = dataset.attrs[name]
    if isinstance(value, np.generic):
        return value.item()
    return json.loads(value) if value[:1] in ("{", "[") else value


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if isinstance(value, (dict, list)) else value
        for name, value in attributes.items()
    }

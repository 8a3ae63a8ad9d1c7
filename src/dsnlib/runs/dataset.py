"""The data of a run as an xarray Dataset in one netCDF file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dsnlib.emergent import moment_names, moment_units
from dsnlib.runs.files import write_atomically
from dsnlib.training.history import History, Variable


def to_dataset(
    problem: Any,
    variables: dict[str, Variable],
    history: History,
    coordinates: dict[str, Any],
    attributes: dict[str, Any],
) -> xr.Dataset:
    """Label the arrays of a complete run.

    Args:
        problem: what was trained.
        variables: what was recorded.
        history: the arrays of these variables.
        coordinates: of the method of training.
        attributes: strings, numbers, or dicts and lists, which are stored as JSON.

    Returns:
        A dataset with the variables, the bounds and the targets.
    """
    circuit = problem.circuit
    data = {
        name: (variable.dims, history[name], {"long_name": variable.meaning})
        for name, variable in variables.items()
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
    return xr.Dataset(data, coordinates | common, _plain(attributes))


def write_dataset(path: Path, dataset: xr.Dataset) -> None:
    """Write the dataset to a netCDF file, compressed and atomically, with a checksum.

    Args:
        path: of the file.
        dataset: to write.

    Raises:
        OSError: it cannot be written; `path` is then as it was.
    """
    encoding = {name: {"zlib": True, "complevel": 6} for name in dataset.data_vars}
    signed = dataset.assign_attrs(sha256=_digest(dataset))
    write_atomically(
        path, lambda temporary: signed.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    )


def read_dataset(path: Path) -> xr.Dataset:
    """Read what `write_dataset` wrote.

    Files of the time before there was a checksum are taken as they are.

    Args:
        path: of the file.

    Raises:
        Exception: of various kinds where the file is damaged.
    """
    with xr.open_dataset(path, engine="netcdf4") as opened:
        dataset = opened.load()
    if dataset.attrs.get("sha256", _digest(dataset)) != _digest(dataset):
        raise ValueError("its checksum is wrong")
    return dataset


def _digest(dataset: xr.Dataset) -> str:
    """SHA-256 of all variables and attributes, as they are before writing and after reading."""
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        digest.update(repr((name, variable.dims, variable.shape, _sorted(variable.attrs))).encode())
        if np.issubdtype(variable.dtype, np.number):
            digest.update(variable.dtype.str.encode() + variable.values.tobytes())
        else:
            digest.update(repr([str(value) for value in variable.values.ravel()]).encode())
    attributes = {name: value for name, value in dataset.attrs.items() if name != "sha256"}
    digest.update(repr(_sorted(attributes)).encode())
    return digest.hexdigest()


def _sorted(attributes: dict[str, Any]) -> list[tuple[str, Any]]:
    """Attributes by name, numpy's numbers as Python's."""
    return sorted(
        (name, value.item() if isinstance(value, np.generic) else value)
        for name, value in attributes.items()
    )


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

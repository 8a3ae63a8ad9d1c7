"""xarray datasets in netCDF files that are whole, or not there at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dsnlib.storage.files import write_atomically


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

"""Loading a complete run from its folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import xarray as xr

from dsnlib.methods import METHODS, Run
from dsnlib.storage.dataset import read_dataset
from dsnlib.storage.files import checked_path

DATA_FILE = "run.nc"
_ATTRIBUTES = ("method", "circuit", "parameters", "observables", "property", "settings", "seed")


def load_run(path: str | os.PathLike[str]) -> Run[Any]:
    """Load a complete run. The circuit's class need not be importable.

    Args:
        path: its folder.

    Returns:
        The run, of the kind that its method's runs have.

    Raises:
        FileNotFoundError: the folder holds no complete run.
        ValueError: its data file is damaged, or of a method that is not known.
    """
    file = checked_path("path", path) / DATA_FILE
    if not file.is_file():
        raise FileNotFoundError(
            f"path must be the folder of a complete run, got {str(path)!r} without {DATA_FILE}; "
            "train it with dsnlib.fit, which also resumes a run that was stopped"
        )
    try:
        data = _with_method(read_dataset(file))
    except Exception as error:  # of whatever kind: damage may strike the headers too
        raise ValueError(
            f"{file} cannot be read ({error}); restore it, or remove it to train afresh"
        ) from error
    _check_complete(file, set(_ATTRIBUTES) - data.attrs.keys())
    name = str(data.attrs["method"])
    if name not in METHODS:
        raise ValueError(
            f"{file} must be of a known method ({', '.join(sorted(METHODS))}), got {name!r}; "
            "import the module that defines it, or read the file with xarray"
        )
    _check_complete(file, METHODS[name].variables.keys() - data.keys())
    return METHODS[name].run(data)


def _check_complete(file: Path, missing: Collection[str]) -> None:
    if missing:
        raise ValueError(
            f"{file} is not the data of a run (it lacks {', '.join(sorted(missing))}); "
            "restore it, or choose another folder"
        )


def _with_method(data: xr.Dataset) -> xr.Dataset:
    """Name the method in files of versions before 0.2, which knew only the augmented Lagrangian.

    (Their population Monte Carlo has no successor that could read its files.)
    """
    if "method" in data.attrs or "settings" not in data.attrs:
        return data
    if "lam" not in data:
        raise ValueError("it holds a run of population Monte Carlo, which version 0.2 replaced")
    return data.assign_attrs(method="lagrangian")

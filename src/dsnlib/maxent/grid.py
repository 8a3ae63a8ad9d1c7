"""A circuit's statistics at the midpoints of a regular grid over its parameters, kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from pathlib import Path

import jax
import numpy as np
import platformdirs
import xarray as xr
from tqdm.auto import tqdm

from dsnlib import _check
from dsnlib.circuits import Circuit
from dsnlib.storage.dataset import read_dataset, write_dataset

_PROBES = 4  # points at which a simulator outside JAX is told from others
_CHUNK = 10_000  # points a call: bounds the memory that the simulation takes
_MOST_PARAMETERS = 3
_MOST_POINTS = 2**26
_SHOW_PROGRESS_AFTER = 2  # s


def statistics_grid(circuit: Circuit, cells: int) -> xr.DataArray:
    """All statistics of a circuit at the midpoints of a grid, in double precision.

    The grid is computed once and kept in the user's cache folder (or in `DSNLIB_CACHE`), under a
    key of the compiled program, so any change of the circuit's code or constants makes a new one.

    Args:
        circuit: with one to three parameters.
        cells: number of cells along each parameter, at least 2.

    Returns:
        (cells, .., cells, S) statistics; the first dimensions and their coordinates are the
        parameters, in their order and units, the last one names the statistics.

    Raises:
        TypeError, ValueError: cells is not whole or below 2, too many points, or a circuit of more
            than three parameters.

    Example:
        >>> from dsnlib import STG
        >>> statistics_grid(STG(T=50), cells=4).sizes
        Frozen({'g_el': 4, 'g_synA': 4, 'statistic': 1})
    """
    cells = _check.whole("cells", cells, at_least=2)
    _check.instance("circuit", circuit, Circuit)
    circuit.check_evaluate()
    dimension = len(circuit.parameters)
    if dimension > _MOST_PARAMETERS:
        raise ValueError(
            f"circuit must have at most {_MOST_PARAMETERS} parameters for a grid, got {dimension} "
            f"({', '.join(p.name for p in circuit.parameters)}); fix some of them"
        )
    if cells**dimension > _MOST_POINTS:
        most = int(_MOST_POINTS ** (1 / dimension))
        raise ValueError(
            f"cells must be at most {most} for {dimension} parameters, got {cells}; "
            "choose a coarser grid"
        )
    key = f"{_key(circuit, cells)}.nc"
    try:
        return read_dataset(_cache_folder() / key)["statistics"]
    except (OSError, ValueError, KeyError, RuntimeError):  # missing, or damaged: computed afresh
        grid = _computed(circuit, cells)
    try:
        folder = _cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        write_dataset(folder / key, grid.to_dataset(name="statistics"))
    except (OSError, RuntimeError) as error:  # the latter where there is no home directory
        warnings.warn(f"the grid was not kept for next time: {error}", stacklevel=2)
    return grid


def midpoints(circuit: Circuit, cells: int) -> list[np.ndarray]:
    """Midpoints (cells,) of the cells along each parameter."""
    return [p.low + (p.high - p.low) * (np.arange(cells) + 0.5) / cells for p in circuit.parameters]


def _cache_folder() -> Path:
    return Path(os.environ.get("DSNLIB_CACHE") or platformdirs.user_cache_dir("dsnlib"))


def _key(circuit: Circuit, cells: int) -> str:
    """Digest of all that the grid depends on: the program that computes it, grid and versions."""
    with jax.enable_x64(True):
        points = jax.ShapeDtypeStruct((2, len(circuit.parameters)), "float64")
        program = jax.jit(circuit.evaluate).lower(points).as_text()
    names = [o.name for o in circuit.observables]
    parameters = [(p.name, p.unit, p.low, p.high) for p in circuit.parameters]
    facts = [program, names, parameters, cells, jax.__version__, jax.devices()[0].platform]
    if "callback" in program:  # which does not tell what a simulator outside JAX computes
        low, high = circuit.bounds.T
        z = low + (high - low) * np.random.default_rng(0).random((_PROBES, len(low)))
        facts += [circuit.configuration(), np.asarray(circuit.statistics(z), float).tolist()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _computed(circuit: Circuit, cells: int) -> xr.DataArray:
    axes = midpoints(circuit, cells)
    shape = (cells,) * len(axes)
    total = cells ** len(axes)
    values = np.empty((total, len(circuit.observables)))
    starts = range(0, total, _CHUNK)
    with jax.enable_x64(True):
        for start in tqdm(
            starts, desc=f"grid of {total:,} points", delay=_SHOW_PROGRESS_AFTER, leave=False
        ):
            index = np.unravel_index(np.arange(start, min(start + _CHUNK, total)), shape)
            points = np.stack([axis[i] for axis, i in zip(axes, index, strict=True)], axis=1)
            values[start : start + len(points)] = circuit.statistics(points)
    names = [p.name for p in circuit.parameters]
    grid = xr.DataArray(
        values.reshape(*shape, -1),
        {**dict(zip(names, axes, strict=True)), "statistic": [o.name for o in circuit.observables]},
        (*names, "statistic"),
        name="statistics",
        attrs={"units": ", ".join(o.unit for o in circuit.observables)},
    )
    for p in circuit.parameters:
        grid[p.name].attrs["units"] = p.unit
    return grid

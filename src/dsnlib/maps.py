"""A circuit's statistic over the plane of its two parameters, and the regions of its band."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import ndimage

from dsnlib import _check
from dsnlib.circuits import Circuit
from dsnlib.emergent import EmergentProperty

_CHUNK = 10_000  # points a call: bounds the memory that the simulation takes


def statistic_map(circuit: Circuit, cells: int) -> xr.DataArray:
    """The first statistic of a circuit with two parameters, at the midpoints of a grid.

    Args:
        circuit: with two parameters.
        cells: number of cells along each parameter, at least 2.

    Returns:
        (cells, cells) statistic; dimensions and coordinates are the two parameters, in their order.

    Raises:
        TypeError, ValueError: cells is not whole or below 2, or the circuit has other than two
            parameters.

    Example:
        >>> from dsnlib import STG
        >>> statistic_map(STG(T=50), cells=4).sizes
        Frozen({'g_el': 4, 'g_synA': 4})
    """
    cells = _check.whole("cells", cells, at_least=2)
    if len(circuit.parameters) != 2:
        raise ValueError(
            f"circuit must have two parameters for a map, got {len(circuit.parameters)}; "
            "choose another circuit"
        )
    midpoints = [
        p.low + (p.high - p.low) * (np.arange(cells) + 0.5) / cells for p in circuit.parameters
    ]
    points = np.stack(np.meshgrid(*midpoints, indexing="ij"), axis=-1).reshape(-1, 2)
    chunks = np.array_split(points, -(-len(points) // _CHUNK))
    values = [np.asarray(circuit.statistics(z))[:, 0] for z in chunks]
    observable = circuit.observables[0]
    labelled = xr.DataArray(
        np.concatenate(values).reshape(cells, cells),
        list(zip([p.name for p in circuit.parameters], midpoints, strict=True)),
        name=observable.name,
        attrs={"units": observable.unit},
    )
    for p in circuit.parameters:
        labelled[p.name].attrs["units"] = p.unit
    return labelled


class Region(NamedTuple):
    """A connected region of the band."""

    mask: np.ndarray  # (cells, cells), True inside
    area: float  # share of the plane
    centre: tuple[float, float]  # mean of its points, in the parameters' units


def band_regions(values: xr.DataArray, prop: EmergentProperty, least: float) -> list[Region]:
    """Connected regions of the band |f - mean| < sd, the largest first.

    Cells that share an edge or a corner are connected.

    Args:
        values: a map as `statistic_map` returns it.
        prop: mean and sd of the band.
        least: areas below this share of the plane are left out.

    Returns:
        The regions.
    """
    band = np.abs(values.values - prop.mean[0]) < prop.sd[0]
    labels, count = ndimage.label(band, structure=np.ones((3, 3)))
    axes = [values[dim].values for dim in values.dims]
    regions = []
    for label in range(1, count + 1):
        mask = labels == label
        rows, columns = np.nonzero(mask)
        centre = (float(axes[0][rows].mean()), float(axes[1][columns].mean()))
        regions.append(Region(mask, float(mask.mean()), centre))
    return sorted((r for r in regions if r.area >= least), key=lambda r: -r.area)

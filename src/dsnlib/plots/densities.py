"""Densities over the plane of two parameters."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm

from dsnlib.flows import DensityNetwork
from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods import Run
from dsnlib.plots.plane import draw_plane, plot_map, root_cells

_CELLS = 250  # of a network's density along either axis
_WHITE, _BLACK = 0.04, 4_000  # of the uniform density


def density_map(run: Run[Any], epoch: int, cells: int = _CELLS) -> xr.DataArray:
    """The density of a run's network over the plane of its two parameters.

    Args:
        run: of a circuit with two parameters.
        epoch: epochs done, as in `Run.network`.
        cells: of the grid along either axis; they grow with the distance from the lower bound,
            as square roots do that are evenly spaced.

    Returns:
        (cells, cells) density per unit area; dimensions are the parameters.
    """
    data = run.data
    axes = [root_cells(low, high, cells) for low, high in data.bounds.values]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    density = np.exp(_log_prob(run.network(epoch), jnp.asarray(points)))
    names, units = data.parameter.values.tolist(), data.parameter_units.values.tolist()
    labelled = xr.DataArray(
        np.asarray(density).reshape(cells, cells), dict(zip(names, axes, strict=True)), names
    )
    for name, unit in zip(names, units, strict=True):
        labelled[name].attrs["units"] = unit
    return labelled


@jax.jit
def _log_prob(network: DensityNetwork, z: jax.Array) -> jax.Array:
    """The network's log-density, compiled once for all networks of one architecture."""
    return network.log_prob(z)


def plot_density(ax: Axes, density: xr.DataArray, exact: ExactMaxEnt) -> QuadMesh:
    """Draw a density in greys on a logarithmic scale, below the target band and the regions.

    Args:
        ax: where to.
        density: per unit area.
        exact: the exact answer, for the band and the regions.

    Returns:
        The mesh, for a colour bar.
    """
    bounds = exact.circuit.bounds
    uniform = 1 / np.prod(np.diff(bounds))
    shades = LogNorm(_WHITE * uniform, _BLACK * uniform, clip=True)
    mesh = plot_map(ax, density, cmap="Greys", norm=shades)
    draw_plane(ax, exact, statistic=False)
    return mesh

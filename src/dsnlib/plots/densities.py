"""Densities over the plane: the exact one, and those of networks around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from dsnlib.exact import ExactMaxEnt
from dsnlib.flows import DensityNetwork
from dsnlib.judging import Judged
from dsnlib.plots.maps import outline_modes, plot_map
from dsnlib.plots.style import per_cent, run_name
from dsnlib.runs import Run

_CELLS = 250  # of a network's density along either axis
_TICKS = (0.2, 1, 2, 5, 10, 20)
_NORM = LogNorm(1e-4, 10, clip=True)  # per square unit; the uniform density is 0.0025


def density_map(run: Run, epoch: int, cells: int = _CELLS) -> xr.DataArray:
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
    part = ((np.arange(cells) + 0.5) / cells) ** 2
    axes = [low + (high - low) * part for low, high in data.bounds.values]
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
    """Draw a density in greys on a logarithmic scale, the modes' outlines, axes as square roots.

    Args:
        ax: where to.
        density: per unit area.
        exact: the exact answer, for the modes.

    Returns:
        The mesh, for a colour bar.
    """
    mesh = plot_map(ax, density, cmap="Greys", norm=_NORM)
    outline_modes(ax, exact)
    widen_small(ax)
    return mesh


def widen_small(ax: Axes) -> None:
    """Scale both axes as square roots, which widens the corner of small conductances."""
    roots = (lambda values: np.sqrt(np.maximum(values, 0)), np.square)
    ax.set_xscale("function", functions=roots)
    ax.set_yscale("function", functions=roots)
    ax.set(xlim=(0, _TICKS[-1]), ylim=(0, _TICKS[-1]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(_TICKS, [f"{tick:g}" for tick in _TICKS])


def plot_overview(runs: Sequence[Judged], exact: ExactMaxEnt) -> Figure:
    """The exact density in the middle, the networks with small c0 above and with large c0 below.

    Args:
        runs: judged, of two values of c0 at most.
        exact: the exact answer for their circuit and property.

    Returns:
        The figure; above each network stands its mass in the modes.
    """
    c0s = sorted({judged.run.settings.c0 for judged in runs})
    rows = [[judged for judged in runs if judged.run.settings.c0 == c0] for c0 in c0s]
    columns = max(4, *map(len, rows))
    heights = [2.1, 2.9, 2.1][: 1 + len(rows)]
    figure = plt.figure(figsize=(7.5, sum(heights)))
    # Each row is laid out by itself.
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights)
    middle = parts[1].add_subplot(parts[1].add_gridspec(1, columns)[1 : columns - 1])
    mesh = plot_density(middle, _coarser(exact.density), exact)
    masses = _masses({mode.name: mode.mass for mode in exact.modes})
    middle.set_title(f"the exact answer\n{masses}", fontweight="bold")
    unit = exact.density[exact.density.dims[0]].attrs["units"]
    parts[1].colorbar(mesh, ax=middle, label=f"density (1/{unit}²)", extend="both")
    for part, members in zip(parts[::2], rows, strict=False):
        grid = part.add_gridspec(1, columns)
        for column, judged in enumerate(members):
            ax = part.add_subplot(grid[column])
            plot_density(ax, density_map(judged.run, -1), exact)
            last = judged.judged.mode_mass.isel(snapshot=-1)
            shares = {name: float(last.sel(mode=name)) for name in last.mode.values[:2]}
            ax.set_title(f"{run_name(judged.run)}\n{_masses(shares)}", fontsize=8)
            ax.set(xlabel="", ylabel="")
            ax.tick_params(labelsize=7)
    return figure


def _coarser(density: xr.DataArray) -> xr.DataArray:
    """Means over blocks, to about the resolution of the networks' maps."""
    block = max(1, len(density) // (2 * _CELLS))
    coarse = density.coarsen(dict.fromkeys(density.dims, block), boundary="trim").mean()
    for dim in density.dims:
        coarse[dim].attrs = density[dim].attrs
    return coarse


def _masses(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {per_cent(share)} %" for name, share in shares.items())

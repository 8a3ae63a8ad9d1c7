"""Maps over two parameters, and samples on them."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.style import BAND_COLOUR, mode_colour
from dsnlib.property import EmergentProperty

_COLUMNS = 5


def plot_map(ax: Axes, values: xr.DataArray, **options: Any) -> QuadMesh:
    """Draw a map.

    Args:
        ax: where to.
        values: (cells, cells) over the parameters, such as a statistic of `ExactMaxEnt.grid`.
        options: for matplotlib's `pcolormesh`.

    Returns:
        The mesh, for a colour bar.
    """
    x, y = values.dims
    mesh = ax.pcolormesh(values[x], values[y], values.values.T, rasterized=True, **options)
    name_axes(ax, values)
    return mesh


def shade_band(ax: Axes, values: xr.DataArray, prop: EmergentProperty) -> None:
    """Shade where the statistic, on evenly spaced cells, lies within one sd of its target."""
    inside = abs(values - prop.mean[0]) < prop.sd[0]
    draw_grid(ax, inside.where(inside), cmap=ListedColormap([BAND_COLOUR]), alpha=0.45)


def draw_grid(ax: Axes, values: xr.DataArray, **options: Any) -> None:
    """Draw a map of evenly spaced cells on linear axes, which is many times faster than a mesh."""
    (left, right), (bottom, top) = (_borders(values[dim].values) for dim in values.dims)
    ax.imshow(
        values.values.T, origin="lower", aspect="auto", extent=(left, right, bottom, top), **options
    )
    name_axes(ax, values)


def _borders(midpoints: np.ndarray) -> tuple[float, float]:
    """Where the first cell begins and the last one ends."""
    half = (midpoints[-1] - midpoints[0]) / (len(midpoints) - 1) / 2
    return midpoints[0] - half, midpoints[-1] + half


def name_axes(ax: Axes, values: xr.DataArray) -> None:
    """Label both axes with the parameters of a map and their units."""
    x, y = values.dims
    ax.set_xlabel(f"{x} ({values[x].attrs['units']})")
    ax.set_ylabel(f"{y} ({values[y].attrs['units']})")


def outline_modes(ax: Axes, exact: ExactMaxEnt, linestyle: str = "solid") -> None:
    """Draw the borders of the modes, each in its colour."""
    x, y = exact.labels.dims
    for k, mode in enumerate(exact.modes):
        ax.contour(
            exact.labels[x], exact.labels[y], (exact.labels.values == k).T,
            levels=[0.5], colors=[mode_colour(mode.name)], linewidths=1.2, linestyles=linestyle,
        )  # fmt: skip


def plot_snapshots(run: LagrangianRun, values: xr.DataArray, zoom: bool = False) -> Figure:
    """Samples at the start of every epoch and at the end, coloured by log q, over a map.

    Args:
        run: of a circuit with two parameters.
        values: map of the circuit's statistic, on evenly spaced cells.
        zoom: cut each panel to where its samples are (the middle 96 % along either axis).

    Returns:
        The figure, one panel a snapshot, named after its epoch.
    """
    data = run.data
    last = data.sizes["snapshot"] - 1
    columns = min(_COLUMNS, last + 1)
    rows = -(-(last + 1) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(7.5, 1.7 * rows), squeeze=False)
    low, high = np.nanpercentile(data.log_q, [2, 98])
    for panel, ax in enumerate(axes.flat):
        if panel > last:
            ax.set_visible(False)
            continue
        draw_grid(ax, values, cmap="Greys", alpha=0.5)
        shade_band(ax, values, run.prop)
        z = data.z.isel(snapshot=panel).values
        points = ax.scatter(
            *z.T, c=data.log_q.isel(snapshot=panel), s=2, linewidths=0, vmin=low, vmax=high,
            cmap="plasma", rasterized=True,
        )  # fmt: skip
        ax.set_title(f"start of {panel + 1}" if panel < last else f"end of {last}", fontsize=9)
        ax.locator_params(nbins=3)
        ax.tick_params(labelsize=8)
        if zoom:
            (left, bottom), (right, top) = np.percentile(z, [2, 98], axis=0)
            ax.set(xlim=(left, right), ylim=(bottom, top))
        if panel % columns:
            ax.set_ylabel("")
        if panel + columns <= last:
            ax.set_xlabel("")
    unit = values[values.dims[0]].attrs["units"]
    figure.colorbar(points, ax=axes, label=f"log q (nat, density per {unit}²)", shrink=0.6)
    return figure

"""The plane of a circuit's two parameters, drawn alike in every figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator

from dsnlib.maxent import ExactMaxEnt
from dsnlib.plots.style import BAND_COLOUR, mode_colour

BACKGROUND = "_background"  # label of what `draw_plane` draws; legends leave it out
_CELLS = 400  # of what is drawn along either axis
_TICKS = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 1])  # of the way from the lower to the upper bound
_MARGIN = 0.2  # around a region, of its extent


def draw_plane(ax: Axes, exact: ExactMaxEnt, statistic: bool = True) -> None:
    """Draw the map on which every figure shows samples.

    The circuit's statistic is grey (the darker, the larger), the target band within one sd of the
    target mean is green, regions have outlines in their colours, and both axes are scaled as
    square roots, which widens the corner of small parameters. Each artist has the label
    `BACKGROUND`, which tells the map from what is drawn on it.

    Args:
        ax: where to.
        exact: the exact answer of a circuit with two parameters, for its first statistic.
        statistic: whether to draw the greys too.
    """
    before = set(ax.collections)
    values = as_roots(exact.grid.isel(statistic=0))
    if statistic:
        plot_map(ax, values, cmap="Greys", alpha=0.3)
    shade_band(ax, values, exact)
    _outline(ax, as_roots(exact.labels), exact, "solid")
    for artist in set(ax.collections) - before:
        artist.set_label(BACKGROUND)
    name_axes(ax, values)
    widen_small(ax, exact.circuit.bounds)


def zoom_in(ax: Axes, exact: ExactMaxEnt, region: str) -> None:
    """Cut a map to the surroundings of a region, on linear axes.

    Args:
        ax: with a map.
        exact: the exact answer that has the region.
        region: its name.
    """
    k = [mode.name for mode in exact.modes].index(region)
    ax.set(xscale="linear", yscale="linear")
    limits = []
    for values, bounds in zip(_extent(exact, k), exact.circuit.bounds, strict=True):
        room = _MARGIN * np.ptp(values)
        limits.append(np.clip([values[0] - room, values[1] + room], *bounds))
    ax.set(xlim=limits[0], ylim=limits[1])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter("{x:g}")


def _extent(exact: ExactMaxEnt, k: int) -> list[np.ndarray]:
    """Where the cells of the kth mode begin and end along each axis."""
    cells = np.nonzero(exact.labels.values == k)
    found = []
    for dim, index in zip(exact.labels.dims, cells, strict=True):
        low, high = _borders(exact.labels[dim].values)
        width = (high - low) / exact.labels.sizes[dim]
        found.append(low + width * np.array([index.min(), index.max() + 1]))
    return found


def as_roots(values: xr.DataArray) -> xr.DataArray:
    """A map on cells that grow with the distance from the lower bounds, as square roots do.

    Args:
        values: on evenly spaced cells.

    Returns:
        Of each new cell the value at the nearest old midpoint.
    """
    axes = {dim: root_cells(*_borders(values[dim].values), _CELLS) for dim in values.dims}
    nearest = values.sel(axes, method="nearest").assign_coords(axes)
    for dim in values.dims:
        nearest[dim].attrs = values[dim].attrs
    return nearest


def root_cells(low: float, high: float, cells: int) -> np.ndarray:
    """Midpoints of cells whose borders have evenly spaced square roots.

    Args:
        low: where the first cell begins; roots are those of the distance from here.
        high: where the last cell ends.
        cells: how many.

    Returns:
        (cells,) midpoints, in the scale of the roots.
    """
    part: np.ndarray = ((np.arange(cells) + 0.5) / cells) ** 2
    return low + (high - low) * part


def _borders(midpoints: np.ndarray) -> tuple[float, float]:
    """Where the first of evenly spaced cells begins and the last one ends."""
    half = (midpoints[-1] - midpoints[0]) / (len(midpoints) - 1) / 2
    return float(midpoints[0] - half), float(midpoints[-1] + half)


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


def shade_band(ax: Axes, values: xr.DataArray, exact: ExactMaxEnt) -> None:
    """Shade where the first statistic lies within one sd of its target.

    Args:
        ax: where to.
        values: (cells, cells) of the statistic.
        exact: the exact answer, for the target.
    """
    inside = abs(values - exact.prop.mean[0]) < exact.prop.sd[0]
    plot_map(ax, inside.where(inside), cmap=ListedColormap([BAND_COLOUR]), alpha=0.45)


def name_axes(ax: Axes, values: xr.DataArray) -> None:
    """Label both axes with the parameters of a map and their units."""
    x, y = values.dims
    ax.set_xlabel(f"{x} ({values[x].attrs['units']})")
    ax.set_ylabel(f"{y} ({values[y].attrs['units']})")


def outline_modes(ax: Axes, exact: ExactMaxEnt, linestyle: str = "solid") -> None:
    """Draw the borders of the modes, each in its colour, as exactly as they are known."""
    _outline(ax, exact.labels, exact, linestyle)


def _outline(ax: Axes, labels: xr.DataArray, exact: ExactMaxEnt, linestyle: str) -> None:
    x, y = labels.dims
    for k, mode in enumerate(exact.modes):
        ax.contour(
            labels[x], labels[y], (labels.values == k).T,
            levels=[0.5], colors=[mode_colour(mode.name)], linewidths=1.2, linestyles=linestyle,
        )  # fmt: skip


def widen_small(ax: Axes, bounds: np.ndarray) -> None:
    """Scale both axes as square roots, which widens the corner of small parameters.

    Args:
        ax: whose axes are scaled.
        bounds: (2, 2) lower and upper bound of both parameters.
    """
    x, y = bounds
    ax.set_xscale("function", functions=_roots(x[0]))
    ax.set_yscale("function", functions=_roots(y[0]))
    ax.set(xlim=x, ylim=y)
    for axis, (low, high) in ((ax.xaxis, x), (ax.yaxis, y)):
        ticks = low + _TICKS * (high - low)
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])


def _roots(low: float) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The square root of the distance from a bound, and its inverse."""
    return (
        lambda values: np.sqrt(np.maximum(values - low, 0)),
        lambda roots: low + np.square(roots),
    )

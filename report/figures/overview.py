"""The exact density, and those of networks around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dsnlib.maxent import ExactMaxEnt
from dsnlib.plots import density_map, plot_density, run_name
from dsnlib.plots.plane import as_roots
from report.judged import JudgedLagrangian
from report.text import per_cent


def plot_overview(runs: Sequence[JudgedLagrangian], exact: ExactMaxEnt) -> Figure:
    """The exact density in the middle, the networks with small c0 above and with large c0 below.

    Args:
        runs: judged, of two values of c0 at most.
        exact: the exact answer for their circuit and property.

    Returns:
        The figure; above each network stands its mass in the modes.
    """
    c0s = sorted({judged.run.method.c0 for judged in runs})
    rows = [[judged for judged in runs if judged.run.method.c0 == c0] for c0 in c0s]
    columns = max(4, *map(len, rows))
    heights = [2.1, 2.9, 2.1][: 1 + len(rows)]
    figure = plt.figure(figsize=(7.5, sum(heights)))
    # Each row is laid out by itself.
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights)
    middle = parts[1].add_subplot(parts[1].add_gridspec(1, columns)[1 : columns - 1])
    mesh = plot_density(middle, as_roots(exact.density), exact)
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


def _masses(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {per_cent(share)} %" for name, share in shares.items())

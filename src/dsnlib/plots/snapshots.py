"""Samples of a network, epoch by epoch, over the plane of two parameters."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.plane import draw_plane

_COLUMNS = 4


def plot_snapshots(run: LagrangianRun, exact: ExactMaxEnt) -> Figure:
    """Samples at the start of every epoch and at the end, coloured by log q.

    Args:
        run: of a circuit with two parameters.
        exact: the exact answer, for the map on which they lie; its limits are those of all panels.

    Returns:
        The figure, one panel a snapshot, named after its epoch.
    """
    data = run.data
    last = data.sizes["snapshot"] - 1
    rows = -(-(last + 1) // _COLUMNS)
    figure, axes = plt.subplots(
        rows, _COLUMNS, figsize=(7.5, 1.8 * rows + 0.7), squeeze=False, sharex=True, sharey=True
    )
    low, high = np.nanpercentile(data.log_q, [2, 98])
    for panel, ax in enumerate(axes.flat):
        if panel > last:
            ax.set_visible(False)
            continue
        draw_plane(ax, exact)
        points = ax.scatter(
            *data.z.isel(snapshot=panel).values.T, c=data.log_q.isel(snapshot=panel), s=3,
            linewidths=0, vmin=low, vmax=high, cmap="plasma", rasterized=True,
        )  # fmt: skip
        ax.set_title(f"start of {panel + 1}" if panel < last else f"end of {last}", fontsize=9)
        ax.tick_params(labelsize=7)
        # The panels below may be missing.
        ax.tick_params(labelbottom=panel + _COLUMNS > last)
        ax.set_xlabel(ax.get_xlabel() if panel + _COLUMNS > last else "")
        ax.set_ylabel("" if panel % _COLUMNS else ax.get_ylabel())
    unit = data.parameter_units.values[0]
    figure.colorbar(
        points, ax=axes, location="bottom", shrink=0.5, aspect=40,
        label=f"log q (nat, density per {unit}²)",
    )  # fmt: skip
    return figure

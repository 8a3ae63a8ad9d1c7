"""The phase diagram of the augmented Lagrangian, one number at a time."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from report.figures.colours import GRADIENT_COLOURS


def plot_phase(points: Mapping[str, Mapping[str, xr.Dataset]], what: str, label: str) -> Figure:
    """One number of every run of the phase study at its end, by setting and gradient estimator.

    Args:
        points: for each gradient estimator the data of each setting, in the order of the axis.
        what: a variable of the data over seed and snapshot.
        label: of the axis.

    Returns:
        The figure: a dot a run, a line at each median.
    """
    names = list(next(iter(points.values())))
    figure, ax = plt.subplots(figsize=(7.5, 0.26 * len(names) + 1.1))
    for shift, (gradient, settings) in zip((-0.17, 0.17), points.items(), strict=True):
        colour = GRADIENT_COLOURS[gradient]
        for row, name in enumerate(names):
            values = settings[name][what].isel(snapshot=-1).values
            heights = row + shift + np.linspace(-0.08, 0.08, len(values))
            ax.plot(values, heights, "o", markersize=3.5, color=colour, alpha=0.8,
                    label=gradient if row == 0 else None)  # fmt: skip
            ax.plot([np.median(values)] * 2, row + shift + np.array([-0.14, 0.14]), color=colour)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.grid(axis="y", color="0.92")
    ax.set_xlabel(label)
    ax.legend(title="gradient", loc="upper left", bbox_to_anchor=(1, 1))
    return figure

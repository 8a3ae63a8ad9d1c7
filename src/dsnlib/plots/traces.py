"""Activity against time at samples of every region."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dsnlib.answer import Regions, traces
from dsnlib.methods.run import Run
from dsnlib.plots.parameters import region_colour

_MOST = 4  # regions


def plot_traces(run: Run[Any], regions: Regions, per_region: int = 3) -> Figure:
    """Activity at samples of the largest four regions, drawn at random: a column a sample.

    Args:
        run: from `dsnlib.fit`, of a circuit that is `dsnlib.answer.Traced`.
        regions: of its answer.
        per_region: number of samples of each.

    Returns:
        The figure, a block of rows for each region and a row for each label of the traces, all
        blocks with the same axes.

    Raises:
        ValueError: as `dsnlib.answer.traces`.
    """
    t, found = traces(run, regions, per_region)
    found = found[:_MOST]
    labels = list(found[0])
    figure = plt.figure(figsize=(7.5, len(found) * (0.5 + 0.62 * len(labels)) + 0.5))
    blocks = figure.subfigures(len(found), 1, squeeze=False).flat
    for region, (block, arrays) in enumerate(zip(blocks, found, strict=True)):
        axes = block.subplots(len(labels), per_region, squeeze=False, sharex=True, sharey="row")
        for row, label in zip(axes, labels, strict=True):
            every = np.concatenate([each[label].ravel() for each in found])
            low, high = np.nanmin(every), np.nanmax(every)
            margin = 0.05 * (high - low) or 1
            for ax, values in zip(row, arrays[label], strict=False):
                ax.plot(t, values, color=region_colour(region), linewidth=0.9)
            row[0].set_ylim(low - margin, high + margin)
            row[0].set_ylabel(
                label.replace(" (", "\n("), rotation=0, ha="right", va="center", fontsize=8
            )
            for ax in row:
                ax.tick_params(labelsize=7)
        for ax in axes[:, len(arrays[labels[0]]) :].flat:
            ax.set_visible(False)
        if region == len(found) - 1:
            for ax in axes[-1]:
                ax.set_xlabel("time (s)")
        share = regions.table.share[region]
        block.suptitle(f"region {region + 1} ({100 * share:.0f} % of the samples)", fontsize=9)
    return figure

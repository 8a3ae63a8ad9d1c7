"""Figures on why networks lose modes: gradients of the constraint, and what flows can represent."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from dsnlib.maxent import ExactMaxEnt
from dsnlib.plots.plane import draw_plane, zoom_in
from dsnlib.plots.style import C0_LINES, seed_colour
from report.figures.colours import GRADIENT_COLOURS
from report.names import title, varied


def _line(run: str) -> tuple[str, str]:  # colour and dashes
    values = varied(run)
    return seed_colour(int(values["seed"])), C0_LINES.get(values["c0"], ":")


def plot_tails(data: xr.Dataset) -> Figure:
    """How often the contribution of a sample exceeds a size, and Hill's index of that tail.

    Args:
        data: of `report.studies.gradients`.

    Returns:
        The figure, with a panel for each estimator and one for the index.
    """
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.5, 3.3), width_ratios=(1, 1, 1.1))
    for run in data.run.values:
        colour, dashes = _line(run)
        for ax, kind in ((left, "pathwise"), (middle, "score")):
            norm = data.focus_norm.sel(run=run, kind=kind)
            size = norm / norm.sel(exceedance=0.5, method="nearest")
            ax.plot(size, data.exceedance, dashes, color=colour, label=title(run))
            tail = data.tail_index.sel(run=run, kind=kind)
            right.errorbar(
                data.tail_size, tail.sel(estimate="value"), tail.sel(estimate="se"),
                color=GRADIENT_COLOURS[kind], linewidth=0.8, capsize=1.5,
            )  # fmt: skip
    for ax, kind in ((left, "pathwise"), (middle, "score")):
        ax.set(xscale="log", yscale="log", xlabel="|g| / its median", title=kind)
        ax.set_xlim(left=0.1)
    left.set_ylabel("share of samples beyond")
    for alpha in (1, 2):
        right.axhline(alpha, color="0.4", linestyle="--", linewidth=0.8)
    right.set(xscale="log", yscale="log", xlabel="largest samples used", ylabel="tail index")
    right.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    right.minorticks_off()
    for kind, colour in GRADIENT_COLOURS.items():
        right.plot([], [], color=colour, label=kind)
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=2)
    columns = (len(data.run) + 1) // 2
    by_row = [row for column in range(columns) for row in range(column, len(data.run), columns)]
    handles, labels = left.get_legend_handles_labels()
    figure.legend(
        [handles[i] for i in by_row], [labels[i] for i in by_row],
        loc="outside lower center", ncols=columns,
    )  # fmt: skip
    return figure


def plot_steep(data: xr.Dataset, exact: ExactMaxEnt, runs: list[str]) -> Figure:
    """Where samples sit on the map of f, coloured by |df/dz|, and where the steepest do.

    Args:
        data: of `report.studies.gradients`.
        exact: whose grid is the map.
        runs: names of those to show, one row each.

    Returns:
        The figure: the plane on the left, the surroundings of the lower mode on the right.
    """
    figure, axes = plt.subplots(len(runs), 2, figsize=(7.5, 3.1 * len(runs)), squeeze=False)
    for row, run in zip(axes, runs, strict=True):
        at = data.sel(run=run)
        for ax, size in zip(row, (2, 8), strict=True):
            draw_plane(ax, exact)
            points = ax.scatter(
                *at.shown_z.values.T, c=np.log10(np.maximum(at.shown_steepness, 1e-4)), s=size,
                vmin=-3, vmax=1, linewidths=0, rasterized=True,
            )  # fmt: skip
            ax.scatter(
                *at.largest_z.values.T, marker="x", s=4 + 2 * size, color="black", linewidths=0.8,
                label="200 steepest of a million", zorder=3,
                path_effects=[withStroke(linewidth=2.2, foreground="white")],
            )  # fmt: skip
        row[0].set_title(title(run))
        zoom_in(row[1], exact, "lower")
        row[1].set_title("close-up of the lower mode")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center")
    figure.colorbar(points, ax=axes, label="log10 of |df/dz| (Hz/nS)", shrink=0.6)
    return figure


def plot_signal(signal: xr.DataArray, losses: dict[str, list[int]]) -> Figure:
    """Signal over noise of a batch's gradient, along the runs.

    Args:
        signal: (run, snapshot, kind) length of the mean gradient over the noise of one batch.
        losses: for each run the epochs in which it loses a mode.

    Returns:
        The figure, a panel for each c0; rings mark the network before a loss.
    """
    figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.4), sharey=True)
    for run in signal.run.values:
        ax = axes[int(_line(run)[1] == C0_LINES[100.0])]
        before = [epoch - 1 for epoch in losses[run]]
        for kind, marker in (("pathwise", "v"), ("score", "^")):
            at = signal.sel(run=run, kind=kind)
            options = {"color": GRADIENT_COLOURS[kind], "linewidth": 0.8, "markersize": 4}
            ax.plot(at.snapshot, at, marker=marker, label=kind, alpha=0.75, **options)
            ring = {"markersize": 9, "fillstyle": "none", "color": "0.2", "label": "before a loss"}
            ax.plot(before, at.sel(snapshot=before), "o", **ring)
    for ax, c0 in zip(axes, (1, 100), strict=True):
        ax.axhline(1, color="0.4", linestyle="--", linewidth=0.8)
        ax.set(yscale="log", xlabel="AL epochs done", title=f"c0 = {c0}")
    axes[0].set_ylabel("signal / noise of a batch's gradient")
    labels = dict(zip(*axes[0].get_legend_handles_labels()[::-1], strict=True))
    figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncols=3)
    return figure


def plot_effects(found: dict[str, pd.DataFrame], labels: dict[str, str]) -> Figure:
    """Main effects of the factors of a designed study.

    Args:
        found: for each response what `report.effects.effects` returns.
        labels: of the responses.

    Returns:
        The figure, a panel a response; bars are 95 % intervals over the seeds.
    """
    figure, axes = plt.subplots(1, len(found), figsize=(7.5, 2.6), sharey=True)
    for ax, (name, table) in zip(axes, found.items(), strict=True):
        main = table[["by" not in effect.split() for effect in table.index]][::-1]
        places = range(len(main))
        ax.axvline(0, color="0.4", linestyle="--", linewidth=0.8)
        ax.errorbar(
            main["value"], places, xerr=(main["value"] - main["low"], main["high"] - main["value"]),
            fmt="o", color="0.15", capsize=3, markersize=4,
        )  # fmt: skip
        ax.set_yticks(places, main.index)
        ax.set_xlabel(labels[name])
    return figure

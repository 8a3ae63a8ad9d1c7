"""The recipe's runs beside the note's, and the phase diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy import stats

from dsnlib.judging import Judged
from dsnlib.plots.style import GRADIENT_COLOURS, METHOD_COLOURS, mode_colour


def plot_recipe(recipe: Mapping[str, xr.Dataset], note: Sequence[Judged], goal: float) -> Figure:
    """KL to the exact answer of the recipe's runs and the note's, and the modes' masses.

    Args:
        recipe: what `judge` found, by run.
        note: the note's runs, judged.
        goal: KL (nat) that was asked of the recipe.

    Returns:
        The figure, with two panels.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.0), width_ratios=[1, 1.2])
    last = [judged.judged.isel(snapshot=-1) for judged in note]
    ours = [judged.isel(snapshot=-1) for judged in recipe.values()]
    groups = (
        ("the note's", last, METHOD_COLOURS["note"], 1),
        ("recipe", ours, METHOD_COLOURS["recipe"], 0),
    )
    for name, group, colour, row in groups:
        offset = np.linspace(-0.25, 0.25, len(group))
        left.errorbar(
            [judged.kl.item() for judged in group],
            row + offset,
            xerr=[2 * judged.kl_se.item() for judged in group],
            fmt="o",
            markersize=4,
            color=colour,
            label=name,
        )
    left.axvline(goal, color="0.2", linestyle=":", label=f"{goal:g} nat")
    left.set(xscale="log", xlabel="KL(q || p*) (nat), ± 2 standard errors", yticks=[])
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=3)
    modes = ours[0].mode.values.tolist()
    for k, mode in enumerate(modes):
        for name, group, colour, _ in groups:
            ratio = np.array([(j.mode_mass / j.exact_mass).sel(mode=mode).item() for j in group])
            place = k + (-0.18 if name == "recipe" else 0.18) + np.linspace(-0.1, 0.1, len(group))
            right.plot(place, ratio, "o", markersize=4, color=colour)
    right.axhspan(0.7, 1.3, color="0.9", zorder=0, label="± 30 %")
    right.axhline(1, color="0.4", linewidth=0.8, zorder=0)
    right.set_yscale("symlog", linthresh=0.1)
    right.set_yticks([0, 0.1, 0.3, 1, 3, 10, 30], ["0", "0.1", "0.3", "1", "3", "10", "30"])
    right.set_ylim(-0.02, 40)
    right.set_xticks(range(len(modes)), modes)
    for label, mode in zip(right.get_xticklabels(), modes, strict=True):
        label.set_color(mode_colour(mode))
    right.set(xlabel="mode", ylabel="mass over exact mass")
    right.legend()
    return figure


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate, hits of n (Wilson 1927)."""
    interval = stats.binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


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

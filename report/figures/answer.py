"""Runs of sequential Monte Carlo beside retrained networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from dsnlib.plots import mode_colour
from report.figures.colours import METHOD_COLOURS
from report.judged import JudgedLagrangian


def plot_against_note(smc: Mapping[str, xr.Dataset], note: Sequence[JudgedLagrangian]) -> Figure:
    """C2ST against exact samples of SMC's runs and of retrained networks, and the modes' masses.

    Args:
        smc: what `dsnlib.judge` found, by run.
        note: runs of the note's method, judged.

    Returns:
        The figure, with two panels.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.0), width_ratios=[1, 1.2])
    last = [judged.judged.isel(snapshot=-1) for judged in note]
    ours = [judged.isel(snapshot=-1) for judged in smc.values()]
    groups = (
        ("retrained networks", last, METHOD_COLOURS["note"], 1),
        ("SMC", ours, METHOD_COLOURS["smc"], 0),
    )
    for name, group, colour, row in groups:
        offset = np.linspace(-0.25, 0.25, len(group))
        left.errorbar(
            [judged.c2st.item() for judged in group],
            row + offset,
            xerr=[2 * judged.c2st_se.item() for judged in group],
            fmt="o",
            markersize=4,
            color=colour,
            label=name,
        )
    left.axvline(0.5, color="0.2", linestyle=":", label="cannot be told apart")
    left.set(xlabel="C2ST against exact samples, ± 2 standard errors", yticks=[])
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=2)
    modes = ours[0].mode.values.tolist()
    for k, mode in enumerate(modes):
        for name, group, colour, _ in groups:
            ratio = np.array([(j.mode_mass / j.exact_mass).sel(mode=mode).item() for j in group])
            place = k + (-0.18 if name == "SMC" else 0.18) + np.linspace(-0.1, 0.1, len(group))
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

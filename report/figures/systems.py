"""How the cost of a method grows as a property becomes rare."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from report.figures.colours import METHOD_COLOURS


def plot_rarity(
    rarities: Sequence[float], smc: Sequence[Sequence[int]], uniform: Sequence[float]
) -> Figure:
    """Simulations against the share of the box that a property leaves.

    Args:
        rarities: shares of the box.
        smc: for each the simulations of SMC's runs.
        uniform: for each the uniform draws that leave as many effective samples.
    """
    figure, ax = plt.subplots(figsize=(6, 3.6))
    for share, runs in zip(rarities, smc, strict=True):
        ax.plot([share] * len(runs), runs, "o", color=METHOD_COLOURS["smc"], markersize=5,
                label="SMC, a run" if share == rarities[0] else None)  # fmt: skip
    ax.plot(rarities, uniform, "s--", color="0.45", markersize=5, label="weighted uniform draws")
    ax.set(xscale="log", yscale="log", ylabel="simulations",
           xlabel="share of the box within two sd of the target")  # fmt: skip
    ax.invert_xaxis()
    ax.grid(color="0.92")
    ax.legend()
    return figure

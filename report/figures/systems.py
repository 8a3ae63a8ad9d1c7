"""How the cost of a method grows as a property becomes rare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


# Bittner et al. (2021) say of SNPE on the same problem: simulations a round at 4 N parameters, and
# whether its runs converged; each had at most 1.5 days.
_SNPE = {
    8: (1_000, "converged"),
    20: (1_000, "converged"),
    40: (1_000, "converged"),
    100: (1_000, "converged"),
    200: (25_000, "converged"),
    400: (250_000, "converged once"),
}  # at 1,000 parameters none converged, whatever its simulations
_LIMIT_S = 1.5 * 24 * 3600


def plot_scaling(records: Sequence[dict[str, Any]]) -> Figure:
    """Simulations and time of networks of rank two against their number of parameters.

    Args:
        records: of SMC's runs, as `report.studies.systems` makes them.

    Returns:
        The figure, with two panels.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.4), sharex=True)
    for moves, marker in (("ensemble", "o"), ("gradient", "^")):
        runs = [r for r in records if r["settings"]["moves"] == moves]
        style = {"color": METHOD_COLOURS["smc"], "marker": marker, "linestyle": "none"}
        P = [r["parameters"] for r in runs]
        left.plot(P, [r["simulations"] for r in runs], label=f"SMC, {moves} moves", **style)
        right.plot(P, [r["cpu_s"] for r in runs], **style)
    faces = {"converged": "0.45", "converged once": "0.8"}
    for outcome, face in faces.items():
        points = [(P, each) for P, (each, what) in _SNPE.items() if what == outcome]
        left.plot(
            *zip(*points, strict=True),
            "s",
            color="0.45",
            markerfacecolor=face,
            label=f"SNPE, a round: {outcome}",
        )
    right.axhline(_LIMIT_S, color="0.45", linestyle="--")
    right.text(8, 0.8 * _LIMIT_S, "SNPE's limit in EPI's comparison", va="top", color="0.35")
    left.set(xscale="log", yscale="log", xlabel="parameters", ylabel="simulations")
    right.set(xscale="log", yscale="log", xlabel="parameters", ylabel="CPU seconds")
    for ax in (left, right):
        ax.grid(color="0.92")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure

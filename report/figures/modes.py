"""Which run holds which mode when, and which test it passes when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.style import mode_colour, run_name, seed_colour
from report.judged import JudgedLagrangian
from report.text import per_cent


def plot_capture(runs: Sequence[JudgedLagrangian], modes: Sequence[str]) -> Figure:
    """Mass in each mode, run by run and epoch by epoch, as a share of the mode's exact mass.

    Args:
        runs: one or more, judged.
        modes: names of the modes to show, one panel each.

    Returns:
        The figure; each cell shows per cent of the samples, and its shade saturates where the
        network gives the mode its exact mass.
    """
    height = 0.9 + 0.27 * len(runs)
    figure, axes = plt.subplots(
        len(modes), 1, figsize=(7.5, height * len(modes)), sharex=True, squeeze=False
    )
    for ax, mode in zip(axes[:, 0], modes, strict=True):
        mass = _rows([judged.judged.mode_mass.sel(mode=mode).values for judged in runs])
        exact = float(runs[0].judged.exact_mass.sel(mode=mode))
        shades = LinearSegmentedColormap.from_list(mode, ["white", mode_colour(mode)])
        ax.imshow(mass / exact, cmap=shades, vmin=0, vmax=1, aspect="auto")
        for (row, column), share in np.ndenumerate(mass):
            if np.isfinite(share):
                dark = share / exact > 0.6
                ax.text(
                    column, row, per_cent(share), ha="center", va="center", fontsize=8,
                    color="white" if dark else "black",
                )  # fmt: skip
        _label_runs(ax, [judged.run for judged in runs])
        ax.set_title(f"{mode} mode: % of samples (exact: {per_cent(exact)} %)")
        ax.set_xticks(range(mass.shape[1]))
    axes[-1, 0].set_xlabel("AL epochs done")
    return figure


def plot_convergence(runs: Sequence[LagrangianRun]) -> Figure:
    """Which run passes which convergence test at the end of which epoch.

    Args:
        runs: one or more.

    Returns:
        The figure: an open ring where the note's test does not reject, a disc where the
        equivalence test shows closeness.
    """
    looks: dict[str, dict[str, Any]] = {
        "not rejected": {"markersize": 11, "markerfacecolor": "none"},
        "equivalent": {"markersize": 5},
    }
    figure, ax = plt.subplots(figsize=(7.5, 1.2 + 0.3 * len(runs)))
    for row, run in enumerate(runs):
        table = run.convergence()
        ax.plot(table.index, np.full(len(table), row), ".", color="0.8", markersize=3)
        for column, look in looks.items():
            passed = table.index[table[column]]
            ax.plot(passed, np.full(len(passed), row), "o", color="0.2", **look)
    _label_runs(ax, runs)
    ax.set_ylim(len(runs) - 0.5, -0.5)
    ax.set_xticks(range(1, max(run.method.epochs for run in runs) + 1))
    ax.set_xlabel("at the end of AL epoch")
    for label, look in zip(("note's test", "equivalence test"), looks.values(), strict=True):
        ax.plot([], [], "o", color="0.2", label=label, **look)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def plot_losses(runs: Sequence[JudgedLagrangian], losses: pd.DataFrame) -> Figure:
    """Entropy, violation and penalty epoch by epoch, with marks where a mode is lost.

    Args:
        runs: one or more, judged.
        losses: of these runs, as `report.mode_losses` returns them.

    Returns:
        The figure: c0 in columns; a triangle in the mode's colour stands at the end of the epoch in
        which it is lost.
    """
    groups = sorted({judged.run.method.c0 for judged in runs})
    figure, axes = plt.subplots(
        3, len(groups), figsize=(7.5, 6), sharex=True, sharey="row", squeeze=False
    )
    for column, c0 in zip(axes.T, groups, strict=True):
        for judged in (judged for judged in runs if judged.run.method.c0 == c0):
            data = judged.run.data
            curves = (
                (judged.judged.snapshot.values, judged.judged.entropy.values),
                (data.epoch.values, data.violation_end.mean("repeat").values),
                (data.epoch.values, data.c.values),
            )
            lost = losses[(losses.c0 == c0) & (losses.seed == judged.seed)].dropna(subset="lost")
            for ax, (epochs, values) in zip(column, curves, strict=True):
                ax.plot(epochs, values, color=seed_colour(judged.seed), label=f"seed {judged.seed}")
                for mode, epoch in zip(lost["mode"], lost["lost"], strict=True):
                    height = values[np.flatnonzero(epochs == epoch)]
                    ax.plot(epoch, height, "v", color=mode_colour(mode), markersize=8)
        column[0].set_title(f"c0 = {c0:g}")
        column[0].legend(ncols=2)
        column[-1].set_xlabel("AL epochs done")
        column[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel("entropy H (nat)")
    axes[1, 0].set(yscale="log", ylabel="|R| at the epoch's end")
    axes[2, 0].set(yscale="log", ylabel="penalty c in the epoch")
    return figure


def _rows(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unequal length as one array, filled up with NaN."""
    width = max(map(len, rows))
    return np.array([np.pad(row, (0, width - len(row)), constant_values=np.nan) for row in rows])


def _label_runs(ax: Axes, runs: Sequence[LagrangianRun]) -> None:
    ax.set_yticks(range(len(runs)), [run_name(run) for run in runs])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)

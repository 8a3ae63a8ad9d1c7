"""Which run holds which mode when, and which test it passes when."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from dsnlib.judging import Judged
from dsnlib.plots.style import MODE_COLOURS, per_cent, run_name
from dsnlib.runs import Run


def plot_capture(runs: Sequence[Judged], modes: Sequence[str]) -> Figure:
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
        shades = LinearSegmentedColormap.from_list(mode, ["white", MODE_COLOURS[mode]])
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


def plot_convergence(runs: Sequence[Run]) -> Figure:
    """Which run passes which convergence test at the end of which epoch.

    Args:
        runs: one or more.

    Returns:
        The figure: an open ring where the note's test does not reject, a disc where the
        equivalence test shows closeness.
    """
    figure, ax = plt.subplots(figsize=(7.5, 1.2 + 0.3 * len(runs)))
    for row, run in enumerate(runs):
        table = run.convergence()
        ax.plot(table.index, np.full(len(table), row), ".", color="0.8", markersize=3)
        for column, look in (
            ("not rejected", {"markersize": 11, "markerfacecolor": "none"}),
            ("equivalent", {"markersize": 5, "markerfacecolor": "#0072B2"}),
        ):
            passed = table.index[table[column]]
            ax.plot(passed, np.full(len(passed), row), "o", color="#0072B2", **look)
    _label_runs(ax, runs)
    ax.set_ylim(len(runs) - 0.5, -0.5)
    ax.set_xticks(range(1, max(run.settings.epochs for run in runs) + 1))
    ax.set_xlabel("at the end of AL epoch")
    ax.plot([], [], "o", color="#0072B2", markersize=11, markerfacecolor="none", label="note's test")
    ax.plot([], [], "o", color="#0072B2", markersize=5, label="equivalence test")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _rows(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unequal length as one array, filled up with NaN."""
    width = max(map(len, rows))
    return np.array([np.pad(row, (0, width - len(row)), constant_values=np.nan) for row in rows])


def _label_runs(ax: Axes, runs: Sequence[Run]) -> None:
    ax.set_yticks(range(len(runs)), [run_name(run) for run in runs])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)

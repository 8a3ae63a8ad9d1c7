"""A run of SMC: its stages, its particles over a map, its islands."""

from __future__ import annotations

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsnlib.estimate import over_islands
from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.smc import SMCRun
from dsnlib.plots.plane import draw_plane
from dsnlib.plots.style import ISLAND_COLOURS, TARGET, mode_colour

_COLUMNS = 3


def plot_stages(run: SMCRun) -> Figure:
    """Relaxation, effective share, acceptance and entropy against the stage.

    Args:
        run: of any circuit.

    Returns:
        The figure, with four panels; lines are islands.
    """
    data = run.data
    stages = data.stage.values
    figure, axes = plt.subplots(2, 2, figsize=(7.5, 4.6), sharex=True)
    rho = data.rho.values
    falling = np.isfinite(rho) & (rho > 0)
    axes[0, 0].plot(stages[falling], rho[falling], color="0.2", marker="o", markersize=4)
    for stage in stages[rho == 0]:
        axes[0, 0].axvline(stage, color="0.9", zorder=0)
    axes[0, 0].set(yscale="log", ylabel="relaxation $\\rho$\n(grey lines: 0)")
    panels = (
        (axes[0, 1], 100 * data.effective_share, "effective share (%)"),
        (axes[1, 0], 100 * data.acceptance, "accepted proposals (%)"),
        (axes[1, 1], data.stage_log_z, "log Z over the box (nat)"),
    )
    for ax, values, label in panels:
        for island in data.island.values:
            ax.plot(
                stages, values.sel(island=island), color=_colour(island), marker="o", markersize=3
            )
        ax.set_ylabel(label)
    for ax in axes[1]:
        ax.set_xlabel("stage")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def plot_particles(run: SMCRun, exact: ExactMaxEnt) -> Figure:
    """Some particles at the end of each stage, over a map, while the relaxation falls.

    Args:
        run: of a circuit with two parameters.
        exact: the exact answer, for the map on which they lie.

    Returns:
        The figure, one panel a stage up to the second at rho = 0.
    """
    rho = run.data.rho.values
    shown = int(np.flatnonzero(rho == 0)[:2].max(initial=0)) + 1 or len(rho)
    rows = -(-shown // _COLUMNS)
    figure, axes = plt.subplots(
        rows, _COLUMNS, figsize=(7.5, 2.3 * rows), squeeze=False, sharex=True, sharey=True
    )
    for stage, ax in enumerate(axes.flat):
        if stage >= shown:
            ax.set_visible(False)
            continue
        draw_plane(ax, exact)
        ax.plot(*run.data.stage_z.isel(stage=stage).values.T, "k.", markersize=1.2, rasterized=True)
        name = r"uniform, $\rho = \infty$" if stage == 0 else rf"$\rho$ = {rho[stage]:.2g}"
        ax.set_title(f"stage {stage}: {name}", fontsize=9)
        ax.label_outer()
    return figure


def plot_answer(run: SMCRun, exact: ExactMaxEnt) -> Figure:
    """Samples of a run beside exact ones, and every region's mass, island by island.

    Args:
        run: of a circuit with two parameters.
        exact: the exact answer.

    Returns:
        The figure, with three panels.
    """
    z = run.data.z.values
    pooled = z.reshape(-1, z.shape[-1])
    n = min(len(pooled), 2_000)
    figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.9), gridspec_kw={"width_ratios": [1, 1, 0.9]})
    some = pooled[:: len(pooled) // n][:n]
    for ax, points, title in (
        (axes[0], some, "SMC"),
        (axes[1], exact.sample(jax.random.key(0), n), "exact"),
    ):
        draw_plane(ax, exact)
        ax.plot(*points.T, "k.", markersize=0.8, rasterized=True)
        ax.set_title(title, fontsize=9)
    masses = region_masses(run, exact)
    for k, mode in enumerate(exact.modes):
        estimate = over_islands(masses[:, k])
        colour = mode_colour(mode.name)
        axes[2].plot(np.full(len(masses), k - 0.15), masses[:, k], ".", color="0.6", markersize=4)
        axes[2].errorbar(
            k, estimate.value, 2 * estimate.se, color=colour, marker="o", markersize=3, capsize=3
        )
        axes[2].plot([k - 0.35, k + 0.35], [mode.mass] * 2, **TARGET)
    axes[2].set_xticks(range(len(exact.modes)), [mode.name for mode in exact.modes])
    axes[2].set(yscale="log", ylabel="mass (dashed: exact)")
    return figure


def region_masses(run: SMCRun, exact: ExactMaxEnt) -> np.ndarray:
    """(islands, modes) share of each island's samples in every mode of the exact answer."""
    z, statistics = (run.data[name].values.astype(float) for name in ("z", "statistics"))
    return np.array(
        [
            [(labels == k).mean() for k in range(len(exact.modes))]
            for labels in (exact.assign(*island) for island in zip(z, statistics, strict=True))
        ]
    )


def _colour(island: int) -> str:
    return ISLAND_COLOURS[island % len(ISLAND_COLOURS)]

"""A run of population Monte Carlo: its stages, and its result beside the exact answer."""

from __future__ import annotations

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsnlib.exact import ExactMaxEnt
from dsnlib.plots.densities import widen_small
from dsnlib.plots.maps import draw_grid, outline_modes, shade_band
from dsnlib.plots.style import METHOD_COLOURS, TARGET, mode_colour, moment_line, seed_colour
from dsnlib.runs.run import PopulationRun

_COLUMNS = 4


def plot_stages(run: PopulationRun) -> Figure:
    """Width of the target, effective number of samples and natural parameters, stage by stage.

    Args:
        run: of any circuit.

    Returns:
        The figure, with three panels.
    """
    data, colour = run.data, seed_colour(run.data.attrs["seed"])
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.5, 2.5))
    left.plot(data.stage, data.scale, color=colour, marker="o", markersize=4)
    left.axhline(1, **TARGET, label="the property's own")
    left.set(yscale="log", ylabel="sd of the target, relative")
    left.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"], minor=False)
    left.set_yticks([], minor=True)
    left.legend()
    middle.plot(data.stage, 100 * data.ess, color=colour, marker="o", markersize=4)
    middle.axhline(100 * run.settings.ess, **TARGET, label="asked for")  # type: ignore[attr-defined]
    middle.set(ylabel="effective samples (%)", ylim=(0, None))
    middle.legend()
    for k, name in enumerate(data.moment.values):
        right.plot(data.stage, data.stage_eta.sel(moment=name), **moment_line(name, k))
    right.set_yscale("symlog", linthresh=10)
    right.set_ylabel("natural parameter η (per unit)")
    right.legend(title="of moment")
    for ax in (left, middle, right):
        ax.set_xlabel("stage")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def plot_stage_samples(run: PopulationRun, values: xr.DataArray) -> Figure:
    """What each stage drew, over a map: 1,000 samples, uniform ones among them.

    Args:
        run: of a circuit with two parameters and one statistic.
        values: map of the statistic, on evenly spaced cells.

    Returns:
        The figure, a panel a stage.
    """
    data = run.data
    stages = data.sizes["stage"]
    rows = -(-stages // _COLUMNS)
    figure, axes = plt.subplots(
        rows, _COLUMNS, figsize=(7.5, 1.95 * rows), squeeze=False, sharex=True, sharey=True
    )
    for ax in axes.flat[stages:]:
        ax.set_visible(False)
    for panel, ax in enumerate(axes.flat[:stages]):
        draw_grid(ax, values, cmap="Greys", alpha=0.5)
        shade_band(ax, values, run.prop)
        z = data.stage_z.isel(stage=panel).values
        ax.scatter(*z.T, s=2, linewidths=0, color=METHOD_COLOURS["recipe"], rasterized=True)
        scale = float(data.scale[panel - 1]) if panel else None
        ax.set_title(f"stage {panel + 1}: " + (f"{scale:.3g} sd" if scale else "uniform"))
        if panel + _COLUMNS >= stages:  # nothing below
            ax.xaxis.set_tick_params(labelbottom=True)
        else:
            ax.set_xlabel("")
        if panel % _COLUMNS:
            ax.set_ylabel("")
    return figure


def plot_result(run: PopulationRun, exact: ExactMaxEnt) -> Figure:
    """Samples of the trained network beside as many exact ones, and the mass of every mode.

    Axes of parameters are scaled as square roots, which widens the corner of small values.

    Args:
        run: of a circuit with two parameters.
        exact: the exact answer for its circuit and property, of which samples are drawn.

    Returns:
        The figure, with three panels.
    """
    z = run.data.z.values[-1].astype(float)
    statistics = run.data.moments.values[-1].astype(float)[:, : len(run.prop.mean)]
    n = min(len(z), 5_000)
    drawn = np.asarray(exact.sample(jax.random.key(1), n))
    figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.8), width_ratios=[1, 1, 0.8])
    panels = ((axes[0], z[:n], "network"), (axes[1], drawn, "exact answer"))
    for ax, points, title in panels:
        ax.scatter(*points.T, s=1, linewidths=0, color="0.35", rasterized=True)
        outline_modes(ax, exact)
        widen_small(ax)
        ax.set_title(f"{n:,} samples: {title}")
        for name, set_label in zip(exact.labels.dims, (ax.set_xlabel, ax.set_ylabel), strict=True):
            set_label(f"{name} ({exact.density[name].attrs['units']})")
    assigned = exact.assign(z, statistics)
    for k, mode in enumerate(exact.modes):
        share = (assigned == k).mean()
        error = np.sqrt(share * (1 - share) / len(z))
        axes[2].errorbar(
            100 * mode.mass, 100 * share, 200 * error, fmt="o", color=mode_colour(mode.name),
            label=mode.name,
        )  # fmt: skip
    ends = np.array([0.8, 100])
    axes[2].plot(ends, ends, color="0.6", linewidth=0.8, zorder=0)
    axes[2].set(xscale="log", yscale="log", xlabel="exact mass (%)", ylabel="the network's (%)")
    axes[2].legend(title="mode")
    return figure

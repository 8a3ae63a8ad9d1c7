"""SMC stage by stage beside a network epoch by epoch, on one map, with the regions' masses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.methods.smc import SMCRun
from dsnlib.plots import draw_plane, embedded, mode_colour, small_png
from report.text import rough

_SIZE = (3.7, 4.9)  # inches
_DPI = 150  # more pixels than a column has, for dense screens
_RHO = "\N{GREEK SMALL LETTER RHO}"
_TICKS = [0, 1, 5, 20, 50, 100]  # %
# Side by side where both fit, else one below the other.
_COLUMN = widgets.Layout(flex="1 1 290px", max_width="440px", min_width="0", padding="0 8px")


class Cloud(NamedTuple):
    """Points of a method at one moment."""

    moment: str  # what the slider says of it
    title: str
    z: np.ndarray  # (n, 2)
    labels: np.ndarray  # (n,) of `ExactMaxEnt.assign`
    shares: np.ndarray  # (modes + 1,) of the points in each mode, and in none


def side_by_side(smc: SMCRun, network: LagrangianRun, exact: ExactMaxEnt) -> widgets.Widget:
    """A slider over the stages of SMC beside one over the epochs of a network.

    Both are linked to their frames in the browser: no kernel is needed.

    Args:
        smc: a run of SMC.
        network: a run of the augmented Lagrangian, for the same circuit and property.
        exact: their exact answer, for the map and the masses.

    Returns:
        The widget: a column for each run, with its slider above its frames.
    """
    stages, epochs = list(stage_clouds(smc, exact)), list(epoch_clouds(network, exact))
    return widgets.HBox(
        [_column("SMC stage", stages, exact), _column("AL epochs done", epochs, exact)]
    )


def stage_clouds(run: SMCRun, exact: ExactMaxEnt) -> Iterator[Cloud]:
    """The particles that a run kept of the end of every stage."""
    for stage, rho in enumerate(run.data.rho.values):
        z = run.data.stage_z.values[stage]
        relaxed = f"{_RHO} = {rough(rho) if rho else 0}" if np.isfinite(rho) else "uniform"
        title = f"SMC, stage {stage}: {relaxed}"
        yield _cloud(f"{stage}: {relaxed}", title, z, exact.assign(z), exact)


def epoch_clouds(run: LagrangianRun, exact: ExactMaxEnt) -> Iterator[Cloud]:
    """The samples of a run's network before its first epoch and after every epoch."""
    for done, z in enumerate(run.data.z.values):
        statistics = run.data.moments.values[done, :, : len(exact.prop.mean)]
        labels = exact.assign(z, statistics)
        yield _cloud(f"{done}", f"network, AL epochs done: {done}", z, labels, exact)


def clouds_table(smc: SMCRun, network: LagrangianRun, exact: ExactMaxEnt) -> pd.DataFrame:
    """All points of `side_by_side`, a row each.

    Args:
        smc: as there.
        network: as there.
        exact: as there.

    Returns:
        Columns: the moment in words, the parameters in their units, and the region.
    """
    names, _ = _regions(exact)
    parts = [
        pd.DataFrame(cloud.z, columns=[f"{p.name} ({p.unit})" for p in exact.circuit.parameters])
        .assign(region=[names[label] for label in cloud.labels])
        .assign(moment=cloud.title)
        for clouds in (stage_clouds(smc, exact), epoch_clouds(network, exact))
        for cloud in clouds
    ]
    return pd.concat(parts)


def _cloud(moment: str, title: str, z: np.ndarray, labels: np.ndarray, exact: ExactMaxEnt) -> Cloud:
    shares = [(labels == k).mean() for k in (*range(len(exact.modes)), -1)]
    return Cloud(moment, title, z, labels, np.array(shares))


def _column(name: str, clouds: list[Cloud], exact: ExactMaxEnt) -> widgets.Widget:
    slider = widgets.SelectionSlider(
        options=[cloud.moment for cloud in clouds], index=0, description=name, tooltip=name,
        style={"description_width": "initial"}, layout={"width": "auto"},
    )  # fmt: skip
    frames = [
        widgets.HTML(embedded(small_png(plot_cloud(cloud, exact), _DPI), describe(cloud, exact)))
        for cloud in clouds
    ]
    stack = widgets.Stack(frames, selected_index=0)
    widgets.jslink((slider, "index"), (stack, "selected_index"))
    return widgets.VBox([slider, stack], layout=_COLUMN)


def describe(cloud: Cloud, exact: ExactMaxEnt) -> str:
    """What a frame shows, in words."""
    names, exact_masses = _regions(exact)
    masses = ", ".join(
        f"{name} {100 * share:.1f} % (exact {100 * mass:.1f} %)"
        for name, share, mass in zip(names, cloud.shares, exact_masses, strict=True)
    )
    return f"Map of {len(cloud.z):,} points; {cloud.title}. Share in each region: {masses}."


def plot_cloud(cloud: Cloud, exact: ExactMaxEnt) -> Figure:
    """The points over the map, above the share of them in each region.

    Args:
        cloud: the points.
        exact: the exact answer, for the map and the masses.

    Returns:
        The figure; ticks on the bars are the exact masses.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=_SIZE, height_ratios=[3.1, 1])
    draw_plane(above, exact)
    above.plot(*cloud.z.T, "k.", markersize=2, rasterized=True)
    above.set_title(cloud.title, fontsize=10)
    _draw_shares(below, cloud.shares, exact)
    return figure


def _draw_shares(ax: Axes, shares: np.ndarray, exact: ExactMaxEnt) -> None:
    names, masses = _regions(exact)
    for row, (name, share, mass) in enumerate(zip(names, shares, masses, strict=True)):
        ax.barh(row, 100 * share, height=0.62, color=mode_colour(name))
        ax.plot([100 * mass] * 2, [row - 0.45, row + 0.45], color="black", linewidth=1.6)
        ax.text(
            1.02, row, f"{100 * share:.1f} %", transform=ax.get_yaxis_transform(),
            va="center", fontsize=8,
        )  # fmt: skip
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    # As on the map, a square root: small masses are seen, and none has no bar.
    ax.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    ax.set(xlim=(0, 100), xlabel="share of the points (%)")
    ax.set_xticks(_TICKS, [str(tick) for tick in _TICKS])


def _regions(exact: ExactMaxEnt) -> tuple[list[str], list[float]]:
    """Names and exact masses of the modes, and of what lies in none."""
    masses = [mode.mass for mode in exact.modes]
    return [*(mode.name for mode in exact.modes), "none"], [*masses, 1 - sum(masses)]

"""The phase diagram of the augmented Lagrangian, and the setting that holds both modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsnlib.maxent import ExactMaxEnt
from dsnlib.plots.plane import draw_plane
from dsnlib.plots.style import TARGET, mode_colour, seed_colour
from report.judged import HELD
from report.outcomes import When, at, first_pass, holds

# Of settings: Tol's (2021), apart from those of seeds and modes.
_COLOURS = ("#404040", "#44AA99", "#332288", "#999933", "#AA4499")
_DASHES = (":", "--", "-", "-", "-.")
_NETWORKS: dict[When, str] = {"first": "first to pass", "end": "last"}
Cells = Mapping[tuple[float, float], xr.Dataset]


def draw_cells(ax: Axes, cells: Cells, when: When, threshold: float, names: Sequence[str]) -> None:
    """A map of settings: in how many runs the network holds both modes, and how near it is.

    Args:
        ax: where to.
        cells: data of each point, by its values of the two settings.
        when: "first" or "end".
        threshold: share of the exact mass from which on a mode is held.
        names: of the two settings.
    """
    rows, columns = (sorted({key[k] for key in cells}) for k in (0, 1))
    share = np.full((len(rows), len(columns)), np.nan)
    for (a, b), point in cells.items():
        i, j = rows.index(a), columns.index(b)
        both = holds(point, when, threshold)
        reached = at(point, when).kl.notnull()
        share[i, j] = float(both.mean())
        n = point.sizes["seed"]
        kl = f"KL {float(at(point, when).kl.median()):.1f}" if reached.any() else "none passes"
        ax.text(
            j, i, f"{int(both.sum())} of {n}\n{kl}", ha="center", va="center", fontsize=7,
            color="white" if share[i, j] < 0.5 else "black",
        )  # fmt: skip
    ax.set_facecolor("0.9")  # of what was not tried
    ax.imshow(share, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    ax.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
    ax.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
    ax.set(ylabel=names[0], xlabel=names[1])
    ax.grid(False)


def plot_courses(point: xr.Dataset) -> Figure:
    """Masses of both modes and KL after every epoch, of all seeds of a point.

    Args:
        point: data of a point.

    Returns:
        The figure; a disc marks the first epoch that passes the note's test.
    """
    figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.9))
    first = first_pass(point)
    curves = {
        "lower": 100 * point.mode_mass.sel(mode="lower"),
        "upper": 100 * point.mode_mass.sel(mode="upper"),
        "kl": point.kl,
    }
    for ax, (name, curve) in zip(axes, curves.items(), strict=True):
        for seed in point.seed.values:
            colour = seed_colour(int(seed))
            one, epoch = curve.sel(seed=seed), float(first.sel(seed=seed))
            ax.plot(one.snapshot, one, color=colour, label=f"seed {seed}" if seed <= 4 else None)
            if np.isfinite(epoch):
                ax.plot(epoch, float(one.sel(snapshot=epoch)), "o", color=colour, markersize=4)
        if name != "kl":
            ax.axhline(100 * float(point.exact_mass.sel(mode=name)), **TARGET)
            ax.set_title(f"{name} mode", color=mode_colour(name))
        ax.set_xlabel("epochs done")
    axes[0].set_ylabel("share of the samples (%)")
    axes[2].set(yscale="log", ylabel="KL(q || p*) (nat)", title="distance")
    axes[2].plot([], [], color="0.5", label="seeds 5 to 8")
    figure.legend(*axes[2].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def plot_trade(points: Mapping[str, xr.Dataset]) -> Figure:
    """What of the lower mode is left as networks come nearer to the exact answer.

    Args:
        points: data of points, by what the figure calls them.

    Returns:
        The figure, a line a seed from epoch to epoch; training goes from left to right.
    """
    figure, ax = plt.subplots(figsize=(7.5, 3.8))
    for (name, point), colour, dashes in zip(points.items(), _COLOURS, _DASHES, strict=False):
        share = 100 * (point.mode_mass / point.exact_mass).sel(mode="lower")
        for seed in point.seed.values:
            kl, left = (each.sel(seed=seed).values for each in (point.kl, share))
            nearest = int(np.argmin(kl))  # what follows is a network that fell apart
            ax.plot(
                kl[1 : nearest + 1], left[1 : nearest + 1], dashes, color=colour, linewidth=1,
                marker="o", markersize=2.5, label=name if seed == point.seed[0] else None,
            )  # fmt: skip
    ax.axhline(100 * HELD, **TARGET)
    ax.set(
        xscale="log", xlabel="KL(q || p*) (nat)", ylabel="lower mode, of its exact mass (%)",
        ylim=(0, None),
    )  # fmt: skip
    ax.invert_xaxis()
    ticks = [50, 20, 10, 5, 2, 1, 0.5]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def plot_networks_of(point: xr.Dataset, exact: ExactMaxEnt, when: When) -> Figure:
    """Samples of a network of each seed.

    Args:
        point: data of a point.
        exact: the exact answer.
        when: "first" or "end".

    Returns:
        The figure, a panel a seed.
    """
    seeds = point.seed.values
    figure, axes = plt.subplots(2, -(-len(seeds) // 2), figsize=(7.5, 4), sharex=True, sharey=True)
    for ax, seed in zip(axes.flat, seeds, strict=False):
        z = point.z.sel(seed=seed, network=_NETWORKS[when]).values
        draw_plane(ax, exact)
        ax.plot(*z.T, "k.", markersize=1.2, rasterized=True)
        ax.set(xlabel="", ylabel="")
        mass = 100 * at(point, when).mode_mass.sel(seed=seed)
        words = ", ".join(
            f"{name} {float(mass.sel(mode=name)):.1f} %" for name in ("lower", "upper")
        )
        ax.set_title(f"seed {seed}: {words}", fontsize=7)
        ax.tick_params(labelsize=7)
    figure.supxlabel("g_el (nS)", fontsize=9)
    figure.supylabel("g_synA (nS)", fontsize=9)
    return figure

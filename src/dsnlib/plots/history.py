"""A run against its iterations: entropy, moments, multipliers."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.style import EPOCH_BORDER, TARGET, moment_line, seed_colour, shown

_TO_THOUSANDS = 1e-3


def plot_history(run: LagrangianRun) -> Figure:
    """Entropy and every moment against iteration, with epoch borders and targets.

    Args:
        run: of any circuit.

    Returns:
        The figure, one panel for the entropy and one for each moment.
    """
    data, colour = run.data, seed_colour(run.seed)
    moments = data.sizes["moment"]
    figure, axes = plt.subplots(1 + moments, 1, figsize=(7.5, 2 + 1.5 * moments), sharex=True)
    thousands = data.step * _TO_THOUSANDS
    axes[0].plot(thousands, data.entropy, color=colour)
    axes[0].set_ylabel("entropy H (nat)")
    for ax, name in zip(axes[1:], data.moment.values, strict=True):
        ax.plot(thousands, data.statistic_mean.sel(moment=name), color=colour)
        target = float(data.mu.sel(moment=name))
        ax.axhline(target, **TARGET, label=f"target {target:.4g}")
        ax.set_ylabel(shown(f"mean of {name}\n({data.moment_units.sel(moment=name).item()})"))
        ax.legend(loc="best")
    for ax in axes:
        _epoch_borders(ax, run)
    for epoch in data.epoch.values:
        middle = (epoch - 0.5) * run.method.iterations * _TO_THOUSANDS
        place = axes[0].get_xaxis_transform()
        axes[0].text(middle, 1.02, epoch, transform=place, ha="center", color="0.4")
    axes[0].set_title("AL epoch", color="0.4", pad=16)
    axes[-1].set_xlabel("iteration (thousands)")
    return figure


def plot_multipliers(run: LagrangianRun) -> Figure:
    """Penalty c and Lagrange multipliers during each epoch.

    Args:
        run: of any circuit.

    Returns:
        The figure, with two panels.
    """
    data = run.data
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.6))
    left.step(data.epoch, data.c, where="mid", color="0.2", marker="o", markersize=3)
    left.set(yscale="log", xlabel="AL epoch", ylabel="penalty c")
    for k, name in enumerate(data.moment.values):
        right.plot(data.epoch, data.lam.sel(moment=name), **moment_line(name, k))
    right.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    right.set(xlabel="AL epoch", ylabel="multiplier λ (nat per unit)")
    right.legend(title="of moment")
    for ax in (left, right):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _epoch_borders(ax: Axes, run: LagrangianRun) -> None:
    settings = run.method
    for epoch in range(settings.epochs + 1):
        ax.axvline(epoch * settings.iterations * _TO_THOUSANDS, **EPOCH_BORDER)
    ax.margins(x=0.01)

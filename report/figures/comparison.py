"""Several runs on common axes: entropy, moments and divergence from the exact answer."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.style import EPOCH_BORDER, TARGET, nat_ticks, run_line, shown
from report.curves import running_mean
from report.judged import JudgedLagrangian

_TO_THOUSANDS = 1e-3


def plot_entropies(runs: Sequence[LagrangianRun], exact_entropy: float) -> Figure:
    """Entropy of all runs against iteration, with the exact H* as the line to reach.

    Args:
        runs: one or more.
        exact_entropy: H* of the exact answer, in nats.

    Returns:
        The figure, with one axis; curves are means over 1,000 iterations.
    """
    figure, ax = plt.subplots(figsize=(7.5, 4.4))
    for run in runs:
        ax.plot(*_smooth(run, run.data.entropy.values), **run_line(run))
    ax.axhline(exact_entropy, **TARGET)
    ax.annotate(
        f"H* = {exact_entropy:.2f}", (1, exact_entropy), (3, 0), color=TARGET["color"],
        xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center",
    )  # fmt: skip
    _epochs_along(ax, runs)
    ax.set(xlabel="iteration (thousands)", ylabel="entropy H (nat)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, handlelength=2.6)
    return figure


def plot_moments(runs: Sequence[LagrangianRun]) -> Figure:
    """Violation of each constraint against iteration: c0 in columns, moments in rows.

    Args:
        runs: one or more, of one property.

    Returns:
        The figure; the axes are linear about 0 and logarithmic farther away.
    """
    groups = sorted({run.method.c0 for run in runs})
    data = runs[0].data
    figure, axes = plt.subplots(
        data.sizes["moment"], len(groups), figsize=(7.5, 4.6), sharex=True, sharey="row",
        squeeze=False,
    )  # fmt: skip
    for column, c0 in zip(axes.T, groups, strict=True):
        members = [run for run in runs if run.method.c0 == c0]
        for ax, name in zip(column, data.moment.values, strict=True):
            for run in members:
                off = run.data.statistic_mean - run.data.mu
                line = run_line(run) | {"linestyle": "-", "label": f"seed {run.seed}"}
                ax.plot(*_smooth(run, off.sel(moment=name).values), **line)
            ax.axhline(0, **TARGET)
            ax.set_yscale("symlog", linthresh=1e-2)
            _epochs_along(ax, members)
        column[0].set_title(f"c0 = {c0:g}")
        column[-1].set_xlabel("iteration (thousands)")
    for ax, name, unit in zip(
        axes[:, 0], data.moment.values, data.moment_units.values, strict=True
    ):
        ax.set_ylabel(shown(f"mean of {name} - target\n({unit})"))
    # Within an axis it would lie over curves; the columns share the seeds' colours.
    lines = {line.get_label(): line for ax in axes[0] for line in ax.get_legend_handles_labels()[0]}
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=4)
    return figure


def plot_divergences(runs: Sequence[JudgedLagrangian]) -> Figure:
    """KL to the exact answer against epoch, in both directions.

    Args:
        runs: one or more, judged.

    Returns:
        The figure, with a panel a direction.
    """
    figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.6))
    for ax, name, label in (
        (axes[0], "kl", "KL(q || p*) (nat)"),
        (axes[1], "forward_kl", "KL(p* || q) (nat)"),
    ):
        for judged in runs:
            value, se = (judged.judged[key] for key in (name, f"{name}_se"))
            ax.errorbar(
                judged.judged.snapshot, value.where(np.isfinite(value)), se,
                marker=".", **run_line(judged.run),
            )  # fmt: skip
        ax.set(yscale="log", xlabel="AL epochs done", ylabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        nat_ticks(ax)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _smooth(run: LagrangianRun, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thousands of iterations and running means over 1,000 of them."""
    return running_mean(run.data.step.values) * _TO_THOUSANDS, running_mean(values)


def _epochs_along(ax: Axes, runs: Sequence[LagrangianRun]) -> None:
    """Borders of the epochs of the run that has most of them."""
    longest = max(runs, key=lambda run: int(run.data.step[-1])).method
    for epoch in range(longest.epochs + 1):
        ax.axvline(epoch * longest.iterations * _TO_THOUSANDS, **EPOCH_BORDER)
    ax.margins(x=0.01)

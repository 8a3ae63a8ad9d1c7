"""What an epoch of the augmented Lagrangian is: what moves within it, and what at its end."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.style import EPOCH_BORDER, TARGET, shown

_BEYOND = 0.08  # of an epoch, so that the last decision is seen
_SMALL = 8  # points
_ARROW: dict[str, Any] = {"arrowstyle": "->", "color": "0.3", "linewidth": 0.8}
_GREYS = ("0.1", "0.6")  # of the moments


def plot_epoch(run: LagrangianRun, first: int = 2, count: int = 3) -> Figure:
    """Successive epochs of a run: its violation, its multipliers and its penalty.

    Args:
        run: of any circuit, with an epoch beyond those that are shown.
        first: epoch to show.
        count: of epochs to show.

    Returns:
        The figure, three panels with one axis of iterations, and words that say what happens when.

    Raises:
        ValueError: the run ends with the last of these epochs, or before.
    """
    if first + count > run.method.epochs:
        raise ValueError(
            f"run must have more than {first + count - 1} epochs, got {run.method.epochs}"
        )
    figure, axes = plt.subplots(3, 1, figsize=(7.5, 5.0), sharex=True)
    epochs = np.arange(first, first + count)
    length = run.method.iterations / 1e3
    _draw_violation(axes[0], run, epochs)
    borders = (first - 1 + np.arange(count + 1)) * length
    edges = [*borders, borders[-1] + _BEYOND * length]
    reached = run.data.sel(epoch=np.arange(first, first + count + 1))
    for name, grey in zip(reached.moment.values, _GREYS, strict=False):
        axes[1].stairs(
            reached.lam.sel(moment=name), edges, baseline=None, color=grey, linewidth=1.8,
            label=f"of {shown(name)}",
        )  # fmt: skip
    axes[2].stairs(reached.c, edges, baseline=None, color="0.1", linewidth=1.8)
    for ax in axes:
        for border in borders:
            ax.axvline(border, **EPOCH_BORDER | {"color": "0.7"})
        ax.margins(y=0.25)
    axes[0].set_xlim(borders[0], edges[-1])
    axes[1].set_ylabel("multiplier λ\n(nat per unit)")
    axes[1].legend(loc="lower left")
    axes[2].set(yscale="log", ylabel="penalty c", xlabel="iteration (thousands)")
    axes[2].set_ylim(reached.c.min() / 2, reached.c.max() * 2.5)
    levels = np.unique(reached.c)
    axes[2].set_yticks(levels, [f"{c:g}" for c in levels])
    axes[2].minorticks_off()
    for epoch, left in zip(epochs, borders, strict=False):
        axes[0].text(
            left + length / 2, 1.04, f"AL epoch {epoch}", transform=axes[0].get_xaxis_transform(),
            ha="center", color="0.4",
        )  # fmt: skip
    _say_what_happens(axes, run, epochs)
    return figure


def _draw_violation(ax: Axes, run: LagrangianRun, epochs: np.ndarray) -> None:
    """|R| of batches, its means at both ends of every epoch, and the limit for the later one."""
    data, length = run.data, run.method.iterations
    steps = (data.step >= (epochs[0] - 1) * length) & (data.step <= (epochs[-1] + _BEYOND) * length)
    violation = np.linalg.norm(data.statistic_mean[steps] - data.mu, axis=1)
    ax.plot(data.step[steps] / 1e3, violation, color="0.65", linewidth=0.8)
    for epoch in epochs:
        then = data.sel(epoch=epoch)
        start, end = (float(then[f"violation_{at}"].mean()) for at in ("start", "end"))
        ends = np.array([epoch - 1, epoch]) * length / 1e3
        ax.plot(ends, [start, end], "o", color="0.1", markersize=4, clip_on=False, zorder=3)
        ax.plot(ends, [run.method.gamma * start] * 2, **TARGET)
    ax.set(yscale="log", ylabel="violation |R|", ylim=(violation.min() / 10, 20 * violation.max()))
    words = f"limit: {run.method.gamma:g} of |R| at the epoch's start"
    limit = run.method.gamma * float(data.violation_start.sel(epoch=epochs[0]).mean())
    place = (epochs[0] - 1 + 0.03) * length / 1e3
    ax.text(place, limit / 1.3, words, va="top", fontsize=_SMALL)


def _say_what_happens(axes: np.ndarray, run: LagrangianRun, epochs: np.ndarray) -> None:
    """Words in the panels: within an epoch, at its end, and why c grows or stays."""
    length, data = run.method.iterations / 1e3, run.data
    middle = epochs[len(epochs) // 2]
    inside = axes[0].get_xaxis_transform()
    left, right = (middle - 1) * length, middle * length
    axes[0].annotate(
        "", (right, 0.94), (left, 0.94), xycoords=inside, textcoords=inside,
        arrowprops=_ARROW | {"arrowstyle": "<->"},
    )  # fmt: skip
    axes[0].text(
        (left + right) / 2, 0.91, "Adam steps on the Lagrangian,\nλ and c fixed",
        transform=inside, ha="center", va="top", fontsize=_SMALL,
    )  # fmt: skip
    before, after = (float(data.lam.sel(epoch=middle + k)[0]) for k in (0, 1))
    axes[1].annotate(
        "epoch ends:\nλ moves by c R",
        (right, (before + after) / 2), (right + 0.12 * length, before),
        va="center", fontsize=_SMALL, arrowprops=_ARROW,
    )  # fmt: skip
    for epoch in epochs[:-1]:
        c, following = (float(data.c.sel(epoch=epoch + k)) for k in (0, 1))
        grew = following > c
        words = (
            f"c grows by β = {run.method.beta:g}:\n|R| did not fall enough"
            if grew
            else "c stays:\n|R| fell enough"
        )
        axes[2].annotate(
            words, (epoch * length, np.sqrt(c * following)),
            (epoch * length + 0.12 * length, c if grew else c * 2.5),
            va="center", fontsize=_SMALL, arrowprops=_ARROW,
        )  # fmt: skip

"""Small images of figures: frames of training, and images within HTML."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.plane import draw_plane
from dsnlib.plots.style import EPOCH_BORDER, run_line, run_name

_COLUMNS = 4
_TO_THOUSANDS = 1e-3


def small_png(figure: Figure, dpi: int = 100) -> bytes:
    """Draw a figure as a PNG of at most 256 colours, and close the figure.

    Args:
        figure: to draw.
        dpi: pixels an inch.

    Returns:
        The content of the file.
    """
    drawn, packed = io.BytesIO(), io.BytesIO()
    # A style may crop what is saved; frames that follow each other must be of one size.
    with plt.rc_context({"savefig.bbox": None}):
        figure.savefig(drawn, dpi=dpi)
    plt.close(figure)
    # Covers the colours of thin lines too, which a median cut would merge with the greys.
    image = (
        Image.open(drawn)
        .convert("RGB")
        .quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def embedded(png: bytes, alt: str) -> str:
    """An image as HTML that needs no other file.

    Args:
        png: content of the file.
        alt: what it shows, for those who do not see it.

    Returns:
        The tag.
    """
    data = base64.b64encode(png).decode()
    return (
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" '
        'style="max-width:100%;height:auto">'
    )


def snapshot_frames(runs: Sequence[LagrangianRun], exact: ExactMaxEnt) -> list[bytes]:
    """One image for each snapshot: samples of every run's network, and its entropy so far.

    Args:
        runs: one or more, of one circuit and property.
        exact: their exact answer, for the map on which the samples lie.

    Returns:
        PNGs, as many as the shortest run has snapshots.
    """
    count = min(run.data.sizes["snapshot"] for run in runs)
    return [small_png(_frame(runs, exact, snapshot)) for snapshot in range(count)]


def _frame(runs: Sequence[LagrangianRun], exact: ExactMaxEnt, snapshot: int) -> Figure:
    if len(runs) == 1:
        figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.3))
        panels, below = [axes[0]], axes[1]
    else:
        rows = -(-len(runs) // _COLUMNS)
        figure = plt.figure(figsize=(7.5, 2.1 * rows + 2.2))
        grid = figure.add_gridspec(rows + 1, _COLUMNS, height_ratios=[2.1] * rows + [2.0])
        panels = [figure.add_subplot(grid[divmod(i, _COLUMNS)]) for i in range(len(runs))]
        below = figure.add_subplot(grid[rows, :])
    for ax, run in zip(panels, runs, strict=True):
        draw_plane(ax, exact)
        ax.plot(*run.data.z.values[snapshot].T, "k.", markersize=2)
        if len(runs) > 1:
            ax.set_title(run_name(run), fontsize=8)
            ax.set(xlabel="", ylabel="")
            ax.tick_params(labelsize=7)
    for run in runs:
        _entropy(below, run, snapshot)
    below.set(xlabel="iteration (thousands)", ylabel="entropy H (nat)")
    figure.suptitle(f"after {snapshot} of {len(runs[0].data.epoch)} AL epochs", fontsize=10)
    return figure


def _entropy(ax: Axes, run: LagrangianRun, snapshot: int) -> None:
    thousands, entropy = run.data.step * _TO_THOUSANDS, run.data.entropy
    ax.plot(thousands, entropy, **run_line(run) | {"linewidth": 0.8, "alpha": 0.5})
    moment = snapshot * run.method.iterations * _TO_THOUSANDS
    ax.axvline(moment, **EPOCH_BORDER)
    now = float(entropy[np.argmin(np.abs(thousands.values - moment))])
    ax.plot(moment, now, "o", color=run_line(run)["color"], markersize=5)

"""Films of the density during training."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.animation import FFMpegWriter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dsnlib.maxent import ExactMaxEnt
from dsnlib.methods.lagrangian import LagrangianRun
from dsnlib.plots.densities import density_map, plot_density
from dsnlib.plots.style import TARGET, run_line, run_name

_DPI = 110
_HEIGHT, _ROOM = 6.0, 0.75  # inches; the room below is for the browser's controls
_FRAMES_A_SECOND = 1  # networks are stored once an epoch; nothing is interpolated
_CODEC = ["-crf", "32", "-b:v", "0", "-pix_fmt", "yuv420p", "-row-mt", "1"]


def training_film(runs: Sequence[LagrangianRun], exact: ExactMaxEnt, alt: str) -> HTML:
    """A film of the networks' densities, a second an epoch, side by side.

    Args:
        runs: to contrast.
        exact: the exact answer for their circuit and property: its modes and its entropy.
        alt: what the film shows, for those who do not see it.

    Returns:
        A video (WebM, VP9) in the page itself, with its last frame as poster.
    """
    count = min(run.data.sizes["snapshot"] for run in runs)
    with (
        tempfile.TemporaryDirectory() as folder,
        mpl.rc_context(
            {"animation.ffmpeg_path": imageio_ffmpeg.get_ffmpeg_exe(), "savefig.bbox": None}
        ),
    ):
        film, poster = Path(folder) / "film.webm", Path(folder) / "poster.png"
        room = _ROOM / _HEIGHT
        layout = ConstrainedLayoutEngine(rect=(0, room, 1, 1 - room))
        figure = plt.figure(figsize=(7.5, _HEIGHT), layout=layout)
        writer = FFMpegWriter(_FRAMES_A_SECOND, codec="libvpx-vp9", extra_args=_CODEC)
        with writer.saving(figure, str(film), _DPI):
            for snapshot in range(count):
                _draw(figure, runs, exact, snapshot)
                writer.grab_frame()
        figure.savefig(poster, dpi=_DPI)
        plt.close(figure)
        sources = [base64.b64encode(path.read_bytes()).decode() for path in (film, poster)]
    return HTML(
        f'<video controls loop muted playsinline style="max-width:100%" aria-label="{alt}" '
        f'poster="data:image/png;base64,{sources[1]}">'
        f'<source src="data:video/webm;base64,{sources[0]}" type="video/webm">{alt}</video>'
    )


def _draw(figure: Figure, runs: Sequence[LagrangianRun], exact: ExactMaxEnt, snapshot: int) -> None:
    figure.clear()
    grid = figure.add_gridspec(2, len(runs), height_ratios=[3, 1.3])
    below = None
    for column, run in enumerate(runs):
        ax = figure.add_subplot(grid[0, column])
        plot_density(ax, density_map(run, snapshot), exact)
        ax.set_title(run_name(run))
        below = figure.add_subplot(grid[1, column], sharey=below)
        entropy = run.data.entropy.values
        thousands = run.data.step.values / 1_000
        here = int(np.argmin(np.abs(thousands - snapshot * run.method.iterations / 1_000)))
        below.plot(thousands, entropy, color="0.8")
        below.plot(thousands[: here + 1], entropy[: here + 1], color=run_line(run)["color"])
        below.axhline(exact.entropy, **TARGET)
        below.set(xlabel="iteration (thousands)", ylabel="entropy (nat)")
    figure.suptitle(f"AL epochs done: {snapshot}", fontsize=10)

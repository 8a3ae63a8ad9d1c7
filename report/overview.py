"""README's picture: the exact answer, a network that lost a region, SMC's samples.

python -m report.overview writes book/assets/overview.png.
"""

from __future__ import annotations

from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dsnlib
from dsnlib.plots import draw_plane, use_style
from report.experiment import exact_answer

FILE = Path("book/assets/overview.png")
SAMPLES = 1_000
NETWORK, SMC = "c0-1_seed-1", "smc_seed-1"


def overview(runs: Path) -> Figure:
    """Three maps of the hub's frequency, with samples of the exact answer and of two runs.

    Args:
        runs: folder of the committed runs.
    """
    exact = exact_answer()
    network = dsnlib.load_run(runs / NETWORK).data.z.values[-1]
    particles = dsnlib.load_run(runs / SMC).data.z.values.reshape(-1, 2)
    chosen = np.random.default_rng(0).permutation(len(particles))[:SAMPLES]
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True)
    for ax, z, title in (
        (axes[0], exact.sample(jax.random.key(0), SAMPLES), "exact answer"),
        (axes[1], network, "retrained network, c0 = 1"),
        (axes[2], particles[chosen], "SMC"),
    ):
        draw_plane(ax, exact)
        ax.plot(*z.T, "k.", markersize=1.5)
        ax.set_title(title)
        ax.label_outer()
    return figure


if __name__ == "__main__":
    use_style()
    overview(Path("runs")).savefig(FILE, dpi=110)

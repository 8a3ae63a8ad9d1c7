"""A run against the exact answer: distance and mode masses after every epoch."""

from __future__ import annotations

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure

from dsnlib.plots.style import mode_colour


def plot_judged(judged: xr.Dataset, colour: str) -> Figure:
    """KL from the exact answer, entropy, and the mass of each mode, against epochs done.

    Args:
        judged: as `dsnlib.judge` returns it.
        colour: of the run's seed.

    Returns:
        The figure, with three panels; bars are standard errors, dashed lines the exact answer.
    """
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.5, 2.6))
    done = judged.snapshot
    options = {"marker": "o", "markersize": 3, "capsize": 2}
    left.errorbar(done, judged.kl, judged.kl_se, color=colour, **options)
    left.set(yscale="log", ylabel="KL(q || p*) (nat)")
    middle.errorbar(done, judged.entropy, judged.entropy_se, color=colour, **options)
    middle.axhline(judged.attrs["exact_entropy"], color="0.4", linestyle="--", label="H*")
    middle.set(ylabel="entropy H (nat)")
    middle.legend()
    for name in judged.mode.values:
        mode = judged.sel(mode=name)
        shade = mode_colour(name)
        right.errorbar(done, mode.mode_mass, mode.mode_mass_se, color=shade, label=name, **options)
        right.axhline(float(mode.exact_mass), color=shade, linestyle="--", linewidth=1)
    right.set(ylabel="mass of the mode", ylim=(-0.02, 1.02))
    right.legend()
    for ax in (left, middle, right):
        ax.set_xlabel("AL epochs done")
    return figure

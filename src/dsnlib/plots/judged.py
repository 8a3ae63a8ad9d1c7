"""A run against the exact answer: distance and mode masses after every epoch."""

from __future__ import annotations

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure

from dsnlib.plots.style import TARGET, mode_colour, nat_ticks


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
    nat_ticks(left)
    middle.errorbar(done, judged.entropy, judged.entropy_se, color=colour, **options)
    middle.axhline(judged.attrs["exact_entropy"], **TARGET, label="H*")
    middle.set(ylabel="entropy H (nat)")
    middle.legend()
    for name in judged.mode.values:
        mode = judged.sel(mode=name)
        shade = mode_colour(name)
        right.errorbar(
            done, 100 * mode.mode_mass, 100 * mode.mode_mass_se, color=shade, label=name, **options
        )
        right.axhline(100 * float(mode.exact_mass), color=shade, linestyle="--", linewidth=1)
    right.set(ylabel="mass of the mode (%)")
    right.set_yscale("symlog", linthresh=1)
    right.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    right.set_ylim(-0.1, 130)
    for ax in (left, middle, right):
        ax.set_xlabel("AL epochs done")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure

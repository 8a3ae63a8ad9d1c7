"""How many networks emit samples in which mode, as "emits" asks for more."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsnlib.plots import mode_colour
from dsnlib.plots.style import BAND_COLOUR
from report.rules.emitting import EMITS, KINDS, exact_masses, kinds_of
from report.trainings import Trainings

_COLOURS = {
    "both": BAND_COLOUR,
    "upper only": mode_colour("upper"),
    "lower only": mode_colour("lower"),
    "neither": "0.8",
}


def plot_emitting(groups: Mapping[str, Trainings]) -> Figure:
    """Number of seeds that emit both modes, one or neither, against what "emits" asks for.

    Args:
        groups: runs with what their networks emit, by what they are called.

    Returns:
        The figure, a panel for each group, with stacked bars.
    """
    figure, axes = plt.subplots(
        1, len(groups), figsize=(7.5, 3.0), sharey=True, squeeze=False, layout="constrained"
    )
    places = np.arange(len(EMITS))
    for ax, (name, group) in zip(axes[0], groups.items(), strict=True):
        mass = exact_masses(group)
        found = [kinds_of(group.emitted, mass, emits) for emits in EMITS]
        below = np.zeros(len(EMITS))
        for kind in KINDS:
            count = np.array([kinds.count(kind) for kinds in found], float)
            ax.bar(places, count, 0.7, below, color=_COLOURS[kind], label=kind)
            below += count
        short = [emits.name.replace(" of the exact mass", "") for emits in EMITS]
        ax.set_xticks(places, [label.replace(" of ", " of\n") for label in short])
        ax.tick_params(axis="x", labelsize=7)
        ax.set(title=name, xlabel="least share of the samples, or of a mode's exact mass")
        ax.xaxis.label.set_size(8)
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel("seeds")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(KINDS))
    return figure

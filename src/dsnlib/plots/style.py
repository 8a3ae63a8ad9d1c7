"""Colours and style that all figures share."""

from typing import Any

import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib_inline.backend_inline import set_matplotlib_formats

from dsnlib.methods.lagrangian import LagrangianRun

# Okabe and Ito (2008): distinguishable with any colour vision.
MODE_COLOURS = {"lower": "#D55E00", "upper": "#0072B2", "third": "#882255"}
SEED_COLOURS = {1: "#000000", 2: "#E69F00", 3: "#56B4E9", 4: "#CC79A7"}
ISLAND_COLOURS = ("#332288", "#117733", "#AA4499", "#999933")  # Tol: apart from seeds and modes
BAND_COLOUR = "#009E73"
TARGET: dict[str, Any] = {"color": "0.25", "linestyle": "--", "linewidth": 1.0}
C0_LINES = {1.0: "-", 100.0: "--"}
EPOCH_BORDER: dict[str, Any] = {"color": "0.85", "linewidth": 0.8, "zorder": 0}


def use_style() -> None:
    """Make dsnlib's style the default of matplotlib in this process.

    Notebooks then show figures as SVG, without a date, so that the same figure is the same text.
    """
    plt.style.use("dsnlib.plots.dsnlib")
    if get_ipython() is not None:
        set_matplotlib_formats("svg", metadata={"Date": None})


def seed_colour(seed: int) -> str:
    """Colour of a seed, the same in every figure; seeds beyond the fourth are grey."""
    return SEED_COLOURS.get(seed, "0.5")


def mode_colour(name: str) -> str:
    """Colour of a mode, the same in every figure; modes beyond the third are grey."""
    return MODE_COLOURS.get(name, "0.45")


def run_line(run: LagrangianRun) -> dict[str, Any]:
    """Options of the line that stands for a run: colour by seed, dashes by c0, and its label."""
    c0, seed = run.method.c0, run.seed
    line = C0_LINES.get(c0, ":")
    return {"color": seed_colour(seed), "linestyle": line, "label": run_name(run)}


def run_name(run: LagrangianRun) -> str:
    """What figures and tables call a run."""
    return f"c0 = {run.method.c0:g}, seed {run.seed}"


def shown(name: str) -> str:
    """Name or unit of a moment as figures and tables write it: f_hub^2 is f_hub²."""
    return name.replace("^2", "²")


def moment_line(name: str, k: int) -> dict[str, Any]:
    """Options of the line of the kth moment: a grey, a marker, and its label."""
    grey = str((0.1, 0.55, 0.75)[k % 3])
    return {"color": grey, "marker": "os^vD<>ph*"[k % 10], "markersize": 4, "label": shown(name)}


def nat_ticks(ax: Axes) -> None:
    """Ticks 1, 2, 5, 10, .. on a logarithmic y axis."""
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())

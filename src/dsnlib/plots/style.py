"""Colours and style that all figures share."""

from typing import Any

import matplotlib.pyplot as plt

# Okabe and Ito (2008): distinguishable with any colour vision.
MODE_COLOURS = {"lower": "#D55E00", "upper": "#0072B2"}
SEED_COLOURS = {1: "#000000", 2: "#E69F00", 3: "#56B4E9", 4: "#CC79A7"}
BAND_COLOUR = "#009E73"
TARGET: dict[str, Any] = {"color": "#D55E00", "linestyle": "--", "linewidth": 1.0}
EPOCH_BORDER: dict[str, Any] = {"color": "0.85", "linewidth": 0.8, "zorder": 0}


def use_style() -> None:
    """Make dsnlib's style the default of matplotlib in this process."""
    plt.style.use("dsnlib.plots.dsnlib")


def seed_colour(seed: int) -> str:
    """Colour of a seed, the same in every figure; seeds beyond the fourth are grey."""
    return SEED_COLOURS.get(seed, "0.5")


def mode_colour(name: str) -> str:
    """Colour of a mode, the same in every figure; modes beyond lower and upper are grey."""
    return MODE_COLOURS.get(name, "0.45")

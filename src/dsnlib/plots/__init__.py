"""Figures of runs, maps and the circuit, in one style."""

from dsnlib.plots.circuit import draw_circuit, plot_voltages
from dsnlib.plots.history import plot_history, plot_multipliers
from dsnlib.plots.judged import plot_judged
from dsnlib.plots.maps import outline_modes, plot_map, plot_snapshots, shade_band
from dsnlib.plots.style import MODE_COLOURS, mode_colour, seed_colour, use_style

__all__ = [
    "MODE_COLOURS",
    "draw_circuit",
    "mode_colour",
    "outline_modes",
    "plot_history",
    "plot_judged",
    "plot_map",
    "plot_multipliers",
    "plot_snapshots",
    "plot_voltages",
    "seed_colour",
    "shade_band",
    "use_style",
]

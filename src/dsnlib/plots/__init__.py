"""Figures of runs, maps and the circuit, in one style."""

from dsnlib.plots.circuit import draw_circuit, plot_voltages
from dsnlib.plots.history import plot_history, plot_multipliers
from dsnlib.plots.maps import outline_region, plot_map, plot_snapshots, shade_band
from dsnlib.plots.style import MODE_COLOURS, use_style

__all__ = [
    "MODE_COLOURS",
    "draw_circuit",
    "outline_region",
    "plot_history",
    "plot_map",
    "plot_multipliers",
    "plot_snapshots",
    "plot_voltages",
    "shade_band",
    "use_style",
]

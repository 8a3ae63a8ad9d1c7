"""Figures of runs, of exact answers and of maps over two parameters, in one style."""

from dsnlib.plots.conditionals import conditional_widget, plot_conditionals
from dsnlib.plots.densities import density_map, plot_density
from dsnlib.plots.frames import embedded, small_png, snapshot_frames
from dsnlib.plots.history import plot_history, plot_multipliers
from dsnlib.plots.judged import plot_judged
from dsnlib.plots.parameters import (
    plot_directions,
    plot_pairs,
    plot_statistics,
    region_colour,
)
from dsnlib.plots.plane import draw_plane, outline_modes, plot_map, zoom_in
from dsnlib.plots.produced import plot_produced
from dsnlib.plots.scrubber import epoch_scrubber
from dsnlib.plots.smc import plot_answer, plot_particles, plot_stages, region_masses
from dsnlib.plots.snapshots import plot_snapshots
from dsnlib.plots.style import MODE_COLOURS, mode_colour, run_name, seed_colour, shown, use_style
from dsnlib.plots.traces import plot_traces

__all__ = [
    "MODE_COLOURS",
    "conditional_widget",
    "density_map",
    "draw_plane",
    "embedded",
    "epoch_scrubber",
    "mode_colour",
    "outline_modes",
    "plot_answer",
    "plot_conditionals",
    "plot_density",
    "plot_directions",
    "plot_history",
    "plot_judged",
    "plot_map",
    "plot_multipliers",
    "plot_pairs",
    "plot_particles",
    "plot_produced",
    "plot_snapshots",
    "plot_stages",
    "plot_statistics",
    "plot_traces",
    "region_colour",
    "region_masses",
    "run_name",
    "seed_colour",
    "shown",
    "small_png",
    "snapshot_frames",
    "use_style",
    "zoom_in",
]

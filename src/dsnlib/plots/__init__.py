"""Figures of runs, maps and the circuit, in one style."""

from dsnlib.plots.answer import plot_phase, plot_recipe, wilson
from dsnlib.plots.circuit import draw_circuit, plot_voltages
from dsnlib.plots.comparison import plot_divergences, plot_entropies, plot_moments
from dsnlib.plots.densities import density_map, plot_density, plot_overview
from dsnlib.plots.explorer import circuit_explorer, live_explorer, plot_activity
from dsnlib.plots.frames import embedded, small_png, snapshot_frames
from dsnlib.plots.history import plot_history, plot_multipliers
from dsnlib.plots.judged import plot_judged
from dsnlib.plots.maps import outline_modes, plot_map, plot_snapshots, shade_band
from dsnlib.plots.modes import plot_capture, plot_convergence, plot_losses
from dsnlib.plots.scrubber import epoch_scrubber
from dsnlib.plots.stages import plot_result, plot_stage_samples, plot_stages
from dsnlib.plots.style import (
    METHOD_COLOURS,
    MODE_COLOURS,
    mode_colour,
    per_cent,
    run_name,
    seed_colour,
    shown,
    use_style,
)

__all__ = [
    "METHOD_COLOURS",
    "MODE_COLOURS",
    "circuit_explorer",
    "density_map",
    "draw_circuit",
    "embedded",
    "epoch_scrubber",
    "live_explorer",
    "mode_colour",
    "outline_modes",
    "per_cent",
    "plot_activity",
    "plot_capture",
    "plot_convergence",
    "plot_density",
    "plot_divergences",
    "plot_entropies",
    "plot_history",
    "plot_judged",
    "plot_losses",
    "plot_map",
    "plot_moments",
    "plot_multipliers",
    "plot_overview",
    "plot_phase",
    "plot_recipe",
    "plot_result",
    "plot_snapshots",
    "plot_stage_samples",
    "plot_stages",
    "plot_voltages",
    "run_name",
    "seed_colour",
    "shade_band",
    "shown",
    "small_png",
    "snapshot_frames",
    "use_style",
    "wilson",
]

"""Figures that only the report shows; `dsnlib.plots` has those of any run."""

from report.figures.answer import plot_against_note
from report.figures.cause import plot_effects, plot_signal, plot_steep, plot_tails
from report.figures.circuit import draw_circuit, plot_voltages
from report.figures.colours import GRADIENT_COLOURS, METHOD_COLOURS
from report.figures.comparison import plot_divergences, plot_entropies, plot_moments
from report.figures.data import show_data
from report.figures.emitting import plot_emitting
from report.figures.epoch import plot_epoch
from report.figures.explorer import (
    circuit_explorer,
    explorer_table,
    live_explorer,
    plot_activity,
    plot_place,
)
from report.figures.joined import plot_paths
from report.figures.landing import SAMPLES, landing_panels, typical_loss
from report.figures.modes import plot_capture, plot_convergence, plot_losses
from report.figures.networks import plot_circuit
from report.figures.overview import plot_overview
from report.figures.phase import draw_cells, plot_courses, plot_networks_of, plot_trade
from report.figures.side_by_side import clouds_table, side_by_side
from report.figures.systems import plot_rarity, plot_scaling
from report.figures.traces import plot_traces

__all__ = [
    "GRADIENT_COLOURS",
    "METHOD_COLOURS",
    "SAMPLES",
    "circuit_explorer",
    "clouds_table",
    "draw_cells",
    "draw_circuit",
    "explorer_table",
    "landing_panels",
    "live_explorer",
    "plot_activity",
    "plot_against_note",
    "plot_capture",
    "plot_circuit",
    "plot_convergence",
    "plot_courses",
    "plot_divergences",
    "plot_effects",
    "plot_emitting",
    "plot_entropies",
    "plot_epoch",
    "plot_losses",
    "plot_moments",
    "plot_networks_of",
    "plot_overview",
    "plot_paths",
    "plot_place",
    "plot_rarity",
    "plot_scaling",
    "plot_signal",
    "plot_steep",
    "plot_tails",
    "plot_traces",
    "plot_trade",
    "plot_voltages",
    "show_data",
    "side_by_side",
    "typical_loss",
]

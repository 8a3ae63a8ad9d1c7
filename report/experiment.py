"""The experiment of the note: its circuit, its emergent property and its exact answer."""

from __future__ import annotations

from dsnlib import STG, EmergentProperty, ExactMaxEnt, exact_maxent
from dsnlib.maxent.modes import in_band

PROPERTY = EmergentProperty(mean=[0.525], sd=[0.025])  # Hz, of the hub's frequency
SHORT, LONG = 200, 800  # Euler steps of the note's runs, and of its full resolution
CELLS = 1_000  # of the grid along either conductance


def exact_answer(T: int = SHORT) -> ExactMaxEnt:
    """The exact answer for the note's circuit, simulated for T Euler steps."""
    return exact_maxent(STG(T=T), PROPERTY, cells=CELLS)


def band_share(exact: ExactMaxEnt) -> float:
    """Share of an exact answer's mass within two standard deviations of the target."""
    inside = in_band(exact.grid.values.reshape(-1, len(exact.prop.mean)), exact.prop)
    density = exact.density.values.ravel()
    return float(density[inside].sum() / density.sum())

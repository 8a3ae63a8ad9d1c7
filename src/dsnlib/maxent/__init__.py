"""The exact answer of circuits of few parameters."""

from dsnlib.maxent.exact import ExactMaxEnt, exact_maxent
from dsnlib.maxent.grid import statistics_grid
from dsnlib.maxent.modes import Mode

__all__ = ["ExactMaxEnt", "Mode", "exact_maxent", "statistics_grid"]

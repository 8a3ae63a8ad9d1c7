"""The exact answer of circuits of few parameters."""

from dsnlib.exact.grid import statistics_grid
from dsnlib.exact.maxent import ExactMaxEnt, exact_maxent
from dsnlib.exact.modes import Mode

__all__ = ["ExactMaxEnt", "Mode", "exact_maxent", "statistics_grid"]

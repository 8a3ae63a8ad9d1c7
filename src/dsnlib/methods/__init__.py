"""The methods by which parameters are found, all behind one interface."""

from dsnlib.methods.base import (
    METHODS,
    Method,
    Problem,
    Report,
    Result,
    SimulationError,
    Variable,
)
from dsnlib.methods.lagrangian import AugmentedLagrangian
from dsnlib.methods.run import Run
from dsnlib.methods.smc import SMC
from dsnlib.methods.uniform import Uniform

__all__ = [
    "METHODS",
    "SMC",
    "AugmentedLagrangian",
    "Method",
    "Problem",
    "Report",
    "Result",
    "Run",
    "SimulationError",
    "Uniform",
    "Variable",
]

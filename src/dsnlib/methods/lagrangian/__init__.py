"""The note's method: a density network trained by an augmented Lagrangian."""

from dsnlib.methods.lagrangian.method import AugmentedLagrangian
from dsnlib.methods.lagrangian.run import LagrangianRun

__all__ = ["AugmentedLagrangian", "LagrangianRun"]

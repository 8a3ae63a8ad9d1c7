"""Relaxed maximum entropy by sequential Monte Carlo: the main method."""

from dsnlib.methods.smc.method import SMC
from dsnlib.methods.smc.run import SMCRun

__all__ = ["SMC", "SMCRun"]

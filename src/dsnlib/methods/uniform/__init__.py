"""Weighted uniform draws, the simplest method."""

from dsnlib.methods.uniform.method import Uniform
from dsnlib.methods.uniform.run import UniformRun

__all__ = ["Uniform", "UniformRun"]

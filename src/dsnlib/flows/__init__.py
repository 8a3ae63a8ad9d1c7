"""Normalizing flows as numpyro transforms, and the density network they make."""

from dsnlib.flows.interval import IntervalTransform
from dsnlib.flows.network import FLOWS, DensityNetwork, density_network, initial_weights
from dsnlib.flows.planar import PlanarTransform

__all__ = [
    "FLOWS",
    "DensityNetwork",
    "IntervalTransform",
    "PlanarTransform",
    "density_network",
    "initial_weights",
]

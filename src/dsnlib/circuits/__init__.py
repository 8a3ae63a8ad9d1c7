"""Circuits: differentiable maps from bounded parameters to statistics."""

from dsnlib.circuits.base import Circuit
from dsnlib.circuits.external import ExternalCircuit, ExternalStochasticCircuit
from dsnlib.circuits.linear2d import Linear2D
from dsnlib.circuits.quantities import Parameter, Statistic
from dsnlib.circuits.rank_two import RankTwoRNN
from dsnlib.circuits.stg import STG
from dsnlib.circuits.stochastic import StochasticCircuit
from dsnlib.circuits.superior_colliculus import SuperiorColliculus
from dsnlib.circuits.v1 import V1

__all__ = [
    "STG",
    "V1",
    "Circuit",
    "ExternalCircuit",
    "ExternalStochasticCircuit",
    "Linear2D",
    "Parameter",
    "RankTwoRNN",
    "Statistic",
    "StochasticCircuit",
    "SuperiorColliculus",
]

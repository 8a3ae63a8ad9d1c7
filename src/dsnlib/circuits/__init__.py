"""Circuits: differentiable maps from bounded parameters to statistics."""

from dsnlib.circuits.base import Circuit, Parameter, Statistic
from dsnlib.circuits.linear2d import Linear2D
from dsnlib.circuits.rank_two import RankTwoRNN
from dsnlib.circuits.stg import STG

__all__ = ["STG", "Circuit", "Linear2D", "Parameter", "RankTwoRNN", "Statistic"]

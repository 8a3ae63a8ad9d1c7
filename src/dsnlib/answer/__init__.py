"""What an answer of many parameters looks like: regions, directions, conditionals, traces."""

from dsnlib.answer.conditionals import Conditional, conditional
from dsnlib.answer.directions import Directions, covariance_directions, directions
from dsnlib.answer.regions import Regions, regions
from dsnlib.answer.traces import Traced, Traces, traced, traces

__all__ = [
    "Conditional",
    "Directions",
    "Regions",
    "Traced",
    "Traces",
    "conditional",
    "covariance_directions",
    "directions",
    "regions",
    "traced",
    "traces",
]

"""What an answer of many parameters looks like: its regions, and where it is stiff or free."""

from dsnlib.answer.directions import Directions, directions
from dsnlib.answer.regions import Regions, regions

__all__ = ["Directions", "Regions", "directions", "regions"]

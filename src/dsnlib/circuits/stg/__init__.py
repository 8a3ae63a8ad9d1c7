"""The five-neuron stomatogastric circuit."""

from dsnlib.circuits.stg.circuit import NEURONS, STG

__all__ = ["NEURONS", "STG"]

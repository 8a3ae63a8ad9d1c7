"""dsnlib: all the parameters with which a neural circuit does what the animal does."""

from dsnlib import _xla  # noqa: F401 (before JAX computes anything)
from dsnlib.circuits import (
    STG,
    V1,
    Circuit,
    ExternalCircuit,
    ExternalStochasticCircuit,
    Linear2D,
    Parameter,
    RankTwoRNN,
    Statistic,
    StochasticCircuit,
    SuperiorColliculus,
)
from dsnlib.judging import judge
from dsnlib.maxent import ExactMaxEnt, exact_maxent
from dsnlib.maxent.feasibility import PropertyError
from dsnlib.methods import SMC, AugmentedLagrangian, Method, Run, SimulationError, Uniform
from dsnlib.property import EmergentProperty
from dsnlib.runs import fit, load_run
from dsnlib.storage.checkpoint import CheckpointError
from dsnlib.storage.lock import RunLockedError

__all__ = [
    "SMC",
    "STG",
    "V1",
    "AugmentedLagrangian",
    "CheckpointError",
    "Circuit",
    "EmergentProperty",
    "ExactMaxEnt",
    "ExternalCircuit",
    "ExternalStochasticCircuit",
    "Linear2D",
    "Method",
    "Parameter",
    "PropertyError",
    "RankTwoRNN",
    "Run",
    "RunLockedError",
    "SimulationError",
    "Statistic",
    "StochasticCircuit",
    "SuperiorColliculus",
    "Uniform",
    "exact_maxent",
    "fit",
    "judge",
    "load_run",
]

"""dsnlib: all the parameters with which a neural circuit does what the animal does."""

from dsnlib import _xla  # noqa: F401 (before JAX computes anything)
from dsnlib.circuits import STG, Circuit, Linear2D, Parameter, Statistic
from dsnlib.emergent import EmergentProperty
from dsnlib.exact import ExactMaxEnt, exact_maxent
from dsnlib.judging import Judged, Verdict, judge, judge_claims
from dsnlib.population import Population, ResampledNetwork
from dsnlib.runs import CheckpointError, Run, RunLockedError, fit, fit_many, load_run
from dsnlib.settings import Settings
from dsnlib.training.lagrangian import SimulationError

__all__ = [
    "STG",
    "CheckpointError",
    "Circuit",
    "EmergentProperty",
    "ExactMaxEnt",
    "Judged",
    "Linear2D",
    "Parameter",
    "Population",
    "ResampledNetwork",
    "Run",
    "RunLockedError",
    "Settings",
    "SimulationError",
    "Statistic",
    "Verdict",
    "exact_maxent",
    "fit",
    "fit_many",
    "judge",
    "judge_claims",
    "load_run",
]

"""Population Monte Carlo with a flow: every mode, from simulations alone."""

from dsnlib.population.resampled import ResampledNetwork
from dsnlib.population.settings import Population

__all__ = ["Population", "ResampledNetwork"]

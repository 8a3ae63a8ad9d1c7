"""A complete run of weighted uniform draws."""

from __future__ import annotations

import numpyro.distributions as dist

from dsnlib.methods.natural import NaturalRun
from dsnlib.methods.run import Check
from dsnlib.methods.smc.agreement import LEAST_EFFECTIVE, check_natural_parameters
from dsnlib.methods.uniform.settings import UniformSettings

_MOST_MISS = 1e-3  # of a feature, so of a mean in sd and of a variance as a share


class UniformRun(NaturalRun[UniformSettings]):
    """A complete run of weighted uniform draws; `data` holds `VARIABLES` of its method."""

    def property_checks(self) -> list[Check]:
        """The weighted draws themselves have the property; the samples kept of them are fewer."""
        miss = float(self.data.miss.max())
        return [
            Check(
                "largest miss of a target by the weighted draws, sd or share of the variance",
                miss,
                f"below {_MOST_MISS:g}",
                miss < _MOST_MISS,
                "the natural parameters were not found: pass more samples",
            )
        ]

    def checks(self) -> list[Check]:
        """Effective sample size, and agreement of the islands on natural parameters and entropy.

        Draws are independent, and none of their regions can be lost on the way.
        """
        data = self.data
        effective = float(data.effective.sum())
        wanted = LEAST_EFFECTIVE * self.simulations / effective
        more = f"pass about samples={wanted:.1g}, or use dsnlib.SMC()"
        statistics = data.statistics.values
        features = self.features.of(statistics.reshape(-1, statistics.shape[-1]))
        return [
            Check(
                "effective sample size of the weighted draws",
                effective,
                f"above {LEAST_EFFECTIVE}",
                effective > LEAST_EFFECTIVE,
                f"the property is rare: {more}",
            ),
            *check_natural_parameters(
                data.theta.values.astype(float), data.entropy.values, features, more
            ),
        ]

    def network(self, epoch: int = -1) -> dist.Distribution:
        """Weighted draws have no network.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"epoch must be that of a run with a network, got {epoch!r} of a run of "
            "dsnlib.Uniform; make the run with dsnlib.SMC(density='spline')"
        )

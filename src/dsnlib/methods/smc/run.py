"""A complete run of SMC: samples, natural parameters, entropy, and whether islands agree."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from dsnlib.flows import DensityNetwork, density_network, initial_weights
from dsnlib.methods.natural import NaturalRun
from dsnlib.methods.run import Check
from dsnlib.methods.smc import density
from dsnlib.methods.smc.agreement import EFFECTIVE, check_agreement, check_natural_parameters
from dsnlib.methods.smc.noise import check_noise
from dsnlib.methods.smc.records import PRODUCED
from dsnlib.methods.smc.settings import SMCSettings
from dsnlib.storage.dataset import attribute

LEAST_MOVES = 2.0
MOST_FAILED = 0.5


class SMCRun(NaturalRun[SMCSettings]):
    """A complete run of relaxed maximum entropy by SMC.

    `data` holds `dsnlib.methods.smc.records.VARIABLES`.
    """

    def checks(self) -> list[Check]:
        """Agreement of the islands, acceptance, and failed simulations."""
        data = self.data
        unit = self.box.to_unit(data.z.values)
        statistics = data.statistics.values
        features = self.features.of(statistics.reshape(-1, statistics.shape[-1]))
        theta = data.theta.values.astype(float)
        accepted, failed = (
            float(data.accepted_moves.min()),
            float(data.failed[-1] / data.simulations[-1]),
        )
        return [
            *check_agreement(self.samples, unit, self.seed),
            *check_natural_parameters(theta, data.entropy.values, features),
            *check_noise(data.noise_shift.values, data.noise_share.values),
            Check(
                "accepted moves of a particle at the property's own width",
                accepted,
                f"above {LEAST_MOVES:g}",
                accepted > LEAST_MOVES,
                "the particles hardly move: use more of them, or moves='gradient' for a smooth "
                "circuit of many parameters",
            ),
            Check(
                "share of failed simulations in the last stage",
                failed,
                f"below {MOST_FAILED:g}",
                failed < MOST_FAILED,
                "most proposals fail beside the answer: mend the simulator or narrow the bounds",
            ),
        ]

    @property
    def verdict(self) -> str:
        """See `Run.verdict`; where the property is not met, what uniform draws produce."""
        produced = attribute(self.data, PRODUCED) if PRODUCED in self.data.attrs else []
        if all(check.passed for check in self.property_checks()):
            produced = []
        names = attribute(self.data, "observables")
        lines = []
        for i, (quantiles, o) in enumerate(zip(produced, names, strict=False)):
            asked = self.prop.asked(i)
            low, few, median, most, high = (f"{value:.4g}" for value in quantiles)
            lines.append(
                f"{o['name']} ({o['unit']}): {asked} was asked for; uniform draws produce {low} to "
                f"{high}, 98 % of them {few} to {most}, median {median}"
            )
        return "\n".join([super().verdict, *lines])

    def cost(self) -> str:
        """What the run cost, in words, beside what weighted uniform draws would."""
        if not all(check.passed for check in self.property_checks()):
            return super().cost()
        worth = float(self.diagnostics.value[EFFECTIVE])
        draws = worth / self.uniform_share
        if draws < self.simulations:
            rival = "dsnlib.Uniform is simpler and cheaper here"
        else:
            rival = "they are dearer here"
        return (
            f"{super().cost()}\nweighted uniform draws: {_rounded(draws)} of them would be worth "
            f"as many samples ({worth:,.0f}): {rival}"
        )

    def network(self, epoch: int = -1) -> DensityNetwork:
        """The density that was fitted to the samples, where `density` was asked for.

        Args:
            epoch: -1 or 0; a run has one density.

        Raises:
            ValueError: another epoch, or a run without a density.
        """
        flow = self.method.density
        if flow is None:
            raise ValueError(
                "density must be asked for, got a run without one; make the run with "
                "dsnlib.SMC(density='spline')"
            )
        if epoch not in (-1, 0):
            raise ValueError(f"epoch must be -1, the end of the run, got {epoch!r}; pass -1")
        dimension = self.data.sizes["parameter"]
        template = jax.eval_shape(
            lambda: initial_weights(jax.random.key(0), flow, density.LAYERS, dimension)
        )
        _, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), template))
        weights = unravel(jnp.asarray(self.data.weights.values, float))
        return density_network(weights, flow, *self.data.bounds.values.T)


def _rounded(count: float) -> str:
    """A large number in words, to two digits."""
    return f"{float(f'{count:.2g}'):,.0f}" if count < 1e9 else f"{count:.1e}"

"""A complete run of SMC: samples, natural parameters, entropy, and whether islands agree."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree

from dsnlib._xla import numerics
from dsnlib.estimate import Estimate, over_islands
from dsnlib.flows import DensityNetwork, density_network, initial_weights
from dsnlib.methods.run import Check, Run, Snapshot
from dsnlib.methods.smc import density
from dsnlib.methods.smc.agreement import check_agreement, check_natural_parameters
from dsnlib.methods.smc.dual import features
from dsnlib.methods.smc.noise import check_noise
from dsnlib.methods.smc.settings import SMCSettings

LEAST_MOVES = 2.0
MOST_FAILED = 0.5


class SMCRun(Run[SMCSettings]):
    """A complete run of relaxed maximum entropy by SMC.

    `data` holds `dsnlib.methods.smc.records.VARIABLES`.
    """

    @property
    def samples(self) -> xr.Dataset:
        """The particles of every island, equally weighted; see `Run.samples`."""
        z, statistics = (self.data[name].values.astype(float) for name in ("z", "statistics"))
        return self._labelled_samples(z, statistics)

    @property
    def simulations(self) -> int:
        """Number of simulations of all islands, failed ones included."""
        return int(self.data.simulations.sum())

    @property
    def eta(self) -> xr.Dataset:
        """Natural parameters of the moments (f_1, .., f_S, f_1^2, .., f_S^2): `value` and `se`."""
        eta = self.data.eta
        se = eta.std("island", ddof=1) / np.sqrt(eta.sizes["island"])
        return xr.Dataset({"value": eta.mean("island"), "se": se})

    @property
    def log_z(self) -> Estimate:
        """log of the integral of exp(eta.T) over the box, nats, with its standard error."""
        return over_islands(self.data.log_z.values)

    @property
    def entropy(self) -> Estimate:
        """Entropy of the answer, nats, with its standard error."""
        return over_islands(self.data.entropy.values)

    def log_prob(self, z: Any) -> np.ndarray:
        """Log-density of the answer at any parameters, for one simulation each.

        Args:
            z: (..., P) parameters.

        Returns:
            (...) eta.T(z) - log Z, nats per unit volume; -inf outside the box and where the
            simulation fails.

        Raises:
            ValueError: the run was loaded from disk, so its circuit is not known.
        """
        if self.circuit is None:
            raise ValueError(
                "circuit must be known to simulate, got a run that load_run read; get the run from "
                "dsnlib.fit with its circuit, or pass moments to log_prob_of"
            )
        z = np.asarray(z, float)
        flat = z.reshape(-1, z.shape[-1])
        low, high = self.circuit.bounds.T
        inside = ((flat >= low) & (flat <= high)).all(axis=1)
        moments = np.full((len(flat), self.data.sizes["moment"]), np.nan)
        with numerics("float64"):
            statistics = self.circuit.statistics(flat[inside])
            moments[inside] = self.prop.moments(statistics)
        return self.log_prob_of(moments).reshape(z.shape[:-1])

    def log_prob_of(self, moments: Any) -> np.ndarray:
        """(...) log-density where the moments are (..., 2 S); -inf where they are not finite."""
        exponent = np.asarray(moments, float) @ self.eta["value"].values
        return np.where(np.isfinite(exponent), exponent, -np.inf) - self.log_z.value

    def snapshots(self) -> dict[int, Snapshot]:
        """The answer, with all its samples."""
        statistics = self.data.statistics.values.astype(float)
        statistics = statistics.reshape(-1, statistics.shape[-1])
        moments = np.concatenate([statistics, statistics**2], axis=1)
        z = self.data.z.values.astype(float).reshape(len(moments), -1)
        log_q = self.log_prob_of(moments)
        stages = self.data.sizes["stage"]
        return {stages: Snapshot(z, moments, log_q, lambda z, moments: self.log_prob_of(moments))}

    def checks(self) -> list[Check]:
        """Agreement of the islands, acceptance, and failed simulations."""
        data = self.data
        low, high = data.bounds.values.T
        unit = (data.z.values - low) / (high - low)
        statistics = data.statistics.values
        moments = features(statistics.reshape(-1, statistics.shape[-1]), self.prop)
        theta = data.theta.values.astype(float)
        accepted, failed = (
            float(data.accepted_moves.min()),
            float(data.failed[-1] / data.simulations[-1]),
        )
        return [
            *check_agreement(self.samples, unit, self.seed),
            *check_natural_parameters(theta, data.entropy.values, moments),
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

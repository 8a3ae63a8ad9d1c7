"""A complete run of the augmented Lagrangian, and the networks along the way."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jax.flatten_util import ravel_pytree

from dsnlib import _check
from dsnlib.flows import DensityNetwork, density_network, initial_weights
from dsnlib.methods.equivalence import equivalence
from dsnlib.methods.lagrangian.convergence import LEVEL
from dsnlib.methods.lagrangian.records import SNAPSHOT_SAMPLES, VIOLATIONS
from dsnlib.methods.lagrangian.settings import LagrangianSettings
from dsnlib.methods.run import MOST_FAILED, Check, Run, Snapshot


class LagrangianRun(Run[LagrangianSettings]):
    """A complete run of the augmented Lagrangian.

    `data` holds `dsnlib.methods.lagrangian.records.VARIABLES`.
    """

    @property
    def samples(self) -> xr.Dataset:
        """1,000 samples of the trained network, as one island; see `Run.samples`."""
        z = self.data.z.values[-1:].astype(float)
        moments = self.data.moments.values[-1:].astype(float)
        return self._labelled_samples(z, moments[..., : len(self.prop.mean)])

    @property
    def simulations(self) -> int:
        """Number of simulations, those of the tests after each epoch counted as well."""
        m = self.method
        an_epoch = m.iterations * m.batch + 2 * VIOLATIONS * m.batch + 2 * SNAPSHOT_SAMPLES
        return m.epochs * an_epoch + SNAPSHOT_SAMPLES

    def checks(self) -> list[Check]:
        """The note's convergence test, and steps and simulations that failed."""
        m, data = self.method, self.data
        p, least = float(data.p_value[-1].min()), LEVEL / data.sizes["moment"]
        skipped = float(data.skipped_steps.sum()) / (m.epochs * m.iterations)
        failed = float(data.failed_simulations.sum()) / (
            m.epochs * (2 * VIOLATIONS * m.batch + 2 * SNAPSHOT_SAMPLES)
        )
        mend = "a smaller dt, narrower bounds, or precision='float64'"
        return [
            Check(
                "smallest p of the note's test at the end",
                p,
                f"above {least:g}",
                p > least,
                "train for more epochs, or use dsnlib.SMC()",
            ),
            Check(
                "share of skipped steps",
                skipped,
                f"below {MOST_FAILED:g}",
                skipped < MOST_FAILED,
                f"try a smaller learning_rate, {mend}",
            ),
            Check(
                "share of failed simulations",
                failed,
                f"below {MOST_FAILED:g}",
                failed < MOST_FAILED,
                f"try {mend}",
            ),
        ]

    @property
    def converged_epoch(self) -> int | None:
        """First epoch at whose end every p of the note's test exceeds 0.05 / M, or None."""
        passed = self._not_rejected()
        return int(self.data.epoch[passed][0]) if passed.any() else None

    def _not_rejected(self) -> xr.DataArray:
        """(epoch) whether every p of the note's test exceeds its share of the level."""
        return (self.data.p_value > LEVEL / self.data.sizes["moment"]).all("moment")

    def snapshots(self) -> dict[int, Snapshot]:
        """The network after each epoch, with 1,000 samples of it; 0 is the initial fit."""

        def log_prob(epoch: int, z: np.ndarray, moments: np.ndarray) -> np.ndarray:
            with jax.enable_x64(True):
                return np.asarray(_log_prob(self.network(epoch), jnp.asarray(z)))

        z, moments, log_q = (self.data[name] for name in ("z", "moments", "log_q"))
        return {
            epoch: Snapshot(
                z.sel(snapshot=epoch).values.astype(float),
                moments.sel(snapshot=epoch).values.astype(float),
                log_q.sel(snapshot=epoch).values.astype(float),
                partial(log_prob, epoch),
            )
            for epoch in self.data.snapshot.values.tolist()
        }

    def network(self, epoch: int = -1) -> DensityNetwork:
        """The network after `epoch` epochs.

        Args:
            epoch: 0 is the initial fit, -1 the end of the run.

        Returns:
            A numpyro distribution over the circuit's parameters; it computes in float64 where
            JAX's x64 mode is on, else in float32, whatever the run's precision.

        Raises:
            TypeError, ValueError: epoch is not whole, or the run has no such epoch.
        """
        epochs = self.data.sizes["epoch"]
        epoch = _check.whole("epoch", epoch, at_least=-epochs - 1)
        if epoch > epochs:
            raise ValueError(
                f"epoch must be at most {epochs}, got {epoch}; 0 is the initial fit, -1 the end"
            )
        m, dimension = self.method, self.data.sizes["parameter"]
        template = jax.eval_shape(
            lambda: initial_weights(jax.random.key(0), m.flow, m.layers, dimension)
        )
        _, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), template))
        weights = unravel(jnp.asarray(self.data.weights[epoch].values, float))
        low, high = self.data.bounds.values.T
        return density_network(weights, m.flow, low, high)

    def convergence(self) -> pd.DataFrame:
        """Both convergence tests at each epoch's end, one row an epoch.

        Columns for each moment: its mean and the p of the note's bootstrap test; for each
        statistic: the intervals of the equivalence test, of its mean (in sd off target) and of its
        variance (share off target), from `low` to `high`; then both verdicts.
        """
        not_rejected = self._not_rejected()
        rows: list[dict[str, Any]] = []
        for epoch in self.data.epoch.values:
            moments = self.data.moments.sel(snapshot=epoch).values.astype(float)
            moments = moments[np.isfinite(moments).all(axis=1)]
            tested = equivalence(moments, self.prop)
            p = self.data.p_value.sel(epoch=epoch).values
            row: dict[str, Any] = {"epoch": int(epoch)}
            for i, name in enumerate(self.data.moment.values):
                row[f"mean {name}"] = moments[:, i].mean()
                row[f"p {name}"] = p[i]
            statistics = self.data.moment.values[: len(self.prop.mean)]
            names = [f"{what} {name}" for what in ("mean", "variance") for name in statistics]
            for i, name in enumerate(names):
                row[f"low {name}"], row[f"high {name}"] = tested.low[i], tested.high[i]
            row["not rejected"] = bool(not_rejected.sel(epoch=epoch))
            row["equivalent"] = bool(tested.met.all())
            rows.append(row)
        return pd.DataFrame(rows).set_index("epoch")


@jax.jit
def _log_prob(network: DensityNetwork, z: jax.Array) -> jax.Array:
    """The network's log-density, compiled once for all networks of one architecture."""
    return network.log_prob(z)

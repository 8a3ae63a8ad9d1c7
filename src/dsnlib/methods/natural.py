"""Runs whose answer is p* itself: natural parameters, evidence and entropy, with errors."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import xarray as xr

from dsnlib._xla import numerics
from dsnlib.estimate import Estimate, over_islands
from dsnlib.maxent.features import Features
from dsnlib.methods.run import Run, Snapshot
from dsnlib.storage.dataset import attribute

MethodT = TypeVar("MethodT", covariant=True)


class NaturalRun(Run[MethodT]):
    """A run whose answer is p*(z) proportional to exp(eta.T(z)), island by island.

    `data` holds at least `z`, `statistics`, `theta`, `eta`, `log_z`, `entropy`, `simulations` and
    `failed`.
    """

    @property
    def samples(self) -> xr.Dataset:
        """The samples of every island, equally weighted; see `Run.samples`."""
        z, statistics = (self.data[name].values.astype(float) for name in ("z", "statistics"))
        return self._labelled_samples(z, statistics[..., : len(self.prop.mean)])

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
        """Entropy of the answer, nats, with its standard error.

        Of parameters on a logarithmic scale it is that of log(z), see `dsnlib.circuits.box.Box`.
        """
        return over_islands(self.data.entropy.values)

    @property
    def features(self) -> Features:
        """The features of the property."""
        prop = self.prop
        if "scales" in self.data.attrs:
            return Features(prop, tuple(map(float, attribute(self.data, "scales"))))
        # Files of versions before 0.3 hold properties with an sd for each statistic.
        return Features(prop, tuple(float(sd) for sd in prop.sds if sd is not None))

    def log_prob(self, z: Any) -> np.ndarray:
        """Log-density of the answer at any parameters, for one simulation each.

        Args:
            z: (..., P) parameters.

        Returns:
            (...) eta.T(z) - log Z, nats per unit volume (of log(z) for parameters on a logarithmic
            scale); -inf outside the box, where parameters are not allowed and where the simulation
            fails.

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
            statistics = np.asarray(self.circuit.statistics(flat[inside]))
        moments[inside] = self._moments(statistics)
        return self.log_prob_of(moments).reshape(z.shape[:-1])

    def log_prob_of(self, moments: Any) -> np.ndarray:
        """(...) log-density where the moments are (..., 2 S); -inf where they are not finite."""
        moments, eta = np.asarray(moments, float), self.eta["value"].values
        S = len(self.prop.mean)
        # What is recorded only may be undefined.
        used = np.tile([kind != "recorded" for kind in self.prop.kinds], 2)
        exponent = moments[..., used] @ eta[used]
        inside = np.isfinite(exponent) & self.prop.inside(moments[..., :S])
        return np.where(inside, exponent, -np.inf) - self.log_z.value

    def snapshots(self) -> dict[int, Snapshot]:
        """The answer, with all its samples."""
        statistics = self.data.statistics.values.astype(float)
        moments = self._moments(statistics.reshape(-1, statistics.shape[-1]))
        z = self.data.z.values.astype(float).reshape(len(moments), -1)
        log_q = self.log_prob_of(moments)
        (last,) = self.data.snapshot.values.tolist()
        return {last: Snapshot(z, moments, log_q, lambda z, moments: self.log_prob_of(moments))}

    @property
    def uniform_share(self) -> float:
        """Effective share of uniform draws weighted to this answer: what each of them is worth.

        It is 1 / (volume of the box * E[p*]), with the answer's own samples for the expectation.
        """
        (answer,) = self.snapshots().values()
        relative = np.logaddexp.reduce(answer.log_q) - np.log(len(answer.log_q))
        return float(np.exp(-self.box.log_volume - relative))

    def cost(self) -> str:
        """What the run cost, in words, with its failed simulations."""
        failed = float(self.data.failed.sum()) / self.simulations
        text = f"{super().cost()}, {failed:.1%} of the simulations failed"
        example = self.data.attrs.get("failure")
        return f"{text}; for example {example}" if failed and example else text

    @property
    def _statistics(self) -> tuple[np.ndarray, np.ndarray | None]:
        f = self.data.statistics.values.astype(float)
        f, S = f.reshape(-1, f.shape[-1]), len(self.prop.mean)
        return f[:, :S], f[:, S:] if f.shape[1] > S else None

    def _moments(self, statistics: np.ndarray) -> np.ndarray:
        """(n, C) statistics to (n, 2 S) moments."""
        S = len(self.prop.mean)
        f = statistics[:, :S]
        square = f**2
        if statistics.shape[1] > S:
            square = square + statistics[:, S:]
        return np.concatenate([f, square], axis=1)

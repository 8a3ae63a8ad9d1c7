"""A complete run: its data, and the networks along the way."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jax.flatten_util import ravel_pytree

from dsnlib import _check
from dsnlib.emergent import EmergentProperty
from dsnlib.flows import DensityNetwork, density_network, initial_weights
from dsnlib.population import ResampledNetwork
from dsnlib.population.resampled import acceptance_weights
from dsnlib.runs.dataset import attribute, read_dataset
from dsnlib.runs.methods import LAGRANGIAN, POPULATION, settings_from
from dsnlib.settings import Settings
from dsnlib.training.convergence import LEVEL, Equivalence, equivalence

DATA_FILE = "run.nc"
_ATTRIBUTES = ("circuit", "parameters", "observables", "property", "settings", "seed")


@dataclasses.dataclass(frozen=True)
class Run:
    """A complete training run.

    Args:
        data: what was recorded, see `dsnlib.training.history.VARIABLES` and, for population Monte
            Carlo, `dsnlib.population.records.VARIABLES`; its attributes hold identity (circuit,
            property, settings, seed), versions, device, git_commit and seconds.
    """

    data: xr.Dataset

    @property
    def settings(self) -> Settings:
        """The settings with which the run was trained."""
        return settings_from(attribute(self.data, "settings"))  # type: ignore[return-value]

    @property
    def prop(self) -> EmergentProperty:
        """The emergent property for which the run was trained."""
        return EmergentProperty(**attribute(self.data, "property"))

    @property
    def simulations(self) -> int:
        """Number of simulations that training took, those of its tests not counted."""
        settings = self.settings
        return settings.epochs * settings.iterations * settings.batch

    @property
    def converged_epoch(self) -> int | None:
        """First epoch at whose end every p of the note's test exceeds 0.05 / M, or None."""
        passed = self._not_rejected()
        return int(self.data.epoch[passed][0]) if passed.any() else None

    def _not_rejected(self) -> xr.DataArray:
        """(epoch) whether every p of the note's test exceeds its share of the level."""
        return (self.data.p_value > LEVEL / self.data.sizes["moment"]).all("moment")

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
        return self._flow(self.data.weights[epoch].values)

    def _flow(self, flat: np.ndarray) -> DensityNetwork:
        """The flow with these weights, in one array."""
        settings, dimension = self.settings, self.data.sizes["parameter"]
        weights = _unflattened(
            lambda: initial_weights(jax.random.key(0), settings.flow, settings.layers, dimension),
            flat,
        )
        low, high = self.data.bounds.values.T
        return density_network(weights, settings.flow, low, high)

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


class PopulationRun(Run):
    """A complete run of population Monte Carlo."""

    def network(self, epoch: int = -1) -> ResampledNetwork | DensityNetwork:  # type: ignore[override]
        """The trained network, the only one that the run keeps.

        Args:
            epoch: -1 or 0.

        Returns:
            A numpyro distribution over the circuit's parameters; it computes in float64 where
            JAX's x64 mode is on, else in float32, whatever the run's precision.

        Raises:
            ValueError: another epoch.
        """
        if epoch not in (-1, 0):
            raise ValueError(f"epoch must be -1, the end of the run, got {epoch!r}; pass -1")
        flow = self._flow(self.data.weights.values)
        if not self.settings.acceptance_iterations:  # type: ignore[attr-defined]
            return flow
        acceptance = _unflattened(
            lambda: acceptance_weights(jax.random.key(0), self.data.sizes["parameter"]),
            self.data.acceptance.values,
        )
        return ResampledNetwork(flow, acceptance, jnp.asarray(float(self.data.log_rate)))

    @property
    def simulations(self) -> int:
        """Number of simulations that training took; the 20,000 of the result come on top."""
        settings: Any = self.settings
        stages = self.data.sizes["stage"] * settings.samples
        return int(stages + settings.final_samples + settings.acceptance_samples)

    def equivalence(self) -> Equivalence:
        """The equivalence test on the run's samples."""
        moments = self.data.moments.values[-1].astype(float)
        return equivalence(moments[np.isfinite(moments).all(axis=1)], self.prop)


def load_run(path: str | os.PathLike[str]) -> Run:
    """Load a complete run.

    Args:
        path: its folder.

    Returns:
        The run.

    Raises:
        FileNotFoundError: the folder holds no complete run.
        ValueError: its data file is damaged.
    """
    file = Path(path) / DATA_FILE
    if not file.is_file():
        raise FileNotFoundError(
            f"path must be the folder of a complete run, got {str(path)!r} without {DATA_FILE}; "
            "train it with dsnlib.fit, which also resumes a run that was broken off"
        )
    try:
        data = read_dataset(file)
    except Exception as error:  # of whatever kind: damage may strike the headers too
        raise ValueError(
            f"{file} cannot be read ({error}); restore it, or remove it to train afresh"
        ) from error
    kind = PopulationRun if "acceptance" in data else Run
    variables = (POPULATION if kind is PopulationRun else LAGRANGIAN).variables
    missing = (variables.keys() - data.keys()) | (set(_ATTRIBUTES) - data.attrs.keys())
    if missing:
        raise ValueError(
            f"{file} is not the data of a run (it lacks {', '.join(sorted(missing))}); "
            "restore it, or choose another folder"
        )
    return kind(data)


def _unflattened(draw: Callable[[], Any], flat: np.ndarray) -> Any:
    """Weights in one array as the pytree that `draw` makes."""
    template = jax.eval_shape(draw)
    _, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), template))
    return unravel(jnp.asarray(flat, float))

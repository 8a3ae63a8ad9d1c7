"""A complete run: its data, its samples, and whether they can be trusted."""

from __future__ import annotations

import dataclasses
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

import numpy as np
import numpyro.distributions as dist
import pandas as pd
import xarray as xr

from dsnlib.circuits import Circuit, Parameter
from dsnlib.circuits.box import Box
from dsnlib.methods.base import METHODS
from dsnlib.methods.citing import methods_paragraph
from dsnlib.methods.equivalence import MARGIN, Equivalence, equivalence
from dsnlib.property import EmergentProperty
from dsnlib.storage.dataset import attribute
from dsnlib.storage.files import write_atomically

if TYPE_CHECKING:
    import arviz

MOST_FAILED = 0.01  # share of the simulations

MethodT = TypeVar("MethodT", covariant=True)


class Check(NamedTuple):
    """One check of a run."""

    what: str
    value: float
    limit: str  # in words, for example "below 0.1"
    passed: bool
    remedy: str


class Snapshot(NamedTuple):
    """A density at one time of a run, with samples of it, as `dsnlib.judge` takes it."""

    z: np.ndarray  # (n, P) parameters
    moments: np.ndarray  # (n, 2 S) of their statistics
    log_q: np.ndarray  # (n,) log-density there, nats per unit volume
    log_prob: Callable[[np.ndarray, np.ndarray], np.ndarray]  # the same of other z and moments


@dataclasses.dataclass(frozen=True)
class Run(ABC, Generic[MethodT]):
    """A complete run, whatever its method; `dsnlib.fit` and `dsnlib.load_run` return it.

    Args:
        data: what was recorded, each variable with its `long_name`; the attributes hold identity
            (method, circuit, property, settings, seed), versions, device, git_commit, seconds.
        circuit: the circuit, where the run comes from `dsnlib.fit`; what simulates needs it.
    """

    data: xr.Dataset
    circuit: Circuit | None = None

    @property
    def method(self) -> MethodT:
        """The method with its settings."""
        return cast(MethodT, METHODS[self.data.attrs["method"]](**attribute(self.data, "settings")))

    @property
    def prop(self) -> EmergentProperty:
        """The emergent property for which the run was made."""
        return EmergentProperty(**attribute(self.data, "property"))

    @property
    def seed(self) -> int:
        """The seed of all that is random in the run."""
        return int(self.data.attrs["seed"])

    @property
    @abstractmethod
    def samples(self) -> xr.Dataset:
        """The answer: equally weighted samples.

        One variable for each parameter and each statistic, in their units (attribute `units`), with
        dimensions (island, sample): islands are populations that know nothing of each other.
        """

    @property
    def box(self) -> Box:
        """The box of the parameters."""
        return Box.of(Parameter(**described) for described in attribute(self.data, "parameters"))

    @property
    def z(self) -> np.ndarray:
        """(islands, n, P) parameters of `samples`, in the order and units of the circuit's."""
        names = [p["name"] for p in attribute(self.data, "parameters")]
        return np.stack([self.samples[name].values for name in names], axis=-1)

    @property
    @abstractmethod
    def simulations(self) -> int:
        """Number of simulations that the answer cost, all counted."""

    @abstractmethod
    def checks(self) -> list[Check]:
        """What the method checks of its own run, beside the property itself."""

    @abstractmethod
    def snapshots(self) -> dict[int, Snapshot]:
        """The run's densities by what `data.snapshot` counts, the last one being its answer."""

    @abstractmethod
    def network(self, epoch: int = -1) -> dist.Distribution:
        """The density of a run that has one, as a numpyro distribution."""

    def equivalence(self) -> Equivalence:
        """The equivalence test of mean and variance of each statistic, on all samples."""
        values, noise = self._statistics
        return equivalence(np.concatenate([values, values**2], axis=1), self.prop, noise)

    @property
    def _statistics(self) -> tuple[np.ndarray, np.ndarray | None]:
        """(n, S) statistics of all samples, and (n, S) their variances over trials, if any."""
        names = [o["name"] for o in attribute(self.data, "observables")]
        values = np.stack([self.samples[name].values.ravel() for name in names], axis=1)
        return values[np.isfinite(values).all(axis=1)].astype(float), None

    @property
    def diagnostics(self) -> pd.DataFrame:
        """One row a check: what is checked (index), `value`, `limit`, `passed` and `remedy`."""
        checks = [*self.property_checks(), *self.checks()]
        return pd.DataFrame(checks, columns=list(Check._fields)).set_index("what")

    @property
    def trusted(self) -> bool:
        """Whether every check of `diagnostics` passed."""
        return bool(self.diagnostics.passed.all())

    @property
    def verdict(self) -> str:
        """Whether the run can be trusted, and what it cost, in words."""
        failed = self.diagnostics.query("not passed")
        if failed.empty:
            lines = ["trusted: every check passed"]
        else:
            lines = ["not to be trusted:"]
            lines += [
                f"- {row.Index}: {row.value:.3g}, not {row.limit}; {row.remedy}"
                for row in failed.itertuples()
            ]
        return "\n".join([*lines, self.cost()])

    def cost(self) -> str:
        """What the run cost, in words."""
        return f"cost: {self.simulations:,} simulations, {self.data.attrs['seconds']:.0f} s"

    def to_arviz(self) -> arviz.InferenceData:
        """The samples as an ArviZ tree: parameters in `posterior`, with islands as chains.

        Statistics are in `posterior_predictive`, targets in `constant_data`.
        """
        import arviz  # takes seconds to import

        chains = self.samples.rename(island="chain", sample="draw")
        parameters = [p["name"] for p in attribute(self.data, "parameters")]
        return arviz.InferenceData(
            posterior=chains[parameters],
            posterior_predictive=chains.drop_vars(parameters),
            constant_data=self.data[["mu", "bounds"]],
        )

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the samples as a table: a row a sample, a column a parameter and statistic.

        Headers name the unit, as in "g_el (nS)"; the first column is the island. Numbers are
        written in full: reading them gives the same floats.

        Args:
            path: of the file, in a folder that exists; what was there is replaced.

        Raises:
            OSError: it cannot be written; what was there before is intact.
        """
        table = self.samples.to_dataframe().reset_index("island").reset_index(drop=True)
        units = {name: self.samples[name].attrs["units"] for name in self.samples}
        table = table.rename(
            columns={name: f"{name} ({unit})" for name, unit in units.items() if unit != "1"}
        )
        write_atomically(
            Path(path).expanduser(), lambda temporary: table.to_csv(temporary, index=False)
        )

    def citation(self) -> str:
        """A paragraph for a methods section: how the samples were made, and what to cite.

        It holds the method with its settings, version, commit and seed, the targets, what the run
        cost, its entropy with standard error where it has one, and whether it is to be trusted.
        """
        return methods_paragraph(self)

    def property_checks(self) -> list[Check]:
        """Whether the samples are shown to have the property."""
        tested, prop = self.equivalence(), self.prop
        names = [o["name"] for o in attribute(self.data, "observables")]
        units = {("mean", True): "sd", ("mean", False): "sd of the samples"}
        checks = []
        for (what, i), low, high, met in zip(
            tested.of, tested.low, tested.high, tested.met, strict=True
        ):
            unit = units.get((what, prop.sds[i] is not None), "share")
            checks.append(
                Check(
                    f"{what} of {names[i]}, {unit} off target (farther end of the 95 % interval)",
                    float(high if abs(high) > abs(low) else low),
                    f"within {MARGIN:g}",
                    bool(met),
                    "the property is not shown to be met: it may be out of reach, or the run too "
                    "short or of too few samples",
                )
            )
        for name, interval in zip(names, prop.intervals, strict=True):
            if interval is not None:
                low, high = interval
                values = self.samples[name].values
                share = float(((values >= low) & (values <= high)).mean())
                checks.append(
                    Check(
                        f"share of samples with {name} between {low:g} and {high:g}",
                        share,
                        "1",
                        share == 1,
                        "the interval was not reached: widen the parameters' bounds or the "
                        "interval, or use more particles",
                    )
                )
        return checks

    def _labelled_samples(self, z: np.ndarray, statistics: np.ndarray) -> xr.Dataset:
        """Samples z (islands, n, P) and their statistics (islands, n, S) by name."""
        columns = [
            *zip(attribute(self.data, "parameters"), np.moveaxis(z, -1, 0), strict=True),
            *zip(attribute(self.data, "observables"), np.moveaxis(statistics, -1, 0), strict=True),
        ]
        variables: dict[str, Any] = {
            described["name"]: (("island", "sample"), values, {"units": described["unit"]})
            for described, values in columns
        }
        islands, n = z.shape[:2]
        return xr.Dataset(variables, {"island": np.arange(islands), "sample": np.arange(n)})

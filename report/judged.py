"""Runs together with what is judged of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Generic, TypeVar

import xarray as xr

import dsnlib
from dsnlib import ExactMaxEnt, Run
from dsnlib.methods.lagrangian import LagrangianRun
from report.names import order

HELD = 0.1  # of a mode's exact mass: a network with less does not hold the mode


RunT = TypeVar("RunT", bound=Run[Any], covariant=True)


@dataclasses.dataclass(frozen=True)
class Judged(Generic[RunT]):
    """A run with what `dsnlib.judge` says of its networks."""

    run: RunT
    judged: xr.Dataset

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.run.seed

    def held(self, epoch: int) -> list[str]:
        """Modes of which the network after `epoch` epochs holds at least a tenth."""
        mass = self.judged.mode_mass.sel(snapshot=epoch)
        return mass.mode.values[mass >= HELD * self.judged.exact_mass].tolist()

    def final(self, name: str) -> float:
        """A number without modes, such as "kl", of the network at the run's end."""
        return float(self.judged[name].isel(snapshot=-1))

    def final_mass(self, mode: str) -> float:
        """Share of the samples of the network at the run's end that lie in a mode."""
        return float(self.judged.mode_mass.isel(snapshot=-1).sel(mode=mode))


JudgedLagrangian = Judged[LagrangianRun]  # a run of the note's method


def judged_runs(
    folder: str | Path, exact: ExactMaxEnt, prefix: str = "c0-"
) -> dict[str, Judged[Any]]:
    """The complete runs in a folder, judged.

    Args:
        folder: that holds the runs' folders.
        exact: the exact answer for their circuit and property.
        prefix: with which the runs' names begin; by default those of the augmented Lagrangian.

    Returns:
        Runs by name, in the order of the numbers in their names.
    """
    paths = [file.parent for file in Path(folder).glob(f"{prefix}*/run.nc")]
    return {
        path.name: Judged(dsnlib.load_run(path), dsnlib.judge(path, exact))
        for path in sorted(paths, key=lambda path: order(path.name))
    }

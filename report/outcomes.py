"""What the runs of a designed study came to: which modes they hold, when, and how near they are."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

When = Literal["first", "end"]
THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.25)  # of a mode's exact mass
MODES = ["lower", "upper"]


def first_pass(point: xr.Dataset) -> xr.DataArray:
    """(seed) the first epoch at whose end the note's test does not reject; nan where there is none.

    Args:
        point: data of a point, as `report.studies.phase.study` returns them.
    """
    passed = point.not_rejected > 0
    return xr.where(
        passed.any("epoch"), point.epoch[passed.argmax("epoch")].drop_vars("epoch"), np.nan
    )


def at(point: xr.Dataset, when: When) -> xr.Dataset:
    """The networks of a point, at the first epoch that passes the note's test or at the end.

    Args:
        point: data of a point.
        when: "first" or "end".

    Returns:
        What is known of each snapshot, over the seeds only; nan for seeds that never pass.
    """
    known = point[[name for name in point if "snapshot" in point[name].dims]]
    if when == "end":
        return known.isel(snapshot=-1, drop=True)
    epoch = first_pass(point)
    chosen = known.sel(snapshot=epoch.fillna(0).astype(int)).drop_vars("snapshot")
    return chosen.where(epoch.notnull())


def holds(point: xr.Dataset, when: When, threshold: float) -> xr.DataArray:
    """(seed) whether the network has this share of the exact mass of both modes.

    Args:
        point: data of a point.
        when: "first" or "end".
        threshold: as a share of each mode's exact mass.
    """
    share = at(point, when).mode_mass / point.exact_mass
    return (share.sel(mode=MODES) >= threshold).all("mode")

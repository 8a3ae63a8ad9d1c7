"""Where a study's data come from."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import xarray as xr

from dsnlib import AugmentedLagrangian
from dsnlib.runs.provenance import numerics_stamp, provenance


def stamped(data: xr.Dataset, settings: dict[str, Any], began: float) -> xr.Dataset:
    """The data of a study, with how they were made as attributes.

    Args:
        data: of the study.
        settings: of the study.
        began: when it began, by `time.monotonic`.

    Returns:
        The data with `settings`, `seconds`, `load` of the machine at the end, `numerics` (a stamp
        of the code of the augmented Lagrangian) and `provenance`.
    """
    return data.assign_attrs(
        settings=json.dumps(settings),
        seconds=time.monotonic() - began,
        load=os.getloadavg()[0],
        numerics=numerics_stamp(AugmentedLagrangian),
        provenance=json.dumps(provenance()),
    )

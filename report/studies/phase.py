"""Designed studies of the augmented Lagrangian: python -m report.studies.phase POINT INITIAL OUT.

It trains all seeds of one point of the designs in config/. Every run starts from the initial
network of its seed, so points differ only in their settings; to make these networks, the arguments
are FLOW_START OUT. workflow/phase.smk is the sweep over all points.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import xarray as xr

from dsnlib import STG, AugmentedLagrangian, exact_maxent
from dsnlib._xla import numerics
from dsnlib.storage.dataset import write_dataset
from report.experiment import CELLS, PROPERTY, SHORT
from report.studies.design import Point, initials, read_points
from report.studies.stamps import stamped
from report.studies.training import initial_networks, judged, trained


def study(point: Point, initial: xr.Dataset, parts: Path) -> xr.Dataset:
    """Train and judge all seeds of a point.

    Args:
        point: settings and seeds.
        initial: networks, as `initial_networks` makes them.
        parts: a folder that keeps each seed as it completes, for the next time.

    Returns:
        Over `seed` what `judged` returns, and whether the run was `complete`.
    """
    exact = exact_maxent(STG(T=SHORT), PROPERTY, cells=CELLS)
    method, began = AugmentedLagrangian(**point.settings), time.monotonic()
    lam = -exact.eta if point.exact_multipliers else None
    rows = []
    for seed in point.seeds:
        part = parts / f"seed-{seed}.nc"
        if not part.exists():
            with numerics(method.precision):
                weights = initial.weights.sel(seed=seed).values
                records, complete = trained(method, seed, weights, lam)
                row = judged(method, records, exact).assign(complete=float(complete))
            parts.mkdir(parents=True, exist_ok=True)
            write_dataset(part, stamped(row, point.settings, began).expand_dims(seed=[seed]))
            print(f"seed {seed}: {time.monotonic() - began:.0f} s", flush=True)
            began = time.monotonic()
        rows.append(xr.load_dataset(part))
    seconds = sum(row.attrs["seconds"] for row in rows)
    attributes = rows[-1].attrs | {"seconds": seconds}
    attributes.pop("sha256")
    return xr.concat(rows, "seed", data_vars="minimal").assign_attrs(attributes)


def main(arguments: list[str]) -> None:
    """Write the initial networks of a flow and start, or the data of a point.

    Args:
        arguments: "FLOW_START" and a netCDF file; or a point's name, that file, and another.

    Raises:
        ValueError: the designs have no such point.
    """
    name, *given, out = arguments
    points, starts = read_points(), initials()
    if name not in {*points, *starts}:
        known = ", ".join([*starts, *points])
        raise ValueError(f"POINT must be one of {known}, got {name!r}")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    if name in starts:
        write_dataset(Path(out), initial_networks(**starts[name]))
        return
    parts = Path("logs/phase") / name
    write_dataset(Path(out), study(points[name], xr.load_dataset(given[0]), parts))


if __name__ == "__main__":
    main(sys.argv[1:])

"""The record of one run of one method, the same for all of them; needs no dsnlib."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

RESULTS = Path(__file__).parents[1] / "results" / "comparison"


class Stopwatch:
    """Time since it was made, of the wall and of the processor, and the load at both ends."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self._load = os.getloadavg()[0]

    def reading(self) -> dict[str, Any]:
        """Seconds so far, and load averages over one minute at the start and now."""
        return {
            "wall_s": time.perf_counter() - self._began,
            "cpu_s": time.process_time() - self._cpu,
            "load": [self._load, os.getloadavg()[0]],
        }


def read_target() -> xr.Dataset:
    """What `target.py` wrote."""
    return xr.load_dataset(RESULTS / "target.nc")


def write_record(
    method: str,
    seed: int,
    z: np.ndarray,
    f: np.ndarray,
    *,
    packages: list[str],
    attributes: dict[str, Any],
    settings: dict[str, Any],
    extra: dict[str, tuple[Any, ...]] | None = None,
) -> None:
    """Write METHOD_seed-SEED.nc.

    Args:
        method: name, that of the file too.
        seed: of all that is random.
        z, f: (n, 2) samples, nS, and (n,) their frequencies, Hz.
        packages: whose versions are recorded.
        attributes: `simulations`, `wall_s`, `load`, and what else is worth knowing.
        settings: of the method.
        extra: further variables, as xarray takes them: `log_q` (sample), the samples'
            log-densities; `log_q_exact` (exact), those of the exact samples; `chain` (sample).
    """
    versions = {name: importlib.metadata.version(name) for name in packages}
    record = xr.Dataset(
        {
            "z": (("sample", "parameter"), np.asarray(z, np.float32), {"units": "nS"}),
            "f": (("sample",), np.asarray(f, np.float32), {"units": "Hz"}),
            **(extra or {}),
        },
        attrs={
            "method": method,
            "seed": seed,
            **attributes,
            "settings": json.dumps(settings),
            "versions": json.dumps({"python": platform.python_version(), **versions}),
            "device": f"cpu: one thread of {_processor()}",
        },
    )
    encoding = {name: {"zlib": True, "complevel": 9} for name in record.data_vars}
    record.to_netcdf(RESULTS / f"{method}_seed-{seed}.nc", engine="netcdf4", encoding=encoding)
    print(f"{method}, seed {seed}: {attributes}", flush=True)


def _processor() -> str:
    """What the kernel calls the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))

"""What the exact answer costs: time and peak memory of whole processes, grids not kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from measure import spread, write

CHILD = """
import json, resource, sys, time
import dsnlib
began = time.perf_counter()
prop = dsnlib.EmergentProperty([0.525], [0.025])
dsnlib.exact_maxent(dsnlib.STG(T=int(sys.argv[1])), prop, cells=int(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps([time.perf_counter() - began, peak]))
"""
CASES = [(200, 400), (200, 1_000), (800, 1_000)]  # Euler steps T, cells along each axis


def measured(T: int, cells: int) -> tuple[float, float]:
    """Seconds and peak GiB of one process that computes the exact answer from nothing."""
    with tempfile.TemporaryDirectory() as cache:
        outcome = subprocess.run(
            [sys.executable, "-c", CHILD, str(T), str(cells)],
            env={**os.environ, "DSNLIB_CACHE": cache},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    seconds, peak = json.loads(outcome.stdout)
    return seconds, peak


def main() -> None:
    """Measure in turns and write."""
    turns = [[measured(T, cells) for T, cells in CASES] for _ in range(3)]
    results = [
        {"T": T, "cells": cells, "seconds": spread(seconds), "peak_GiB": spread(peaks)}
        for (T, cells), (seconds, peaks) in zip(
            CASES, (zip(*case, strict=True) for case in zip(*turns, strict=True)), strict=True
        )
    ]
    write("exact", {"cases": results})


if __name__ == "__main__":
    main()

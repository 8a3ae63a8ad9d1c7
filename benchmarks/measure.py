"""Paired timings: alternatives take turns in one process, so that what slows one slows all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np

from dsnlib.runs.provenance import provenance
from dsnlib.storage.files import write_json

RESULTS = Path(__file__).parent / "results"


def spread(values: Any) -> dict[str, float]:
    """Median, quartiles and number of repeated measurements."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return {"median": median, "low": low, "high": high, "repeats": len(values)}


def paired(
    functions: Mapping[str, Callable[[], Any]], seconds: float
) -> dict[str, dict[str, float]]:
    """Time functions in turns for about `seconds`, after one call of each that is not timed.

    Returns:
        For each name the spread of its time in ms, over at least five turns.
    """
    for function in functions.values():
        jax.block_until_ready(function())
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name, function in functions.items():
            began = time.perf_counter()
            jax.block_until_ready(function())
            times[name].append(1e3 * (time.perf_counter() - began))
    return {name: spread(values) for name, values in times.items()}


def ratio(times: dict[str, dict[str, float]], slow: str, fast: str) -> float:
    """How many times faster `fast` is than `slow`, by medians."""
    return times[slow]["median"] / times[fast]["median"]


def exponent(sizes: list[int], times: list[float]) -> dict[str, float]:
    """Slope of log time against log size by least squares, with its standard error."""
    (slope, _), covariance = np.polyfit(np.log(sizes), np.log(times), 1, cov=True)
    return {"exponent": slope, "se": float(np.sqrt(covariance[0, 0]))}


def write(name: str, results: dict[str, Any]) -> None:
    """Write results with where and when they were measured to results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    record = {"measured": datetime.now(UTC).isoformat("T", "seconds"), **provenance(), **results}
    write_json(RESULTS / f"{name}.json", record)
    print(name, json.dumps(results, default=float))

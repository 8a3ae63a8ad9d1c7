"""What whole processes cost: import, first step, memory, two side by side, XLA's options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from measure import spread, write

DEFAULT_XLA = (
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1024 "
    "--xla_cpu_prefer_vector_width=256"
)
CHILD = """
import json, resource, sys, time
began = time.perf_counter()
import dsnlib
imported = time.perf_counter() - began
import jax, jax.numpy as jnp, numpy as np
from dsnlib.methods.lagrangian.objective import Objective
from dsnlib.methods.lagrangian.programs import block, optimiser_of
settings = dsnlib.AugmentedLagrangian().compiled()
objective = Objective(dsnlib.STG(), dsnlib.EmergentProperty([0.525], [0.025]), settings)
weights = objective.random_weights(jax.random.key(0))
rest = (optimiser_of(settings).init(weights), jnp.zeros(2), jnp.float32(1), jax.random.key(1), 0)
step = lambda: jax.block_until_ready(block(objective, 20, weights, *rest))
began = time.perf_counter()
step()
first = time.perf_counter() - began
print("ready", flush=True)
sys.stdin.readline()
times, end = [], time.perf_counter() + float(sys.argv[1])
while time.perf_counter() < end:
    began = time.perf_counter()
    step()
    times.append(1e3 * (time.perf_counter() - began) / 20)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps([imported, first, float(np.median(times)), peak]))
"""


def children(count: int, seconds: float, **environment: str) -> list[dict[str, float]]:
    """Start processes, let them compile, then make steps at the same time."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        for _ in range(count)
    ]
    for child in started:
        assert child.stdout.readline() == "ready\n"  # type: ignore[union-attr]
    for child in started:
        child.stdin.write("go\n")  # type: ignore[union-attr]
        child.stdin.flush()  # type: ignore[union-attr]
    names = ("import_s", "first_step_s", "step_ms", "peak_GiB")
    return [dict(zip(names, json.loads(child.communicate()[0]), strict=True)) for child in started]


def spreads(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Spread of each figure over processes."""
    return {name: spread([row[name] for row in rows]) for name in rows[0]}


def main() -> None:
    """Measure in turns and write."""
    variants: dict[str, tuple[int, dict[str, str]]] = {
        "one run": (1, {}),
        "two runs side by side": (2, {}),
        "one run on two threads": (1, {"PJRT_NPROC": "2"}),
        "one run on two threads, XLA's defaults": (
            1,
            {"PJRT_NPROC": "2", "XLA_FLAGS": DEFAULT_XLA},
        ),
        "one run, loops not compiled whole": (1, {"XLA_FLAGS": DEFAULT_XLA.split()[0]}),
        "one run, narrow vectors": (1, {"XLA_FLAGS": DEFAULT_XLA.split()[1]}),
    }
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in variants}
    with tempfile.TemporaryDirectory() as cache:
        cached = {
            "JAX_COMPILATION_CACHE_DIR": cache,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        children(1, 0.1, **cached)  # fills the cache
        variants["one run, compilation cache"] = (1, cached)
        rows["one run, compilation cache"] = []
        for _ in range(3):
            for name, (count, environment) in variants.items():
                rows[name] += children(count, 3.0, **environment)
    results = {name: spreads(values) for name, values in rows.items()}
    both = 2 / results["two runs side by side"]["step_ms"]["median"]
    gains = {
        name: both * results[name]["step_ms"]["median"]
        for name in rows
        if name.startswith("one run on two threads")
    }
    write("processes", {"processes": results, "side_by_side_gain_over": gains})


if __name__ == "__main__":
    main()

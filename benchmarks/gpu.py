"""What JAX's device is worth against one thread: simulations, SMC and the note's training.

    python benchmarks/gpu.py               # all parts, each in a process of its own
    python benchmarks/gpu.py PART ...      # some of them; the others' figures stay

The CPU's half runs beside the device's on the same machine, in processes with JAX_PLATFORMS=cpu
and one thread, as dsnlib asks XLA for. All is in float32. A part that fails or takes too long
leaves its error in place of its figures.

XLA compiles for a GPU by trying kernels out, and dsnlib gives it one thread for that. So the parts
are compiled on all processors and without trying (`QUICK`), but for `smc_own_flags`, which says
what that saves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from measure import RESULTS, paired, spread, write

import dsnlib
from dsnlib._xla import numerics
from dsnlib.circuits.base import _evaluate
from dsnlib.estimate import over_islands
from dsnlib.methods import Problem
from dsnlib.methods.lagrangian.objective import Objective
from dsnlib.methods.lagrangian.programs import block as train
from dsnlib.methods.lagrangian.programs import optimiser_of
from dsnlib.methods.smc.state import SLOTS
from dsnlib.runs.provenance import _device, provenance

STG = dsnlib.STG(T=200)
PROPERTY = dsnlib.EmergentProperty([0.525], [0.025])
STEPS = 20  # of training in a call
PROCESSES = 8
TURN = 4  # s that they compete
LIMIT = 100  # s a part
QUICK = (
    "--xla_gpu_autotune_level=0",
    "--xla_gpu_experimental_enable_fusion_autotuner=false",
    "--xla_gpu_enable_triton_gemm=false",
)


def simulations(sizes: dict[int, list[int]]) -> dict[str, Any]:
    """Simulations a second over numbers of points, for numbers T of Euler steps."""
    rows = {}
    for T, numbers in sizes.items():
        circuit = dsnlib.STG(T=T)
        low, high = circuit.bounds.T
        for n in numbers:
            shape = (n, len(low))
            z = jax.random.uniform(jax.random.key(0), shape, minval=low, maxval=high)
            times = paired({"ms": partial(_evaluate, circuit, z)}, seconds=1)["ms"]
            rows[f"T={T}, {n} points"] = {"ms": times, "per_second": 1e3 * n / times["median"]}
    return rows


def smc(particles: int, seeds: tuple[int, ...]) -> dict[str, Any]:
    """SMC on the note's property by `particles` x 4; the first seed compiles, the others do not."""
    return {f"seed {seed}": _smc(dsnlib.SMC(particles=particles), seed) for seed in seeds}


def _smc(method: dsnlib.SMC, seed: int) -> dict[str, Any]:
    problem = Problem(STG, PROPERTY, method, seed)
    began = time.perf_counter()
    seconds = {"first step of a stage": 0.0, "other steps": 0.0}
    with numerics(method.precision):
        state = method.start(problem)
        while not method.report(problem, state).finished:
            kind = "first step of a stage" if state.slot == SLOTS else "other steps"
            before = time.perf_counter()
            state = method.step(problem, state)
            seconds[kind] += time.perf_counter() - before
        records = method.result(problem, state).records
    total = time.perf_counter() - began
    entropy = over_islands(records["entropy"])
    return {
        "seconds": total,
        "seconds_of": seconds,
        "stages": len(records["rho"]),
        "simulations": int(records["simulations"].sum()),
        "entropy": entropy.value,
        "entropy_se": entropy.se,
    }


def _block(batch: int) -> Callable[[], Any]:
    """A call that makes `STEPS` training steps."""
    settings = dsnlib.AugmentedLagrangian(batch=batch).compiled()
    objective = Objective(STG, PROPERTY, settings)
    weights = objective.random_weights(jax.random.key(0))
    optimiser = optimiser_of(settings).init(weights)
    rest = (jnp.zeros(2), jnp.float32(1), jax.random.key(1), 0)
    return lambda: train(objective, STEPS, weights, optimiser, *rest)


def training(batches: list[int]) -> dict[str, Any]:
    """Milliseconds an iteration of the note's training over batches."""
    times = paired({str(n): _block(n) for n in batches}, seconds=6)
    return {f"batch {n}": _each(spread) for n, spread in times.items()}


def _each(times: dict[str, float]) -> dict[str, float]:
    """Times of an iteration from times of `STEPS` of them."""
    return {name: t if name == "repeats" else t / STEPS for name, t in times.items()}


def together() -> dict[str, Any]:
    """Milliseconds an iteration of each of several processes that train at once, batch 1000."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--contend", folder]
        environment = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        started = [
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        lines = [process.communicate()[0].splitlines()[-1] for process in started]
    medians = [json.loads(line)["median"] for line in lines]
    return {
        "processes": PROCESSES,
        "ms": spread(medians),
        "iterations_per_second_in_all": sum(1e3 / ms for ms in medians),
    }


def contender(folder: str) -> dict[str, float]:
    """One of these processes: it compiles, waits for the others and then trains for `TURN` s."""
    call = _block(1_000)
    jax.block_until_ready(call())
    Path(folder, str(os.getpid())).touch()
    patience = time.monotonic() + 90
    while len(os.listdir(folder)) < PROCESSES:
        if time.monotonic() > patience:
            raise TimeoutError("the other processes did not come")
        time.sleep(0.01)
    return _each(paired({"block": call}, seconds=TURN)["block"])


def short_run() -> dict[str, Any]:
    """A short run of the note's method, from `fit` to `load_run`."""
    with tempfile.TemporaryDirectory() as folder:
        method = dsnlib.AugmentedLagrangian(epochs=1, iterations=1_000)
        began = time.perf_counter()
        run = dsnlib.fit(STG, PROPERTY, method, seed=1, out=Path(folder) / "run")
        seconds = time.perf_counter() - began
        loaded = dsnlib.load_run(Path(folder) / "run")
    same = all(np.array_equal(run.samples[name], loaded.samples[name]) for name in run.samples)
    return {
        "seconds": seconds,
        "samples_loaded_are_those_of_fit": same,
        "simulations": loaded.simulations,
        "checks_passed": int(loaded.diagnostics.passed.sum()),
        "checks": len(loaded.diagnostics),
    }


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "simulations": lambda: simulations({200: [10**3, 10**4, 10**5, 10**6], 800: [10**6]}),
    "smc": lambda: smc(10_000, (1, 2)),
    "smc_own_flags": lambda: smc(10_000, (1, 2)),
    "training": lambda: training([1_000, 10_000, 100_000]),
    "together": together,
    "short_run": short_run,
    "smc_million": lambda: smc(250_000, (1, 2)),
    "simulations_one_thread": lambda: simulations({200: [10**3, 10**4, 10**5], 800: [10**5]}),
    "smc_one_thread": lambda: smc(10_000, (1, 2)),
    "training_one_thread": lambda: training([1_000, 10_000]),
}


def measured(part: str) -> dict[str, Any]:
    """The figures of a part and its device, from a process of its own."""
    environment = dict(os.environ, XLA_PYTHON_CLIENT_PREALLOCATE="false")
    if part.endswith("one_thread"):
        environment["JAX_PLATFORMS"] = "cpu"
    elif not part.endswith("own_flags"):
        environment["XLA_FLAGS"] = " ".join((environment["XLA_FLAGS"], *QUICK))
        environment["PJRT_NPROC"] = str(os.cpu_count())
    command = [sys.executable, __file__, "--here", part]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done in {LIMIT} s"}
    if done.returncode:
        return {"error": done.stderr[-2_000:]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_all(parts: list[str]) -> None:
    """Measure these parts and write, after every part what there is."""
    path = RESULTS / "gpu.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    results = {"processors": os.cpu_count()} | {p: known[p] for p in PARTS if p in known}
    lock = threading.Lock()

    def go_through(queue: list[str]) -> None:
        for part in queue:
            figures = measured(part)
            with lock:
                results[part] = figures
                write("gpu", results)

    queues = [[p for p in parts if p.endswith("one_thread") == one] for one in (False, True)]
    threads = [threading.Thread(target=go_through, args=(queue,)) for queue in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--here", choices=PARTS, help="this part in this process, to the screen")
    parser.add_argument("--contend", help="folder in which processes that train at once meet")
    arguments = parser.parse_args()
    if arguments.contend:
        print(json.dumps(contender(arguments.contend)))
    elif arguments.here:
        figures = PARTS[arguments.here]()
        xla = provenance()["xla"]
        print(json.dumps({"on": _device(), "xla": xla, **figures}, default=float))
    else:
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # `write` asks JAX for its device
        measure_all(arguments.parts or list(PARTS))


if __name__ == "__main__":
    main()

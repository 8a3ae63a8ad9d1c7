"""The record of one run of one rival: written by the rival, judged in the project's environment."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from problem import NAMES, ROOT, Problem, load, score
from simulator import ENVIRONMENT, PYTHON, Simulator

RESULTS = ROOT / "benchmarks" / "results" / "rivals"


def arguments_of(description: str | None) -> argparse.ArgumentParser:
    """A parser with what all rivals take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("problem", choices=NAMES)
    parser.add_argument("name", help="of the method in the record")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


class Stopwatch:
    """Time since it was made, of the wall and of the processor, and the load at both ends."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self._load = os.getloadavg()[0]

    def reading(self, simulator: Simulator | None = None) -> dict[str, Any]:
        """Seconds so far, processor time of the simulating process included, and the load."""
        beside = simulator.cpu_s if simulator else 0.0
        return {
            "simulations": simulator.simulations if simulator else None,
            "cpu_s": time.process_time() - self._cpu + beside,
            "simulation_cpu_s": beside,
            "wall_s": time.perf_counter() - self._began,
            "load": [self._load, os.getloadavg()[0]],
        }


def finish(
    arguments: argparse.Namespace,
    problem: Problem,
    z: np.ndarray,
    statistics: np.ndarray,
    weights: np.ndarray | None,
    *,
    packages: list[str],
    settings: dict[str, Any],
    figures: dict[str, Any],
    log_mean: float | None,
) -> None:
    """Have the samples judged and write PROBLEM_METHOD_seed-SEED.json.

    Args:
        arguments: those of `arguments_of`.
        problem: that was sampled.
        z, statistics, weights: as `score` takes them.
        packages: whose versions are recorded.
        settings: of the method.
        figures: `Stopwatch.reading` and what else is worth knowing.
        log_mean: the method's estimate of the log of the likelihood's mean over the box, which is
            the entropy less the log of the volume, as theta.(x, x^2 - 1) averages to 0.
    """
    entropy = None if log_mean is None else float(log_mean) + problem.log_volume
    record = {
        "method": arguments.name,
        "case": problem.name,
        "seed": arguments.seed,
        "settings": settings,
        **figures,
        "entropy": entropy,
        "entropy_error": None if entropy is None else entropy - problem.entropy,
        "entropy_reference": [problem.entropy, problem.entropy_se],
        "rival_versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in packages},
        },
    }
    weight = np.ones(len(z)) if weights is None else weights
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.npz"
        np.savez(path, z=z, statistics=statistics, weights=weight, record=json.dumps(record))
        out = arguments.out / f"{problem.name}_{arguments.name}_seed-{arguments.seed}.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [PYTHON, __file__, str(path), str(out)]
        subprocess.run(command, check=True, env=ENVIRONMENT)


def judge(path: Path, out: Path) -> None:
    """Score what `finish` saved, and write the record with versions and device."""
    from dsnlib.runs.provenance import provenance

    saved = np.load(path)
    record = json.loads(str(saved["record"]))
    record |= score(load(record["case"]), saved["z"], saved["statistics"], saved["weights"])
    record |= provenance()
    out.write_text(json.dumps(record, indent=1) + "\n")
    hidden = {"versions", "rival_versions", "device", "git_commit", "xla"}
    print({key: value for key, value in record.items() if key not in hidden}, flush=True)


if __name__ == "__main__":
    judge(*map(Path, sys.argv[1:]))

"""SMC with its defaults on problems of 2 to 1,000 parameters: python -m report.studies.systems.

    python -m report.studies.systems [CASE ...] [--seeds 1 2 3]

Each run leaves results/systems_CASE_seed-SEED.json; those that are there are not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import dsnlib
from dsnlib import SMC
from dsnlib.estimate import over_islands
from dsnlib.judging.distances import c2st
from dsnlib.methods.smc import SMCRun
from dsnlib.runs.provenance import numerics_stamp, provenance
from dsnlib.storage.files import write_json
from report.studies import truths
from report.studies.problems import CASES, OTHER_ORDER, Case, Ring

RESULTS = Path(__file__).parent / "results"


def measured(name: str, seed: int) -> dict[str, Any]:
    """Run SMC on a problem and compare it with what is known."""
    case = (CASES | OTHER_ORDER)[name]
    method = case.method
    began, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as out, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the diagnostics are recorded
        run = dsnlib.fit(case.circuit, case.prop, method, seed=seed, out=out)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    assert isinstance(run, SMCRun)
    checks = run.diagnostics
    f = run.data.statistics.values.astype(float)
    x = (f - np.array(case.prop.mean)) / np.array(case.prop.sd)
    return {
        "case": name,
        "seed": seed,
        "parameters": len(case.circuit.parameters),
        "statistics": len(case.circuit.observables),
        "settings": json.loads(run.data.attrs["settings"]),
        "simulations": run.simulations,
        "stages": run.data.sizes["stage"],
        "seconds": seconds,
        "cpu_s": cpu,
        "load": os.getloadavg()[0],
        "trusted": run.trusted,
        "failed_checks": checks.index[~checks.passed].tolist(),
        "checks": checks.value.to_dict(),
        "entropy": run.entropy,
        "mean_sd": [over_islands(each) for each in x.mean(axis=1).T],
        "variance": [over_islands(each) for each in x.var(axis=1).T],
        **compared(run, case, seed),
        "numerics": numerics_stamp(SMC),
        **provenance(),
    }


def compared(run: SMCRun, case: Case, seed: int) -> dict[str, Any]:
    """Figures that need the truth: of the reference, and those in closed form, which go first."""
    z = run.data.z.values.astype(float)
    return _referred(z, case, seed) | _closed_form(run, z, case)


def _referred(z: np.ndarray, case: Case, seed: int) -> dict[str, Any]:
    """Entropy and C2ST by the problem's reference, where it has one."""
    if case.reference is None:
        return {}
    exact, pooled = case.exact(), z.reshape(-1, z.shape[-1])
    shuffled = pooled[np.random.default_rng(seed).permutation(len(pooled))]
    n = min(10_000, len(exact["z"]), len(pooled))
    found = {"c2st": c2st(shuffled[:n], exact["z"][:n].astype(float)), "c2st_n": n}
    if "entropy" in exact:
        found["exact_entropy"] = (float(exact["entropy"]), float(exact["entropy_se"]))
    return found


def _closed_form(run: SMCRun, z: np.ndarray, case: Case) -> dict[str, Any]:
    """What is known without samples; each problem has its own kind."""
    circuit, prop = case.circuit, case.prop
    if isinstance(circuit, Ring):
        shell = truths.ring(circuit.d, prop.mean[0], prop.sd[0])
        radius = run.data.statistics.values.astype(float)[..., 0]
        ks = [
            stats.kstest(each, lambda r: np.interp(r, shell.values, shell.cdf)).statistic
            for each in radius
        ]
        # On a sphere E[x_k^2] = r^2 / d, so each of these is 1.
        isotropy = circuit.d * (z**2).mean(axis=1) / (radius**2).mean(axis=1, keepdims=True)
        return {
            "exact_entropy": (shell.entropy, 0.0),
            "ks": over_islands(np.array(ks)),
            "isotropy": [over_islands(each) for each in isotropy.T],
            "mean_coordinate": [over_islands(each) for each in z.mean(axis=1).T],
        }
    if isinstance(circuit, dsnlib.Linear2D):
        return {
            "exact_entropy": (truths.linear2d(np.array(prop.mean), np.array(prop.sd)), 0.0),
            "half": over_islands((z[..., 1] > 0).mean(axis=1)),
        }
    return {}


def main() -> None:
    """Make the runs that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=[*CASES, *OTHER_ORDER])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    for name in given.cases:
        for seed in given.seeds:
            target = given.out / f"systems_{name}_seed-{seed}.json"
            if target.exists():
                continue
            found = measured(name, seed)
            write_json(target, found)
            shown = ("simulations", "cpu_s", "trusted", "entropy", "exact_entropy", "c2st", "half")
            print(name, seed, {key: found[key] for key in shown if key in found}, flush=True)


if __name__ == "__main__":
    main()

"""How good the densities are that SMC fits to its samples: python -m report.studies.density.

Each run leaves results/density_CASE_FLOW.json; those that are there are not made again.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

import dsnlib
from dsnlib import SMC, STG, EmergentProperty, exact_maxent
from dsnlib.judging.distances import c2st
from dsnlib.methods.smc import SMCRun
from dsnlib.runs.provenance import numerics_stamp, provenance
from dsnlib.storage.files import write_json
from report.studies.problems import CASES, Case

RESULTS = Path(__file__).parent / "results"
FLOWS = ("planar", "coupling", "spline")
HUB = Case(STG(T=200), EmergentProperty([0.525], [0.025]))
DRAWN = 100_000  # samples of a density, each simulated once to weight it
COMPARED = 10_000


def exact_samples(name: str) -> np.ndarray:
    """(n, P) exact samples of a problem: of the grid in the plane, else of the references."""
    if name == "d2":
        exact = exact_maxent(HUB.circuit, HUB.prop, cells=1_000)
        return np.asarray(exact.sample(jax.random.key(0), COMPARED), float)
    return np.asarray(CASES[name].exact()["z"][:COMPARED], float)


def measured(name: str, flow: str, seed: int = 1) -> dict[str, Any]:
    """Run SMC with a density on a problem, and correct the density's samples by their weights."""
    case = HUB if name == "d2" else CASES[name]
    began, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as out, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the diagnostics are recorded
        run = dsnlib.fit(case.circuit, case.prop, SMC(density=flow), seed=seed, out=out)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    assert isinstance(run, SMCRun)
    network, exact = run.network(), exact_samples(name)
    z = np.asarray(jax.jit(network.sample, static_argnums=1)(jax.random.key(seed), (DRAWN,)))
    log_w = run.log_prob(z) - np.asarray(jax.jit(network.log_prob)(z), float)
    rng = np.random.default_rng(seed)
    kept = z[np.log(rng.random(DRAWN)) < log_w - log_w.max()]
    n = min(len(kept), len(exact))
    return {
        "case": name,
        "flow": flow,
        "seed": seed,
        "parameters": z.shape[1],
        "report": run.data.density_report.to_series().to_dict(),
        "drawn": DRAWN,
        "kept": len(kept),
        "c2st_flow": c2st(z[: len(exact)], exact),
        "c2st_kept": c2st(kept[:n], exact[:n]),
        "compared": n,
        "trusted": run.trusted,
        "seconds": seconds,
        "cpu_s": cpu,
        "numerics": numerics_stamp(SMC),
        **provenance(),
    }


def main() -> None:
    """Make the runs that are missing."""
    for name in ("d2", "d8"):
        for flow in FLOWS:
            target = RESULTS / f"density_{name}_{flow}.json"
            if not target.exists():
                found = measured(name, flow)
                write_json(target, found)
                print(name, flow, found["report"], found["kept"], found["cpu_s"], flush=True)


if __name__ == "__main__":
    main()

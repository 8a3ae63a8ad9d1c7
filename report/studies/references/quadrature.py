"""The note's problem, of two conductances, by quadrature on the library's grid; no SMC in it.

    python -m report.studies.references.quadrature OUT

`dsnlib.exact_maxent` solves the dual on 400 x 400 cells; its samples are simulated and rejected one
by one, so the grid enters through eta alone. `uniform_references.py`, which shares no code with the
library, solves the same problem as its "d2", of 4 million uniform draws: its entropy is stored too.
"""

from __future__ import annotations

import argparse
import time
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

import dsnlib
from report.studies.references.uniform_references import PROBLEMS, compiled, reference, save

SAMPLES = 10_000
CELLS = 400


def make(out: Path, seed: int) -> dict[str, np.ndarray]:
    """The reference; `mode_names` and `mode_masses` are those of its modes."""
    problem = PROBLEMS["d2"]
    circuit = dsnlib.STG(T=200)
    prop = dsnlib.EmergentProperty(list(problem.mean), list(problem.sd))
    exact = dsnlib.exact_maxent(circuit, prop, cells=CELLS)
    z = exact.sample(jax.random.key(seed), SAMPLES)
    reference("d2", out, compiled(out), seed)
    with np.load(out / "d2.npz") as file:
        checked = {f"uniform_{name}": file[name] for name in ("entropy", "entropy_se", "draws")}
    return checked | {
        "z": z.astype(np.float32),
        "statistics": exact.moments(z)[:, :1].astype(np.float32),
        "eta": exact.eta,
        "eta_se": exact.eta_se,
        "log_z": np.asarray(exact.log_z),
        "entropy": np.asarray(exact.entropy),
        "entropy_se": np.asarray(exact.entropy_se),
        "names": np.array(problem.free),
        "cells": np.asarray(CELLS),
        "mode_names": np.array([mode.name for mode in exact.modes]),
        "mode_masses": np.array([mode.mass for mode in exact.modes]),
        "mode_masses_se": np.array([mode.mass_se for mode in exact.modes]),
    }


def main() -> None:
    """Make the reference."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    found = make(given.out, given.seed)
    found |= {
        "seed": np.asarray(given.seed),
        "seconds": np.asarray(time.monotonic() - began),
        "versions": np.asarray(f"dsnlib {version('dsnlib')}, JAX {jax.__version__}"),
    }
    save(given.out / "d2.npz", found)
    print({k: v.tolist() for k, v in found.items() if v.size < 5}, flush=True)


if __name__ == "__main__":
    main()

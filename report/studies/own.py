"""The examples as a new user solves them: python -m report.studies.own [EXAMPLE ...].

Each is solved twice from the shell, by SMC and by weighted uniform draws, with circuit.ipynb; the
two answers are compared. Each leaves results/own_EXAMPLE.json; those that are there are not made
again. Jaxley's cell needs the environment of `make test-examples`.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import dsnlib
from dsnlib import SMC
from dsnlib.judging.distances import c2st
from dsnlib.methods.natural import NaturalRun
from dsnlib.runs.provenance import numerics_stamp, provenance
from dsnlib.storage.files import write_json

RESULTS = Path(__file__).parent / "results"
_TIMEOUT_S = 3_600  # a kernel may hang


class Example(NamedTuple):
    """An example, and how many particles and draws it can afford."""

    cls: str
    particles: int  # of each island of SMC
    samples: int  # uniform draws


EXAMPLES = {
    "hodgkin_huxley": Example("HodgkinHuxley", 2_000, 6_000_000),
    "fitzhugh_nagumo": Example("FitzHughNagumo", 200, 100_000),
    "brittle": Example("Brittle", 2_000, 400_000),
    "silent": Example("FirstSpike", 2_000, 400_000),
    "jaxley_cell": Example("JaxleyCell", 2_000, 200_000),
}


def measured(name: str) -> dict[str, Any]:
    """Solve an example by both methods, and compare their answers."""
    example = EXAMPLES[name]
    module = importlib.import_module(f"examples.{name}")
    with tempfile.TemporaryDirectory() as folder:
        runs, pages = {}, {}
        for method, setting in (
            ("smc", {"particles": example.particles}),
            ("uniform", {"samples": example.samples}),
        ):
            out = Path(folder) / method
            pages[method] = _page(name, example.cls, module.PROPERTY, method, setting, out)
            run = dsnlib.load_run(out)
            assert isinstance(run, NaturalRun)
            runs[method] = run
        samples = [run.z.reshape(-1, run.z.shape[-1]) for run in runs.values()]
        n = min(map(len, samples))
        rng = np.random.default_rng(0)
        told_apart = c2st(*(each[rng.permutation(len(each))[:n]] for each in samples))
        return {
            "example": name,
            "lines": lines_beside_the_model(getattr(module, example.cls)),
            "methods": {
                method: {
                    "seconds": run.data.attrs["seconds"],
                    "page_seconds": pages[method],
                    "simulations": run.simulations,
                    "failed_share": float(run.data.failed.sum()) / run.simulations,
                    "trusted": run.trusted,
                    "failed_checks": run.diagnostics.query("not passed").index.tolist(),
                    "verdict": run.verdict,
                    "entropy": run.entropy,
                    "samples": run.z[..., 0].size,
                    "settings": json.loads(run.data.attrs["settings"]),
                }
                for method, run in runs.items()
            },
            "c2st": told_apart,
            "c2st_n": n,
            "load": os.getloadavg()[0],
            "numerics": numerics_stamp(SMC),
            **provenance(),
        }


def _page(
    name: str,
    cls: str,
    prop: dsnlib.EmergentProperty,
    method: str,
    setting: dict[str, int],
    out: Path,
) -> float:
    """Make the run and its page as a user does; the seconds that took."""
    given = {
        "circuit": f"examples.{name}:{cls}",
        "mean": list(prop.mean),
        "sd": list(prop.sds),
        "method": method,
        "out": str(out),
        **setting,
    }
    papermill = Path(sys.executable).parent / "papermill"
    page = out.with_suffix(".ipynb")
    began = time.monotonic()
    subprocess.run(
        [papermill, "circuit.ipynb", page, "--no-progress-bar", "-y", json.dumps(given)],
        check=True,
        capture_output=True,
        timeout=_TIMEOUT_S,
    )
    return time.monotonic() - began


def lines_beside_the_model(cls: type) -> int:
    """Lines that dsnlib asks of a user: a circuit's class without docstrings and functions' bodies.

    The two lines that solve it and the import of dsnlib are added.
    """
    source = inspect.getsource(cls)
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef)
    skipped: set[int] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.ClassDef | ast.FunctionDef):
            first = each.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            body = each.body if isinstance(each, ast.FunctionDef) else each.body[:documented]
            for statement in body:
                skipped |= set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    lines = source.splitlines()
    code = [
        number
        for number, line in enumerate(lines, 1)
        if number not in skipped and line.strip() and not line.strip().startswith("#")
    ]
    return len(code) + 3


def main() -> None:
    """Solve the examples that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="*", default=list(EXAMPLES))
    for name in parser.parse_args().examples:
        target = RESULTS / f"own_{name}.json"
        if target.exists():
            continue
        found = measured(name)
        write_json(target, found)
        both = found["methods"]
        print(name, {m: (both[m]["entropy"], both[m]["trusted"]) for m in both}, found["c2st"])


if __name__ == "__main__":
    main()

"""The simulator for methods of any environment; it counts what it is asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
from problem import ROOT, Problem

PYTHON = os.environ.get("DSNLIB_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


class Simulator:
    """Statistics (n, S) in Hz of conductances (n, d) in nS, from a process that runs `serve.py`.

    `simulations` says how many were asked for, `cpu_s` the processor time that they took there;
    the process has started and compiled before either counts.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._process = subprocess.Popen(
            [PYTHON, str(Path(__file__).with_name("serve.py")), problem.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT,
        )  # fmt: skip
        self.simulations, self.cpu_s, self._before = 0, 0.0, 0.0
        self(problem.upper[None] / 2)
        self.simulations, self._before = 0, self._before + self.cpu_s
        self.cpu_s = 0.0

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Simulate and count."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(np.int64(len(z)).tobytes() + np.asarray(z, np.float32).tobytes())
        stdin.flush()
        size = 4 * len(z) * len(self.problem.observe)
        answer = np.frombuffer(stdout.read(size), np.float32).reshape(len(z), -1)
        self.cpu_s = float(np.frombuffer(stdout.read(8), np.float64)[0]) - self._before
        self.simulations += len(z)
        return answer

    def log_likelihood(self, z: np.ndarray) -> np.ndarray:
        """(n,) at (n, d), -inf outside of the box, where nothing is simulated."""
        inside = ((z > 0) & (z < self.problem.upper)).all(axis=1)
        result = np.full(len(z), -np.inf)
        if inside.any():
            result[inside] = self.problem.log_likelihood(self(z[inside]))
        return result

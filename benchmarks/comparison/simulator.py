"""The simulator for methods that live in another environment; it counts what it is asked for."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).parents[2]
_PYTHON = os.environ.get("DSNLIB_PYTHON", str(_ROOT / ".venv" / "bin" / "python"))


class Simulator:
    """Frequencies (n,) in Hz of parameters (n, 2) in nS, from a process that runs `serve.py`.

    `simulations` and `seconds` say how much was asked for and how long the answers took; the
    process has started and compiled before either counts.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [_PYTHON, str(Path(__file__).with_name("serve.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(_ROOT / "src")},
        )  # fmt: skip
        self.simulations, self.seconds = 0, 0.0
        self(np.ones((1, 2)))
        self.simulations, self.seconds = 0, 0.0

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Simulate and count."""
        began = time.perf_counter()
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(np.int64(len(z)).tobytes() + np.asarray(z, np.float64).tobytes())
        stdin.flush()
        answer = np.frombuffer(stdout.read(8 * len(z)), np.float64)
        self.simulations += len(z)
        self.seconds += time.perf_counter() - began
        return answer

"""Simulate for another process: read parameters from standard input, write statistics to output.

    python serve.py d12

A request is a count (int64) and that many rows of conductances (float32, nS); the answer is that
many rows of statistics (float32, Hz) and the seconds of processor time of this process so far
(float64). It runs in the project's environment, the asker in any.
"""

from __future__ import annotations

import sys
import time

import jax
import numpy as np
from problem import load

import dsnlib

_BATCH = 1_000  # one compiled program for requests of every size; larger ones leave the cache


def main() -> None:
    """Answer until the input ends."""
    problem = load(sys.argv[1])
    circuit = dsnlib.STG(T=200, free=problem.free, observe=problem.observe)
    upper = [parameter.high for parameter in circuit.parameters]
    assert np.array_equal(upper, problem.upper), upper
    statistics = jax.jit(circuit.evaluate)
    width = 4 * len(problem.free)
    while head := sys.stdin.buffer.read(8):
        (count,) = np.frombuffer(head, np.int64)
        z = np.frombuffer(sys.stdin.buffer.read(width * count), np.float32)
        full = np.resize(z.reshape(count, -1), (-(-count // _BATCH) * _BATCH, len(problem.free)))
        parts = [np.asarray(statistics(part)) for part in np.split(full, len(full) // _BATCH)]
        sys.stdout.buffer.write(np.concatenate(parts)[:count].astype(np.float32).tobytes())
        sys.stdout.buffer.write(np.float64(time.process_time()).tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

"""Simulate for another process: read parameters from standard input, write frequencies to output.

A request is a count (int64) and that many pairs (g_el, g_synA), float64 in nS; the answer is that
many frequencies, float64 in Hz. It runs in the project's environment, the asker in any.
"""

from __future__ import annotations

import sys

import jax
import numpy as np

import dsnlib

_BATCH = 10_000  # one compiled program for requests of every size


def main() -> None:
    """Answer until the input ends."""
    jax.config.update("jax_enable_x64", True)
    frequency = jax.jit(dsnlib.STG(T=200).hub_frequency)
    while head := sys.stdin.buffer.read(8):
        (count,) = np.frombuffer(head, np.int64)
        z = np.frombuffer(sys.stdin.buffer.read(16 * count), np.float64).reshape(-1, 2)
        full = np.resize(z, (-(-count // _BATCH) * _BATCH, 2))
        parts = [frequency(part) for part in full.reshape(-1, _BATCH, 2)]
        sys.stdout.buffer.write(np.concatenate(parts)[:count].astype(np.float64).tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

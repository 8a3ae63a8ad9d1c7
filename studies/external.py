"""The recipe on a simulator that cannot be differentiated: external.py OUT.

The same circuit, written in NumPy with tanh and cosh as the paper has it, called from JAX as a
foreign function; its frequency is counted from crossings of a threshold, as an experimenter would.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, ClassVar

import jax
import numpy as np

from ablation import SEEDS, measured, write
from dsnlib import STG, Circuit, Population

CELLS = 300  # of the grid that judges: this simulator is slow
_THRESHOLD = -0.01  # V, of a crossing
# f1, f2, hub, s1, s2: conductances in nS, potentials in V, C = 1 nF
_G_CA = np.array([19, 19, 17, 8.5, 8.5])[:, None]
_G_K = np.array([39, 39, 19, 15, 15.0])[:, None]
_G_H = np.array([25, 25, 8, 10, 10.0])[:, None]
_START = np.array(
    [
        [-0.04169771, -0.04319491, 0.00883992, -0.06879824, 0.03048103],
        [0.00151316, 0.19784773, 0.56514935, 0.12214069, 0.35290397],
        [0.08614699, 0.04938177, 0.05568701, 0.07007949, 0.05790969],
    ]
)


def hub_voltage(z: np.ndarray, T: int, dt: float, g_synB: float = 5.0) -> np.ndarray:
    """(T + 1, n) voltage of the hub, V, for z (n, 2) in nS."""
    g_el, g_synA = z.T
    V, N, H = (np.repeat(row[:, None], len(z), 1) for row in _START)
    hub = [V[2]]
    for _ in range(T):
        S = 1 / (1 + np.exp((-0.025 - V) / 0.005))
        electrical = np.stack(
            [0 * g_el, g_el * (V[1] - V[2]), g_el * (2 * V[2] - V[1] - V[4]), 0 * g_el,
             g_el * (V[4] - V[2])]
        )  # fmt: skip
        gate = np.stack([g_synB * S[1], g_synB * S[0], g_synA * (S[0] + S[3]), g_synB * S[4],
                         g_synB * S[3]])  # fmt: skip
        current = (
            0.1 * (V + 0.04)
            + _G_CA * (1 + np.tanh(V / 0.02)) / 2 * (V - 0.1)
            + _G_K * N * (V + 0.08)
            + _G_H * H * (V + 0.02)
            + electrical
            + gate * (V + 0.075)
        )
        dN = 2 * np.cosh(V / 0.03) * ((1 + np.tanh(V / 0.015)) / 2 - N)
        tau = 0.272 + 1.499 / (1 + np.exp((-0.0422 - V) / 0.0873))
        dH = (1 / (1 + np.exp((V + 0.0783) / 0.0105)) - H) / tau
        V, N, H = V - dt * current, N + dt * dN, H + dt * dH  # nS / nF = 1 / s
        hub.append(V[2])
    return np.array(hub)


def counted_frequency(voltage: np.ndarray, dt: float) -> np.ndarray:
    """(n,) Hz: upward crossings of the threshold less one, over the time from first to last.

    Args:
        voltage: (T + 1, n), V.
        dt: between samples, s.
    """
    up = (voltage[:-1] < _THRESHOLD) & (voltage[1:] >= _THRESHOLD)
    count = up.sum(axis=0)
    first = up.argmax(axis=0)
    last = len(up) - 1 - up[::-1].argmax(axis=0)
    cycles = np.maximum(count - 1, 0)
    return np.where(cycles > 0, cycles / np.maximum((last - first) * dt, dt), 0.0)


@dataclasses.dataclass(frozen=True)
class ExternalSTG(Circuit):
    """The STG circuit as a foreign function, its frequency counted."""

    T: int = 400
    dt: float = 0.025

    parameters: ClassVar = STG.parameters
    observables: ClassVar = STG.observables

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Statistics (n, 1) of z (n, 2), by a call of NumPy that JAX cannot differentiate."""

        def outside(z: Any) -> np.ndarray:
            with np.errstate(over="ignore", invalid="ignore"):
                f = counted_frequency(hub_voltage(np.asarray(z, float), self.T, self.dt), self.dt)
            return f[:, None].astype(np.float32)

        # Where x64 mode is a context, JAX takes single precision alone from a foreign function.
        shape = jax.ShapeDtypeStruct((len(z), 1), np.float32)
        return jax.pure_callback(outside, shape, z).astype(z.dtype)  # type: ignore[no-any-return]


def main(out: str) -> None:
    """Write the record of the recipe's runs on the foreign simulator."""
    settings = Population(
        final_samples=100_000, final_iterations=1_500, acceptance_samples=200_000,
        acceptance_iterations=2_000,
    )  # fmt: skip
    runs = [measured(ExternalSTG(), settings, seed, CELLS) for seed in SEEDS]
    write(out, {"name": "external", "settings": dataclasses.asdict(settings), "runs": runs})


if __name__ == "__main__":
    main(*sys.argv[1:])

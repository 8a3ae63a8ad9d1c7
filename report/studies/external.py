"""A simulator that cannot be differentiated: python -m report.studies.external OUT.

The same circuit, written in NumPy with tanh and cosh as the paper has it, called from JAX as a
foreign function; its frequency is counted from crossings of a threshold, as an experimenter would.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np

import dsnlib
from dsnlib import SMC, STG, Circuit, Method, exact_maxent
from dsnlib.estimate import share_of
from dsnlib.judging.distances import kl_divergence
from dsnlib.runs.provenance import provenance
from dsnlib.storage.files import write_json
from report.experiment import PROPERTY

SEEDS = (1, 2)
PARTICLES = 2_000  # of each island: this simulator is slow
CELLS = 300  # of the grid that judges
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

    parameters: ClassVar = STG().parameters
    observables: ClassVar = STG().observables

    def evaluate(self, z: jax.Array) -> jax.Array:
        """Statistics (n, 1) of z (n, 2), by a call of NumPy that JAX cannot differentiate."""

        def outside(z: Any) -> np.ndarray:
            with np.errstate(over="ignore", invalid="ignore"):
                f = counted_frequency(hub_voltage(np.asarray(z, float), self.T, self.dt), self.dt)
            return f[:, None].astype(np.float32)

        # Where x64 mode is a context, JAX takes only single precision from a foreign function.
        shape = jax.ShapeDtypeStruct((len(z), 1), np.float32)
        return jax.pure_callback(outside, shape, z).astype(z.dtype)  # type: ignore[no-any-return]


def measured(circuit: Circuit, method: Method, seed: int, cells: int) -> dict[str, Any]:
    """Run a method in a temporary folder, and judge its answer.

    Args:
        circuit: with the hub's frequency as its statistic.
        method: with its settings.
        seed: of the run.
        cells: of the grid of the exact answer, along either parameter.

    Returns:
        KL(q || p*) with its standard error (nat), mean (in sd off target) and variance (over the
        target's) of the frequency, each mode's mass and exact mass, simulations, seconds.
    """
    exact = exact_maxent(circuit, PROPERTY, cells=cells)
    with tempfile.TemporaryDirectory() as folder:
        run = dsnlib.fit(circuit, PROPERTY, method, seed=seed, out=folder)
    answer = list(run.snapshots().values())[-1]
    kl = kl_divergence(answer.log_q, exact.log_prob_of(answer.moments))
    f = answer.moments[:, :1]
    modes = exact.assign(answer.z, f)
    u = (f - PROPERTY.mean) / PROPERTY.sd
    return {
        "seed": seed,
        "kl": kl.value,
        "kl_se": kl.se,
        "mean": float(u.mean()),
        "variance": float(u.var(ddof=1)),
        "modes": {
            mode.name: {"mass": share_of(modes == k).value, "exact": mode.mass}
            for k, mode in enumerate(exact.modes)
        },
        "simulations": run.simulations,
        "seconds": run.data.attrs["seconds"],
    }


def main(out: str) -> None:
    """Write the record of SMC's runs on the foreign simulator, as JSON.

    Args:
        out: the file.
    """
    method = SMC(particles=PARTICLES)
    record = {
        "method": method.name,
        "settings": dict(vars(method)),
        "runs": [measured(ExternalSTG(), method, seed, CELLS) for seed in SEEDS],
        "load": os.getloadavg()[0],
        "provenance": provenance(),
    }
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    write_json(Path(out), record)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A FitzHugh-Nagumo neuron with noise, in plain NumPy, that must fire at one rate.

    dv = (v - v^3 / 3 - w + I) dt + sigma dB
    dw = (v + a - b w) / tau dt

v and w have no units. The equations' unit of time is taken for 1 ms, and tau = 12.5 ms. Over the
box a neuron is silent, is kicked over its threshold by the noise, or fires by itself.

Source: FitzHugh, Biophys. J. 1 (1961); Nagumo, Arimoto and Yoshizawa, Proc. IRE 50 (1962); noise in
v by Euler-Maruyama.

After `import dsnlib` it is solved by

    from examples.fitzhugh_nagumo import PROPERTY, FitzHughNagumo
    run = dsnlib.fit(FitzHughNagumo(), PROPERTY, dsnlib.SMC(), seed=1, out="runs/fitzhugh-nagumo")
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

import dsnlib

TAU, DT = 12.5, 0.2  # ms
SETTLED, SEEN = 100.0, 300.0  # ms: what is left out, and what is looked at
UP, DOWN = 1.0, -0.5  # a spike is a crossing of UP, after v was below DOWN
START = (-1.2, -0.6)  # v and w, near rest

#: A neuron that is kicked now and then: 5 % of the box lie within two standard deviations of both
#: means. With 40 trials other noise changes a point's statistics by 0.7 Hz and 0.03, which must be
#: little beside the standard deviations. `run.diagnostics` says whether it is.
PROPERTY = dsnlib.EmergentProperty(mean=[10.0, 0.8], sd=[2.0, 0.1])


def simulate(z: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """Rate and swing of each row.

    A spike needs two thresholds: with one, noise would cross it several times in one upstroke.

    Args:
        z: (n, 4) a, b, I and sigma, the noise's size in 1 / sqrt(ms).
        shocks: (steps, 1) standard normal numbers, which all rows meet alike.

    Returns:
        (n, 2): spikes over the time looked at, in Hz, and the standard deviation of v.
    """
    a, b, current, sigma = z.T
    v, w = (np.full(len(z), start) for start in START)
    low = np.zeros(len(z), bool)
    spikes, total, squares = np.zeros((3, len(z)))
    skipped = round(SETTLED / DT)
    for k, shock in enumerate(shocks):
        dv = v * (1 - v * v / 3) - w + current
        dw = (v + a - b * w) / TAU
        v, w = v + DT * dv + np.sqrt(DT) * sigma * shock, w + DT * dw
        spike = low & (v > UP)
        low = (low | (v < DOWN)) & ~spike
        if k >= skipped:
            spikes += spike
            total += v
            squares += v * v
    seen = len(shocks) - skipped
    variance = squares / seen - (total / seen) ** 2
    return np.stack([1_000 * spikes / (seen * DT), np.sqrt(np.maximum(variance, 0))], axis=1)


@dataclasses.dataclass(frozen=True)
class FitzHughNagumo(dsnlib.ExternalStochasticCircuit):
    """Rate and swing of the neuron, means over trials, see `simulate`.

    Args:
        trials, noise, processes: see `dsnlib.ExternalStochasticCircuit`.
    """

    trials: int = 40

    # Of rows that are simulated together: a step of NumPy costs as much for one as for hundreds.
    most_rows: ClassVar[int] = 1_000

    parameters: ClassVar = (
        dsnlib.Parameter("a", "1", 0.4, 1.0),
        dsnlib.Parameter("b", "1", 0.2, 1.0),
        dsnlib.Parameter("I", "1", 0.0, 1.0),
        dsnlib.Parameter("sigma", "1/sqrt(ms)", 0.0, 0.3),
    )
    observables: ClassVar = (
        dsnlib.Statistic("rate", "Hz", low=0),
        dsnlib.Statistic("swing", "1", low=0),
    )

    def simulate_batch(self, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n, 2) rate and swing of one trial; z (n, 4)."""
        return simulate(z, rng.standard_normal((round((SETTLED + SEEN) / DT), 1)))

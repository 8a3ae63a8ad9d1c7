"""Samplers in the environment of sbi: tempered SMC with particles, and plain rejection."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import particles
import xarray as xr
from particles import distributions, resampling, smc_samplers
from record import Stopwatch, read_target, write_record
from simulator import Simulator

_SAMPLES = 10_000
_ROUND = 50_000  # proposals of rejection sampling


class _Circuit(smc_samplers.StaticModel):  # type: ignore[misc]
    """Uniform prior, Gaussian likelihood of the observed frequency."""

    def __init__(self, simulator: Simulator, target: xr.Dataset) -> None:
        self._simulator, self._target = simulator, target
        self.names = target.parameter.values.tolist()
        bounds = zip(self.names, target.bounds.values.tolist(), strict=True)
        prior = {name: distributions.Uniform(*both) for name, both in bounds}
        super().__init__(prior=distributions.StructDist(prior))

    def loglik(self, theta: np.ndarray, t: Any = None) -> np.ndarray:
        """Log-likelihood; nothing is simulated outside of the bounds."""
        z = np.stack([theta[name] for name in self.names], axis=1)
        low, high = self._target.bounds.values.T
        inside = ((z > low) & (z < high)).all(axis=1)
        result = np.full(len(z), -np.inf)
        result[inside] = log_likelihood(self._target, self._simulator(z[inside]))
        return result


def log_likelihood(target: xr.Dataset, f: np.ndarray) -> np.ndarray:
    """Of frequencies (n,), with 0 as its largest value."""
    return -0.5 * ((f - target.observed) / target.noise_sd) ** 2


def smc(
    simulator: Simulator, target: xr.Dataset, starts: int, chain: int, ess: float
) -> tuple[np.ndarray, dict[str, Any]]:
    """Waste-free SMC with adaptive tempering (Dau and Chopin 2022)."""
    model = _Circuit(simulator, target)
    algorithm = particles.SMC(
        fk=smc_samplers.AdaptiveTempering(model, len_chain=chain, ESSrmin=ess), N=starts
    )
    algorithm.run()
    last = algorithm.X
    chosen = resampling.systematic(algorithm.W, M=_SAMPLES)
    z = np.stack([last.theta[name][chosen] for name in model.names], axis=1)
    return z, {
        "temperatures": len(last.shared["exponents"]) - 1,
        "ess": algorithm.wgts.ESS,
        "acceptance": float(np.mean(last.shared["acc_rates"][-1])),
    }


def rejection(simulator: Simulator, target: xr.Dataset) -> tuple[np.ndarray, dict[str, Any]]:
    """Uniform proposals, accepted with the likelihood over its largest value."""
    low, high = target.bounds.values.T
    accepted: list[np.ndarray] = []
    while sum(map(len, accepted)) < _SAMPLES:
        z = np.random.uniform(low, high, (_ROUND, 2))
        uniform = np.random.uniform(size=_ROUND)
        accepted.append(z[np.log(uniform) < log_likelihood(target, simulator(z))])
    z = np.concatenate(accepted)
    return z[:_SAMPLES], {"acceptance": len(z) / simulator.simulations}


def main() -> None:
    """Sample once and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the record")
    parser.add_argument("--algorithm", choices=["smc", "rejection"], default="smc")
    parser.add_argument("--starts", type=int, default=1_000, help="of SMC's Markov chains")
    parser.add_argument("--chain", type=int, default=10, help="their length")
    parser.add_argument("--ess", type=float, default=0.5, help="share that sets a temperature")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    np.random.seed(arguments.seed)  # particles draws from numpy's global generator, scipy too
    simulator, target = Simulator(), read_target()
    settings: dict[str, Any] = {"algorithm": arguments.algorithm}
    watch = Stopwatch()
    if arguments.algorithm == "smc":
        tuning = {name: getattr(arguments, name) for name in ("starts", "chain", "ess")}
        settings |= tuning
        z, attributes = smc(simulator, target, **tuning)
    else:
        z, attributes = rejection(simulator, target)
    counted = {"simulations": simulator.simulations, "simulation_s": simulator.seconds}
    attributes |= counted | watch.reading()
    write_record(
        arguments.name, arguments.seed, z, simulator(z),
        packages=["particles", "numpy", "scipy"], attributes=attributes, settings=settings,
    )  # fmt: skip


if __name__ == "__main__":
    main()

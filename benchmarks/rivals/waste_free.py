"""Waste-free SMC of the package particles, tempered from the uniform distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import particles
from particles import distributions, smc_samplers
from problem import Problem, load
from record import Stopwatch, arguments_of, finish
from scipy.special import ndtr
from simulator import Simulator


class _Circuit(smc_samplers.StaticModel):  # type: ignore[misc]
    """Uniform prior on the box, or the same in y = probit(z / upper), and the likelihood."""

    def __init__(self, simulator: Simulator, problem: Problem, space: str) -> None:
        self._simulator, self._problem, self._space = simulator, problem, space
        if space == "box":
            one = [distributions.Uniform(0.0, upper) for upper in problem.upper]
        else:
            one = [distributions.Normal() for _ in problem.upper]
        prior = distributions.StructDist(dict(zip(problem.free, one, strict=True)))
        super().__init__(prior=prior)

    def z(self, theta: np.ndarray) -> np.ndarray:
        """(n, d) conductances in nS."""
        values = np.stack([theta[name] for name in self._problem.free], axis=1)
        return values if self._space == "box" else ndtr(values) * self._problem.upper

    def loglik(self, theta: np.ndarray, t: Any = None) -> np.ndarray:
        """Log-likelihood; nothing is simulated outside of the bounds."""
        return self._simulator.log_likelihood(self.z(theta))


def main() -> None:
    """Sample once and write the record."""
    parser = arguments_of(__doc__)
    parser.add_argument("--starts", type=int, default=1_000, help="of the Markov chains")
    parser.add_argument("--chain", type=int, default=100, help="their length")
    parser.add_argument("--ess", type=float, default=0.5, help="share that sets a temperature")
    parser.add_argument("--space", choices=["box", "probit"], default="box", help="of the moves")
    arguments = parser.parse_args()
    np.random.seed(arguments.seed)  # particles draws from numpy's global generator, scipy too
    problem = load(arguments.problem)
    simulator = Simulator(problem)
    settings = {name: getattr(arguments, name) for name in ("starts", "chain", "ess", "space")}
    watch = Stopwatch()
    model = _Circuit(simulator, problem, arguments.space)
    algorithm = particles.SMC(
        fk=smc_samplers.AdaptiveTempering(model, len_chain=arguments.chain, ESSrmin=arguments.ess),
        N=arguments.starts,
    )
    algorithm.run()
    figures = watch.reading(simulator)
    last = algorithm.X
    figures |= {
        "temperatures": len(last.shared["exponents"]) - 1,
        "acceptance": [float(np.mean(rates)) for rates in last.shared["acc_rates"]],
    }
    z = model.z(last.theta).astype(np.float32)
    unique, owner = np.unique(z, axis=0, return_inverse=True)
    statistics = simulator(unique)[owner.ravel()]  # of the samples; not counted
    finish(
        arguments, problem, z, statistics, algorithm.W,
        packages=["particles", "numpy", "scipy"],
        settings=settings, figures=figures, log_mean=algorithm.logLt,
    )  # fmt: skip


if __name__ == "__main__":
    main()

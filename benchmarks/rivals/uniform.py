"""Weighted uniform draws: exact in the limit, whatever the dimension, and no settings to choose."""

from __future__ import annotations

import numpy as np
from problem import load
from record import Stopwatch, arguments_of, finish
from scipy.special import logsumexp
from simulator import Simulator

_ROUND = 100_000  # draws at a time
_REACH = 30  # nats below the largest weight, beyond which a draw is dropped


def main() -> None:
    """Draw, weight and write the record."""
    parser = arguments_of(__doc__)
    parser.add_argument("--draws", type=int, default=2_000_000)
    parser.add_argument("--reject", action="store_true", help="keep with w / max w, not weighted")
    arguments = parser.parse_args()
    problem = load(arguments.problem)
    generator, simulator = np.random.default_rng(arguments.seed), Simulator(problem)
    watch = Stopwatch()
    parts = []
    for _ in range(arguments.draws // _ROUND):
        z = generator.random((_ROUND, len(problem.upper)), np.float32) * problem.upper
        statistics = simulator(z)
        log_weight = problem.log_likelihood(statistics)
        near = log_weight > -_REACH
        parts.append((z[near], statistics[near], log_weight[near]))
    z, statistics, log_weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    log_mean = logsumexp(log_weight) - np.log(simulator.simulations)
    weights = np.exp(log_weight - log_weight.max())
    if arguments.reject:
        kept = generator.random(len(weights)) < weights
        z, statistics, weights = z[kept], statistics[kept], weights[kept] > 0
    finish(
        arguments, problem, z, statistics, weights, packages=["numpy"],
        settings={"draws": arguments.draws, "reject": arguments.reject},
        figures=watch.reading(simulator), log_mean=log_mean,
    )  # fmt: skip


if __name__ == "__main__":
    main()

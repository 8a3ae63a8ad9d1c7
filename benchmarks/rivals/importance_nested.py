"""Importance nested sampling by nautilus: bounds from neural networks, all points weighted."""

from __future__ import annotations

import numpy as np
from nautilus import Sampler
from problem import load
from record import Stopwatch, arguments_of, finish
from simulator import Simulator


def main() -> None:
    """Sample once and write the record."""
    parser = arguments_of(__doc__)
    parser.add_argument("--live", type=int, default=3_000)
    parser.add_argument("--effective", type=int, default=10_000, help="samples to end with")
    parser.add_argument("--batch", type=int, default=1_000, help="simulations at a time")
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--discard", action="store_true", help="the points of the exploration")
    parser.add_argument("--timeout", type=float, default=600, help="s")
    arguments = parser.parse_args()
    problem = load(arguments.problem)
    simulator = Simulator(problem)
    names = ("live", "effective", "batch", "networks", "discard", "timeout")
    settings = {name: getattr(arguments, name) for name in names}
    watch = Stopwatch()
    sampler = Sampler(
        lambda unit: unit * problem.upper,
        simulator.log_likelihood,
        n_dim=len(problem.upper),
        n_live=arguments.live,
        n_batch=arguments.batch,
        n_networks=arguments.networks,
        vectorized=True,
        seed=arguments.seed,
    )
    finished = sampler.run(
        n_eff=arguments.effective,
        discard_exploration=arguments.discard,
        timeout=arguments.timeout,
        verbose=False,
    )
    figures = watch.reading(simulator) | {"finished": bool(finished), "bounds": len(sampler.bounds)}
    z, log_weight, _ = sampler.posterior()
    near = log_weight > log_weight.max() - 30
    z = z[near].astype(np.float32)
    finish(
        arguments, problem, z, simulator(z), np.exp(log_weight[near] - log_weight.max()),
        packages=["nautilus-sampler", "numpy", "scikit-learn"],
        settings=settings, figures=figures, log_mean=sampler.log_z,
    )  # fmt: skip


if __name__ == "__main__":
    main()
